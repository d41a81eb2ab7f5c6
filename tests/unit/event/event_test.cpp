// Event queues: coalescing, levels, fairness, limits, ends of queues, sources and capabilities, and all of it at once.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
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
using test::AsThread;
using test::HostThread;
using test::make_thing;
using test::Thing;

class Mute final : public Object {
public:
    Mute() : Object(ObjectType::memory, {}) {}
};

class Event : public testing::Test {
protected:
    Event() : payer(test::plenty()), queue(*EventQueue::create(*payer)), thing(make_thing()) {}
    Result<> add(Thing& object, std::uint64_t signals, std::uint64_t key) {
        return queue->add(*payer, object, signals, key, {});
    }
    std::vector<EventPacket> poll(std::size_t most = 16) {
        EventPacket packets[64];
        auto taken = queue->wait({packets, most}, 0, {});
        if (!taken) return {};
        return {packets, packets + *taken};
    }

    AsThread me;
    Ref<Quota> payer;
    Ref<EventQueue> queue;
    Ref<Thing> thing;
};

TEST_F(Event, posts_coalesce_with_a_count) {
    ASSERT_TRUE(add(*thing, kSignalFired | kSignalDone, 7));
    EXPECT_TRUE(poll().empty());
    thing->source.post(kSignalFired);
    thing->source.post(kSignalFired, 4);
    thing->source.post(kSignalWritable); // not asked for
    thing->source.set(kSignalDone);
    const auto packets = poll();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].key, 7u);
    EXPECT_EQ(packets[0].signals, kSignalFired | kSignalDone);
    EXPECT_EQ(packets[0].count, 6u);
    EXPECT_TRUE(poll().empty());
}

TEST_F(Event, readable_repeats_until_cleared) {
    ASSERT_TRUE(add(*thing, kSignalReadable, 1));
    thing->source.set(kSignalReadable);
    for (int i = 0; i < 3; ++i) {
        const auto packets = poll();
        ASSERT_EQ(packets.size(), 1u);
        EXPECT_EQ(packets[0].signals, kSignalReadable);
        EXPECT_EQ(packets[0].count, 1u);
    }
    thing->source.clear(kSignalReadable);
    EXPECT_TRUE(poll().empty());
    thing->source.set(kSignalReadable);
    thing->source.clear(kSignalReadable); // drained before anybody looked
    EXPECT_TRUE(poll().empty());
}

TEST_F(Event, levels_reach_a_later_registration_once) {
    thing->source.set(kSignalEnded | kSignalClosed);
    ASSERT_TRUE(add(*thing, kSignalEnded, 1));
    auto packets = poll();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].signals, kSignalEnded);
    EXPECT_TRUE(poll().empty());
}

TEST_F(Event, registrations_are_checked_and_charged) {
    Mute mute;
    EXPECT_EQ(queue->add(*payer, mute, kSignalDone, 1, {}).error(), Error::wrong_type);
    EXPECT_EQ(queue->add(*payer, *queue, kSignalDone, 1, {}).error(), Error::wrong_type);
    EXPECT_EQ(add(*thing, 0, 1).error(), Error::bad_argument);
    EXPECT_EQ(add(*thing, 1ull << 60, 1).error(), Error::bad_argument);
    const auto before = payer->used(Resource::memory);
    ASSERT_TRUE(add(*thing, kSignalDone, 1));
    EXPECT_GT(payer->used(Resource::memory), before);
    EXPECT_EQ(add(*thing, kSignalDone, 1).error(), Error::already_exists);
    EXPECT_EQ(queue->cancel(2).error(), Error::not_found);
    ASSERT_TRUE(queue->cancel(1));
    EXPECT_EQ(payer->used(Resource::memory), before);
    for (std::uint64_t key = 0; key < event::kMaxRegistrations; ++key)
        ASSERT_TRUE(add(*thing, kSignalDone, key));
    EXPECT_EQ(add(*thing, kSignalDone, 1000).error(), Error::no_space);
    Ref<Quota> poor = *Quota::create_root({10, 1, 1, 1});
    EXPECT_EQ(queue->add(*poor, *make_thing(), kSignalDone, 2000, {}).error(), Error::quota_exceeded);
    Ref<Thing> other = make_thing();
    test::heap_failures = 0;
    EXPECT_EQ(add(*other, kSignalDone, 3000).error(), Error::out_of_memory);
    test::heap_failures = -1;
}

TEST_F(Event, the_charge_returns_whoever_ends_first) {
    const auto before = payer->used(Resource::memory);
    ASSERT_TRUE(add(*thing, kSignalDone, 1));
    thing->source.post(kSignalDone);
    thing.reset(); // the source goes, with its packet
    EXPECT_EQ(payer->used(Resource::memory), before);
    EXPECT_TRUE(poll().empty());
    EXPECT_EQ(queue->cancel(1).error(), Error::not_found);
    thing = make_thing();
    ASSERT_TRUE(add(*thing, kSignalDone, 1));
    queue.reset(); // the queue goes
    EXPECT_LT(payer->used(Resource::memory), before);
    thing->source.post(kSignalDone);
}

TEST_F(Event, delivery_is_fair) {
    std::vector<Ref<Thing>> things;
    for (std::uint64_t key = 0; key < 10; ++key) {
        things.push_back(make_thing());
        ASSERT_TRUE(add(*things.back(), kSignalReadable, key));
        things.back()->source.set(kSignalReadable); // always something to read
    }
    std::map<std::uint64_t, int> seen;
    for (int i = 0; i < 30; ++i) {
        const auto packets = poll(3);
        ASSERT_EQ(packets.size(), 3u);
        for (const EventPacket& packet : packets)
            ++seen[packet.key];
    }
    for (std::uint64_t key = 0; key < 10; ++key)
        EXPECT_EQ(seen[key], 9) << key;
    EXPECT_EQ(poll(64).size(), 10u); // each once in a wait
}

TEST_F(Event, waits_end_by_post_deadline_and_interrupt) {
    ASSERT_TRUE(add(*thing, kSignalDone, 5));
    EventPacket packet;
    EXPECT_EQ(queue->wait({&packet, 1}, sched::now_ns() + 1'000'000, {}).error(), Error::timed_out);
    EXPECT_EQ(queue->wait({&packet, 0}, 0, {}).error(), Error::bad_argument);
    HostThread poster([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
        thing->source.set(kSignalDone);
    });
    auto taken = queue->wait({&packet, 1}, sched::kNever, {});
    ASSERT_TRUE(taken);
    EXPECT_EQ(packet.key, 5u);
    poster.join();
    std::atomic<int> error{0};
    HostThread waiter([&] {
        EventPacket mine;
        error = static_cast<int>(queue->wait({&mine, 1}, sched::kNever, {}).error());
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    waiter.thread().kill();
    waiter.join();
    EXPECT_EQ(error, static_cast<int>(Error::interrupted));
}

TEST_F(Event, a_revoked_capability_takes_its_registration_along) {
    Ref<cap::Table> table = *cap::Table::create(*payer, 1);
    const Handle root = *table->insert_new(thing, rights::all);
    const Handle derived = *table->derive(root, rights::wait);
    auto checked = *table->lookup_any(derived, ObjectType::any, rights::wait);
    ASSERT_TRUE(queue->add(*payer, *checked.object, kSignalDone, 1, checked.node));
    auto root_checked = *table->lookup_any(root, ObjectType::any, rights::wait);
    ASSERT_TRUE(queue->add(*payer, *root_checked.object, kSignalDone, 2, root_checked.node));
    ASSERT_TRUE(table->revoke(root));
    EXPECT_EQ(queue->add(*payer, *checked.object, kSignalDone, 3, checked.node).error(), Error::revoked);
    thing->source.post(kSignalDone);
    const auto packets = poll();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].key, 2u);
    checked = {};
    root_checked = {};
    table->close_all();
}

// The registration goes with its handle, and so do its packet, its charge and its key; other handles keep theirs.
TEST_F(Event, a_closed_handle_takes_its_registration_along) {
    Ref<cap::Table> table = *cap::Table::create(*payer, 1);
    const Handle one = *table->insert_new(thing, rights::all), other = *table->derive(one, rights::wait);
    const auto add_through = [&](Handle handle, std::uint64_t key) -> Result<> {
        auto found = TRY(table->lookup_any(handle, ObjectType::any, rights::wait));
        return queue->add(*payer, *found.object, kSignalDone, key, std::move(found.node));
    };
    ASSERT_TRUE(add_through(one, 2));
    const Handle spare = *table->derive(one, rights::wait);
    auto kept = *table->lookup_any(spare, ObjectType::any, rights::wait); // a call that is under way at the close
    const auto before = payer->used(Resource::memory);
    ASSERT_TRUE(add_through(other, 1));
    thing->source.post(kSignalDone);
    ASSERT_TRUE(table->close(other));
    EXPECT_EQ(queue->cancel(1).error(), Error::not_found);
    auto packets = poll();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].key, 2u);
    ASSERT_TRUE(add_through(one, 1)); // the key is free
    ASSERT_TRUE(queue->cancel(1));
    EXPECT_LT(payer->used(Resource::memory), before); // the handle's node went as well
    ASSERT_TRUE(table->close(spare));
    EXPECT_EQ(queue->add(*payer, *kept.object, kSignalDone, 1, kept.node).error(), Error::bad_handle);
    thing->source.post(kSignalDone);
    EXPECT_EQ(poll().size(), 1u);
    kept = {};
    table->close_all();
    EXPECT_EQ(queue->cancel(2).error(), Error::not_found);
}

// One thread registers through a handle while another closes it: whoever comes first, nothing is left.
TEST_F(Event, a_close_meets_a_registration) {
    Ref<cap::Table> table = *cap::Table::create(*payer, 1);
    const Handle root = *table->insert_new(thing, rights::all);
    (void)table->close(*table->derive(root, rights::wait)); // the table has its slots
    const auto before = payer->used(Resource::memory);
    std::atomic<int> round{0}, registered{0}, done{0};
    std::atomic<Handle> handle{0};
    constexpr int kRounds = 3000;
    HostThread registrar([&] {
        for (int mine = 1; mine <= kRounds; ++mine) {
            while (round != mine)
                std::this_thread::yield();
            if (auto found = table->lookup_any(handle, ObjectType::any, rights::wait))
                registered += queue->add(*payer, *found->object, kSignalDone, 1, std::move(found->node)).has_value();
            done = mine;
        }
    });
    for (int i = 1; i <= kRounds; ++i) {
        handle = *table->derive(root, rights::wait);
        round = i;
        for (int spin = 0; spin < i % 64 * 8; ++spin)
            std::atomic_signal_fence(std::memory_order_seq_cst);
        EXPECT_TRUE(table->close(handle));
        while (done != i)
            std::this_thread::yield();
        ASSERT_EQ(queue->cancel(1).error(), Error::not_found) << i;
        ASSERT_EQ(payer->used(Resource::memory), before) << i;
    }
    registrar.join();
    table->close_all();
}

TEST_F(Event, a_wait_through_a_revoked_handle_ends) {
    Ref<cap::Table> table = *cap::Table::create(*payer, 1);
    const Handle root = *table->insert_new(queue, rights::all);
    const Handle derived = *table->derive(root, rights::wait);
    std::atomic<int> error{0};
    {
        auto checked = *table->lookup<EventQueue>(derived, rights::wait);
        HostThread waiter([&] {
            EventPacket packet;
            error =
                static_cast<int>(checked.object->wait({&packet, 1}, sched::kNever, {1, checked.node.get()}).error());
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(50)); // it sleeps by now
        ASSERT_TRUE(table->revoke(root));
        waiter.join();
    }
    EXPECT_EQ(error, static_cast<int>(Error::revoked));
    table->close_all();
}

// A message that waits is everybody's: one post wakes one thread, and that one passes it on.
TEST_F(Event, a_level_reaches_every_waiter) {
    ASSERT_TRUE(add(*thing, kSignalReadable, 1));
    std::atomic<int> seen{0};
    std::vector<std::unique_ptr<HostThread>> waiters;
    for (int i = 0; i < 4; ++i)
        waiters.push_back(std::make_unique<HostThread>([&] {
            EventPacket packet;
            seen += queue->wait({&packet, 1}, sched::kNever, {}).has_value() ? 1 : 0;
        }));
    for (auto& waiter : waiters)
        waiter->await_parked();
    thing->source.set(kSignalReadable);
    for (auto& waiter : waiters)
        EXPECT_TRUE(waiter->ends_by_itself());
    EXPECT_EQ(seen, 4);
}

// Revoking one capability wakes those who wait through it, and nobody else: not other agents, not the same agent
// through another handle, however many they are; and closing handles wakes nobody at all.
TEST_F(Event, revocation_wakes_exactly_those_who_wait_through_it) {
    Ref<cap::Table> table = *cap::Table::create(*payer, 1), others = *cap::Table::create(*payer, 2);
    const Handle root = *table->insert_new(queue, rights::all);
    const Handle doomed = *table->derive(root, rights::wait | rights::derive);
    const Handle below = *table->derive(doomed, rights::wait);
    const Handle elsewhere = *others->insert(*table->derive_out(root, rights::wait, rights::none));
    std::atomic<int> revoked{0}, undisturbed{0};
    {
        const auto through_root = *table->lookup<EventQueue>(root, rights::wait);
        const auto through_below = *table->lookup<EventQueue>(below, rights::wait);
        const auto through_other = *others->lookup<EventQueue>(elsewhere, rights::wait);
        const auto waits = [&](std::uint64_t holder, const cap::DerivationNode* node) {
            return std::make_unique<HostThread>([&, holder, node] {
                EventPacket packet;
                auto result = queue->wait({&packet, 1}, sched::kNever, {holder, node});
                ++(result ? undisturbed : revoked);
            });
        };
        std::vector<std::unique_ptr<HostThread>> threads;
        for (int i = 0; i < 20; ++i) { // more than are looked at under one hold of the lock
            threads.push_back(waits(1, through_root.node.get()));
            threads.push_back(waits(1, through_below.node.get()));
            threads.push_back(waits(2, through_other.node.get()));
        }
        for (const auto& thread : threads)
            thread->await_parked();
        const long before = test::unparks;
        for (int i = 0; i < 50; ++i)
            ASSERT_TRUE(table->close(*table->derive(root, rights::wait)));
        EXPECT_EQ(test::unparks, before);
        ASSERT_TRUE(table->revoke(doomed));
        for (int i = 0; i < 500 && revoked < 20; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        EXPECT_EQ(test::unparks, before + 20);
        EXPECT_EQ(revoked, 20);
        EXPECT_EQ(undisturbed, 0);
        ASSERT_TRUE(add(*thing, kSignalReadable, 1));
        thing->source.set(kSignalReadable);
        threads.clear();
        EXPECT_EQ(undisturbed, 40);
    }
    others->close_all();
    table->close_all();
}

// The wake-up of a post may be spent on a thread that leaves without the packet: then the next one gets it.
TEST_F(Event, a_waiter_that_leaves_empty_handed_passes_the_wake_up_on) {
    Ref<cap::Table> table = *cap::Table::create(*payer, 1);
    const Handle root = *table->insert_new(make_thing(), rights::all);
    const Handle derived = *table->derive(root, rights::wait);
    {
        // A capability on another object: that it is revoked wakes nobody here.
        auto checked = *table->lookup_any(derived, ObjectType::any, rights::wait);
        ASSERT_TRUE(add(*thing, kSignalDone, 1));
        std::atomic<int> revoked{0}, got{0};
        HostThread first([&] {
            EventPacket packet;
            revoked = static_cast<int>(queue->wait({&packet, 1}, sched::kNever, {1, checked.node.get()}).error());
        });
        first.await_parked();
        HostThread second([&] {
            EventPacket packet;
            got = queue->wait({&packet, 1}, sched::kNever, {}).has_value() ? 1 : 0;
        });
        second.await_parked();
        ASSERT_TRUE(table->revoke(root));
        thing->source.post(kSignalDone);
        EXPECT_TRUE(first.ends_by_itself());
        EXPECT_TRUE(second.ends_by_itself());
        EXPECT_EQ(revoked, static_cast<int>(Error::revoked));
        EXPECT_EQ(got, 1);
    }
    table->close_all();
}

// Whatever the queue and whoever made it: with its agent a registration ends, and its charge is back.
TEST_F(Event, registrations_end_with_the_agent_that_made_them) {
    event::Registrant dying, living;
    Ref<Quota> paid = test::plenty();
    const auto before = paid->used(Resource::memory);
    Ref<EventQueue> other = *EventQueue::create(*payer);
    for (std::uint64_t key = 0; key < 20; ++key) {
        ASSERT_TRUE(queue->add(*paid, *thing, kSignalDone, key, {}, &dying));
        ASSERT_TRUE(other->add(*paid, *thing, kSignalDone, key, {}, &dying));
    }
    ASSERT_TRUE(queue->add(*payer, *thing, kSignalDone, 100, {}, &living));
    ASSERT_TRUE(queue->cancel(3));
    thing->source.post(kSignalDone);
    dying.end_all();
    EXPECT_EQ(paid->used(Resource::memory), before);
    EXPECT_EQ(poll().size(), 1u);
    EXPECT_TRUE(other->add(*payer, *thing, kSignalDone, 0, {}, &living)); // the keys are free
    living.end_all();
    other.reset();
    // The same while others end them too: queue, source and key.
    for (int round = 0; round < 200; ++round) {
        Ref<EventQueue> brief = *EventQueue::create(*payer);
        Ref<Thing> source = make_thing();
        for (std::uint64_t key = 0; key < 8; ++key)
            ASSERT_TRUE(brief->add(*paid, *source, kSignalDone, key, {}, &dying));
        HostThread canceller([&] {
            for (std::uint64_t key = 0; key < 8; ++key)
                static_cast<void>(queue->cancel(key)), static_cast<void>(brief->cancel(key));
        });
        HostThread ender([&] { source.reset(); });
        dying.end_all();
        canceller.join();
        ender.join();
        EXPECT_EQ(paid->used(Resource::memory), before);
    }
}

// More registrations than are looked at under one hold of the lock, ready with nothing to tell: they are gone after one
// look, and what comes behind them is found in the same wait.
TEST_F(Event, a_wait_gets_past_any_number_of_levels_that_are_gone) {
    std::vector<Ref<Thing>> things;
    for (std::uint64_t key = 0; key < 500; ++key) {
        things.push_back(make_thing());
        ASSERT_TRUE(add(*things.back(), kSignalReadable, key));
        things.back()->source.set(kSignalReadable);
        things.back()->source.clear(kSignalReadable);
    }
    ASSERT_TRUE(add(*thing, kSignalDone, 1000));
    thing->source.post(kSignalDone);
    EventPacket packet;
    auto taken = queue->wait({&packet, 1}, 0, {});
    ASSERT_TRUE(taken);
    EXPECT_EQ(packet.key, 1000u);
    EXPECT_EQ(queue->wait({&packet, 1}, 0, {}).error(), Error::timed_out);
    for (auto& each : things)
        each->source.set(kSignalReadable);
    EXPECT_EQ(poll(64).size(), 64u); // more than one chunk, each once
}

// Posters, waiters, registrations and ends of queues and sources at once. Every post that was made while a registration
// lived is counted in some packet: sums agree at the end.
TEST_F(Event, stress) {
    constexpr int kThings = 6, kPosts = 3000;
    std::vector<Ref<Thing>> things;
    for (int i = 0; i < kThings; ++i) {
        things.push_back(make_thing());
        ASSERT_TRUE(add(*things.back(), kSignalFired, static_cast<std::uint64_t>(i)));
    }
    std::atomic<std::uint64_t> received{0};
    std::atomic<int> posters{3};
    std::vector<std::unique_ptr<HostThread>> threads;
    for (int p = 0; p < 3; ++p)
        threads.push_back(std::make_unique<HostThread>([&, p] {
            std::mt19937 random(static_cast<unsigned>(p));
            for (int i = 0; i < kPosts; ++i)
                things[random() % kThings]->source.post(kSignalFired);
            --posters;
        }));
    for (int w = 0; w < 2; ++w)
        threads.push_back(std::make_unique<HostThread>([&] {
            for (;;) {
                EventPacket packets[4];
                auto taken = queue->wait(packets, sched::now_ns() + 20'000'000, {});
                if (!taken && posters == 0) return;
                for (std::size_t i = 0; taken && i < *taken; ++i)
                    received += packets[i].count;
            }
        }));
    threads.push_back(std::make_unique<HostThread>([&] { // others that come and go, on the same sources
        std::mt19937 random(77);
        while (posters != 0) {
            Ref<EventQueue> other = *EventQueue::create(*payer);
            Ref<Thing> brief = make_thing();
            for (std::uint64_t key = 0; key < 4; ++key)
                static_cast<void>(other->add(*payer, *things[random() % kThings], kSignalFired, key, {}));
            static_cast<void>(other->add(*payer, *brief, kSignalDone, 9, {}));
            brief->source.set(kSignalDone);
            EventPacket packets[2];
            static_cast<void>(other->wait(packets, 0, {}));
            static_cast<void>(other->cancel(random() % 4));
            if (random() % 2 == 0) brief.reset();
        }
    }));
    threads.clear();
    EXPECT_EQ(received, 3u * kPosts);
}

} // namespace
} // namespace aios
