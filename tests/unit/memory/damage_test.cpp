// A reader survives any region: bits flipped anywhere, with and without checksums made right again, cut off, half
// written, or plain noise. The sanitizers watch that nothing outside the region is read.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>

#include "base/crc32.hpp"
#include "tests/unit/memory/support.hpp"

namespace aios::memory {
namespace {

using test::Region;

Region sample() {
    test::Documents documents;
    for (int i = 0; i < 70; ++i) {
        documents.emplace_back("file" + std::to_string(i),
                               "number " + std::to_string(i * 7) + "\nthe wing of aircraft " + std::to_string(i % 5) +
                                   (i % 3 == 0 ? " flutters at high speed" : " bends under load") + "\n");
    }
    return test::sealed(documents);
}

// Opens and searches; what comes out is of no interest, only that it comes.
void use(Bytes region) {
    const auto view = IndexView::open(region);
    if (!view) return;
    (void)view->verify();
    for (const char* question : {"wing flutter at high speed", "number 49 bends", "who won the cup"}) {
        const auto answer = search(*view, question);
        if (!answer) continue;
        for (const FoundPassage& passage : answer->passages)
            ASSERT_LE(passage.text.size(), region.size());
    }
}

void repair_header(MutableBytes region) {
    Header header;
    std::memcpy(&header, region.data() + sizeof(Lead), sizeof header);
    header.header_crc = crc32c(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, header_crc)));
    std::memcpy(region.data() + sizeof(Lead), &header, sizeof header);
}

TEST(Damage, FlippedBitsAnywhereAreSurvived) {
    const Region good = sample();
    ASSERT_GT(IndexView::open(good.view())->dimensions(), 0U) << "the sample must have every section";
    Region bad(good.view().size());
    for (std::size_t byte = 0; byte < good.view().size(); byte += 11) {
        std::ranges::copy(good.view(), bad.span().begin());
        bad.span()[byte] ^= static_cast<std::byte>(1U << (byte / 11 % 8));
        use(bad.view());
    }
}

TEST(Damage, WrongHeadersWithRightChecksumsAreSurvived) {
    const Region good = sample();
    Region bad(good.view().size());
    for (std::size_t bit = 0; bit < 8 * (sizeof(Lead) + sizeof(Header)); ++bit) {
        std::ranges::copy(good.view(), bad.span().begin());
        bad.span()[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
        repair_header(bad.span());
        use(bad.view());
    }
}

TEST(Damage, TablesFullOfNoiseAreSurvived) {
    const Region good = sample();
    Region bad(good.view().size());
    test::Sequence random(3);
    for (int round = 0; round < 400; ++round) {
        std::ranges::copy(good.view(), bad.span().begin());
        for (int n = 0; n < 40; ++n) {
            const std::uint32_t at =
                sizeof(Lead) + sizeof(Header) + random.below(static_cast<std::uint32_t>(bad.view().size() - 600));
            bad.span()[at] = static_cast<std::byte>(random.below(3) == 0 ? 0xff : random.below(256));
        }
        use(bad.view());
    }
}

TEST(Damage, IsNamed) {
    Region region = sample();
    EXPECT_EQ(IndexView::open(Bytes{}).error(), Error::truncated);
    EXPECT_EQ(IndexView::open(region.view().first(100)).error(), Error::truncated);
    EXPECT_EQ(IndexView::open(region.view().first(region.view().size() - 8)).error(), Error::bad_format);
    EXPECT_EQ(IndexView::open(region.view().subspan(1)).error(), Error::bad_argument);
    Region zero(4096);
    EXPECT_EQ(IndexView::open(zero.view()).error(), Error::bad_format);

    // A change of the body is found by who asks.
    const auto view = IndexView::open(region.view());
    region.span()[region.view().size() / 2] ^= std::byte{1};
    EXPECT_EQ(view->verify().error(), Error::integrity);

    // An odd sequence number: a build is at work, or was cut off.
    region.span()[offsetof(Lead, sequence)] ^= std::byte{1};
    EXPECT_EQ(IndexView::open(region.view()).error(), Error::busy);
}

} // namespace
} // namespace aios::memory
