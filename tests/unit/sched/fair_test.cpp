// Fair shares on one CPU and several, measured as a user would: what each agent got in a window against what is due.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/sched/machine.hpp"

namespace aios::sched::test {
namespace {

constexpr std::uint64_t kMs = Machine::kMs;
constexpr std::uint64_t kSecond = 1000 * kMs;

class Fair : public ::testing::TestWithParam<unsigned> {
protected:
    Agent root{nullptr, 100};
    Agent first{&root, 100}; // as init: agents are its children
    std::vector<std::unique_ptr<Agent>> agents;
    std::vector<std::unique_ptr<Worker>> workers;
    Machine machine{GetParam(), root};
    ~Fair() override {
        for (auto& worker : workers)
            machine.stop(*worker);
        while (!agents.empty())
            agents.pop_back(); // children before parents
    }

    Agent& agent(std::uint32_t weight, ShareGroup* parent = nullptr, CpuBudget budget = {}) {
        agents.push_back(std::make_unique<Agent>(parent != nullptr ? parent : &first, weight, budget));
        return *agents.back();
    }
    Worker& worker(ShareGroup& group, std::uint64_t work = 0, std::uint64_t sleep = 0) {
        workers.push_back(std::make_unique<Worker>(group));
        workers.back()->work = work;
        workers.back()->sleep = sleep;
        machine.start(*workers.back());
        return *workers.back();
    }
    // Audit: a kernel thread of great weight that wakes often. IPC and timers: agents that work and sleep in turns.
    void add_noise(Agent& kernel) {
        worker(kernel, kMs / 4, 3 * kMs);
        for (int i = 0; i < 3; ++i)
            worker(agent(100), kMs / 2, 4 * kMs + static_cast<std::uint64_t>(i) * kMs / 2);
    }
    // What each of `crew` got in the next `ns`.
    std::vector<double> measure(const std::vector<Worker*>& crew, std::uint64_t ns) {
        std::vector<double> parts;
        for (Worker* one : crew)
            parts.push_back(-static_cast<double>(one->ran));
        machine.run(ns);
        for (std::size_t i = 0; i < crew.size(); ++i)
            parts[i] += static_cast<double>(crew[i]->ran);
        return parts;
    }
};
INSTANTIATE_TEST_SUITE_P(Cpus, Fair, ::testing::Values(1u, 2u, 4u),
                         [](const auto& info) { return std::to_string(info.param) + "_cpus"; });

TEST_P(Fair, equal_agents_get_equal_parts_while_others_come_and_go) {
    Agent kernel(&root, 10'000);
    add_noise(kernel);
    for (const unsigned count : {8u, 2 * GetParam() + 1, GetParam() + 1}) {
        std::vector<Worker*> crew;
        for (unsigned i = 0; i < count; ++i)
            crew.push_back(&worker(agent(100)));
        machine.run(kSecond / 2);
        double worst_window = 1, worst_jain = 1;
        for (int period = 0; period < 5; ++period) {
            std::vector<double> sums(count);
            for (int window = 0; window < 20; ++window) { // of 100 ms, 2 s in all
                const std::vector<double> parts = measure(crew, 100 * kMs);
                double sum = 0;
                for (const double part : parts)
                    sum += part;
                for (std::size_t i = 0; i < parts.size(); ++i) {
                    sums[i] += parts[i];
                    worst_window = std::min(worst_window, parts[i] * count / sum);
                }
            }
            worst_jain = std::min(worst_jain, jain(sums));
        }
        EXPECT_GE(worst_jain, GetParam() == 1 ? 0.9999 : 0.999) << count;
        EXPECT_GE(worst_window, count == 8 ? 0.75 : 0.7) << count; // odd ones out take turns on several CPUs
        for (Worker* one : crew)
            machine.stop(*one);
    }
    for (auto& one : workers)
        machine.stop(*one);
}

// A sleeper that wakes while one of two equal spinners runs halves or doubles what the other's share is at that moment.
// The share of the moment was once what a slice cost: two spinners got 495 ms and 5 ms.
TEST_P(Fair, a_slice_costs_the_same_whatever_starts_meanwhile) {
    Agent& parent = agent(100);
    std::vector<Worker*> crew;
    for (unsigned i = 0; i < 2 * GetParam(); ++i)
        crew.push_back(&worker(agent(100, &parent)));
    // Starts in the middle of slices, in one of the two agents' own subtree, and beside the parent.
    Agent& child = agent(300, crew[0]->billed);
    worker(child, kMs / 4, 7 * kMs + kMs / 4);
    worker(agent(1000), kMs, 5 * kMs + kMs / 2);
    machine.run(kSecond / 2);
    const std::vector<double> parts = measure(crew, 2 * kSecond);
    // The first one's child has its part out of the same share; the others are equal.
    const std::vector<double> others(parts.begin() + 1, parts.end());
    EXPECT_GE(jain(others), 0.999);
    EXPECT_GE(parts[0], others[0] * 0.9);
}

TEST_P(Fair, weights_decide_and_children_divide_their_parents_part) {
    std::mt19937 random(11);
    struct Leaf {
        Agent* group;
        double due;
    };
    std::vector<Leaf> level{{&first, 1.0}};
    for (int depth = 0; depth < 3; ++depth) {
        std::vector<Leaf> next;
        for (const Leaf& parent : level) {
            std::uint32_t weights[4], sum = 0;
            for (auto& weight : weights)
                sum += weight = 50 + random() % 200;
            for (const auto weight : weights)
                next.push_back({&agent(weight, parent.group), parent.due * weight / sum});
        }
        level = next;
    }
    std::vector<Worker*> crew;
    for (const Leaf& leaf : level)
        crew.push_back(&worker(*leaf.group));
    machine.run(kSecond);
    const std::uint64_t length = 10 * kSecond;
    const std::vector<double> parts = measure(crew, length);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const double due = level[i].due * static_cast<double>(length) * GetParam();
        // On several CPUs a lone member of a group on one of them gains on its siblings until it is moved.
        EXPECT_NEAR(parts[i] / due, 1, (GetParam() == 1 ? 0.05 : 0.2 * GetParam()) + 12e6 / due) << i;
    }
}

TEST_P(Fair, ten_thousand_threads_weigh_no_more_than_one) {
    // One rival thread a CPU, each of an agent of its own, against an agent with very many threads.
    std::vector<Worker*> rivals;
    for (unsigned i = 0; i < GetParam(); ++i)
        rivals.push_back(&worker(agent(100)));
    Agent& crowd = agent(100);
    for (int i = 0; i < 10'000; ++i)
        worker(crowd);
    machine.run(kSecond / 2);
    const std::vector<double> parts = measure(rivals, 2 * kSecond);
    // n + 1 agents of the same weight on n CPUs.
    const double due = 2e9 * GetParam() / (GetParam() + 1);
    for (const double part : parts)
        EXPECT_NEAR(part / due, 1, 0.02);
}

TEST_P(Fair, one_thread_a_slice_gains_nothing_by_making_new_ones) {
    Agent &victim = agent(100), &hostile = agent(1);
    std::vector<Worker*> honest;
    for (unsigned i = 0; i < GetParam(); ++i)
        honest.push_back(&worker(victim));
    // Each thread works for 3.5 ms, ends, and another takes its place.
    std::vector<std::unique_ptr<Worker>> spawned;
    std::uint64_t stolen = 0;
    machine.each_step = [&] {
        if (spawned.size() > 40 && spawned.front()->asleep) {
            stolen += spawned.front()->ran;
            // Kept until the end: the machine knows it; it never wakes again.
            workers.push_back(std::move(spawned.front()));
            spawned.erase(spawned.begin());
        }
        unsigned awake = 0;
        for (auto& one : spawned)
            awake += !one->asleep;
        if (awake < 40) {
            spawned.push_back(std::make_unique<Worker>(hostile));
            spawned.back()->work = 7 * kMs / 2;
            machine.start(*spawned.back());
        }
    };
    const std::vector<double> parts = measure(honest, 3 * kSecond);
    machine.each_step = nullptr;
    double sum = 0;
    for (const double part : parts)
        sum += part;
    EXPECT_GE(sum, 3e9 * GetParam() * 0.97);
    for (auto& one : spawned)
        machine.stop(*one);
    for (auto& one : spawned)
        workers.push_back(std::move(one));
}

TEST_P(Fair, nobody_starves) {
    Agent &great = agent(10'000), &small = agent(1);
    for (unsigned i = 0; i < 2 * GetParam(); ++i)
        worker(great);
    Worker& tiny = worker(small);
    machine.run(100 * kSecond);
    EXPECT_GT(tiny.ran, 0u);
    EXPECT_LT(tiny.longest_wait, 2 * kSlice * 10'001 / GetParam());
}

TEST_P(Fair, sleep_is_not_saved_up_and_short_sleeps_gain_nothing) {
    std::vector<Worker*> honest;
    for (unsigned i = 0; i < GetParam(); ++i)
        honest.push_back(&worker(agent(100)));
    Agent& other = agent(100);
    machine.run(4 * kSecond);
    Worker& sleeper = worker(other); // after four seconds
    std::vector<Worker*> all = honest;
    all.push_back(&sleeper);
    const std::vector<double> start = measure(all, 100 * kMs);
    EXPECT_LE(start.back(), 100e6 * GetParam() / (GetParam() + 1) + 8e6);
    // One that sleeps just before the end of each slice and comes back at once.
    machine.stop(sleeper);
    Worker& sly = worker(agent(100), kSlice - kMs / 2, kMs / 4);
    machine.run(kSecond);
    const std::vector<double> gain = measure({&sly}, 4 * kSecond);
    EXPECT_LE(gain[0], 4e9 * GetParam() / (GetParam() + 1) * 1.02);
}

TEST_P(Fair, one_heavy_thread_has_a_cpu_and_hoards_nothing) {
    if (GetParam() == 1) return;
    // It can use one CPU, its weight is worth more: what it cannot use it must not claim later with more threads.
    Agent& heavy = agent(10'000);
    worker(heavy);
    std::vector<Worker*> others;
    for (unsigned i = 0; i < 2 * (GetParam() - 1); ++i)
        others.push_back(&worker(agent(100)));
    machine.run(5 * kSecond);
    std::vector<double> parts = measure(others, 2 * kSecond);
    EXPECT_GE(jain(parts), 0.999);
    EXPECT_NEAR(parts[0], 1e9, 5e7);
    for (Worker* one : others)
        machine.stop(*one);
    // Now equals: two threads of one agent, as many of another. No old claim counts.
    Agent &one = agent(100), &two = agent(100);
    worker(one);
    machine.run(5 * kSecond); // alone beside the heavy one
    std::vector<Worker*> pair;
    for (unsigned i = 0; i < GetParam() - 1; ++i) {
        worker(one);
        pair.push_back(&worker(two));
    }
    const std::vector<double> late = measure(pair, 200 * kMs);
    double sum = 0;
    for (const double part : late)
        sum += part;
    EXPECT_GE(sum, 200e6 * (GetParam() - 1) / 2 * 0.8);
}

// Interrupts work for agents that sleep; that work comes out of the agent's share, and out of no other's.
TEST_P(Fair, work_of_interrupts_is_bounded_by_the_share) {
    Agent &victim = agent(100), &hostile = agent(1);
    std::vector<Worker*> honest;
    for (unsigned i = 0; i < GetParam(); ++i)
        honest.push_back(&worker(victim));
    std::uint64_t worked = 0;
    machine.each_step = [&] { // always more to do
        for (int i = 0; i < 100 && hostile.ahead() == 0; ++i) {
            hostile.charge_work(10'000, machine.now, ShareGroup::CpuWas::busy);
            worked += 10'000;
        }
    };
    machine.run(10 * kSecond);
    machine.each_step = nullptr;
    EXPECT_LE(worked, 10 * kSecond * GetParam() / 100 + 10 * kMs);
    EXPECT_GE(worked, 10 * kSecond / 200);
    EXPECT_EQ(hostile.cpu_ns(), worked);
    // The debt is the agent's: a thread that it starts now does not get rid of it.
    Worker& late = worker(hostile);
    machine.run(kSecond);
    EXPECT_LE(late.ran, 60 * kMs);
}

// However much there is for interrupts to do, the agent's own threads run: one that is killed can end. And a thread
// that never sleeps keeps no work back for ever. In each quarter of a millisecond there are so many pieces of 10 us to
// do: always more than can be done, and not quite as much.
class FairTurns : public Fair {
protected:
    void take_turns(int pieces) {
        Agent &victim = agent(100), &busy = agent(100);
        std::vector<Worker*> honest;
        for (unsigned i = 0; i < GetParam(); ++i)
            honest.push_back(&worker(victim));
        Worker& own = worker(busy);
        std::uint64_t worked = 0, ran_before = 0, ran_at = 0, worked_at = 0, longest_rest = 0, longest_pause = 0;
        machine.each_step = [&] {
            for (int i = 0; i < pieces && busy.ahead() == 0; ++i) {
                busy.charge_work(10'000, machine.now, ShareGroup::CpuWas::busy);
                worked += 10'000;
                worked_at = machine.now;
            }
            if (own.ran != ran_before) ran_at = machine.now;
            ran_before = own.ran;
            longest_rest = std::max(longest_rest, machine.now - ran_at);
            longest_pause = std::max(longest_pause, machine.now - worked_at);
        };
        machine.run(10 * kSecond);
        machine.each_step = nullptr;
        std::uint64_t others = 0;
        for (const Worker* one : honest)
            others += one->ran;
        EXPECT_LE(longest_rest, 30 * kMs);
        EXPECT_LE(longest_pause, 30 * kMs);
        EXPECT_GE(own.ran, kSecond);
        EXPECT_GE(worked, kSecond);
        EXPECT_GE(static_cast<double>(others), 0.95 * static_cast<double>(worked + own.ran));
    }
};
INSTANTIATE_TEST_SUITE_P(Cpus, FairTurns, ::testing::Values(1u, 2u, 4u),
                         [](const auto& info) { return std::to_string(info.param) + "_cpus"; });
TEST_P(FairTurns, work_that_never_ends) { take_turns(100); }
TEST_P(FairTurns, work_beside_a_thread_that_never_sleeps) { take_turns(20); }

// Work for an agent that slept is no debt of turns: when its thread starts, expiries go on beside it at once.
TEST_P(Fair, work_of_a_long_sleep_is_not_held_against_later_work) {
    Agent &victim = agent(100), &sleeper = agent(100);
    for (unsigned i = 0; i < GetParam(); ++i)
        worker(victim);
    std::uint64_t worked_at = 0, longest_pause = 0;
    machine.each_step = [&] {
        for (int i = 0; i < 10 && sleeper.ahead() == 0; ++i) {
            sleeper.charge_work(10'000, machine.now, ShareGroup::CpuWas::busy);
            worked_at = machine.now;
        }
        longest_pause = std::max(longest_pause, machine.now - worked_at);
    };
    machine.run(10 * kSecond);
    EXPECT_GE(sleeper.cpu_ns(), kSecond);
    longest_pause = 0;
    worker(sleeper);
    machine.run(2 * kSecond);
    machine.each_step = nullptr;
    EXPECT_LE(longest_pause, 40 * kMs);
}

TEST(ShareGroup, groups_deeper_than_the_limit_stand_beside_their_parent) {
    std::vector<std::unique_ptr<Agent>> chain;
    Agent root(nullptr, 100);
    for (int i = 0; i < 1500; ++i)
        chain.push_back(std::make_unique<Agent>(chain.empty() ? &root : chain.back().get(), 100));
    EXPECT_EQ(chain.back()->depth(), ShareGroup::kMaxDepth);
    {
        Worker worker(*chain.back());
        Machine machine(1, root);
        machine.start(worker);
        machine.run(kSecond / 10);
        EXPECT_EQ(worker.ran, kSecond / 10);
    }
    while (!chain.empty())
        chain.pop_back();
}

TEST(ShareGroup, running_costs_by_weight_for_any_length) {
    Agent root(nullptr, 100), light(&root, 1), usual(&root, 100), heavy(&root, 10'000);
    for (const std::uint64_t ns : {std::uint64_t{1'000}, kMs, kSecond, 68 * kSecond, 69 * kSecond, 3'600 * kSecond}) {
        const auto due = static_cast<double>(virtual_ns(ns));
        EXPECT_NEAR(static_cast<double>(light.virtual_of(ns)) / due, 100, 0.1);
        EXPECT_NEAR(static_cast<double>(usual.virtual_of(ns)) / due, 1, 0.001);
        EXPECT_NEAR(static_cast<double>(heavy.virtual_of(ns)) / due, 0.01, 0.0001);
    }
}

TEST(ShareGroup, times_that_wrapped_during_a_sleep_start_anew) {
    Agent root(nullptr, 100), a(&root, 1), b(&root, 100);
    Worker old(a), busy(b);
    Machine machine(1, root);
    machine.start(old);
    machine.run(10 * kMs);
    machine.stop(old);
    machine.start(busy);
    // A quarter and then half of the range further on: behind, then seemingly ahead for ever.
    for (int i = 0; i < 3; ++i) {
        b.charge_work(0, 0, ShareGroup::CpuWas::idle);
        busy.virtual_time += VirtualTime{1} << 62;
        machine.run(10 * kMs);
    }
    EXPECT_TRUE(is_before(~0ull - 5, 3));
    EXPECT_EQ(b.place(busy.virtual_time - (VirtualTime{1} << 62)), b.reference() - kSleeperCredit);
    EXPECT_EQ(b.place(busy.virtual_time + (VirtualTime{1} << 61)), b.reference() - kSleeperCredit);
}

TEST(ShareGroup, a_budget_is_spent_refilled_and_overdrawn) {
    constexpr std::uint64_t kPeriod = 100 * kMs, kQuota = 20 * kMs;
    Agent root(nullptr, 100), parent(&root, 100, {kQuota, kPeriod}), child(&parent, 100), free(&root, 100);
    std::uint64_t now = kSecond;
    EXPECT_EQ(free.exhausted_until(now), 0u);
    EXPECT_EQ(free.budget_left(now), ~0ull);
    child.spend(15 * kMs, now); // a child's use counts for its parent
    EXPECT_EQ(child.exhausted_until(now), 0u);
    EXPECT_EQ(parent.budget_left(now), 5 * kMs);
    parent.spend(5 * kMs, now);
    EXPECT_EQ(parent.exhausted_until(now), now + kPeriod);
    EXPECT_EQ(child.exhausted_until(now + kMs), now + kPeriod);
    EXPECT_EQ(child.budget_left(now), 0u);
    now += kPeriod;
    EXPECT_EQ(child.exhausted_until(now), 0u);
    EXPECT_EQ(child.budget_left(now), kQuota);
    child.spend(50 * kMs, now); // two and a half quotas: one period and a half more to pay
    EXPECT_NE(child.exhausted_until(now + kPeriod), 0u);
    EXPECT_EQ(child.exhausted_until(now + 2 * kPeriod), 0u);
    EXPECT_EQ(child.budget_left(now + 2 * kPeriod), kQuota / 2);
    EXPECT_EQ(child.budget_left(now + 9 * kPeriod), kQuota); // what is left over is not saved
    EXPECT_EQ(free.exhausted_until(now), 0u);
}

TEST(ShareGroup, the_tighter_of_two_budgets_holds) {
    Agent root(nullptr, 100), parent(&root, 100, {10 * kMs, 100 * kMs}), child(&parent, 100, {8 * kMs, 20 * kMs});
    child.spend(8 * kMs, kSecond);
    EXPECT_EQ(child.exhausted_until(kSecond), kSecond + 20 * kMs);
    child.spend(2 * kMs, kSecond + 20 * kMs);
    EXPECT_EQ(child.exhausted_until(kSecond + 20 * kMs), kSecond + 100 * kMs); // its own would last
    EXPECT_EQ(parent.exhausted_until(kSecond + 20 * kMs), kSecond + 100 * kMs);
}

} // namespace
} // namespace aios::sched::test
