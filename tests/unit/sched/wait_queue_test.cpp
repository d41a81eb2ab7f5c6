// The wait-queue protocol and the mutex with real threads: no wake-up is lost, whatever the interleaving.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "kernel/cap/table.hpp"
#include "kernel/event/event.hpp"
#include "tests/support/kernel_host.hpp"
#include "tests/support/sched_host.hpp"

namespace aios::sched {
namespace {

using test::AsThread;
using test::HostThread;

TEST(WaitQueue, polls_and_times_out) {
    AsThread me;
    WaitQueue queue;
    EXPECT_EQ(queue.wait(0, [] { return false; }), Outcome::timed_out);
    EXPECT_EQ(queue.wait(0, [] { return true; }), Outcome::ready);
    const std::uint64_t deadline = now_ns() + 2'000'000;
    EXPECT_EQ(queue.wait(deadline, [] { return false; }), Outcome::timed_out);
    EXPECT_GE(now_ns(), deadline);
    EXPECT_FALSE(queue.has_waiters());
}

TEST(WaitQueue, interrupt_and_kill_end_it) {
    WaitQueue queue;
    std::atomic<int> outcome{-1};
    HostThread waiter([&] { outcome = static_cast<int>(queue.wait(kNever, [] { return false; })); });
    while (!queue.has_waiters())
        std::this_thread::yield();
    waiter.thread().interrupt();
    waiter.join();
    EXPECT_EQ(outcome, static_cast<int>(Outcome::interrupted));
    EXPECT_FALSE(queue.has_waiters());
}

TEST(WaitQueue, uninterruptible_waits_stay) {
    WaitQueue queue;
    std::atomic<bool> open{false};
    std::atomic<int> outcome{-1};
    HostThread waiter(
        [&] { outcome = static_cast<int>(queue.wait(kNever, [&] { return open.load(); }, Interruptible::no)); });
    while (!queue.has_waiters())
        std::this_thread::yield();
    waiter.thread().kill();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(outcome, -1);
    open = true;
    queue.wake_one();
    waiter.join();
    EXPECT_EQ(outcome, static_cast<int>(Outcome::ready));
}

// Items are handed out with one wake-up each; deadlines, interrupts and spurious wake-ups interfere. A lost wake-up
// hangs.
TEST(WaitQueue, stress_no_wake_up_is_lost) {
    constexpr int kProducers = 3, kConsumers = 4, kItems = 4000;
    WaitQueue queue;
    std::mutex items_mutex;
    std::deque<int> items;
    std::atomic<long> sum{0}, taken{0};
    std::atomic<long> timeouts{0};
    std::vector<std::unique_ptr<HostThread>> threads;
    for (int c = 0; c < kConsumers; ++c)
        threads.push_back(std::make_unique<HostThread>([&, c] {
            std::mt19937 random(static_cast<unsigned>(c));
            while (taken < kProducers * kItems) {
                int item = -1;
                const Deadline deadline = random() % 4 == 0 ? now_ns() + random() % 200'000 : now_ns() + 2'000'000'000;
                const Outcome outcome = queue.wait(deadline, [&] {
                    if (taken >= kProducers * kItems) return true;
                    std::lock_guard lock(items_mutex);
                    if (items.empty()) return false;
                    item = items.front();
                    items.pop_front();
                    return true;
                });
                if (outcome == Outcome::timed_out) {
                    // The long deadline passes only when a wake-up was lost.
                    if (deadline > now_ns()) ADD_FAILURE();
                    ++timeouts;
                    continue;
                }
                if (item < 0) continue;
                sum += item;
                if (++taken == kProducers * kItems) queue.wake_all();
            }
        }));
    for (int p = 0; p < kProducers; ++p)
        threads.push_back(std::make_unique<HostThread>([&, p] {
            std::mt19937 random(100 + static_cast<unsigned>(p));
            for (int i = 0; i < kItems; ++i) {
                {
                    std::lock_guard lock(items_mutex);
                    items.push_back(i);
                }
                queue.wake_one();
                if (random() % 64 == 0) std::this_thread::yield();
            }
        }));
    const std::uint64_t start = now_ns();
    threads.clear();
    EXPECT_EQ(taken, kProducers * kItems);
    EXPECT_EQ(sum, 1L * kProducers * kItems * (kItems - 1) / 2);
    EXPECT_LT(now_ns() - start, 60'000'000'000u);
}

TEST(WaitQueue, a_condition_may_block_itself) {
    // The waker's token may be used up inside the condition: the queue must notice by itself.
    WaitQueue outer, inner;
    std::atomic<bool> ready{false};
    std::atomic<int> stage{0};
    HostThread waiter([&] {
        EXPECT_EQ(outer.wait(kNever,
                             [&] {
                                 if (stage == 1) { // second look, after enqueueing
                                     stage = 2;
                                     inner.wait(now_ns() + 5'000'000, [] { return false; });
                                     return false;
                                 }
                                 if (stage == 0) stage = 1;
                                 return ready.load();
                             }),
                  Outcome::ready);
    });
    while (stage != 2)
        std::this_thread::yield();
    ready = true;
    outer.wake_one();
    waiter.join();
}

TEST(WaitQueue, take_one_leaves_waking_to_the_caller) {
    WaitQueue queue;
    std::atomic<bool> go{false}, done{false};
    HostThread waiter([&] {
        queue.wait(kNever, [&] { return go.load(); });
        done = true;
    });
    while (!queue.has_waiters())
        std::this_thread::yield();
    go = true;
    Ref<Thread> taken = queue.take_one();
    ASSERT_TRUE(taken == &waiter.thread());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_FALSE(done);
    unpark(*taken);
    waiter.join();
    EXPECT_TRUE(done);
}

// Whoever sends more threads into the queue each time its lock is dropped does not keep the walk there: it ends with those
// who stood there when it began, and has woken each of them whose capability is dead.
TEST(WaitQueue, a_walk_over_the_revoked_ends_with_those_who_stood_there) {
    constexpr unsigned kAtFirst = 3 * WaitQueue::kWokenAtOnce, kMoreEachTime = 2 * WaitQueue::kWokenAtOnce;
    constexpr std::uint64_t kHolder = 7;
    AsThread me;
    const Ref<Quota> quota = test::plenty();
    const Ref<cap::Table> table = *cap::Table::create(*quota, kHolder);
    const Handle handle = *table->insert_new(*event::EventQueue::create(*quota), rights::all);
    const Ref<cap::DerivationNode> live = table->lookup_any(handle, ObjectType::any, rights::none)->node;
    const Handle below = *table->derive(handle, rights::all);
    const Ref<cap::DerivationNode> dead = table->lookup_any(below, ObjectType::any, rights::none)->node;
    ASSERT_TRUE(table->revoke(handle)); // what was derived from it
    ASSERT_TRUE(live->is_live() && !dead->is_live());

    WaitQueue queue;
    std::deque<WaitQueue::Entry> entries;
    const auto send_in = [&](unsigned count, const cap::DerivationNode& node) {
        for (unsigned i = 0; i < count; ++i) {
            WaitQueue::Entry& entry = entries.emplace_back();
            entry.node = &node;
            entry.place.holder = kHolder;
            queue.enqueue(entry);
        }
    };
    send_in(kAtFirst, *live);
    send_in(1, *dead); // the last one
    unsigned holds = 0;
    std::function<void()> others = [&] {
        test::before_spinlock = nullptr;
        if (++holds <= 40) send_in(kMoreEachTime, *live);
        test::before_spinlock = &others;
    };
    test::before_spinlock = &others;
    queue.wake_revoked(kHolder);
    test::before_spinlock = nullptr;
    EXPECT_FALSE(entries[kAtFirst].queued);                         // it was woken
    EXPECT_LE(holds, 3 + (kAtFirst + 1) / WaitQueue::kWokenAtOnce); // those of the walk, and the wake-up's
    for (WaitQueue::Entry& entry : entries)
        static_cast<void>(queue.dequeue(entry));
    table->close_all();
}

TEST(Mutex, excludes_and_hands_over_in_order) {
    sync::Mutex<sync::Rank::process> mutex;
    long value = 0;
    std::vector<std::unique_ptr<HostThread>> threads;
    for (int t = 0; t < 6; ++t)
        threads.push_back(std::make_unique<HostThread>([&] {
            for (int i = 0; i < 2000; ++i) {
                sync::Mutex<sync::Rank::process>::Guard guard(mutex);
                const long old = value;
                if (i % 100 == 0) std::this_thread::yield();
                value = old + 1;
            }
        }));
    threads.clear();
    EXPECT_EQ(value, 12000);
    EXPECT_FALSE(mutex.is_held());

    // In the order of asking.
    std::vector<int> order;
    {
        AsThread me;
        auto* guard = new sync::Mutex<sync::Rank::process>::Guard(mutex);
        for (int t = 0; t < 5; ++t) {
            threads.push_back(std::make_unique<HostThread>([&, t] {
                sync::Mutex<sync::Rank::process>::Guard inner(mutex);
                order.push_back(t);
            }));
            threads.back()->await_parked(); // it stands in the line now
        }
        delete guard;
    }
    threads.clear();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

} // namespace
} // namespace aios::sched
