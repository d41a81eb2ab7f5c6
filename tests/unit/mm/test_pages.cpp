// Pages: contents, sizes, charges, sources.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "kernel/mm/pages.hpp"
#include "tests/support/heap_tally.hpp"
#include "tests/unit/mm/fake_arch.hpp"
#include "tests/unit/mm/fake_source.hpp"

namespace aios::mm {
namespace {

class PagesTest : public testing::Test {
protected:
    void SetUp() override {
        fake::start_machine();
        free_before_ = frame_counts().free;
    }
    fake::CountingPayer payer_;
    std::uint64_t free_before_ = 0;
};

TEST_F(PagesTest, ChargedAtTouch) {
    {
        auto pages = Pages::create(payer_, 100 * kPageSize + 1, ChargeWhen::at_touch).value();
        EXPECT_EQ(pages->page_count(), 101u);
        const std::uint64_t idle = payer_.used();
        EXPECT_LT(idle, 1024u);
        const arch::PhysAddr frame = pages->page(100).value();
        EXPECT_EQ(pages->page(100).value(), frame);
        EXPECT_EQ(pages->resident_pages(), 1u);
        EXPECT_GE(payer_.used(), idle + kPageSize);
        EXPECT_LT(payer_.used(), idle + kPageSize + 2048);
        EXPECT_EQ(pages->page(101).error(), Error::bad_argument);
        pages->discard(0, 1000);
        EXPECT_LT(payer_.used(), idle + 1024);
        EXPECT_EQ(pages->resident_pages(), 0u);
    }
    EXPECT_EQ(payer_.used(), 0u);
    EXPECT_EQ(payer_.references(), 0);
    EXPECT_GE(frame_counts().free + 8, free_before_);
}

TEST_F(PagesTest, ChargedAtOnce) {
    {
        auto pages = Pages::create(payer_, 10 * kPageSize, ChargeWhen::at_once).value();
        const std::uint64_t idle = payer_.used();
        EXPECT_GE(idle, 10 * kPageSize);
        payer_.set_limit(idle); // all is paid for
        (void)pages->page(3).value();
        EXPECT_EQ(payer_.used(), idle);
        payer_.set_limit(~0ull);
        pages->discard(0, 10);
        EXPECT_EQ(payer_.used(), idle);
        EXPECT_EQ(pages->resize(1).error(), Error::missing_right);
        EXPECT_EQ(pages->grow(1 << 20).error(), Error::missing_right);
        EXPECT_EQ(pages->extend(1, 1 << 20).error(), Error::missing_right);
        EXPECT_EQ(pages->bytes(), 10 * kPageSize);
    }
    EXPECT_EQ(payer_.used(), 0u);
}

// The account is what the allocator took: the heap's pieces and the frames of the contents, at any size, to the byte.
TEST_F(PagesTest, TheAccountIsWhatTheAllocatorTook) {
    const std::uint64_t heap_before = test::heap_taken();
    const auto taken = [&](const Ref<Pages>& pages) {
        return test::heap_taken() - heap_before + pages->resident_pages() * kPageSize;
    };
    std::mt19937_64 random(5);
    {
        auto pages = Pages::create(payer_, Pages::kMaxPages * kPageSize, ChargeWhen::at_touch).value();
        EXPECT_EQ(payer_.used(), taken(pages));
        for (int step = 0; step < 2000; ++step) {
            if (random() % 8 == 0)
                pages->discard(random() % Pages::kMaxPages, random() % 40'000);
            else
                ASSERT_TRUE(pages->page(random() % Pages::kMaxPages >> random() % 18).has_value());
            ASSERT_EQ(payer_.used(), taken(pages)) << step;
        }
        ASSERT_TRUE(pages->resize(0).has_value());
        EXPECT_EQ(pages->resident_pages(), 0u);
        EXPECT_EQ(payer_.used(), taken(pages)); // the table's spine stays
    }
    for (const std::uint64_t size : {1u, 64u, 65u, 256u, 257u, 1000u}) {
        auto pages = Pages::create(payer_, size * kPageSize, ChargeWhen::at_once).value();
        const std::uint64_t charged = payer_.used();
        for (std::uint64_t i = 0; i < size; ++i)
            ASSERT_TRUE(pages->page(i).has_value());
        EXPECT_EQ(payer_.used(), charged) << size;
        EXPECT_EQ(charged, taken(pages)) << size; // once all of it is there
    }
    EXPECT_EQ(payer_.used(), 0u);
    EXPECT_EQ(test::heap_taken(), heap_before);
}

// Contents grow to the largest size and not beyond; growing to less changes nothing; extending answers where it began.
TEST_F(PagesTest, GrowthIsBounded) {
    constexpr std::uint64_t kMost = 1ull << 30;
    auto pages = Pages::create(payer_, 100, ChargeWhen::at_touch).value();
    ASSERT_TRUE(pages->grow(300).has_value());
    ASSERT_TRUE(pages->grow(200).has_value());
    EXPECT_EQ(pages->bytes(), 300u);
    EXPECT_EQ(pages->extend(50, 350).value(), 300u);
    EXPECT_EQ(pages->extend(1, 350).error(), Error::too_large);
    EXPECT_EQ(pages->extend(0, 350).value(), 350u);
    EXPECT_EQ(pages->extend(kMost - 350, ~0ull).value(), 350u);
    EXPECT_EQ(pages->extend(1, ~0ull).error(), Error::too_large);
    EXPECT_EQ(pages->bytes(), kMost);
    ASSERT_TRUE(pages->resize(0).has_value());
    EXPECT_EQ(pages->grow(kMost + 1).error(), Error::too_large);
    EXPECT_EQ(pages->resize(kMost + 1).error(), Error::too_large);
    ASSERT_TRUE(pages->grow(kMost).has_value() && pages->resize(kMost).has_value());
}

TEST_F(PagesTest, QuotaIsKept) {
    fake::CountingPayer poor(64 * 1024);
    EXPECT_EQ(Pages::create(poor, 17 * kPageSize, ChargeWhen::at_once).error(), Error::quota_exceeded);
    auto pages = Pages::create(poor, 1 << 30, ChargeWhen::at_touch).value();
    std::uint64_t touched = 0;
    while (pages->page(touched * 4099).has_value())
        ++touched;
    EXPECT_EQ(pages->page(touched * 4099).error(), Error::quota_exceeded);
    EXPECT_GT(touched, 2u);
    EXPECT_LE(poor.used(), 64u * 1024);
    pages.reset();
    EXPECT_EQ(poor.used(), 0u);
    EXPECT_EQ(Pages::create(payer_, (1ull << 30) + 1, ChargeWhen::at_touch).error(), Error::too_large);
    EXPECT_EQ(Pages::create(payer_, ~0ull, ChargeWhen::at_touch).error(), Error::too_large);
}

TEST_F(PagesTest, Contiguous) {
    {
        auto pages = Pages::create_contiguous(payer_, 11).value();
        const std::uint64_t first = pages->page(0).value().value;
        for (std::uint64_t i = 0; i < 11; ++i) {
            EXPECT_EQ(pages->page(i).value().value, first + i * kPageSize);
            EXPECT_EQ(*static_cast<const std::uint64_t*>(arch::physmap(pages->page(i).value())), 0u);
        }
        EXPECT_EQ(Pages::create_contiguous(payer_, 0).error(), Error::bad_argument);
        EXPECT_EQ(Pages::create_contiguous(payer_, 1 << 18).error(), Error::out_of_memory);
        EXPECT_EQ(Pages::create_contiguous(payer_, ~0ull).error(), Error::too_large);
    }
    EXPECT_EQ(payer_.used(), 0u);
    EXPECT_GE(frame_counts().free + 16, free_before_);
}

// The kernel's own memory for tables is not the payer's account: what is not freed would be seen nowhere but here.
TEST_F(PagesTest, GrowingAgainAndAgainLeavesNothing) {
    const auto grow = [&](unsigned times) {
        for (unsigned i = 0; i < times; ++i) {
            auto pages = Pages::create(payer_, 4096 * kPageSize, ChargeWhen::at_touch).value();
            for (std::uint64_t page = 0; page < 4096; page += 64) // the table grows at each of them, or nearly
                ASSERT_TRUE(pages->page(page).has_value());
        }
    };
    grow(1);
    const std::uint64_t before = frame_counts().free;
    grow(200);
    EXPECT_GE(frame_counts().free + 8, before);
    EXPECT_EQ(payer_.used(), 0u);
}

TEST_F(PagesTest, ReadWriteResizeAgainstAModel) {
    std::mt19937_64 random(3);
    {
        auto pages = Pages::create(payer_, 0, ChargeWhen::at_touch).value();
        std::vector<std::uint8_t> model;
        for (int step = 0; step < 4000; ++step) {
            const std::uint64_t limit = 300'000;
            switch (random() % 4) {
            case 0: {
                const std::uint64_t size = random() % limit;
                ASSERT_TRUE(pages->resize(size).has_value());
                model.resize(size);
                break;
            }
            case 1: {
                const std::uint64_t offset = random() % limit;
                std::vector<std::uint8_t> data(random() % 10'000, static_cast<std::uint8_t>(random()));
                const auto result = pages->write(offset, data.data(), data.size());
                ASSERT_EQ(result.has_value(), offset + data.size() <= model.size());
                if (result) std::copy(data.begin(), data.end(), model.begin() + static_cast<std::ptrdiff_t>(offset));
                break;
            }
            case 2: {
                const std::uint64_t offset = random() % limit;
                std::vector<std::uint8_t> data(random() % 10'000, 0xee); // zeros have to be written too
                const auto result = pages->read(offset, data.data(), data.size());
                ASSERT_EQ(result.has_value(), offset + data.size() <= model.size());
                if (result) {
                    ASSERT_TRUE(
                        std::equal(data.begin(), data.end(), model.begin() + static_cast<std::ptrdiff_t>(offset)));
                }
                break;
            }
            case 3: {
                const std::uint64_t first = random() % 80, count = random() % 10;
                pages->discard(first, count);
                for (std::uint64_t i = first * kPageSize; i < (first + count) * kPageSize && i < model.size(); ++i)
                    model[i] = 0;
                break;
            }
            }
        }
        EXPECT_EQ(pages->read(~0ull, nullptr, 1).error(), Error::bad_argument);
        EXPECT_EQ(pages->write(1, nullptr, ~0ull).error(), Error::bad_argument);
    }
    EXPECT_EQ(payer_.used(), 0u);
    EXPECT_GE(frame_counts().free + 16, free_before_);
}

TEST_F(PagesTest, Sources) {
    fake::Source source;
    {
        auto pages = Pages::create_from(payer_, Ref<PageSource>::share(source), 20 * kPageSize - 5).value();
        EXPECT_FALSE(pages->is_changeable());
        EXPECT_EQ(pages->page_count(), 20u);
        std::uint8_t byte = 0;
        ASSERT_TRUE(pages->read(3 * kPageSize, &byte, 1).has_value());
        EXPECT_EQ(byte, fake::Source::first_byte(3));
        EXPECT_EQ(pages->write(0, &byte, 1).error(), Error::missing_right);
        EXPECT_EQ(pages->resize(1).error(), Error::missing_right);
        EXPECT_EQ(pages->grow(1 << 20).error(), Error::missing_right);
        EXPECT_EQ(pages->extend(1, 1 << 20).error(), Error::missing_right);
        EXPECT_EQ(pages->page(fake::Source::kBadPage).error(), Error::integrity);
        EXPECT_EQ(pages->read(20 * kPageSize - 6, &byte, 2).error(), Error::bad_argument);
        pages->discard(0, 20); // no effect
        EXPECT_EQ(source.references(), 1);
    }
    EXPECT_EQ(source.references(), 0);
}

} // namespace
} // namespace aios::mm
