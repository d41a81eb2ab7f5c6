// Stopping groups of threads, with real threads: a stop is seen from the moment that it was told, however many look at
// that moment; a wait of a stopped thread does not look at its condition; no wake-up is lost to one that is stopped.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/sched_host.hpp"

namespace aios::sched {
namespace {

using test::AsThread;
using test::HostThread;

struct Family {
    ShareGroup top{nullptr, 100}, middle{&top, 100}, leaf{&middle, 100}, other{&top, 100};
    std::vector<ShareGroup*> all{&top, &middle, &leaf, &other};
    Family() {
        for (ShareGroup* group : all)
            EXPECT_TRUE(group->prepare(1));
    }
    static void stop(ShareGroup& group, std::initializer_list<ShareGroup*> with_those_below) {
        group.stop();
        for (ShareGroup* below : with_those_below)
            below->must_look();
    }
    static void let_go(ShareGroup& group, std::initializer_list<ShareGroup*> with_those_below) {
        group.let_go();
        for (ShareGroup* below : with_those_below)
            below->wake_stopped();
    }
};

TEST(Gate, holds_for_those_below_and_for_nobody_else) {
    Family family;
    for (ShareGroup* group : family.all)
        EXPECT_FALSE(group->has_to_stop());
    EXPECT_FALSE(family.leaf.must_ask()); // having looked once
    Family::stop(family.middle, {&family.middle, &family.leaf});
    EXPECT_TRUE(family.leaf.must_ask());
    EXPECT_TRUE(family.leaf.has_to_stop());
    EXPECT_TRUE(family.middle.has_to_stop());
    EXPECT_FALSE(family.top.has_to_stop());
    EXPECT_FALSE(family.other.has_to_stop());
    Family::stop(family.top, {&family.top, &family.middle, &family.leaf, &family.other});
    Family::let_go(family.middle, {&family.middle, &family.leaf});
    EXPECT_TRUE(family.leaf.has_to_stop());
    EXPECT_TRUE(family.other.has_to_stop());
    Family::let_go(family.top, {&family.top, &family.middle, &family.leaf, &family.other});
    for (ShareGroup* group : family.all)
        EXPECT_FALSE(group->has_to_stop());
    EXPECT_FALSE(family.leaf.must_ask());
}

// Three threads look all the time; each look may take the mark away. From the return of must_look() on everybody stops.
TEST(Gate, a_stop_is_seen_while_others_look) {
    Family family;
    std::atomic<bool> over{false};
    std::vector<std::thread> lookers;
    for (int i = 0; i < 3; ++i)
        lookers.emplace_back([&] {
            while (!over.load(std::memory_order_relaxed))
                (void)family.leaf.has_to_stop();
        });
    for (int round = 0; round < 30'000; ++round) {
        ShareGroup& group = round % 2 == 0 ? family.top : family.middle;
        group.stop();
        family.leaf.must_look();
        ASSERT_TRUE(family.leaf.has_to_stop()) << round;
        ASSERT_TRUE(family.leaf.has_to_stop()) << round;
        group.let_go();
        if (round % 3 == 0) ASSERT_FALSE(family.leaf.has_to_stop()) << round;
    }
    over = true;
    for (std::thread& looker : lookers)
        looker.join();
}

// A thread whose agent can be stopped: one of a program.
struct Program {
    Program(ShareGroup& group, std::function<void()> function)
        : thread(
              [this, function = std::move(function)] {
                  Thread::current().extended_state = this; // what makes it a program's
                  function();
                  Thread::current().extended_state = nullptr;
              },
              &group) {}
    HostThread thread;
};

TEST(Gate, a_stopped_waiter_does_not_look) {
    Family family;
    WaitQueue queue;
    std::atomic<int> looks{0};
    std::atomic<bool> open{false}, done{false};
    Program waiter(family.leaf, [&] {
        EXPECT_EQ(queue.wait(kNever,
                             [&] {
                                 ++looks;
                                 return open.load();
                             }),
                  Outcome::ready);
        done = true;
    });
    waiter.thread.await_parked();
    Family::stop(family.top, {&family.top, &family.middle, &family.leaf});
    const int before = looks;
    open = true;
    queue.wake_one();
    waiter.thread.await_parked(); // at the gate
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(looks, before);
    EXPECT_FALSE(done);
    Family::let_go(family.top, {&family.top, &family.middle, &family.leaf});
    EXPECT_TRUE(waiter.thread.ends_by_itself());
    EXPECT_TRUE(done);
}

TEST(Gate, a_killed_thread_passes) {
    Family family;
    WaitQueue queue;
    Program waiter(family.leaf, [&] { EXPECT_EQ(queue.wait(kNever, [] { return false; }), Outcome::interrupted); });
    waiter.thread.await_parked();
    Family::stop(family.leaf, {&family.leaf});
    waiter.thread.thread().kill();
    EXPECT_TRUE(waiter.thread.ends_by_itself());
}

// Items with one wake-up each, taken by two agents of which now one and now the other is stopped: all are taken.
TEST(Gate, no_wake_up_is_lost_to_the_stopped) {
    Family family;
    WaitQueue queue;
    std::atomic<int> items{0}, taken{0};
    std::atomic<bool> over{false};
    const auto take = [&] {
        for (int have = items; have != 0;)
            if (items.compare_exchange_weak(have, have - 1)) return true;
        return over.load();
    };
    const auto work = [&] {
        while (queue.wait(kNever, take) == Outcome::ready && !over)
            ++taken;
    };
    constexpr int kItems = 4000;
    std::mt19937 random(5);
    {
        Program one(family.leaf, work), two(family.other, work), three(family.leaf, work);
        for (int made = 0; made < kItems;) {
            ShareGroup& stopped = random() % 2 == 0 ? family.leaf : family.other;
            Family::stop(stopped, {&stopped});
            const int batch = 1 + static_cast<int>(random() % 3);
            for (int i = 0; i < batch; ++i, ++made) {
                ++items;
                queue.wake_one();
            }
            const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
            while (items != 0 && std::chrono::steady_clock::now() < limit)
                std::this_thread::yield();
            EXPECT_EQ(items, 0) << "the other did not take it: " << made;
            Family::let_go(stopped, {&stopped});
            if (items != 0) break;
        }
        over = true;
        queue.wake_all();
        for (ShareGroup* group : family.all)
            group->wake_stopped();
    }
    EXPECT_GE(taken, kItems - 3);
}

} // namespace
} // namespace aios::sched
