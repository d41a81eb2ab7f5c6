// AddressSpace, case by case. test_address_space_model.cpp has the random comparison with a model.
#include <gtest/gtest.h>

#include <vector>

#include "kernel/mm/address_space.hpp"
#include "kernel/mm/size_classes.hpp"
#include "tests/unit/mm/fake_arch.hpp"
#include "tests/unit/mm/fake_source.hpp"

namespace aios::mm {
namespace {

using arch::Protection;
using Access = AddressSpace::Access;
constexpr Protection kRead = Protection::read;
constexpr Protection kReadWrite = Protection::read | Protection::write;
constexpr Protection kReadExecute = Protection::read | Protection::execute;

class AddressSpaceTest : public testing::Test {
protected:
    void SetUp() override {
        fake::start_machine();
        space_ = AddressSpace::create(payer_).value();
    }
    void TearDown() override {
        EXPECT_TRUE(space_->is_consistent());
        space_.reset();
        EXPECT_EQ(payer_.used(), 0u);
        EXPECT_EQ(payer_.references(), 0);
    }
    // What user code does: access, fault, again.
    static Result<std::uint8_t*> touch(AddressSpace& space, std::uint64_t address, Access access) {
        const Protection need = access == Access::read    ? Protection::read
                                : access == Access::write ? Protection::write
                                                          : Protection::execute;
        space.activate();
        for (int i = 0; i < 2; ++i) {
            if (std::uint8_t* at = fake::user_access(address, need)) return at;
            TRY(space.fault(address, access));
        }
        std::uint8_t* at = fake::user_access(address, need);
        AIOS_ASSERT(at != nullptr); // would fault for ever
        return at;
    }
    std::size_t areas() {
        std::size_t count = 0;
        std::uint64_t from = 0;
        while (auto info = space_->next_area(from)) {
            from = info->end;
            ++count;
        }
        return count;
    }
    fake::CountingPayer payer_;
    Ref<AddressSpace> space_;
};

TEST_F(AddressSpaceTest, AnonymousMemory) {
    const std::uint64_t at = space_->map_anonymous(3 * kPageSize - 7, kReadWrite, ChargeWhen::at_touch).value();
    EXPECT_EQ(at % kPageSize, 0u);
    EXPECT_EQ(space_->usage().mapped_bytes, 3 * kPageSize);
    EXPECT_EQ(space_->usage().resident_bytes, 0u);
    std::uint8_t* byte = touch(*space_, at + 5000, Access::write).value();
    EXPECT_EQ(*byte, 0);
    *byte = 42;
    EXPECT_EQ(space_->usage().resident_bytes, kPageSize);
    EXPECT_EQ(touch(*space_, at + 5000, Access::execute).error(), Error::bad_address);
    EXPECT_EQ(touch(*space_, at + 3 * kPageSize, Access::read).error(), Error::bad_address);
    EXPECT_EQ(touch(*space_, at - 1, Access::read).error(), Error::bad_address);
    ASSERT_TRUE(space_->discard(at, 3 * kPageSize).has_value());
    EXPECT_EQ(*touch(*space_, at + 5000, Access::read).value(), 0);
}

TEST_F(AddressSpaceTest, BadArgumentsAreRefused) {
    EXPECT_EQ(space_->map_anonymous(0, kRead, ChargeWhen::at_touch).error(), Error::bad_argument);
    EXPECT_EQ(space_->map_anonymous(~0ull, kRead, ChargeWhen::at_touch).error(), Error::bad_address);
    EXPECT_EQ(space_->map_anonymous(1ull << 47, kRead, ChargeWhen::at_touch).error(), Error::bad_address);
    EXPECT_EQ(space_->map_anonymous(1, kRead, ChargeWhen::at_touch, {.address = 1}).error(), Error::bad_argument);
    for (const std::uint64_t address : {0ull, 0xf000ull, 0x7fff'ffff'f000ull, 0xffff'8000'0000'0000ull, ~0xfffull}) {
        MapOptions fixed{.address = address, .fixed = true};
        EXPECT_EQ(space_->map_anonymous(1, kRead, ChargeWhen::at_touch, fixed).error(), Error::bad_address);
        EXPECT_FALSE(space_->unmap(address, kPageSize).has_value());
        EXPECT_FALSE(space_->protect(address, kPageSize, kRead).has_value());
        EXPECT_FALSE(space_->discard(address, kPageSize).has_value());
        EXPECT_FALSE(space_->fault(address, Access::read).has_value());
        EXPECT_FALSE(space_->locate(address).has_value());
        EXPECT_FALSE(space_->remap(address, kPageSize, 2 * kPageSize, AddressSpace::MayMove::yes).has_value());
        std::uint8_t byte = 0;
        EXPECT_EQ(space_->read(address, &byte, 1).error(), Error::bad_address);
        EXPECT_EQ(space_->write(address, &byte, ~0ull).error(), Error::bad_address);
    }
    EXPECT_FALSE(space_->unmap(0x10001, 1).has_value());
    EXPECT_FALSE(space_->unmap(0x10000, 0).has_value());
    EXPECT_FALSE(space_->unmap(0x10000, ~0ull).has_value());
    MapOptions last{.address = arch::kUserHigh - kPageSize, .fixed = true};
    EXPECT_TRUE(space_->map_anonymous(1, kRead, ChargeWhen::at_touch, last).has_value());
    EXPECT_EQ(space_->map_anonymous(kPageSize + 1, kRead, ChargeWhen::at_touch, last).error(), Error::bad_address);
}

// User space is all from its first page to its last, and no page more.
TEST_F(AddressSpaceTest, UserSpaceHasItsFirstAndLastPage) {
    for (const std::uint64_t address : {arch::kUserLow, arch::kUserHigh - kPageSize}) {
        const MapOptions fixed{.address = address, .fixed = true};
        ASSERT_EQ(space_->map_anonymous(1, kReadWrite, ChargeWhen::at_touch, fixed).value(), address);
        ASSERT_TRUE(touch(*space_, address, Access::write).has_value());
        ASSERT_TRUE(touch(*space_, address + kPageSize - 1, Access::write).has_value());
        std::uint8_t bytes[2] = {};
        EXPECT_TRUE(space_->write(address + kPageSize - 2, bytes, 2).has_value());
        EXPECT_EQ(space_->write(address + kPageSize - 1, bytes, 2).error(), Error::bad_address);
        EXPECT_TRUE(space_->protect(address, kPageSize, kRead).has_value());
        EXPECT_TRUE(space_->discard(address, kPageSize).has_value());
        EXPECT_EQ(space_->discard(address, kPageSize + 1).error(), Error::bad_address);
        EXPECT_EQ(space_->protect(address, kPageSize + 1, kRead).error(), Error::bad_address);
        EXPECT_TRUE(space_->unmap(address, kPageSize).has_value());
        EXPECT_EQ(touch(*space_, address, Access::read).error(), Error::bad_address);
    }
    const MapOptions whole{.address = arch::kUserLow, .fixed = true};
    EXPECT_EQ(space_->map_anonymous(arch::kUserHigh - arch::kUserLow + 1, kRead, ChargeWhen::at_touch, whole).error(),
              Error::bad_address);
    EXPECT_TRUE(
        space_->map_anonymous(arch::kUserHigh - arch::kUserLow, kRead, ChargeWhen::at_touch, whole).has_value());
}

TEST_F(AddressSpaceTest, WriteAndExecuteExclude) {
    const Protection both = Protection::write | Protection::execute;
    EXPECT_EQ(space_->map_anonymous(1, both, ChargeWhen::at_touch).error(), Error::missing_right);
    const std::uint64_t at = space_->map_anonymous(1, kReadWrite, ChargeWhen::at_touch).value();
    EXPECT_EQ(space_->protect(at, 1, both).error(), Error::missing_right);
    *touch(*space_, at, Access::write).value() = 0xc3;
    ASSERT_TRUE(space_->protect(at, 1, kReadExecute).has_value());
    EXPECT_EQ(*touch(*space_, at, Access::execute).value(), 0xc3);
    EXPECT_EQ(touch(*space_, at, Access::write).error(), Error::bad_address);
    const auto with_jit = AddressSpace::create(payer_, Jit::yes).value();
    EXPECT_TRUE(with_jit->map_anonymous(1, both, ChargeWhen::at_touch).has_value());
    EXPECT_TRUE(with_jit->protect(with_jit->map_anonymous(1, kReadWrite, ChargeWhen::at_touch).value(), 1, both));
    EXPECT_TRUE(with_jit->clone_copy_on_write(payer_).value()->map_anonymous(1, both, ChargeWhen::at_touch));
    MapOptions limited{.maximum = kRead};
    const std::uint64_t fixed = space_->map_anonymous(1, kRead, ChargeWhen::at_touch, limited).value();
    EXPECT_EQ(space_->protect(fixed, 1, kReadWrite).error(), Error::missing_right);
    EXPECT_EQ(space_->map_anonymous(1, kReadWrite, ChargeWhen::at_touch, limited).error(), Error::missing_right);
}

TEST_F(AddressSpaceTest, ProtectionTakenAwayAndBack) {
    const std::uint64_t at = space_->map_anonymous(4 * kPageSize, kReadWrite, ChargeWhen::at_touch).value();
    *touch(*space_, at + kPageSize, Access::write).value() = 7;
    ASSERT_TRUE(space_->protect(at + kPageSize, kPageSize, Protection::none).has_value());
    EXPECT_EQ(areas(), 3u);
    EXPECT_EQ(touch(*space_, at + kPageSize, Access::read).error(), Error::bad_address);
    ASSERT_TRUE(space_->protect(at + kPageSize, kPageSize, kReadWrite).has_value());
    EXPECT_EQ(areas(), 1u);
    EXPECT_EQ(*touch(*space_, at + kPageSize, Access::write).value(), 7);
    EXPECT_EQ(space_->protect(at, 5 * kPageSize, kRead).error(), Error::bad_address);
    EXPECT_EQ(areas(), 1u); // all or nothing
}

TEST_F(AddressSpaceTest, NeighboursMerge) {
    const std::uint64_t base = 0x5000'0000;
    for (const std::uint64_t page : {0, 2, 1, 5, 4, 3}) {
        MapOptions options{.address = base + page * kPageSize, .fixed = true};
        ASSERT_TRUE(space_->map_anonymous(kPageSize, kReadWrite, ChargeWhen::at_touch, options).has_value());
    }
    EXPECT_EQ(areas(), 1u);
    auto pages = Pages::create(payer_, 8 * kPageSize, ChargeWhen::at_touch).value();
    MapOptions options{.address = base + 0x100000, .fixed = true};
    ASSERT_TRUE(space_->map(pages, kPageSize, kPageSize, kRead, Sharing::shared, options).has_value());
    options.address += kPageSize;
    ASSERT_TRUE(space_->map(pages, 2 * kPageSize, kPageSize, kRead, Sharing::shared, options).has_value());
    EXPECT_EQ(areas(), 2u);
    options.address += kPageSize;
    ASSERT_TRUE(space_->map(pages, 4 * kPageSize, kPageSize, kRead, Sharing::shared, options).has_value());
    EXPECT_EQ(areas(), 3u); // not contiguous
}

TEST_F(AddressSpaceTest, LargeReservationsTrimmed) {
    // What malloc does for an arena: 128 MiB without access, the aligned 64 MiB kept.
    const std::uint64_t before = payer_.used();
    const std::uint64_t bytes = 128ull << 20;
    const std::uint64_t at = space_->map_anonymous(bytes, Protection::none, ChargeWhen::at_touch).value();
    const std::uint64_t kept = (at + (64ull << 20) - 1) & ~((64ull << 20) - 1);
    if (kept != at) {
        ASSERT_TRUE(space_->unmap(at, kept - at).has_value());
    }
    ASSERT_TRUE(space_->unmap(kept + (64ull << 20), at + bytes - kept - (64ull << 20)).has_value());
    ASSERT_TRUE(space_->protect(kept, 132 * 1024, kReadWrite).has_value());
    EXPECT_LT(payer_.used() - before, 1024u);
    EXPECT_EQ(space_->usage().mapped_bytes, 64ull << 20);
    *touch(*space_, kept, Access::write).value() = 1;
}

TEST_F(AddressSpaceTest, ChargedWhole) {
    const std::uint64_t before = payer_.used();
    const std::uint64_t at = space_->map_anonymous(10 * kPageSize, kReadWrite, ChargeWhen::at_once).value();
    EXPECT_EQ(payer_.used(), before + 10 * kPageSize + cost_of<Area>);
    ASSERT_TRUE(space_->unmap(at + 3 * kPageSize, 4 * kPageSize).has_value());
    EXPECT_EQ(payer_.used(), before + 6 * kPageSize + 2 * cost_of<Area>);
    (void)touch(*space_, at, Access::write).value();
    payer_.set_limit(payer_.used());
    (void)touch(*space_, at + kPageSize, Access::write).value(); // paid already
    EXPECT_EQ(space_->map_anonymous(1, kRead, ChargeWhen::at_once).error(), Error::quota_exceeded);
    EXPECT_EQ(space_->map_anonymous(1, kRead, ChargeWhen::at_touch).error(), Error::quota_exceeded); // the area
    payer_.set_limit(~0ull);
    ASSERT_TRUE(space_->unmap(at, 10 * kPageSize).has_value());
}

TEST_F(AddressSpaceTest, StacksGrow) {
    MapOptions options{.address = 0x7000'0000'0000, .fixed = true, .grows_down = true};
    const std::uint64_t at = space_->map_anonymous(4 * kPageSize, kReadWrite, ChargeWhen::at_touch, options).value();
    const std::uint64_t end = at + 4 * kPageSize;
    *touch(*space_, at - 10 * kPageSize, Access::write).value() = 1;
    EXPECT_EQ(space_->usage().mapped_bytes, 14 * kPageSize);
    EXPECT_FALSE(touch(*space_, end - kMaxStackGrowth - 1, Access::write).has_value());
    // Nothing is placed where the stack may grow.
    options = {.address = at - 20 * kPageSize};
    const std::uint64_t other = space_->map_anonymous(kPageSize, kRead, ChargeWhen::at_touch, options).value();
    EXPECT_TRUE(other >= end || other < end - kMaxStackGrowth - kStackGap);
    // Where somebody insists, a gap stays.
    options = {.address = at - 100 * kPageSize, .fixed = true};
    ASSERT_TRUE(space_->map_anonymous(kPageSize, kRead, ChargeWhen::at_touch, options).has_value());
    EXPECT_FALSE(touch(*space_, at - 99 * kPageSize, Access::write).has_value());
    EXPECT_FALSE(touch(*space_, at - 84 * kPageSize, Access::write).has_value());
    EXPECT_TRUE(touch(*space_, at - 83 * kPageSize, Access::write).has_value());
}

TEST_F(AddressSpaceTest, PrivateCopiesOfASource) {
    fake::Source source;
    {
        auto pages =
            Pages::create_from(payer_, Ref<PageSource>::share(source), fake::Source::kPages * kPageSize).value();
        const std::uint64_t at = space_->map(pages, 0, 16 * kPageSize, kReadWrite, Sharing::copy_on_write).value();
        const std::uint64_t before = payer_.used();
        EXPECT_EQ(*touch(*space_, at + kPageSize, Access::read).value(), fake::Source::first_byte(1));
        const std::uint64_t with_tables = payer_.used();
        *touch(*space_, at + kPageSize, Access::write).value() = 200;
        EXPECT_EQ(payer_.used(), with_tables + kPageSize);
        EXPECT_GT(with_tables, before);
        std::uint8_t byte = 0;
        ASSERT_TRUE(pages->read(kPageSize, &byte, 1).has_value());
        EXPECT_EQ(byte, fake::Source::first_byte(1));
        EXPECT_EQ(touch(*space_, at + fake::Source::kBadPage * kPageSize, Access::read).error(), Error::integrity);
        ASSERT_TRUE(space_->discard(at, 16 * kPageSize).has_value());
        EXPECT_EQ(*touch(*space_, at + kPageSize, Access::read).value(), fake::Source::first_byte(1));
        // Shared windows on a source cannot be written.
        EXPECT_EQ(space_->map(pages, 0, 1, kReadWrite, Sharing::shared).error(), Error::missing_right);
        const std::uint64_t shared = space_->map(pages, 0, 1, kRead, Sharing::shared).value();
        EXPECT_EQ(space_->protect(shared, 1, kReadWrite).error(), Error::missing_right);
        space_->destroy_mappings();
    }
    EXPECT_EQ(source.references(), 0);
}

TEST_F(AddressSpaceTest, ReadyNeighboursAreMappedByOneFault) {
    fake::Source source;
    {
        auto pages =
            Pages::create_from(payer_, Ref<PageSource>::share(source), fake::Source::kPages * kPageSize).value();
        for (std::uint64_t i = 0; i < 8; ++i)
            (void)pages->page(i).value();
        MapOptions options{.address = 0x4000'0000, .fixed = true};
        const std::uint64_t at = space_->map(pages, 0, 32 * kPageSize, kRead, Sharing::shared, options).value();
        (void)touch(*space_, at + 2 * kPageSize, Access::read).value();
        EXPECT_EQ(space_->usage().resident_bytes, 8 * kPageSize);
        (void)touch(*space_, at + 20 * kPageSize, Access::read).value();
        EXPECT_EQ(space_->usage().resident_bytes, 9 * kPageSize);
        space_->destroy_mappings();
    }
}

TEST_F(AddressSpaceTest, SharedPagesAreTheSame) {
    auto other = AddressSpace::create(payer_).value();
    auto pages = Pages::create(payer_, 4 * kPageSize, ChargeWhen::at_touch).value();
    const std::uint64_t a = space_->map(pages, 0, 4 * kPageSize, kReadWrite, Sharing::shared).value();
    const std::uint64_t b = other->map(pages, kPageSize, kPageSize, kRead, Sharing::shared).value();
    *touch(*space_, a + kPageSize + 9, Access::write).value() = 77;
    EXPECT_EQ(*touch(*other, b + 9, Access::read).value(), 77);
    const auto here = space_->locate(a + kPageSize + 8).value(), there = other->locate(b + 8).value();
    EXPECT_TRUE(here.pages == there.pages && here.offset == there.offset);
    EXPECT_EQ(touch(*space_, a, Access::read).has_value(), true);
    // Behind the end of the contents.
    const std::uint64_t c = space_->map(pages, 0, 8 * kPageSize, kRead, Sharing::shared).value();
    EXPECT_EQ(touch(*space_, c + 4 * kPageSize, Access::read).error(), Error::bad_address);
}

TEST_F(AddressSpaceTest, TruncationReachesAllMappings) {
    auto other = AddressSpace::create(payer_).value();
    auto pages = Pages::create(payer_, 4 * kPageSize, ChargeWhen::at_touch).value();
    const std::uint64_t a = space_->map(pages, 0, 4 * kPageSize, kReadWrite, Sharing::shared).value();
    const std::uint64_t b = other->map(pages, 0, 4 * kPageSize, kReadWrite, Sharing::copy_on_write).value();
    *touch(*space_, a + 3 * kPageSize, Access::write).value() = 5;
    EXPECT_EQ(*touch(*other, b + 3 * kPageSize, Access::read).value(), 5);
    *touch(*other, b + 2 * kPageSize, Access::write).value() = 6;
    ASSERT_TRUE(pages->resize(kPageSize).has_value());
    EXPECT_EQ(touch(*space_, a + 3 * kPageSize, Access::read).error(), Error::bad_address);
    EXPECT_EQ(touch(*other, b + 3 * kPageSize, Access::read).error(), Error::bad_address);
    EXPECT_EQ(*touch(*other, b + 2 * kPageSize, Access::read).value(), 6); // its own
    ASSERT_TRUE(pages->resize(4 * kPageSize).has_value());
    EXPECT_EQ(*touch(*space_, a + 3 * kPageSize, Access::read).value(), 0);
}

// Ends an authority as a revocation does.
void end_authority(fake::Authority& authority, AddressSpace& space) {
    if (authority.end(Authority::State::dead)) space.notice();
}

TEST_F(AddressSpaceTest, RevocationTakesWhatWasMappedUnderIt) {
    auto pages = Pages::create(payer_, 2 * kPageSize, ChargeWhen::at_once).value();
    auto one = fake::Authority::create(), two = fake::Authority::create(), unused = fake::Authority::create();
    MapOptions options;
    options.authority = one;
    const std::uint64_t a = space_->map(pages, 0, 2 * kPageSize, kReadWrite, Sharing::shared, options).value();
    const std::uint64_t a2 = space_->map(pages, kPageSize, kPageSize, kRead, Sharing::copy_on_write, options).value();
    const std::uint64_t registers = space_->map_device({0xfe00'0000}, kPageSize, kRead, one).value();
    options.authority = two;
    const std::uint64_t b = space_->map(pages, 0, 2 * kPageSize, kReadWrite, Sharing::shared, options).value();
    (void)touch(*space_, a, Access::write).value();
    (void)touch(*space_, a2, Access::read).value();
    ASSERT_TRUE(space_->fault(registers, Access::read).has_value());
    *touch(*space_, b, Access::write).value() = 9;
    end_authority(*one, *space_);
    EXPECT_TRUE(space_->is_settled());
    EXPECT_EQ(touch(*space_, a, Access::read).error(), Error::bad_address);
    EXPECT_EQ(touch(*space_, a2, Access::read).error(), Error::bad_address);
    EXPECT_EQ(space_->fault(registers, Access::read).error(), Error::bad_address);
    EXPECT_EQ(*touch(*space_, b, Access::read).value(), 9);
    EXPECT_EQ(space_->usage().mapped_bytes, 2 * kPageSize);
    // An end that no mapping can care about tells nobody; what has ended maps nothing any more.
    EXPECT_FALSE(unused->end(Authority::State::dead));
    for (const auto& ended : {one, unused}) {
        options.authority = ended;
        EXPECT_EQ(space_->map(pages, 0, kPageSize, kRead, Sharing::shared, options).error(), Error::revoked);
        EXPECT_EQ(space_->map_device({0xfe00'0000}, kPageSize, kRead, ended).error(), Error::revoked);
    }
}

// The end comes in the middle of an operation, which holds the space's mutex: whoever ends goes on at once, and the
// operation takes away what has ended before it lets the space go.
TEST_F(AddressSpaceTest, WhoHoldsTheSpaceTakesAwayWhatEndedMeanwhile) {
    auto pages = Pages::create(payer_, 8 * kPageSize, ChargeWhen::at_once).value();
    // In the way of growing in place: what grows moves.
    const MapOptions behind{.address = 0x7000'4000, .fixed = true};
    ASSERT_TRUE(space_->map_anonymous(kPageSize, kRead, ChargeWhen::at_touch, behind).has_value());
    const auto with_end = [&](auto&& operation) {
        auto authority = fake::Authority::create();
        MapOptions options{.address = 0x7000'0000, .fixed = true, .authority = authority};
        EXPECT_TRUE(space_->map(pages, 0, 4 * kPageSize, kReadWrite, Sharing::shared, options).has_value());
        *touch(*space_, 0x7000'0000, Access::write).value() = 1;
        bool was_noticed = false;
        payer_.at_next_reservation([&] {
            end_authority(*authority, *space_);
            was_noticed = true;
            EXPECT_FALSE(space_->is_settled()); // nobody may use it, but the holder is not waited for
        });
        const Result<std::uint64_t> at = operation(options);
        EXPECT_TRUE(was_noticed);
        EXPECT_TRUE(space_->is_settled());
        EXPECT_EQ(touch(*space_, 0x7000'0000, Access::read).error(), Error::bad_address);
        if (at) {
            EXPECT_EQ(touch(*space_, *at, Access::read).error(), Error::bad_address);
        }
        EXPECT_EQ(space_->usage().mapped_bytes, kPageSize);
        EXPECT_EQ(space_->usage().resident_bytes, 0u);
    };
    // Another mapping, a move, a split by unmap, a split by protect.
    with_end([&](MapOptions options) {
        options.fixed = false;
        options.address = 0;
        const auto at = space_->map(pages, 0, kPageSize, kRead, Sharing::shared, options);
        EXPECT_EQ(at.has_value(), false); // the reservation of its area came before the look
        return at;
    });
    with_end([&](const MapOptions&) {
        return space_->remap(0x7000'0000, 4 * kPageSize, 6 * kPageSize, AddressSpace::MayMove::yes);
    });
    with_end([&](const MapOptions&) {
        return space_->remap(0x7000'1000, 2 * kPageSize, 6 * kPageSize, AddressSpace::MayMove::yes);
    });
    with_end([&](const MapOptions&) -> Result<std::uint64_t> {
        TRY(space_->unmap(0x7000'1000, kPageSize));
        return 0x7000'2000;
    });
    with_end([&](const MapOptions&) -> Result<std::uint64_t> {
        TRY(space_->protect(0x7000'1000, kPageSize, kRead));
        return 0x7000'1000;
    });
}

// A space that is settled is used without another look: so no processor may know an old entry by then.
TEST_F(AddressSpaceTest, ASpaceIsSettledWhenAllAreFlushed) {
    auto pages = Pages::create(payer_, 2 * kPageSize, ChargeWhen::at_touch).value();
    auto authority = fake::Authority::create();
    const MapOptions options{.authority = authority};
    const std::uint64_t at = space_->map(pages, 0, 2 * kPageSize, kReadWrite, Sharing::shared, options).value();
    const auto flushes_while_unsettled = [&](auto&& change) {
        (void)touch(*space_, at, Access::write).value();
        (void)touch(*space_, at + kPageSize, Access::write).value();
        int flushes = 0;
        fake::at_flush([&] {
            ++flushes;
            EXPECT_FALSE(space_->is_settled());
        });
        change();
        fake::at_flush({});
        EXPECT_TRUE(space_->is_settled());
        return flushes;
    };
    // Once for the interrupts, and once for the entries.
    EXPECT_GE(flushes_while_unsettled([&] { EXPECT_TRUE(pages->resize(kPageSize).has_value()); }), 2);
    ASSERT_TRUE(pages->resize(2 * kPageSize).has_value());
    EXPECT_GE(flushes_while_unsettled([&] { end_authority(*authority, *space_); }), 2);
}

TEST_F(AddressSpaceTest, AFaultMakesNoEntryForWhatHasEnded) {
    auto pages = Pages::create(payer_, 2 * kPageSize, ChargeWhen::at_touch).value();
    auto authority = fake::Authority::create();
    MapOptions options{.authority = authority};
    const std::uint64_t at = space_->map(pages, 0, 2 * kPageSize, kReadWrite, Sharing::shared, options).value();
    ASSERT_TRUE(authority->end(Authority::State::closed)); // the notice is still on its way
    EXPECT_EQ(space_->fault(at, Access::read).error(), Error::bad_address);
    space_->notice();
    EXPECT_EQ(space_->usage().mapped_bytes, 0u);
    // It ends while a fault is filling the page: the entry goes when the fault is done.
    authority = fake::Authority::create();
    options.authority = authority;
    const std::uint64_t again = space_->map(pages, 0, kPageSize, kReadWrite, Sharing::shared, options).value();
    payer_.at_next_reservation([&] { end_authority(*authority, *space_); });
    (void)space_->fault(again, Access::write);
    space_->activate();
    EXPECT_EQ(fake::user_access(again, Protection::read), nullptr);
    EXPECT_EQ(space_->usage().mapped_bytes, 0u);
}

// A cut comes while the space is busy: what the operation makes of the old entries goes too.
TEST_F(AddressSpaceTest, ACutReachesWhatIsBeingMoved) {
    for (const std::uint64_t offset : {0ull, 1ull}) {
        auto pages = Pages::create(payer_, 4 * kPageSize, ChargeWhen::at_touch).value();
        const MapOptions options{.address = 0x7000'0000, .fixed = true};
        const MapOptions behind{.address = 0x7000'4000, .fixed = true};
        ASSERT_TRUE(space_->map(pages, 0, 4 * kPageSize, kReadWrite, Sharing::shared, options).has_value());
        ASSERT_TRUE(space_->map_anonymous(kPageSize, kRead, ChargeWhen::at_touch, behind).has_value());
        *touch(*space_, 0x7000'3000, Access::write).value() = 7;
        payer_.at_next_reservation([&] { EXPECT_TRUE(pages->resize(kPageSize).has_value()); });
        const std::uint64_t from = 0x7000'0000 + offset * kPageSize, count = 4 - offset;
        const std::uint64_t at =
            space_->remap(from, count * kPageSize, 8 * kPageSize, AddressSpace::MayMove::yes).value();
        EXPECT_EQ(touch(*space_, at + (count - 1) * kPageSize, Access::read).error(), Error::bad_address);
        ASSERT_TRUE(pages->resize(4 * kPageSize).has_value());
        EXPECT_EQ(*touch(*space_, at + (count - 1) * kPageSize, Access::read).value(), 0);
        ASSERT_TRUE(space_->unmap(at, 8 * kPageSize).has_value());
        ASSERT_TRUE(space_->unmap(0x7000'0000, 5 * kPageSize).has_value());
    }
}

TEST_F(AddressSpaceTest, ASetTellsAllItsSpaces) {
    auto set = SpaceSet::create(payer_).value();
    auto pages = Pages::create(payer_, kPageSize, ChargeWhen::at_once).value();
    auto authority = fake::Authority::create();
    MapOptions options{.address = 0x7000'0000, .fixed = true, .authority = authority};
    std::vector<Ref<AddressSpace>> spaces;
    for (int i = 0; i < 5; ++i) {
        spaces.push_back(AddressSpace::create(payer_).value());
        spaces.back()->enter(*set);
        EXPECT_FALSE(spaces.back()->is_settled()); // it has not looked for what ended before it joined
        EXPECT_TRUE(spaces.back()->map(pages, 0, kPageSize, kRead, Sharing::shared, options).has_value());
        EXPECT_TRUE(spaces.back()->is_settled());
        (void)touch(*spaces.back(), 0x7000'0000, Access::read).value();
    }
    spaces.erase(spaces.begin() + 1);
    auto child = spaces[0]->clone_copy_on_write(payer_).value();
    ASSERT_TRUE(authority->end(Authority::State::dead));
    set->notice();
    for (auto& space : spaces)
        EXPECT_EQ(space->usage().mapped_bytes, 0u);
    child->enter(*set); // late
    child->settle();
    EXPECT_EQ(child->usage().mapped_bytes, 0u);
}

TEST_F(AddressSpaceTest, ForkSharesUntilSomebodyWrites) {
    const std::uint64_t at = space_->map_anonymous(4 * kPageSize, kReadWrite, ChargeWhen::at_touch).value();
    *touch(*space_, at, Access::write).value() = 1;
    *touch(*space_, at + kPageSize, Access::write).value() = 2;
    fake::CountingPayer child_payer;
    {
        auto child = space_->clone_copy_on_write(child_payer).value();
        EXPECT_TRUE(child->is_consistent());
        EXPECT_TRUE(space_->is_consistent());
        *touch(*space_, at, Access::write).value() = 10;
        EXPECT_EQ(*touch(*child, at, Access::read).value(), 1);
        *touch(*child, at + kPageSize, Access::write).value() = 20;
        EXPECT_EQ(*touch(*space_, at + kPageSize, Access::read).value(), 2);
        *touch(*child, at + 2 * kPageSize, Access::write).value() = 30;
        EXPECT_EQ(*touch(*space_, at + 2 * kPageSize, Access::read).value(), 0);
        EXPECT_FALSE(space_->locate(at)->pages || child->locate(at)->pages); // each has its own
    }
    EXPECT_EQ(child_payer.used(), 0u);
    fake::CountingPayer poor(6000);
    EXPECT_EQ(space_->clone_copy_on_write(poor).error(), Error::quota_exceeded);
    EXPECT_EQ(poor.used(), 0u);
    EXPECT_EQ(*touch(*space_, at, Access::write).value(), 10);
}

TEST_F(AddressSpaceTest, RemapKeepsContents) {
    const std::uint64_t base = 0x6000'0000;
    MapOptions options{.address = base, .fixed = true};
    ASSERT_TRUE(space_->map_anonymous(4 * kPageSize, kReadWrite, ChargeWhen::at_touch, options).has_value());
    *touch(*space_, base + 3 * kPageSize, Access::write).value() = 3;
    EXPECT_EQ(space_->remap(base, 4 * kPageSize, 6 * kPageSize, AddressSpace::MayMove::no).value(), base);
    options.address = base + 7 * kPageSize;
    ASSERT_TRUE(space_->map_anonymous(kPageSize, kRead, ChargeWhen::at_touch, options).has_value());
    EXPECT_EQ(space_->remap(base, 6 * kPageSize, 8 * kPageSize, AddressSpace::MayMove::no).error(), Error::bad_address);
    const std::uint64_t moved =
        space_->remap(base + 2 * kPageSize, 4 * kPageSize, 8 * kPageSize, AddressSpace::MayMove::yes).value();
    EXPECT_NE(moved, base + 2 * kPageSize);
    EXPECT_EQ(*touch(*space_, moved + kPageSize, Access::read).value(), 3);
    EXPECT_EQ(touch(*space_, base + 3 * kPageSize, Access::read).error(), Error::bad_address);
    EXPECT_TRUE(touch(*space_, base, Access::read).has_value());
    EXPECT_EQ(space_->remap(moved, 8 * kPageSize, kPageSize, AddressSpace::MayMove::no).value(), moved);
    EXPECT_EQ(touch(*space_, moved + kPageSize, Access::read).error(), Error::bad_address);
    EXPECT_EQ(space_->remap(moved, 2 * kPageSize, 3 * kPageSize, AddressSpace::MayMove::yes).error(),
              Error::bad_address);
}

// A move that fails half way leaves nothing at the new place, not even in the memory of a processor that looked there
// meanwhile.
TEST_F(AddressSpaceTest, AFailedMoveLeavesNoEntries) {
    constexpr std::uint64_t kPages = 1024; // several page tables
    const MapOptions options{.address = 0x6000'0000, .fixed = true};
    const MapOptions behind{.address = 0x6000'0000 + kPages * kPageSize, .fixed = true};
    ASSERT_TRUE(space_->map_anonymous(kPages * kPageSize, kReadWrite, ChargeWhen::at_touch, options).has_value());
    ASSERT_TRUE(space_->map_anonymous(kPageSize, kRead, ChargeWhen::at_touch, behind).has_value());
    *touch(*space_, 0x6000'0000, Access::write).value() = 1;
    *touch(*space_, 0x6000'0000 + (kPages - 1) * kPageSize, Access::write).value() = 2;
    const std::uint64_t target =
        space_->remap(0x6000'0000, kPages * kPageSize, 2 * kPages * kPageSize, AddressSpace::MayMove::yes).value();
    ASSERT_TRUE(
        space_->remap(target, 2 * kPages * kPageSize, kPages * kPageSize, AddressSpace::MayMove::no).has_value());
    ASSERT_TRUE(space_
                    ->map_anonymous(kPageSize, kRead, ChargeWhen::at_touch,
                                    {.address = target + kPages * kPageSize, .fixed = true})
                    .has_value());                              // it has to move again
    const std::uint64_t next = target - 2 * kPages * kPageSize; // downwards from there
    std::uint8_t* seen = nullptr;
    const std::function<void()> look = [&] { // each time something is reserved: areas, then page tables
        if (seen == nullptr) seen = fake::user_access(next, Protection::read);
        if (seen != nullptr) payer_.set_limit(payer_.used()); // the next table cannot be paid for
        payer_.at_next_reservation(look);
    };
    payer_.at_next_reservation(look);
    const auto moved = space_->remap(target, kPages * kPageSize, 2 * kPages * kPageSize, AddressSpace::MayMove::yes);
    payer_.at_next_reservation({});
    payer_.set_limit(~0ull);
    EXPECT_EQ(moved.error(), Error::quota_exceeded);
    EXPECT_NE(seen, nullptr);
    EXPECT_EQ(fake::user_access(next, Protection::read), nullptr);
    EXPECT_TRUE(space_->is_consistent());
    EXPECT_EQ(*touch(*space_, target, Access::read).value(), 1);
    EXPECT_EQ(*touch(*space_, target + (kPages - 1) * kPageSize, Access::read).value(), 2);
}

TEST_F(AddressSpaceTest, DeviceRegisters) {
    const std::uint64_t at = space_->map_device({0xfe00'0000}, 2 * kPageSize, kReadWrite).value();
    ASSERT_TRUE(space_->fault(at + kPageSize, Access::write).has_value());
    EXPECT_EQ(space_->usage().resident_bytes, kPageSize);
    EXPECT_EQ(space_->map_device({0xfe00'0001}, 1, kRead).error(), Error::bad_argument);
    EXPECT_EQ(space_->map_device({0xfe00'0000}, 1, kReadExecute).error(), Error::bad_argument);
    std::uint8_t byte = 0;
    EXPECT_EQ(space_->read(at, &byte, 1).error(), Error::bad_address);
    ASSERT_TRUE(space_->unmap(at, 2 * kPageSize).has_value());
}

TEST_F(AddressSpaceTest, CopiesByTheKernel) {
    const std::uint64_t at = space_->map_anonymous(2 * kPageSize, kReadWrite, ChargeWhen::at_touch).value();
    std::uint8_t out[100], in[100];
    for (std::uint8_t i = 0; i < 100; ++i)
        out[i] = i;
    ASSERT_TRUE(space_->write(at + kPageSize - 50, out, 100).has_value());
    ASSERT_TRUE(space_->read(at + kPageSize - 50, in, 100).has_value());
    EXPECT_TRUE(std::equal(out, out + 100, in));
    EXPECT_EQ(space_->write(at + 2 * kPageSize - 50, out, 100).error(), Error::bad_address);
}

TEST_F(AddressSpaceTest, AreasAreLimited) {
    for (std::uint64_t i = 0; i < AddressSpace::kMaxAreas; ++i) {
        MapOptions options{.address = 0x10'0000'0000 + i * 2 * kPageSize, .fixed = true};
        ASSERT_TRUE(space_->map_anonymous(kPageSize, kRead, ChargeWhen::at_touch, options).has_value());
    }
    EXPECT_EQ(space_->map_anonymous(kPageSize, kRead, ChargeWhen::at_touch).error(), Error::no_space);
}

TEST_F(AddressSpaceTest, PlacesAreReused) {
    const std::uint64_t a = space_->map_anonymous(4 * kPageSize, kRead, ChargeWhen::at_touch).value();
    const std::uint64_t b = space_->map_anonymous(4 * kPageSize, kReadWrite, ChargeWhen::at_touch).value();
    EXPECT_EQ(b + 4 * kPageSize, a);
    ASSERT_TRUE(space_->unmap(a, 4 * kPageSize).has_value());
    EXPECT_EQ(space_->map_anonymous(4 * kPageSize, kReadExecute, ChargeWhen::at_touch).value(), a);
}

} // namespace
} // namespace aios::mm
