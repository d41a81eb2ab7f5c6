// Amounts as programs of another age would send them: shorter ones, longer ones, other versions.
#include <gtest/gtest.h>

#include <cstring>

#include "kernel/quota/grant.hpp"

namespace aios {
namespace {

TEST(Grant, TheLayoutIsOneValueAPlaceAndThenTheHeader) {
    static_assert(sizeof(QuotaGrant) == kMaxResources * 8 + 8);
    QuotaGrant grant{1, 2, 3, 4};
    std::uint64_t words[kMaxResources + 1];
    std::memcpy(words, &grant, sizeof(grant));
    for (unsigned number = 0; number < kMaxResources; ++number) {
        EXPECT_EQ(words[number], number < 4 ? number + 1 : 0) << number;
        EXPECT_EQ(grant.value(number), words[number]);
    }
    EXPECT_EQ(words[kMaxResources], (std::uint64_t{kResourceCount} << 32) | 1);
    for (const ResourceRow& row : kResources) {
        grant.set(row.resource, 100 + static_cast<unsigned>(row.resource));
        EXPECT_EQ(grant.value(row.resource), 100 + static_cast<unsigned>(row.resource));
    }
}

TEST(Grant, AShorterOneHasZerosWhateverLiesBehindIt) {
    for (std::uint32_t count = 0; count <= kResourceCount; ++count) {
        QuotaGrant said{1, 2, 3, 4, 5, 6, 7};
        for (auto& word : said.unknown)
            word = 99;
        said.count = count;
        const auto grant = understood(said);
        ASSERT_TRUE(grant) << count;
        EXPECT_EQ(grant->count, kResourceCount);
        for (unsigned number = 0; number < kMaxResources; ++number)
            EXPECT_EQ(grant->value(number), number < count ? number + 1 : 0) << count << " " << number;
    }
}

TEST(Grant, ALongerOneIsRefusedIfItAsksForWhatIsNotKnown) {
    QuotaGrant said{1, 2, 3, 4, 5, 6, 7};
    for (said.count = kResourceCount + 1; said.count <= kMaxResources; ++said.count)
        EXPECT_EQ(*understood(said), (QuotaGrant{1, 2, 3, 4, 5, 6, 7})) << said.count;
    for (unsigned place = 0; place < std::size(said.unknown); ++place) {
        said = {1, 2, 3, 4, 5, 6, 7};
        said.unknown[place] = 1;
        for (said.count = 0; said.count <= kMaxResources; ++said.count) {
            const auto grant = understood(said);
            const bool counted = said.count > kResourceCount + place;
            ASSERT_EQ(grant.has_value(), !counted) << said.count << " " << place;
            if (counted) {
                EXPECT_EQ(grant.error(), Error::unsupported);
            }
        }
    }
    said = {};
    said.count = kMaxResources + 1;
    EXPECT_EQ(understood(said).error(), Error::too_large);
    said.count = ~0u;
    EXPECT_EQ(understood(said).error(), Error::too_large);
}

TEST(Grant, AnotherVersionIsRefused) {
    for (const std::uint32_t version : {0u, 2u, ~0u}) {
        QuotaGrant said{1, 2, 3, 4};
        said.version = version;
        EXPECT_EQ(understood(said).error(), Error::unsupported) << version;
    }
}

TEST(Grant, TellsHeldFromSpent) {
    for (const ResourceRow& row : kResources) {
        QuotaGrant grant;
        EXPECT_FALSE(has_held_part(grant));
        EXPECT_TRUE(spent_part(grant).is_nothing());
        grant.set(row.resource, 7);
        EXPECT_EQ(has_held_part(grant), row.kind == ResourceKind::held);
        EXPECT_EQ(spent_part(grant).is_nothing(), row.kind == ResourceKind::held);
    }
}

} // namespace
} // namespace aios
