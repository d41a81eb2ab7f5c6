// Identity page tables: walked as the processor would walk them.
#include "boot/identity_map.hpp"

#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace aios::boot {
namespace {

constexpr std::uint64_t kBase = 0x7654'3000;
constexpr std::uint64_t kAddress = 0x000f'ffff'ffff'f000;

// Where `address` leads, or nothing if it is not mapped writable.
std::optional<std::uint64_t> walk(const std::vector<std::uint64_t>& tables, std::uint64_t address) {
    std::uint64_t table = kBase;
    for (int shift = 39;; shift -= 9) {
        std::uint64_t entry = tables.at((table - kBase) / 8 + (address >> shift & 511));
        if ((entry & 3) != 3) return std::nullopt;
        if (shift < 39 && (entry & 0x80) != 0) return (entry & kAddress) | (address & ((1ull << shift) - 1));
        if (shift == 12) return std::nullopt;
        table = entry & kAddress;
    }
}

class IdentityMap : public testing::TestWithParam<IdentityPage> {};

TEST_P(IdentityMap, MapsEverythingBelowTheTop) {
    for (std::uint64_t top : {1ull, 4ull << 30, (4ull << 30) + 1, 512ull << 30, (513ull << 30) - 5, 1100ull << 30}) {
        std::size_t pages = identity_map_pages(top, GetParam()).value_or(0);
        ASSERT_GT(pages, 1u);
        std::vector<std::uint64_t> tables(pages * 512, ~0ull);
        ASSERT_TRUE(identity_map_build(tables, kBase, top, GetParam()).has_value());
        for (std::uint64_t at = 0; at < top; at += 123'456'789)
            EXPECT_EQ(walk(tables, at).value_or(~at), at);
        EXPECT_EQ(walk(tables, top - 1).value_or(0), top - 1);
        std::uint64_t above = (top + (1ull << 30) - 1) & ~((1ull << 30) - 1);
        EXPECT_FALSE(walk(tables, above).has_value());
    }
}

TEST_P(IdentityMap, RefusesWhatDoesNotFit) {
    EXPECT_EQ(identity_map_pages(0, GetParam()).error(), Error::too_large);
    EXPECT_EQ(identity_map_pages((128ull << 40) + 1, GetParam()).error(), Error::too_large);
    std::vector<std::uint64_t> tables(512);
    EXPECT_EQ(identity_map_build(tables, kBase, 1, GetParam()).error(), Error::bad_argument);
    tables.resize(identity_map_pages(1, GetParam()).value_or(1) * 512);
    EXPECT_EQ(identity_map_build(tables, kBase + 8, 1, GetParam()).error(), Error::bad_argument);
    EXPECT_TRUE(identity_map_build(tables, kBase, 1, GetParam()).has_value());
}

INSTANTIATE_TEST_SUITE_P(Pages, IdentityMap, testing::Values(IdentityPage::two_mib, IdentityPage::one_gib));

} // namespace
} // namespace aios::boot
