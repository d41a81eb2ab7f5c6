// Pages over a source: against a model, and as spaces see them.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "kernel/mm/address_space.hpp"
#include "kernel/mm/pages.hpp"
#include "tests/support/heap_tally.hpp"
#include "tests/unit/mm/fake_arch.hpp"
#include "tests/unit/mm/fake_source.hpp"

namespace aios::mm {
namespace {

using arch::Protection;
using Access = AddressSpace::Access;
constexpr Protection kRead = Protection::read, kReadWrite = Protection::read | Protection::write;
constexpr std::uint64_t kBytes = fake::Source::kBadPage * kPageSize - 1000; // up to the damaged page

class PagesOver : public testing::Test {
protected:
    void SetUp() override { fake::start_machine(); }
    Ref<Pages> make(std::uint64_t bytes = kBytes) {
        return Pages::create_over(payer_, Ref<PageSource>::share(source_), bytes).value();
    }
    // What a section has behind the end of a file.
    void clear_tail() {
        auto* last = static_cast<std::uint8_t*>(arch::physmap(source_.page(kBytes / kPageSize).value()));
        std::fill(last + kBytes % kPageSize, last + kPageSize, 0);
    }
    std::vector<std::uint8_t> contents() {
        std::vector<std::uint8_t> all;
        for (std::uint64_t page = 0; all.size() < kBytes; ++page) {
            const auto* from = static_cast<const std::uint8_t*>(arch::physmap(source_.page(page).value()));
            all.insert(all.end(), from, from + kPageSize);
        }
        all.resize(kBytes);
        return all;
    }
    static std::uint8_t byte_at(Pages& pages, std::uint64_t offset) {
        std::uint8_t byte = 0;
        EXPECT_TRUE(pages.read(offset, &byte, 1).has_value());
        return byte;
    }
    // What user code does: access, fault, again.
    static std::uint8_t* touch(AddressSpace& space, std::uint64_t address, Access access) {
        const Protection need = access == Access::read ? Protection::read : Protection::write;
        space.activate();
        for (int i = 0; i < 3; ++i) {
            if (std::uint8_t* at = fake::user_access(address, need)) return at;
            EXPECT_TRUE(space.fault(address, access).has_value());
        }
        ADD_FAILURE() << "would fault for ever";
        return nullptr;
    }
    fake::Source source_;
    fake::CountingPayer payer_;
};

TEST_F(PagesOver, IsTheSourcesUntilItIsWritten) {
    {
        auto pages = make();
        const std::uint64_t idle = payer_.used();
        EXPECT_TRUE(pages->is_changeable());
        EXPECT_EQ(byte_at(*pages, 3 * kPageSize), fake::Source::first_byte(3));
        EXPECT_EQ(payer_.used(), idle);
        EXPECT_FALSE(pages->has_own());
        const std::uint8_t five = 5;
        ASSERT_TRUE(pages->write(3 * kPageSize + 7, &five, 1).has_value());
        EXPECT_TRUE(pages->has_own());
        EXPECT_EQ(pages->resident_pages(), 1u); // and the rest of that page is a copy
        EXPECT_EQ(byte_at(*pages, 3 * kPageSize), fake::Source::first_byte(3));
        EXPECT_EQ(byte_at(*pages, 3 * kPageSize + 7), 5);
        EXPECT_EQ(byte_at(*pages, 4 * kPageSize), fake::Source::first_byte(4));
        // What is cut off is zero when it grows again, in the page that was cut in two as well.
        ASSERT_TRUE(pages->resize(2 * kPageSize + 1).has_value());
        ASSERT_TRUE(pages->resize(kBytes).has_value());
        EXPECT_EQ(byte_at(*pages, 2 * kPageSize), fake::Source::first_byte(2));
        EXPECT_EQ(byte_at(*pages, 3 * kPageSize), 0);
        EXPECT_EQ(byte_at(*pages, 4 * kPageSize), 0);
        EXPECT_EQ(byte_at(*pages, kPageSize), fake::Source::first_byte(1));
        // Another one over the same source sees none of that.
        EXPECT_EQ(byte_at(*make(), 4 * kPageSize), fake::Source::first_byte(4));
    }
    EXPECT_EQ(payer_.used(), 0u);
    EXPECT_EQ(source_.references(), 0);
}

TEST_F(PagesOver, ModelOfReadsWritesAndSizes) {
    std::mt19937_64 random(20261128);
    for (int round = 0; round < 30; ++round) {
        auto pages = make();
        clear_tail();
        std::vector<std::uint8_t> model = contents();
        for (int step = 0; step < 300; ++step) {
            const std::uint64_t offset = random() % (model.size() + 1);
            const std::uint64_t bytes = std::min<std::uint64_t>(random() % 9000, model.size() - offset);
            switch (random() % 4) {
            case 0: {
                std::vector<std::uint8_t> data(bytes);
                std::ranges::generate(data, [&] { return static_cast<std::uint8_t>(random()); });
                ASSERT_TRUE(pages->write(offset, data.data(), bytes).has_value());
                std::ranges::copy(data, model.begin() + static_cast<std::ptrdiff_t>(offset));
                break;
            }
            case 1: {
                const std::uint64_t size = random() % (20 * kPageSize);
                ASSERT_TRUE(pages->resize(size).has_value());
                model.resize(size);
                break;
            }
            case 2:
                if (bytes != 0) (void)pages->page(offset / kPageSize).value();
                break;
            default: {
                std::vector<std::uint8_t> data(bytes);
                ASSERT_TRUE(pages->read(offset, data.data(), bytes).has_value());
                ASSERT_TRUE(std::equal(data.begin(), data.end(), model.begin() + static_cast<std::ptrdiff_t>(offset)));
            }
            }
        }
    }
    EXPECT_EQ(payer_.used(), 0u);
}

TEST_F(PagesOver, ErrorsLeaveThemAsTheyWere) {
    {
        auto pages = make(20 * kPageSize);
        std::uint8_t byte = 1;
        constexpr std::uint64_t kBad = fake::Source::kBadPage * kPageSize;
        EXPECT_EQ(pages->read(kBad, &byte, 1).error(), Error::integrity);
        EXPECT_EQ(pages->write(kBad, &byte, 1).error(), Error::integrity);
        EXPECT_EQ(pages->resize(kBad + 5).error(), Error::integrity); // the page that would be cut in two
        EXPECT_EQ(pages->bytes(), 20 * kPageSize);
        EXPECT_EQ(pages->read(20 * kPageSize, &byte, 1).error(), Error::bad_argument);
        EXPECT_EQ(pages->write(20 * kPageSize, &byte, 1).error(), Error::bad_argument);
        payer_.set_limit(payer_.used());
        EXPECT_EQ(pages->write(kPageSize, &byte, 1).error(), Error::quota_exceeded);
        EXPECT_EQ(pages->resize(kPageSize + 5).error(), Error::quota_exceeded);
        payer_.set_limit(~0ull);
        EXPECT_EQ(byte_at(*pages, kPageSize), fake::Source::first_byte(1));
        EXPECT_EQ(byte_at(*pages, 19 * kPageSize), fake::Source::first_byte(19));
    }
    EXPECT_EQ(payer_.used(), 0u);
}

// Whoever maps a page of the source sees what is written to it later, through whichever way; and nobody ever writes into the
// source.
TEST_F(PagesOver, MappingsFollowWrites) {
    auto space = AddressSpace::create(payer_).value(), other = AddressSpace::create(payer_).value();
    auto pages = make();
    const auto map = [&](AddressSpace& in, Protection protection, Protection maximum, Sharing sharing) {
        MapOptions options;
        options.maximum = maximum;
        return in.map(pages, 0, kBytes, protection, sharing, options).value();
    };
    const std::uint64_t looks = map(*space, kRead, kRead, Sharing::shared);
    const std::uint64_t copies = map(*space, kReadWrite, kReadWrite, Sharing::copy_on_write);
    const std::uint64_t changes = map(*other, kRead, kReadWrite, Sharing::shared);
    EXPECT_EQ(*touch(*space, looks + kPageSize, Access::read), fake::Source::first_byte(1));
    EXPECT_EQ(*touch(*space, copies + kPageSize, Access::read), fake::Source::first_byte(1));
    EXPECT_FALSE(pages->has_own());
    // By write().
    const std::uint8_t nine = 9;
    ASSERT_TRUE(pages->write(kPageSize, &nine, 1).has_value());
    EXPECT_EQ(*touch(*space, looks + kPageSize, Access::read), 9);
    EXPECT_EQ(*touch(*space, copies + kPageSize, Access::read), 9);
    // Through a shared mapping that may be written later: its pages are own ones from the first look.
    EXPECT_EQ(*touch(*space, looks + 2 * kPageSize, Access::read), fake::Source::first_byte(2));
    EXPECT_EQ(*touch(*other, changes + 2 * kPageSize, Access::read), fake::Source::first_byte(2));
    ASSERT_TRUE(other->protect(changes, kBytes, kReadWrite).has_value());
    *touch(*other, changes + 2 * kPageSize, Access::write) = 8;
    *touch(*other, changes + 3 * kPageSize, Access::write) = 7;
    EXPECT_EQ(*touch(*space, looks + 2 * kPageSize, Access::read), 8);
    EXPECT_EQ(byte_at(*pages, 3 * kPageSize), 7);
    // A private copy is nobody else's.
    *touch(*space, copies + 4 * kPageSize, Access::write) = 6;
    EXPECT_EQ(byte_at(*pages, 4 * kPageSize), fake::Source::first_byte(4));
    for (std::uint64_t page = 0; page < fake::Source::kBadPage; ++page) {
        const auto* of_source = static_cast<const std::uint8_t*>(arch::physmap(source_.page(page).value()));
        EXPECT_EQ(*of_source, fake::Source::first_byte(page)) << page;
    }
    space->destroy_mappings();
    other->destroy_mappings();
}

} // namespace
} // namespace aios::mm
