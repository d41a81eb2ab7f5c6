// Places of capabilities that travel: whoever is faster, the revocation or the one that takes it out, the object is told
// of each handle once, the node ends once, and nobody touches a place that is gone. ASan watches the last.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "kernel/cap/in_flight.hpp"
#include "kernel/cap/table.hpp"
#include "kernel/quota/quota.hpp"
#include "tests/support/kernel_host.hpp"
#include "tests/unit/cap/thing.hpp"

namespace aios {
namespace {

using cap::Capability;
using cap::InFlight;
using cap::Table;
using test::Thing;

class InFlightTest : public ::testing::Test {
protected:
    Capability gift() { return *table->derive_out(handle, rights::read, rights::none); }
    Ref<Quota> quota = *Quota::create_root({100'000'000, 60'000, 10, 10});
    Ref<Table> table = *Table::create(*quota, 1);
    Ref<Thing> thing = Thing::create();
    Handle handle = *table->insert_new(Ref<Object>(thing), rights::all);
    ~InFlightTest() override { table->close_all(); }
};

TEST_F(InFlightTest, what_is_put_comes_out_and_counts_once) {
    const std::uint64_t paid = quota->used(Resource::memory);
    InFlight place;
    place.put(gift());
    EXPECT_EQ(thing->handles, 2);
    Capability taken = place.take();
    EXPECT_EQ(thing->handles, 2);
    ASSERT_TRUE(taken.is_live());
    EXPECT_FALSE(place.take().node);
    place.put(std::move(taken)); // could not be delivered
    EXPECT_EQ(thing->handles, 2);
    taken = place.take();
    taken.uncount();
    EXPECT_EQ(thing->handles, 1);
    taken = {};
    EXPECT_EQ(quota->used(Resource::memory), paid);
}

TEST_F(InFlightTest, a_dropped_place_ends_what_lies_in_it) {
    const std::uint64_t paid = quota->used(Resource::memory);
    {
        InFlight place;
        place.put(gift());
        EXPECT_EQ(thing->handles, 2);
    }
    EXPECT_EQ(thing->handles, 1);
    EXPECT_EQ(quota->used(Resource::memory), paid);
}

TEST_F(InFlightTest, a_revocation_leaves_nothing_in_the_place) {
    const std::uint64_t paid = quota->used(Resource::memory);
    InFlight place;
    place.put(gift());
    Capability dead = gift();
    ASSERT_TRUE(table->revoke(handle));
    EXPECT_EQ(thing->handles, 1);
    EXPECT_EQ(quota->used(Resource::memory), paid);
    EXPECT_FALSE(place.take().node);
    place.put(std::move(dead)); // died before it was put
    EXPECT_FALSE(place.take().node);
    EXPECT_EQ(thing->handles, 1);
}

// Two threads, 20,000 meetings: one takes the capability out and frees the place at once, the other revokes.
TEST_F(InFlightTest, taking_meets_revoking) {
    constexpr int kMeetings = 20'000;
    const std::uint64_t paid = quota->used(Resource::memory);
    std::atomic<int> turn{0};
    std::unique_ptr<InFlight> place;
    int was_live = 0, was_taken = 0;
    std::thread taker([&] {
        test::cpu = 1;
        for (int i = 0; i < kMeetings; ++i) {
            while (turn.load(std::memory_order_acquire) != 2 * i + 1) {
            }
            for (int spin = 0; spin < i % 97; ++spin)
                std::atomic_signal_fence(std::memory_order_seq_cst);
            Capability taken = place->take();
            place.reset();
            was_taken += taken.node ? 1 : 0;
            was_live += taken.is_live() ? 1 : 0;
            if (i % 3 == 0) {
                place = std::make_unique<InFlight>(); // as when a delivery fails
                place->put(std::move(taken));
                place.reset();
            }
            taken = {};
            turn.store(2 * i + 2, std::memory_order_release);
        }
    });
    for (int i = 0; i < kMeetings; ++i) {
        place = std::make_unique<InFlight>();
        place->put(gift());
        turn.store(2 * i + 1, std::memory_order_release);
        for (int spin = 0; spin < i % 89; ++spin)
            std::atomic_signal_fence(std::memory_order_seq_cst);
        EXPECT_TRUE(table->revoke(handle));
        while (turn.load(std::memory_order_acquire) != 2 * i + 2) {
        }
        ASSERT_EQ(thing->handles, 1) << i;
    }
    taker.join();
    EXPECT_EQ(quota->used(Resource::memory), paid);
    RecordProperty("taken", was_taken);
    RecordProperty("live", was_live);
}

} // namespace
} // namespace aios
