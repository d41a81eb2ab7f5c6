// What epoll needs of an event queue beside what a native program has: the mode `changed`, another interest in the place
// of one (change), and a look at what is noted without taking it (settle). Beside a model, and with threads.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "kernel/event/event.hpp"
#include "tests/support/kernel_host.hpp"
#include "tests/support/sched_host.hpp"
#include "tests/unit/event/thing.hpp"

namespace aios {
namespace {

using event::EventQueue;
using event::Interest;
using event::Mode;
using test::AsThread;
using test::HostThread;
using test::make_thing;
using test::Thing;

constexpr std::uint64_t kBoth = kSignalReadable | kSignalWritable;

class EpollQueue : public testing::Test {
protected:
    EpollQueue() : payer(test::plenty()), queue(*EventQueue::create(*payer)), thing(make_thing()) {}
    Result<> listen(Thing& of, std::uint64_t signals, Mode mode, std::uint64_t key) {
        return queue->listen(*payer, of.source, nullptr, {signals, mode}, key);
    }
    // The signals of the one packet that is there; 0: none.
    std::uint64_t told() {
        EventPacket packets[4];
        const auto taken = queue->wait(packets, 0, {});
        return taken ? packets[0].signals : 0;
    }
    AsThread me;
    Ref<Quota> payer;
    Ref<EventQueue> queue;
    Ref<Thing> thing;
};

TEST_F(EpollQueue, changed_tells_all_that_is_set_once_a_post) {
    thing->source.set(kSignalWritable);
    ASSERT_TRUE(listen(*thing, kBoth, Mode::changed, 1));
    EXPECT_EQ(told(), kSignalWritable);
    EXPECT_EQ(told(), 0u);
    thing->source.set(kSignalReadable);
    EXPECT_EQ(told(), kBoth); // not only what was posted
    thing->source.set(kSignalReadable);
    EXPECT_EQ(told(), kBoth); // and each time
    thing->source.set(kSignalReadable);
    thing->source.clear(kSignalReadable);
    EXPECT_EQ(told(), kSignalWritable);
    thing->source.set(kSignalReadable);
    thing->source.clear(kBoth);
    EXPECT_EQ(told(), 0u);
}

TEST_F(EpollQueue, change_arms_again_and_looks) {
    thing->source.set(kSignalReadable);
    EXPECT_EQ(queue->change(1, {kBoth, Mode::level}).error(), Error::not_found);
    ASSERT_TRUE(listen(*thing, kBoth, Mode::once, 1));
    EXPECT_EQ(told(), kSignalReadable);
    EXPECT_EQ(told(), 0u);
    ASSERT_TRUE(queue->change(1, {kSignalReadable, Mode::once}));
    EXPECT_EQ(told(), kSignalReadable);
    thing->source.set(kSignalReadable);
    EXPECT_EQ(told(), 0u); // disarmed
    ASSERT_TRUE(queue->change(1, {kSignalReadable, Mode::level}));
    EXPECT_EQ(told(), kSignalReadable);
    EXPECT_EQ(told(), kSignalReadable);
    ASSERT_TRUE(queue->change(1, {kSignalWritable, Mode::level}));
    EXPECT_EQ(told(), 0u);
    thing->source.set(kSignalWritable);
    EXPECT_EQ(told(), kSignalWritable);
    thing.reset(); // the registration ends with the source
    EXPECT_EQ(queue->change(1, {kBoth, Mode::level}).error(), Error::not_found);
}

TEST_F(EpollQueue, settle_drops_what_is_over_and_nothing_else) {
    const Ref<Thing> other = make_thing();
    ASSERT_TRUE(listen(*thing, kSignalReadable, Mode::level, 1));
    ASSERT_TRUE(listen(*other, kSignalReadable, Mode::once, 2));
    EXPECT_FALSE(queue->settle());
    thing->source.set(kSignalReadable);
    EXPECT_TRUE(queue->settle());
    thing->source.clear(kSignalReadable);
    EXPECT_EQ(queue->event_source()->levels(), kSignalReadable); // noted
    EXPECT_FALSE(queue->settle());
    EXPECT_EQ(queue->event_source()->levels(), 0u);
    thing->source.set(kSignalReadable);
    other->source.set(kSignalReadable);
    thing->source.clear(kSignalReadable);
    EXPECT_TRUE(queue->settle()); // the first is over, the second is not
    EXPECT_TRUE(queue->settle()); // and looking takes nothing
    EXPECT_EQ(told(), kSignalReadable);
    other->source.clear(kSignalReadable);
    EXPECT_FALSE(queue->settle());
    ASSERT_TRUE(queue->change(2, {kSignalReadable, Mode::once}));
    other->source.set(kSignalReadable);
    other->source.clear(kSignalReadable);
    EXPECT_FALSE(queue->settle()); // nothing was told, so it stays armed
    other->source.set(kSignalReadable);
    EXPECT_EQ(told(), kSignalReadable);
}

// As many packets as there is room for, though a native call takes 64.
TEST_F(EpollQueue, many_packets_at_once) {
    std::vector<Ref<Thing>> things;
    for (std::uint64_t key = 0; key < 500; ++key) {
        things.push_back(make_thing());
        things.back()->source.set(kSignalReadable);
        ASSERT_TRUE(listen(*things.back(), kSignalReadable, Mode::level, key));
    }
    std::vector<EventPacket> packets(600);
    EXPECT_EQ(*queue->wait(packets, 0, {}), 500u);
}

// One CPU posts and takes back, others look through and take: after the last post it is told, or still noted.
TEST_F(EpollQueue, nothing_is_lost_to_a_look) {
    for (const Mode mode : {Mode::level, Mode::changed, Mode::once}) {
        for (int round = 0; round < 300; ++round) {
            const Ref<Thing> one = make_thing();
            const Ref<EventQueue> own = *EventQueue::create(*payer);
            ASSERT_TRUE(own->listen(*payer, one->source, nullptr, {kSignalReadable, mode}, 1));
            std::atomic<bool> is_told{false}, stop{false};
            {
                HostThread looker([&] {
                    while (!stop)
                        static_cast<void>(own->settle());
                });
                HostThread taker([&] {
                    EventPacket packets[2];
                    while (!stop && !is_told)
                        if (own->wait(packets, 0, {})) is_told = true;
                });
                for (int i = 0; i < 5; ++i) {
                    one->source.set(kSignalReadable);
                    one->source.clear(kSignalReadable);
                }
                one->source.set(kSignalReadable);
                const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
                while (!is_told && std::chrono::steady_clock::now() < limit)
                    std::this_thread::yield();
                stop = true;
            }
            ASSERT_TRUE(is_told) << "mode " << static_cast<int>(mode) << " round " << round;
        }
    }
}

} // namespace
} // namespace aios
