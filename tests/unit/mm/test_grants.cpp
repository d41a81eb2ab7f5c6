// Pages that go from one address space to another: what the receiver sees, who pays at each moment, and who gets a grant
// whose space ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "kernel/mm/address_space.hpp"
#include "kernel/mm/size_classes.hpp"
#include "tests/unit/mm/fake_arch.hpp"

namespace aios::mm {
namespace {

using arch::Protection;
using Access = AddressSpace::Access;
constexpr Protection kRead = Protection::read;
constexpr Protection kReadWrite = Protection::read | Protection::write;
constexpr std::uint64_t kMost = Grant::kMostPages;

class GrantTest : public testing::Test {
protected:
    void SetUp() override {
        fake::start_machine();
        sender_ = AddressSpace::create(sender_pays_).value();
        receiver_ = AddressSpace::create(receiver_pays_).value();
        from_ = sender_->map_anonymous(kMost * kPageSize, kReadWrite, ChargeWhen::at_once).value();
        to_ = receiver_->map_anonymous(kMost * kPageSize, kReadWrite, ChargeWhen::at_once).value();
    }
    void TearDown() override {
        EXPECT_TRUE(sender_->is_consistent() && receiver_->is_consistent());
        sender_->destroy_mappings();
        sender_.reset();
        receiver_.reset();
        EXPECT_EQ(sender_pays_.used(), 0u);
        EXPECT_EQ(receiver_pays_.used(), 0u);
        EXPECT_EQ(sender_pays_.references() + receiver_pays_.references(), 0);
    }
    static Result<std::uint8_t*> touch(AddressSpace& space, std::uint64_t address, Access access) {
        const Protection need = access == Access::read ? Protection::read : Protection::write;
        space.activate();
        for (int i = 0; i < 2; ++i) {
            if (std::uint8_t* at = fake::user_access(address, need)) return at;
            TRY(space.fault(address, access));
        }
        std::uint8_t* at = fake::user_access(address, need);
        AIOS_ASSERT(at != nullptr);
        return at;
    }
    static void put(AddressSpace& space, std::uint64_t address, std::uint8_t value) {
        *touch(space, address, Access::write).value() = value;
    }
    static int get(AddressSpace& space, std::uint64_t address) { return *touch(space, address, Access::read).value(); }
    void fill(std::uint64_t pages = kMost) {
        for (std::uint64_t i = 0; i < pages; ++i)
            put(*sender_, from_ + i * kPageSize + i, static_cast<std::uint8_t>(i + 1));
    }
    void expect_arrived(std::uint64_t at, std::uint64_t pages = kMost) {
        for (std::uint64_t i = 0; i < pages; ++i)
            EXPECT_EQ(get(*receiver_, at + i * kPageSize + i), static_cast<int>(i + 1));
    }
    // The first grant of a space makes its roll, which stays.
    void make_roll() { EXPECT_TRUE(sender_->grant(from_, 1, PageMode::frozen)); }

    fake::CountingPayer sender_pays_, receiver_pays_;
    Ref<AddressSpace> sender_, receiver_;
    std::uint64_t from_ = 0, to_ = 0;
};

TEST_F(GrantTest, MovedPagesArriveAndAreGone) {
    fill();
    put(*receiver_, to_, 99); // is replaced
    for (std::uint64_t i = 0; i < kMost; ++i)
        get(*receiver_, to_ + i * kPageSize);
    Owned<Grant> grant = sender_->grant(from_, kMost, PageMode::moved).value();
    EXPECT_EQ(grant->pages(), kMost);
    sender_->activate();
    for (std::uint64_t i = 0; i < kMost; ++i) // no CPU remembers it, for reading or writing
        EXPECT_EQ(fake::user_access(from_ + i * kPageSize, kRead), nullptr);
    const std::uint64_t free_before = frame_counts().free;
    ASSERT_TRUE(receiver_->accept(*grant, to_));
    EXPECT_EQ(frame_counts().free, free_before + kMost); // what the receiver had there
    grant = {};
    expect_arrived(to_);
    for (std::uint64_t i = 0; i < kMost; ++i) {
        EXPECT_EQ(get(*sender_, from_ + i * kPageSize + i), 0);
        receiver_->activate(); // alone in its frames, so it may write without a fault
        EXPECT_NE(fake::user_access(to_ + i * kPageSize, kReadWrite), nullptr);
    }
}

TEST_F(GrantTest, FrozenPagesNeverChange) {
    fill();
    std::uint8_t* const remembered = touch(*sender_, from_, Access::write).value(); // by some CPU
    Owned<Grant> grant = sender_->grant(from_, kMost, PageMode::frozen).value();
    sender_->activate();
    EXPECT_EQ(fake::user_access(from_, Protection::write), nullptr);
    EXPECT_EQ(fake::user_access(from_, kRead), remembered);
    put(*sender_, from_, 77); // while it is under way
    EXPECT_NE(touch(*sender_, from_, Access::write).value(), remembered);
    ASSERT_TRUE(receiver_->accept(*grant, to_));
    grant = {};
    put(*sender_, from_ + kPageSize + 1, 78); // and when it is there
    expect_arrived(to_);
    put(*receiver_, to_ + 2 * kPageSize + 2, 79); // the other way
    EXPECT_EQ(get(*sender_, from_ + 2 * kPageSize + 2), 3);
    EXPECT_EQ(get(*receiver_, to_ + 2 * kPageSize + 2), 79);
    EXPECT_EQ(get(*sender_, from_), 77);
    EXPECT_EQ(get(*sender_, from_ + kPageSize + 1), 78);
    // The receiver's end leaves the sender alone in what it still has: it may write there, in place.
    std::uint8_t* const last = touch(*sender_, from_ + 15 * kPageSize, Access::read).value();
    receiver_->destroy_mappings();
    EXPECT_EQ(touch(*sender_, from_ + 15 * kPageSize, Access::write).value(), last);
}

// A write between the flush's beginning and its end is part of the snapshot or refused: at_flush comes when the entries
// have changed and no CPU was told.
TEST_F(GrantTest, WritesDuringTheFlushAreBeforeTheGrant) {
    fill();
    bool wrote = false;
    fake::at_flush([&] {
        sender_->activate();
        if (std::uint8_t* at = fake::user_access(from_, Protection::write); at != nullptr && !wrote) {
            *at = 55; // by an old entry
            wrote = true;
        }
    });
    Owned<Grant> grant = sender_->grant(from_, kMost, PageMode::moved).value();
    fake::at_flush({});
    EXPECT_TRUE(wrote);
    sender_->activate();
    EXPECT_EQ(fake::user_access(from_, Protection::write), nullptr);
    ASSERT_TRUE(receiver_->accept(*grant, to_));
    EXPECT_EQ(get(*receiver_, to_), 55);
}

TEST_F(GrantTest, ChargesToTheByte) {
    for (const PageMode mode : {PageMode::moved, PageMode::frozen}) {
        make_roll();
        fill();
        touch(*receiver_, to_, Access::write).value(); // its page tables are there
        const std::uint64_t before = sender_pays_.used(), receivers = receiver_pays_.used();
        Owned<Grant> grant = sender_->grant(from_, kMost, mode).value();
        EXPECT_EQ(sender_pays_.used(), before + cost_of<Grant> + kMost * kPageSize);
        EXPECT_EQ(receiver_pays_.used(), receivers);
        ASSERT_TRUE(receiver_->accept(*grant, to_));
        EXPECT_EQ(sender_pays_.used(), before + cost_of<Grant> + kMost * kPageSize);
        grant = {};
        EXPECT_EQ(sender_pays_.used(), before);
        EXPECT_EQ(receiver_pays_.used(), receivers);
        grant = sender_->grant(from_, kMost, mode).value(); // nobody takes it
        grant = {};
        EXPECT_EQ(sender_pays_.used(), before);
    }
}

// Areas that pay for a page when it is touched.
TEST_F(GrantTest, ChargesOfTouchedPages) {
    from_ = sender_->map_anonymous(kMost * kPageSize, kReadWrite, ChargeWhen::at_touch).value();
    to_ = receiver_->map_anonymous(kMost * kPageSize, kReadWrite, ChargeWhen::at_touch).value();
    make_roll();
    fill(5); // of eight
    for (std::uint64_t i : {0, 7})
        touch(*receiver_, to_ + i * kPageSize, Access::write).value();
    const std::uint64_t before = sender_pays_.used(), receivers = receiver_pays_.used();
    Owned<Grant> grant = sender_->grant(from_, 8, PageMode::moved).value();
    EXPECT_EQ(sender_pays_.used(), before - 5 * kPageSize + cost_of<Grant> + 8 * kPageSize);
    receiver_pays_.set_limit(receivers + 4 * kPageSize); // five come before two go
    EXPECT_EQ(receiver_->accept(*grant, to_).error(), Error::quota_exceeded);
    EXPECT_EQ(receiver_pays_.used(), receivers);
    EXPECT_TRUE(receiver_->is_consistent());
    receiver_pays_.set_limit(~0ull);
    ASSERT_TRUE(receiver_->accept(*grant, to_));
    grant = {};
    EXPECT_EQ(sender_pays_.used(), before - 5 * kPageSize);
    EXPECT_EQ(receiver_pays_.used(), receivers + 3 * kPageSize); // five came, two went
    expect_arrived(to_, 5);
    for (std::uint64_t i = 5; i < 8; ++i)
        EXPECT_EQ(get(*receiver_, to_ + i * kPageSize), 0); // also where it had something
    EXPECT_EQ(receiver_pays_.used(), receivers + 6 * kPageSize);
}

TEST_F(GrantTest, OverQuotaChangesNothing) {
    make_roll();
    fill();
    const std::uint64_t before = sender_pays_.used();
    sender_pays_.set_limit(before + cost_of<Grant> + kMost * kPageSize - 1);
    for (const PageMode mode : {PageMode::moved, PageMode::frozen}) {
        EXPECT_EQ(sender_->grant(from_, kMost, mode).error(), Error::quota_exceeded);
        sender_->activate();
        for (std::uint64_t i = 0; i < kMost; ++i)
            EXPECT_NE(fake::user_access(from_ + i * kPageSize, Protection::write), nullptr);
    }
    EXPECT_EQ(sender_pays_.used(), before);
    sender_pays_.set_limit(before + cost_of<Grant> + kMost * kPageSize); // one byte more
    EXPECT_TRUE(sender_->grant(from_, kMost, PageMode::frozen));
    sender_pays_.set_limit(~0ull);
}

TEST_F(GrantTest, WhatIsRefused) {
    fill();
    const auto error = [&](std::uint64_t address, std::uint32_t pages, PageMode mode) {
        return sender_->grant(address, pages, mode).error();
    };
    EXPECT_EQ(error(from_ + 1, 1, PageMode::moved), Error::bad_argument);
    EXPECT_EQ(error(from_ + kPageSize, kMost, PageMode::moved), Error::bad_address); // a page too many
    EXPECT_EQ(error(from_ - kPageSize, 1, PageMode::frozen), Error::bad_address);    // a hole
    for (const std::uint64_t bad : {0ull, 0xf000ull, 0x7fff'ffff'f000ull, 0xffff'8000'0000'0000ull, ~0xfffull})
        EXPECT_EQ(error(bad, 16, PageMode::moved), Error::bad_address);
    // Without the right to write it cannot be moved; without that to read it cannot be frozen either.
    ASSERT_TRUE(sender_->protect(from_, kMost * kPageSize, kRead));
    EXPECT_EQ(error(from_, 1, PageMode::moved), Error::bad_address);
    EXPECT_TRUE(sender_->grant(from_, 1, PageMode::frozen));
    ASSERT_TRUE(sender_->protect(from_, kMost * kPageSize, Protection::none));
    EXPECT_EQ(error(from_, 1, PageMode::frozen), Error::bad_address);
    ASSERT_TRUE(sender_->protect(from_, kMost * kPageSize, kReadWrite));
    // Contents that others have, and copies of them.
    Ref<Pages> pages = Pages::create(sender_pays_, kPageSize, ChargeWhen::at_once).value();
    for (const Sharing sharing : {Sharing::shared, Sharing::copy_on_write}) {
        const std::uint64_t at = sender_->map(pages, 0, kPageSize, kReadWrite, sharing).value();
        put(*sender_, at, 1);
        EXPECT_EQ(error(at, 1, PageMode::moved), Error::bad_address);
        EXPECT_EQ(error(at, 1, PageMode::frozen), Error::bad_address);
    }
    // The receiver's side; the grant stays whole.
    Owned<Grant> grant = sender_->grant(from_, kMost, PageMode::moved).value();
    EXPECT_EQ(receiver_->accept(*grant, to_ + 8).error(), Error::bad_argument);
    EXPECT_EQ(receiver_->accept(*grant, to_ + kPageSize).error(), Error::bad_address);
    EXPECT_EQ(receiver_->accept(*grant, 0).error(), Error::bad_address);
    ASSERT_TRUE(receiver_->protect(to_, kPageSize, kRead));
    EXPECT_EQ(receiver_->accept(*grant, to_).error(), Error::bad_address);
    ASSERT_TRUE(receiver_->protect(to_, kPageSize, kReadWrite));
    ASSERT_TRUE(receiver_->accept(*grant, to_));
    expect_arrived(to_);
}

// Page tables are the receiver's; without them nothing has happened.
TEST_F(GrantTest, NoRoomForPageTables) {
    fill();
    // Across the border of two page tables, neither of which is there.
    const std::uint64_t border = 0x40'0020'0000;
    const MapOptions fixed{.address = border - 8 * kPageSize, .fixed = true};
    to_ = receiver_->map_anonymous(kMost * kPageSize, kReadWrite, ChargeWhen::at_once, fixed).value();
    Owned<Grant> grant = sender_->grant(from_, kMost, PageMode::moved).value();
    const std::uint64_t before = receiver_pays_.used();
    receiver_pays_.set_limit(before + kPageSize);
    EXPECT_EQ(receiver_->accept(*grant, to_).error(), Error::quota_exceeded);
    EXPECT_EQ(receiver_->usage().resident_bytes, 0u);
    receiver_pays_.set_limit(~0ull);
    ASSERT_TRUE(receiver_->accept(*grant, to_));
    expect_arrived(to_);
}

TEST_F(GrantTest, TheSameRangeTwice) {
    fill();
    Owned<Grant> first = sender_->grant(from_, kMost, PageMode::frozen).value();
    Owned<Grant> second = sender_->grant(from_, kMost, PageMode::moved).value();
    Owned<Grant> third = sender_->grant(from_, kMost, PageMode::moved).value(); // nothing is there any more
    for (std::uint64_t i = 0; i < kMost; ++i) {
        EXPECT_EQ(first->frames[i], second->frames[i]);
        EXPECT_EQ(third->frames[i], Grant::kUntouched);
    }
    const std::uint64_t other = receiver_->map_anonymous(kMost * kPageSize, kReadWrite, ChargeWhen::at_once).value();
    ASSERT_TRUE(receiver_->accept(*first, to_));
    ASSERT_TRUE(receiver_->accept(*second, other));
    put(*receiver_, to_, 200); // two ranges of one space share the frames
    put(*receiver_, other + kPageSize + 1, 201);
    EXPECT_EQ(get(*receiver_, other), 1);
    EXPECT_EQ(get(*receiver_, to_ + kPageSize + 1), 2);
    ASSERT_TRUE(receiver_->accept(*third, to_));
    EXPECT_EQ(get(*receiver_, to_), 0);
}

TEST_F(GrantTest, ThroughPlacesToItself) {
    fill();
    GrantPlace place, other;
    EXPECT_FALSE(place.put(sender_->grant(from_, kMost, PageMode::moved).value()));
    EXPECT_FALSE(place.is_empty());
    EXPECT_EQ(place.pages(), kMost);
    EXPECT_FALSE(other.put(place.take()));
    EXPECT_TRUE(place.is_empty());
    const Owned<Grant> grant = other.take();
    ASSERT_TRUE(sender_->accept(*grant, from_));
    for (std::uint64_t i = 0; i < kMost; ++i)
        EXPECT_EQ(get(*sender_, from_ + i * kPageSize + i), static_cast<int>(i + 1));
}

// The end of a space ends what it has under way, to the last byte; what is in somebody's hands is his.
TEST_F(GrantTest, TheSendersEnd) {
    fill();
    std::vector<std::unique_ptr<GrantPlace>> places;
    for (unsigned i = 0; i < 5; ++i) {
        places.push_back(std::make_unique<GrantPlace>());
        EXPECT_FALSE(places.back()->put(sender_->grant(from_, kMost, PageMode::frozen).value()));
    }
    Owned<Grant> in_hand = places[3]->take();
    sender_->destroy_mappings();
    for (const auto& place : places) {
        EXPECT_TRUE(place->is_empty());
        EXPECT_EQ(place->pages(), kMost); // how many there were
    }
    sender_.reset();
    EXPECT_GT(sender_pays_.used(), 0u); // the one in hand
    in_hand = places[0]->put(std::move(in_hand));
    EXPECT_TRUE(in_hand); // not any more
    ASSERT_TRUE(receiver_->accept(*in_hand, to_));
    in_hand = {};
    EXPECT_EQ(sender_pays_.used(), 0u);
    EXPECT_EQ(sender_pays_.references(), 0);
    expect_arrived(to_);
    sender_ = AddressSpace::create(sender_pays_).value();
}

// Random grants among three spaces, each with a model of what it should read. Frames and charges come out even.
TEST_F(GrantTest, AgreesWithAModel) {
    constexpr unsigned kSpaces = 3, kPages = 24;
    std::mt19937 random(7);
    fake::CountingPayer payers[kSpaces];
    const std::uint64_t free_before = frame_counts().free;
    {
        struct Side {
            Ref<AddressSpace> space;
            std::uint64_t at;
            std::uint8_t model[kPages] = {};
        } sides[kSpaces];
        struct UnderWay {
            std::unique_ptr<GrantPlace> place;
            std::vector<std::uint8_t> model;
        };
        std::vector<UnderWay> under_way;
        for (unsigned i = 0; i < kSpaces; ++i) {
            sides[i].space = AddressSpace::create(payers[i]).value();
            const ChargeWhen when = i == 0 ? ChargeWhen::at_touch : ChargeWhen::at_once;
            sides[i].at = sides[i].space->map_anonymous(kPages * kPageSize, kReadWrite, when).value();
        }
        for (unsigned step = 0; step < 20'000; ++step) {
            Side& side = sides[random() % kSpaces];
            const unsigned page = random() % kPages;
            switch (random() % 4) {
            case 0:
                side.model[page] = static_cast<std::uint8_t>(random());
                put(*side.space, side.at + page * kPageSize, side.model[page]);
                break;
            case 1:
                ASSERT_EQ(get(*side.space, side.at + page * kPageSize), side.model[page]) << step;
                break;
            case 2: {
                const auto pages = static_cast<std::uint32_t>(1 + random() % kMost);
                if (page + pages > kPages || under_way.size() == 6) break;
                const PageMode mode = random() % 2 == 0 ? PageMode::moved : PageMode::frozen;
                under_way.push_back({std::make_unique<GrantPlace>(), {side.model + page, side.model + page + pages}});
                ASSERT_FALSE(
                    under_way.back().place->put(side.space->grant(side.at + page * kPageSize, pages, mode).value()));
                if (mode == PageMode::moved) std::fill_n(side.model + page, pages, std::uint8_t{});
                break;
            }
            case 3: {
                if (under_way.empty()) break;
                UnderWay& taken = under_way[random() % under_way.size()];
                const bool fits = page + taken.model.size() <= kPages;
                if (const Owned<Grant> grant = taken.place->take(); fits) {
                    ASSERT_TRUE(side.space->accept(*grant, side.at + page * kPageSize));
                    std::copy(taken.model.begin(), taken.model.end(), side.model + page);
                } // else nobody takes it
                std::swap(taken, under_way.back());
                under_way.pop_back();
                break;
            }
            }
            if (step % 97 == 0)
                for (const Side& each : sides)
                    ASSERT_TRUE(each.space->is_consistent()) << step;
        }
        for (const Side& side : sides)
            side.space->destroy_mappings();
        for (const UnderWay& left : under_way)
            EXPECT_TRUE(left.place->is_empty());
    }
    for (const fake::CountingPayer& payer : payers) {
        EXPECT_EQ(payer.used(), 0u);
        EXPECT_EQ(payer.references(), 0);
    }
    EXPECT_EQ(frame_counts().free, free_before);
}

} // namespace
} // namespace aios::mm
