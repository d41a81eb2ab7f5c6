// The timer queue against std::multimap, and the arithmetic of periodic timers.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <vector>

#include "kernel/event/timer.hpp"
#include "kernel/time/timer_queue.hpp"

namespace aios::time {
namespace {

struct Probe : TimerEntry {
    Probe() : TimerEntry(&Probe::on_fire) {}
    static std::uint64_t on_fire(TimerEntry& entry, std::uint64_t now) {
        auto& probe = static_cast<Probe&>(entry);
        probe.fired_at = now;
        ++probe.count;
        return probe.period == 0 ? kNever : entry.deadline + probe.period;
    }
    std::uint64_t fired_at = 0, period = 0;
    unsigned count = 0;
};

TEST(TimerQueue, agrees_with_a_multimap) {
    std::mt19937_64 random(5);
    TimerQueue queue;
    std::vector<std::unique_ptr<Probe>> probes;
    for (int i = 0; i < 200; ++i)
        probes.push_back(std::make_unique<Probe>());
    std::multimap<std::uint64_t, Probe*> model;
    const auto model_remove = [&](Probe* probe) {
        for (auto it = model.begin(); it != model.end(); ++it)
            if (it->second == probe) {
                model.erase(it);
                return true;
            }
        return false;
    };
    std::uint64_t now = 0;
    for (int step = 0; step < 20000; ++step) {
        Probe* probe = probes[random() % probes.size()].get();
        switch (random() % 3) {
        case 0: {
            model_remove(probe);
            queue.remove(*probe);
            const std::uint64_t deadline = now + random() % 1000;
            queue.insert(*probe, deadline);
            model.emplace(deadline, probe);
            break;
        }
        case 1:
            ASSERT_EQ(queue.remove(*probe), model_remove(probe));
            break;
        case 2:
            now += random() % 50;
            while (!model.empty() && model.begin()->first <= now) {
                Probe* due = model.begin()->second;
                const unsigned before = due->count;
                ASSERT_TRUE(queue.fire_one(now));
                ASSERT_EQ(due->count, before + 1);
                ASSERT_EQ(due->fired_at, now);
                model.erase(model.begin());
            }
            ASSERT_FALSE(queue.fire_one(now));
            break;
        }
        ASSERT_EQ(queue.size(), model.size());
        ASSERT_EQ(queue.next_deadline(), model.empty() ? kNever : model.begin()->first);
    }
    for (auto& probe : probes)
        queue.remove(*probe);
}

TEST(TimerQueue, a_fast_period_cannot_hold_the_cpu) {
    TimerQueue queue;
    Probe probe;
    probe.period = 1;
    queue.insert(probe, 10);
    unsigned fired = 0;
    while (queue.fire_one(1000))
        ASSERT_LT(fired++, 10u); // next is after `now`
    EXPECT_EQ(queue.next_deadline(), 1001u);
    queue.remove(probe);
}

// Payers with entries and holds, against one multimap of all entries.
TEST(PayerQueue, agrees_with_a_model) {
    std::mt19937_64 random(6);
    constexpr std::size_t kPayers = 5, kEach = 8;
    PayerTimers payers[kPayers];
    std::uint64_t held[kPayers] = {};
    std::unique_ptr<Probe> probes[kPayers][kEach];
    for (auto& row : probes)
        for (auto& probe : row)
            probe = std::make_unique<Probe>();
    PayerQueue queue;
    const auto first_of = [&](std::size_t p) {
        std::uint64_t first = kNever;
        for (const auto& probe : probes[p])
            if (probe->node.is_linked()) first = std::min(first, probe->deadline);
        return first == kNever ? kNever : std::max(first, held[p]);
    };
    std::uint64_t now = 0;
    for (int step = 0; step < 30000; ++step) {
        const std::size_t p = random() % kPayers;
        Probe& probe = *probes[p][random() % kEach];
        switch (random() % 4) {
        case 0:
            queue.remove(payers[p], probe);
            queue.insert(payers[p], probe, now + random() % 500);
            break;
        case 1: {
            const bool was_armed = probe.node.is_linked();
            ASSERT_EQ(queue.remove(payers[p], probe), was_armed);
            break;
        }
        case 2:
            held[p] = now + random() % 200;
            queue.hold(payers[p], held[p]);
            break;
        default:
            now += random() % 100;
            while (PayerTimers* due = queue.first_due(now)) {
                const auto which = static_cast<std::size_t>(due - payers);
                for (std::size_t other = 0; other < kPayers; ++other)
                    ASSERT_LE(first_of(which), first_of(other));
                const std::size_t before = due->entries.size();
                queue.fire_one(*due, now);
                ASSERT_EQ(due->entries.size(), before - 1);
            }
            break;
        }
        std::uint64_t first = kNever;
        for (std::size_t other = 0; other < kPayers; ++other)
            first = std::min(first, first_of(other));
        ASSERT_EQ(queue.next_deadline(), first);
    }
    for (std::size_t p = 0; p < kPayers; ++p)
        for (auto& probe : probes[p])
            queue.remove(payers[p], *probe);
}

// What run_due() does: one with very many entries that are due takes turns with one that has a single entry.
TEST(PayerQueue, many_entries_of_one_payer_stand_behind_one_of_another) {
    PayerQueue queue;
    PayerTimers many, one;
    Probe crowd[100], single;
    for (auto& probe : crowd)
        queue.insert(many, probe, 10);
    queue.insert(one, single, 20);
    for (int fired = 0; fired < 2; ++fired) {
        PayerTimers* due = queue.first_due(1000);
        ASSERT_NE(due, nullptr);
        queue.fire_one(*due, 1000);
        queue.hold(*due, 1000);
    }
    EXPECT_EQ(single.count, 1u);
    for (auto& probe : crowd)
        queue.remove(many, probe);
}

TEST(TimerStep, one_shot_and_period) {
    EXPECT_EQ(timer_step(100, 0, 150, 10).wake_at, kNever);
    const TimerStep step = timer_step(100, 50, 100, 10);
    EXPECT_EQ(step.count, 1u);
    EXPECT_EQ(step.due, 150u);
    EXPECT_EQ(step.wake_at, 150u);
    EXPECT_EQ(timer_step(100, 50, 349, 10).count, 5u); // 100 150 200 250 300
    EXPECT_EQ(timer_step(100, 50, 349, 10).due, 350u);
    EXPECT_EQ(timer_step(100, 50, 349, 10).wake_at, 359u); // not at once again
    EXPECT_EQ(timer_step(100, ~0ull, 200, 10).wake_at, kNever);
    EXPECT_EQ(timer_step(~0ull - 10, 20, ~0ull - 5, 1).wake_at, kNever);
}

TEST(TimerStep, no_period_is_lost) {
    std::mt19937_64 random(9);
    for (int run = 0; run < 200; ++run) {
        const std::uint64_t first = random() % 1000, period = 1 + random() % 300, least = 1 + random() % 100;
        std::uint64_t due = first, wake = first, now = 0, count = 0;
        for (int i = 0; i < 100; ++i) {
            const std::uint64_t late = wake + random() % 500;
            ASSERT_GE(late, now);
            now = late;
            const TimerStep step = timer_step(due, period, now, least);
            count += step.count;
            due = step.due;
            ASSERT_GE(step.wake_at, now + least < due ? due : now + least);
            wake = step.wake_at;
        }
        EXPECT_EQ(count, (now - first) / period + 1);
    }
}

} // namespace
} // namespace aios::time
