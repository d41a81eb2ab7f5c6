// Modes and queues in queues, one rule a test; many threads at once; and a thread that listens on its own stack.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "kernel/event/event.hpp"
#include "kernel/event/watch.hpp"
#include "tests/support/kernel_host.hpp"
#include "tests/support/sched_host.hpp"
#include "tests/unit/event/thing.hpp"

namespace aios {
namespace {

using event::EventQueue;
using event::Waiter;
using event::Watch;
using test::AsThread;
using test::HostThread;
using test::make_thing;
using test::Thing;

std::vector<EventPacket> poll(EventQueue& queue, std::size_t most = 64) {
    EventPacket packets[64];
    const auto taken = queue.wait({packets, most}, 0, {});
    if (!taken) return {};
    return {packets, packets + *taken};
}

class Nested : public testing::Test {
protected:
    Nested() : payer(test::plenty()), thing(make_thing()) {
        for (auto& queue : chain)
            queue = *EventQueue::create(*payer);
    }
    Result<> add(EventQueue& queue, Object& object, std::uint64_t signals, std::uint64_t key = 1) {
        return queue.add(*payer, object, signals, key, {});
    }
    // Each queue stands in the next one; the first has the thing.
    void nest(std::uint64_t mode) {
        ASSERT_TRUE(add(*chain[0], *thing, kSignalFired | kSignalReadable));
        for (std::size_t i = 1; i < chain.size(); ++i)
            ASSERT_TRUE(add(*chain[i], *chain[i - 1], kSignalReadable | mode));
    }
    bool is_readable(const Ref<EventQueue>& queue) { return queue->event_source()->levels() == kSignalReadable; }

    AsThread me;
    Ref<Quota> payer;
    Ref<Thing> thing;
    std::array<Ref<EventQueue>, 5> chain;
};

TEST_F(Nested, a_call_without_a_mode_hears_of_writable_by_posts_alone) {
    thing->source.set(kSignalWritable);
    ASSERT_TRUE(add(*chain[0], *thing, kSignalWritable | kSignalReadable));
    thing->source.set(kSignalWritable);
    EXPECT_TRUE(poll(*chain[0]).empty());
    thing->source.post(kSignalWritable);
    const auto packets = poll(*chain[0]);
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].signals, kSignalWritable);
    EXPECT_TRUE(poll(*chain[0]).empty());
}

TEST_F(Nested, level_repeats_edge_does_not_and_once_waits_to_be_armed) {
    const std::uint64_t both = kSignalWritable | kSignalReadClosed;
    thing->source.set(both);
    ASSERT_TRUE(add(*chain[0], *thing, both | kModeLevel));
    ASSERT_TRUE(add(*chain[1], *thing, both | kModeEdge));
    ASSERT_TRUE(add(*chain[2], *thing, both | kModeOnce));
    for (unsigned queue = 0; queue < 3; ++queue) {
        const auto packets = poll(*chain[queue]);
        ASSERT_EQ(packets.size(), 1u) << queue;
        EXPECT_EQ(packets[0].signals, both) << queue;
    }
    EXPECT_EQ(poll(*chain[0]).size(), 1u);
    EXPECT_TRUE(poll(*chain[1]).empty());
    thing->source.set(kSignalWritable); // it is set already: a post, all the same
    EXPECT_EQ(poll(*chain[0]).size(), 1u);
    const auto edges = poll(*chain[1]);
    ASSERT_EQ(edges.size(), 1u);
    EXPECT_EQ(edges[0].signals, kSignalWritable);
    EXPECT_TRUE(poll(*chain[1]).empty());
    EXPECT_TRUE(poll(*chain[2]).empty());
    ASSERT_TRUE(add(*chain[2], *thing, kSignalReadClosed | kSignalFired | kModeOnce)); // armed, for other signals
    const auto packets = poll(*chain[2]);
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].signals, kSignalReadClosed);
    thing->source.post(kSignalFired);
    EXPECT_TRUE(poll(*chain[2]).empty());
    EXPECT_EQ(add(*chain[2], *thing, kSignalFired).error(), Error::already_exists);
    EXPECT_EQ(add(*chain[2], *make_thing(), kSignalFired | kModeOnce).error(), Error::already_exists);
    EXPECT_EQ(add(*chain[2], *thing, kSignalFired | kModeOnce | kModeEdge, 2).error(), Error::bad_argument);
    EXPECT_EQ(add(*chain[2], *thing, kModeOnce, 2).error(), Error::bad_argument);
    thing->source.clear(both);
    EXPECT_TRUE(poll(*chain[0]).empty());
}

TEST_F(Nested, a_state_that_is_over_is_told_by_no_mode_and_loses_nothing) {
    ASSERT_TRUE(add(*chain[0], *thing, kSignalReadable | kModeLevel));
    ASSERT_TRUE(add(*chain[1], *thing, kSignalReadable | kModeEdge));
    ASSERT_TRUE(add(*chain[2], *thing, kSignalReadable | kModeOnce));
    for (int round = 0; round < 3; ++round) {
        thing->source.set(kSignalReadable);
        thing->source.clear(kSignalReadable);
        for (unsigned queue = 0; queue < 3; ++queue)
            EXPECT_TRUE(poll(*chain[queue]).empty()) << queue;
    }
    thing->source.set(kSignalReadable);
    for (unsigned queue = 0; queue < 3; ++queue)
        EXPECT_EQ(poll(*chain[queue]).size(), 1u) << queue;
}

TEST_F(Nested, five_queues_tell_each_other_and_a_sixth_is_refused) {
    for (const std::uint64_t mode : {std::uint64_t{0}, kModeLevel, kModeEdge}) {
        for (auto& queue : chain)
            queue = *EventQueue::create(*payer);
        nest(mode);
        const auto sixth = *EventQueue::create(*payer);
        EXPECT_EQ(add(*sixth, *chain[4], kSignalReadable).error(), Error::too_deep);
        EXPECT_EQ(add(*chain[0], *sixth, kSignalReadable, 2).error(), Error::too_deep);
        EXPECT_EQ(add(*chain[0], *chain[4], kSignalReadable, 2).error(), Error::too_deep);
        EXPECT_EQ(add(*chain[1], *chain[3], kSignalReadable, 2).error(), Error::busy);
        EXPECT_EQ(add(*sixth, *chain[1], kSignalReadable).error(), Error::busy);
        EXPECT_EQ(add(*chain[2], *chain[2], kSignalReadable, 2).error(), Error::wrong_type);
        EXPECT_TRUE(poll(*chain[4]).empty());
        thing->source.post(kSignalFired);
        for (std::size_t i = chain.size(); i != 0; --i) {
            EXPECT_TRUE(is_readable(chain[i - 1]));
            EXPECT_EQ(poll(*chain[i - 1]).size(), 1u);
        }
        // What repeats lasts as long as the inner queue is readable, and that is over.
        for (auto& queue : chain)
            EXPECT_TRUE(poll(*queue).empty());
        ASSERT_TRUE(chain[3]->cancel(1)); // two chains now, and their ends have room
        EXPECT_TRUE(add(*sixth, *chain[4], kSignalReadable));
    }
}

TEST_F(Nested, a_queue_is_not_readable_after_its_last_packet_was_cancelled) {
    nest(kModeLevel);
    thing->source.post(kSignalFired);
    ASSERT_TRUE(chain[0]->cancel(1));
    EXPECT_FALSE(is_readable(chain[0]));
    EXPECT_TRUE(poll(*chain[1]).empty());
    EXPECT_FALSE(is_readable(chain[1]));
    // The same with the end of the source, and with that of a queue in the middle.
    ASSERT_TRUE(add(*chain[0], *thing, kSignalFired));
    thing->source.post(kSignalFired);
    EXPECT_TRUE(is_readable(chain[1]));
    thing.reset();
    EXPECT_FALSE(is_readable(chain[0]));
    thing = make_thing();
    ASSERT_TRUE(add(*chain[0], *thing, kSignalFired));
    thing->source.post(kSignalFired);
    chain[1].reset();
    EXPECT_FALSE(is_readable(chain[2]));
    EXPECT_TRUE(add(*chain[2], *chain[0], kSignalReadable | kModeLevel)); // its key and its place are free
    EXPECT_EQ(poll(*chain[2]).size(), 1u);
}

// The widest that there is: as many queues at a source as it takes, chains of five above, and listeners at each.
TEST_F(Nested, a_post_makes_a_bounded_number_of_calls) {
    struct Counter final : event::Listener {
        Counter() : Listener(event::kAllSignals, event::kAllSignals) {}
        event::QueueName notify(std::uint64_t, std::uint64_t) override {
            ++calls;
            return event::QueueName();
        }
        int calls = 0;
    };
    std::vector<Ref<EventQueue>> queues;
    std::vector<std::unique_ptr<Counter>> counters;
    for (unsigned i = 0; i < event::kMaxRegistrations; ++i) {
        for (unsigned depth = 0; depth < 5; ++depth) {
            queues.push_back(*EventQueue::create(*payer));
            Object& inner = depth == 0 ? static_cast<Object&>(*thing) : *queues[queues.size() - 2];
            ASSERT_TRUE(add(*queues.back(), inner, kSignalFired | kSignalReadable));
        }
        for (unsigned depth = 0; depth < 5; ++depth) {
            event::Source& source = *queues[queues.size() - 5 + depth]->event_source();
            const unsigned room = event::kMaxOfQueue - (depth < 4 ? 1 : 0);
            for (unsigned k = 0; k < room; ++k) {
                counters.push_back(std::make_unique<Counter>());
                ASSERT_TRUE(source.attach(*counters.back()));
            }
            Counter more;
            ASSERT_EQ(source.attach(more).error(), Error::no_space);
        }
    }
    thing->source.post(kSignalFired);
    for (auto& counter : counters)
        EXPECT_EQ(counter->calls, 1);
    EXPECT_EQ(counters.size(), 64u * (4 * 3 + 4));
    thing->source.post(kSignalFired); // nobody has looked: nobody is told further
    for (auto& counter : counters)
        EXPECT_EQ(counter->calls, 1);
    std::size_t next = 0;
    for (std::size_t i = 0; i < queues.size(); ++i)
        for (unsigned k = 0; k < event::kMaxOfQueue - (i % 5 < 4 ? 1 : 0); ++k)
            queues[i]->event_source()->detach(*counters[next++]);
    for (std::size_t i = queues.size(); i != 0; --i) // the outermost first
        queues[i - 1].reset();
}

// A post at the bottom wakes whoever waits at the top, whatever the modes between, as often as it takes. Each post is
// found by going down from what was told.
TEST_F(Nested, no_wake_up_is_lost_on_the_way_up) {
    for (const std::uint64_t mode : {std::uint64_t{0}, kModeLevel, kModeEdge}) {
        for (auto& queue : chain)
            queue = *EventQueue::create(*payer);
        std::array<Ref<Thing>, 5> things;
        for (std::size_t i = 0; i < things.size(); ++i) {
            things[i] = make_thing();
            ASSERT_TRUE(add(*chain[i], *things[i], kSignalFired, 100 + i));
            if (i != 0) ASSERT_TRUE(add(*chain[i], *chain[i - 1], kSignalReadable | mode, i));
        }
        constexpr std::uint64_t kPosts = 3000;
        std::atomic<std::uint64_t> received{0};
        const auto drain = [&](auto& self, EventQueue& queue) -> void {
            for (const EventPacket& packet : poll(queue)) {
                if (packet.key >= 100)
                    received += packet.count;
                else
                    self(self, *chain[packet.key - 1]);
            }
        };
        std::vector<std::unique_ptr<HostThread>> takers;
        for (int i = 0; i < 2; ++i)
            takers.push_back(std::make_unique<HostThread>([&] {
                while (received < 3 * kPosts) {
                    EventPacket packet;
                    if (!chain[4]->wait({&packet, 1}, sched::kNever, {})) return;
                    if (packet.key == 200)
                        received += packet.count; // the end
                    else if (packet.key >= 100)
                        received += packet.count;
                    else
                        for (std::uint64_t before = ~0ull; before != received;) { // by edge: until nothing is left
                            before = received;
                            drain(drain, *chain[packet.key - 1]);
                        }
                }
                // The others may sleep: what ends this wait ends theirs.
                things[4]->source.post(kSignalFired);
            }));
        std::vector<std::unique_ptr<HostThread>> posters;
        for (unsigned i = 0; i < 3; ++i)
            posters.push_back(std::make_unique<HostThread>([&, i] {
                std::mt19937 random(i);
                for (std::uint64_t k = 0; k < kPosts; ++k)
                    things[random() % things.size()]->source.post(kSignalFired);
            }));
        posters.clear();
        for (auto& taker : takers)
            EXPECT_TRUE(taker->ends_by_itself()) << mode << ": " << received << " of " << 3 * kPosts;
        EXPECT_GE(received, 3 * kPosts);
    }
}

// One thread raises a level and waits until it is taken back; the other waits for it, takes it back, and waits again.
TEST_F(Nested, a_level_that_is_set_between_look_and_wait_is_found) {
    for (const std::uint64_t mode : {std::uint64_t{0}, kModeLevel, kModeEdge, kModeOnce}) {
        ASSERT_TRUE(add(*chain[0], *thing, kSignalReadable | mode));
        ASSERT_TRUE(add(*chain[1], *chain[0], kSignalReadable | mode));
        constexpr int kRounds = 3000;
        std::atomic<int> round{0};
        HostThread taker([&] {
            for (int mine = 1; mine <= kRounds; ++mine) {
                do {
                    EventPacket packet;
                    if (mine % 2 == 0 && !chain[1]->wait({&packet, 1}, sched::kNever, {})) return;
                    if (!chain[0]->wait({&packet, 1}, sched::kNever, {})) return;
                    if (mode != kModeOnce) continue;
                    ASSERT_TRUE(add(*chain[0], *thing, kSignalReadable | mode));
                    ASSERT_TRUE(add(*chain[1], *chain[0], kSignalReadable | mode));
                } while (round < mine); // that was the one before
                thing->source.clear(kSignalReadable);
                round = -mine;
            }
        });
        for (int i = 1; i <= kRounds; ++i) {
            round = i;
            thing->source.set(kSignalReadable);
            for (int waits = 0; round == i && waits < 10'000'000; ++waits)
                std::this_thread::yield();
            ASSERT_EQ(round, -i) << mode;
        }
        EXPECT_TRUE(taker.ends_by_itself());
        ASSERT_TRUE(chain[1]->cancel(1));
        ASSERT_TRUE(chain[0]->cancel(1));
        thing->source.clear(kSignalReadable);
    }
}

// Threads that take at the same moment: what is told once goes to one of them.
TEST_F(Nested, what_is_told_once_is_told_to_one_thread) {
    for (const std::uint64_t mode : {kModeEdge, kModeOnce}) {
        ASSERT_TRUE(add(*chain[0], *thing, kSignalReadable | mode));
        constexpr int kRounds = 2000, kTakers = 3;
        std::atomic<int> round{0}, looked{0}, told{0};
        std::vector<std::unique_ptr<HostThread>> takers;
        for (int i = 0; i < kTakers; ++i)
            takers.push_back(std::make_unique<HostThread>([&] {
                for (int mine = 1; mine <= kRounds; ++mine) {
                    while (round != mine)
                        std::this_thread::yield();
                    told += static_cast<int>(poll(*chain[0]).size());
                    ++looked;
                }
            }));
        for (int i = 1; i <= kRounds; ++i) {
            told = looked = 0;
            if (mode == kModeOnce) ASSERT_TRUE(add(*chain[0], *thing, kSignalReadable | mode));
            thing->source.set(kSignalReadable);
            round = i;
            while (looked != kTakers)
                std::this_thread::yield();
            ASSERT_EQ(told, 1) << i;
        }
        takers.clear();
        ASSERT_TRUE(chain[0]->cancel(1));
        thing->source.clear(kSignalReadable);
    }
}

// Queues that stand in others come and go while posts are on their way through them.
TEST_F(Nested, queues_end_while_they_are_told) {
    std::atomic<int> changers{2};
    std::atomic<long> posts{0};
    std::vector<std::unique_ptr<HostThread>> threads;
    for (int p = 0; p < 2; ++p)
        threads.push_back(std::make_unique<HostThread>([&] {
            while (changers != 0) {
                thing->source.post(kSignalFired);
                ++posts;
            }
        }));
    for (unsigned c = 0; c < 2; ++c)
        threads.push_back(std::make_unique<HostThread>([&, c] {
            std::mt19937 random(c);
            event::Registrant registrant;
            for (int i = 0; i < 1500; ++i) {
                std::array<Ref<EventQueue>, 4> mine;
                for (auto& queue : mine)
                    queue = *EventQueue::create(*payer);
                for (std::size_t k = 0; k < mine.size(); ++k) {
                    Object& inner = k == 0 ? static_cast<Object&>(*thing) : *mine[k - 1];
                    ASSERT_TRUE(
                        mine[k]->add(*payer, inner, kSignalFired | kSignalReadable | kModeEdge, 1, {}, &registrant));
                }
                // One from another thread's tree too: of which it is in nobody's way.
                static_cast<void>(add(*chain[0], *mine[3], kSignalReadable, c * 10'000 + static_cast<unsigned>(i)));
                static_cast<void>(poll(*mine[random() % 4], 1));
                if (random() % 3 == 0) registrant.end_all();
                mine[random() % 4].reset();
                static_cast<void>(poll(*chain[0], 1));
            }
            registrant.end_all();
            --changers;
        }));
    threads.clear();
    EXPECT_GT(posts, 100);
    EXPECT_TRUE(poll(*chain[0]).empty());
    EXPECT_FALSE(is_readable(chain[0]));
}

TEST_F(Nested, a_thread_listens_to_two_sources_on_its_own_stack) {
    const Ref<Thing> other = make_thing();
    {
        Waiter waiter;
        Watch first(waiter, thing->source, kSignalReadable), second(waiter, other->source, kSignalFired);
        thing->source.set(kSignalReadable);
        ASSERT_TRUE(first.begin());
        ASSERT_TRUE(second.begin());
        EXPECT_EQ(waiter.wait(0), sched::Outcome::ready); // it was so when it began
        EXPECT_EQ(first.raised(), kSignalReadable);
        EXPECT_EQ(first.raised(), kSignalReadable);
        EXPECT_EQ(second.raised(), 0u);
        thing->source.clear(kSignalReadable);
        EXPECT_EQ(first.raised(), 0u);
        other->source.post(kSignalWritable); // not asked for
        EXPECT_EQ(waiter.wait(0), sched::Outcome::timed_out);
        other->source.post(kSignalFired);
        EXPECT_EQ(waiter.wait(0), sched::Outcome::ready);
        EXPECT_EQ(second.raised(), kSignalFired);
        EXPECT_EQ(second.raised(), 0u);
    }
    EXPECT_FALSE(thing->source.has_listeners());
    EXPECT_FALSE(other->source.has_listeners());
    // It sleeps, is woken by either, and a kill ends it.
    std::atomic<int> turns{0}, ended{0};
    std::atomic<bool> has_begun{false};
    HostThread sleeper([&] {
        Waiter waiter;
        Watch first(waiter, thing->source, kSignalReadable), second(waiter, other->source, kSignalFired);
        ASSERT_TRUE(first.begin());
        ASSERT_TRUE(second.begin());
        has_begun = true;
        while (waiter.wait(sched::kNever) == sched::Outcome::ready) {
            const std::uint64_t raised = first.raised() | second.raised();
            thing->source.clear(kSignalReadable);
            if (raised != 0) ++turns;
        }
        ++ended;
    });
    while (!has_begun)
        std::this_thread::yield();
    for (int i = 1; i <= 2000; ++i) {
        if (i % 2 == 0)
            thing->source.set(kSignalReadable);
        else
            other->source.post(kSignalFired);
        for (int waits = 0; turns < i && waits < 10'000'000; ++waits)
            std::this_thread::yield();
        if (turns != i) sleeper.thread().kill();
        ASSERT_EQ(turns, i);
    }
    sleeper.thread().kill();
    sleeper.join();
    EXPECT_EQ(ended, 1);
}

} // namespace
} // namespace aios
