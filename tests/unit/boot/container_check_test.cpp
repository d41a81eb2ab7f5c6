// The container header check.
#include "boot/container_check.hpp"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

namespace aios::boot {
namespace {

constexpr std::uint64_t kPage = kContainerPage;

// Two sections: boot with 300 data pages (so three pages of leaves), job with one.
ContainerHeader good() {
    ContainerHeader header{};
    std::memcpy(header.magic, kContainerMagic, sizeof(header.magic));
    header.version = kContainerVersion;
    header.section_count = 2;
    header.sections[0] = {1 * kPage, 5000, {}, 3 * kPage, 6 * kPage, 300};
    header.sections[1] = {306 * kPage, 10, {}, 307 * kPage, 308 * kPage, 1};
    header.total_bytes = 309 * kPage;
    return header;
}

Result<ContainerHeader> check(const ContainerHeader& header, std::uint64_t available) {
    std::vector<std::uint8_t> page(std::min(kPage, available));
    if (!page.empty()) std::memcpy(page.data(), &header, std::min(sizeof(header), page.size()));
    return container_header_check(page, available);
}

Error error_of(const ContainerHeader& header, std::uint64_t available = 309 * kPage) {
    auto result = check(header, available);
    EXPECT_FALSE(result.has_value());
    return result ? Error::killed : result.error();
}

TEST(ContainerHeader, TakesGoodOnes) {
    auto header = check(good(), 309 * kPage);
    ASSERT_TRUE(header.has_value());
    EXPECT_EQ(header->total_bytes, 309 * kPage);
    EXPECT_EQ(header->sections[0].data_pages, 300u);
    EXPECT_TRUE(check(good(), 309 * kPage + 1).has_value()); // what follows is not part of it
    auto no_job = good();
    no_job.sections[1] = {};
    EXPECT_TRUE(check(no_job, 309 * kPage).has_value());
}

TEST(ContainerHeader, RefusesShortFiles) {
    EXPECT_EQ(error_of(good(), 0), Error::truncated);
    EXPECT_EQ(error_of(good(), 100), Error::truncated);
    EXPECT_EQ(error_of(good(), kPage - 1), Error::truncated);
    EXPECT_EQ(error_of(good(), kPage), Error::truncated);
    EXPECT_EQ(error_of(good(), 309 * kPage - 1), Error::truncated);
}

TEST(ContainerHeader, RefusesOtherFormats) {
    auto header = good();
    header.magic[7] = '2';
    EXPECT_EQ(error_of(header), Error::bad_format);
    header = good();
    header.version = boot::kContainerVersion + 1;
    EXPECT_EQ(error_of(header), Error::unsupported);
    for (std::uint32_t count : {0u, 1u, 3u, ~0u}) {
        header = good();
        header.section_count = count;
        EXPECT_EQ(error_of(header), Error::bad_format);
    }
}

TEST(ContainerHeader, RefusesPartsOutside) {
    constexpr std::uint64_t kValues[] = {0, 1, kPage - 1, kPage + 1, 309 * kPage, ~0ull, ~0ull - kPage + 1, 1ull << 63};
    for (std::uint64_t value : kValues) {
        auto header = good();
        header.sections[0].manifest_offset = value;
        EXPECT_EQ(error_of(header), Error::bad_format) << value;
        header = good();
        header.sections[0].leaves_offset = value;
        EXPECT_EQ(error_of(header), Error::bad_format) << value;
        header = good();
        header.sections[1].data_offset = value;
        EXPECT_EQ(error_of(header), Error::bad_format) << value;
    }
    for (std::uint64_t value : {301ul, 1ul << 52, 1ul << 59, ~0ul}) {
        auto header = good();
        header.sections[0].data_pages = value;
        EXPECT_EQ(error_of(header), Error::bad_format) << value;
    }
    for (std::uint64_t value : {2 * kPage + 1, ~0ul}) {
        auto header = good();
        header.sections[0].manifest_bytes = value;
        EXPECT_EQ(error_of(header), Error::bad_format) << value;
    }
}

TEST(ContainerHeader, RefusesOverlapsAndEmptyBootSections) {
    auto header = good();
    header.sections[1].data_offset = 10 * kPage;
    EXPECT_EQ(error_of(header), Error::bad_format);
    header = good();
    header.sections[0].manifest_bytes = 0;
    EXPECT_EQ(error_of(header), Error::bad_format);
    header = good();
    header.total_bytes = 0;
    EXPECT_EQ(error_of(header), Error::bad_format);
}

} // namespace
} // namespace aios::boot
