// What hints do for those who give them, and that they take nothing from the others: shares in windows of 100 ms with
// agents that lie, that all say the same, and that change what they say at every wake-up.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/sched/machine.hpp"

namespace aios::sched::test {
namespace {

constexpr std::uint64_t kMs = Machine::kMs;
constexpr std::uint64_t kSecond = 1000 * kMs;

class Hints : public ::testing::TestWithParam<unsigned> {
protected:
    Agent root{nullptr, 100};
    Agent first{&root, 100};
    std::vector<std::unique_ptr<Agent>> agents;
    std::vector<std::unique_ptr<Worker>> workers;
    Machine machine{GetParam(), root};
    std::mt19937 random{7};
    ~Hints() override {
        machine.each_step = nullptr;
        for (auto& worker : workers)
            machine.stop(*worker);
        while (!agents.empty())
            agents.pop_back();
    }
    Worker& worker(AgentHint hint, std::uint64_t work = 0, std::uint64_t sleep = 0, std::uint32_t weight = 100) {
        agents.push_back(std::make_unique<Agent>(&first, weight));
        say(*agents.back(), hint);
        workers.push_back(std::make_unique<Worker>(*agents.back()));
        workers.back()->work = work;
        workers.back()->sleep = sleep;
        machine.start(*workers.back());
        return *workers.back();
    }
    void say(ShareGroup& agent, AgentHint hint) { agent.give_hint(hint, kSecond, machine.now + 30 * kMs, machine.now); }
    std::vector<double> measure(const std::vector<Worker*>& crew, std::uint64_t ns) {
        std::vector<double> parts;
        for (Worker* one : crew)
            parts.push_back(-static_cast<double>(one->ran));
        machine.run(ns);
        for (std::size_t i = 0; i < crew.size(); ++i)
            parts[i] += static_cast<double>(crew[i]->ran);
        return parts;
    }
    // Of `crew`, all of whom could always run: the worst index of two seconds, and the least part of what is due (a
    // member's part among all that run, `of` in number) that one of the first `honest` got in 100 ms.
    struct Worst {
        double jain = 1, window = 1;
    };
    Worst worst_of(const std::vector<Worker*>& crew, std::size_t honest, std::size_t of) {
        Worst worst;
        machine.run(kSecond / 2);
        for (int period = 0; period < 5; ++period) {
            std::vector<double> sums(crew.size());
            for (int window = 0; window < 20; ++window) {
                const std::vector<double> parts = measure(crew, 100 * kMs);
                const double due = 100.0 * kMs * GetParam() / static_cast<double>(of);
                for (std::size_t i = 0; i < parts.size(); ++i) {
                    sums[i] += parts[i];
                    if (i < honest) worst.window = std::min(worst.window, parts[i] / due);
                }
            }
            worst.jain = std::min(worst.jain, jain(sums));
        }
        return worst;
    }
};
INSTANTIATE_TEST_SUITE_P(Cpus, Hints, ::testing::Values(1u, 2u, 4u),
                         [](const auto& info) { return std::to_string(info.param) + "_cpus"; });

// An agent that wakes at odd times and works in bursts, nine tenths of its share in all, among eight that compute.
struct Bursts {
    std::uint64_t p99 = 0, ran = 0, switches = 0;
};
Bursts run_bursts(AgentHint hint, AgentHint of_the_others) {
    Agent root{nullptr, 100}, first{&root, 100}, bursty{&first, 100};
    std::vector<std::unique_ptr<Agent>> others;
    std::vector<std::unique_ptr<Worker>> crowd;
    Worker one(bursty);
    Machine machine(1, root); // gone before those that it knows
    machine.step_ns = kMs / 20;
    bursty.give_hint(hint, kSecond * 1000, kSecond * 1000, 0);
    one.work = kMs / 2;
    one.sleep = 9 * kMs;
    machine.start(one);
    for (unsigned i = 0; i < 8; ++i) {
        others.push_back(std::make_unique<Agent>(&first, 100));
        others.back()->give_hint(of_the_others, 0, 0, 0);
        crowd.push_back(std::make_unique<Worker>(*others.back()));
        machine.start(*crowd.back());
    }
    std::mt19937 random(7);
    machine.each_step = [&] {
        if (!one.asleep || one.wakes_at != machine.now + one.sleep) return; // else it has not just gone to sleep
        one.work = kMs * (2 + random() % 15) / 10;
        one.sleep = kMs * (3 + random() % 12);
        one.wakes_at = machine.now + one.sleep;
    };
    machine.run(20 * kSecond);
    machine.stop(one);
    for (auto& worker : crowd)
        machine.stop(*worker);
    std::ranges::sort(one.wake_waits);
    EXPECT_GE(one.wake_waits.size(), 1'000u);
    return {one.wake_waits[one.wake_waits.size() * 99 / 100], one.ran, machine.switches};
}

TEST(Hint, InteractiveAgentsWaitLessAndGetNoMore) {
    const Bursts without = run_bursts(AgentHint::none, AgentHint::none);
    const Bursts with = run_bursts(AgentHint::interactive, AgentHint::none);
    EXPECT_GE(without.p99, kMs / 2);
    EXPECT_LE(with.p99, without.p99 / 4);
    EXPECT_LE(with.ran, 20 * kSecond / 9);
    EXPECT_NEAR(static_cast<double>(with.ran) / static_cast<double>(without.ran), 1, 0.02);
}

TEST(Hint, BatchAgentsAreSwitchedLessAndHoldNobodyUp) {
    const Bursts without = run_bursts(AgentHint::none, AgentHint::none);
    const Bursts with = run_bursts(AgentHint::none, AgentHint::batch);
    EXPECT_LE(with.switches, without.switches / 2);
    EXPECT_LE(with.p99, without.p99);
    EXPECT_NEAR(static_cast<double>(with.ran) / static_cast<double>(without.ran), 1, 0.02);
}

constexpr AgentHint kAll[] = {AgentHint::none, AgentHint::interactive, AgentHint::batch, AgentHint::deadline,
                              AgentHint::waiting};

// Half of eight agents that compute without end say what is not true, and change it at every turn or never.
TEST_P(Hints, LiarsGainNothing) {
    for (const AgentHint lie : kAll) {
        for (const bool flips : {false, true}) {
            std::vector<Worker*> all;
            for (unsigned i = 0; i < 8; ++i)
                all.push_back(&worker(i < 4 ? AgentHint::none : lie));
            machine.each_step = [&] {
                for (unsigned i = 4; flips && i < 8; ++i)
                    say(*all[i]->billed, random() % 2 == 0 ? AgentHint::none : lie);
            };
            const Worst worst = worst_of(all, 4, 8);
            EXPECT_GE(worst.jain, 0.999) << static_cast<int>(lie) << flips;
            EXPECT_GE(worst.window, 0.75) << static_cast<int>(lie) << flips;
            machine.each_step = nullptr;
            for (Worker* one : all)
                machine.stop(*one);
        }
    }
}

// All eight rivals of one honest agent say the same, and sleep, so that each wakes with all the credit that there is.
TEST_P(Hints, SleepersWithAHintTakeNoMoreThanSleepers) {
    for (const AgentHint lie : kAll) {
        for (const bool flips : {false, true}) {
            Worker& honest = worker(AgentHint::none);
            std::vector<Worker*> liars;
            for (unsigned i = 0; i < 8; ++i)
                liars.push_back(&worker(lie, 5 * kMs + i * kMs / 4, 7 * kMs));
            machine.each_step = [&] {
                for (Worker* one : liars)
                    if (flips) say(*one->billed, random() % 2 == 0 ? AgentHint::none : lie);
            };
            EXPECT_GE(worst_of({&honest}, 1, 9).window, 0.75) << static_cast<int>(lie) << flips;
            machine.each_step = nullptr;
            machine.stop(honest);
            for (Worker* one : liars) {
                one->sleep = 0;
                machine.stop(*one);
            }
        }
    }
}

// The advance is so much of one's own running, and no more of a sibling's: neither a light agent nor a heavy one gains.
TEST_P(Hints, WeightsDecideAsEver) {
    std::vector<Worker*> usual;
    for (unsigned i = 0; i < 2 * GetParam(); ++i)
        usual.push_back(&worker(AgentHint::none));
    Worker& light = worker(AgentHint::interactive, 0, 0, 5);
    Worker& heavy = worker(AgentHint::interactive, 0, 0, 200);
    usual.push_back(&light);
    usual.push_back(&heavy);
    machine.run(kSecond);
    const std::vector<double> parts = measure(usual, 20 * kSecond);
    const double unit = 20e9 * GetParam() / (200.0 * GetParam() + 205);
    EXPECT_NEAR(parts[parts.size() - 2] / (unit * 5), 1, GetParam() == 1 ? 0.05 : 0.3);
    EXPECT_NEAR(parts.back() / (unit * 200), 1, GetParam() == 1 ? 0.02 : 0.15);
    EXPECT_NEAR(parts[0] / (unit * 100), 1, GetParam() == 1 ? 0.02 : 0.15);
}

TEST(Hint, OfTwoInTheSamePlaceTheEarlierDeadlineIsFirst) {
    Agent root(nullptr, 100), early(&root, 100), late(&root, 100), busy(&root, 100);
    early.give_hint(AgentHint::deadline, kMs, 10 * kMs, 0);
    late.give_hint(AgentHint::deadline, kMs, 40 * kMs, 0);
    EXPECT_TRUE(is_before(early.turn(), late.turn()));
    EXPECT_TRUE(is_before(late.turn(), busy.turn()));
    Worker of_busy(busy), of_late(late), of_early(early);
    FairQueue queue;
    queue.init(root, 0);
    for (Worker* worker : {&of_busy, &of_late, &of_early}) {
        worker->billed->thread_starts();
        queue.insert(*worker);
    }
    for (Worker* worker : {&of_early, &of_late, &of_busy}) {
        EXPECT_EQ(queue.pop(), worker);
        worker->billed->thread_stops();
    }
}

TEST(Hint, ADeadlineEndsWithItselfOrWithWhatWasWanted) {
    Agent root(nullptr, 100), agent(&root, 100), other(&root, 100);
    agent.give_hint(AgentHint::deadline, 2 * kMs, 10 * kMs, 0);
    const VirtualTime begin = agent.advance();
    EXPECT_NE(begin, 0u);
    agent.renew_hint(9 * kMs);
    EXPECT_GT(agent.advance(), begin);
    EXPECT_LE(agent.advance(), virtual_ns(kMostAdvance));
    agent.renew_hint(10 * kMs);
    EXPECT_EQ(agent.advance(), 0u);
    other.give_hint(AgentHint::deadline, 2 * kMs, 10 * kMs, 0);
    other.charge_cpu(2 * kMs);
    other.renew_hint(5 * kMs);
    EXPECT_EQ(other.advance(), 0u);
    other.give_hint(AgentHint::deadline, ~0ull, ~0ull - 1, 5 * kMs); // no sum of these wraps
    EXPECT_EQ(other.advance(), 0u);
    other.renew_hint(~0ull - kMs);
    EXPECT_NE(other.advance(), 0u);
}

// Sleep and hint together are what sleep alone is, in whatever order they come.
TEST(Hint, NothingIsGainedBySleepingFirst) {
    Agent root(nullptr, 100), busy(&root, 100), sleeper(&root, 100);
    Worker worker(busy), woken(sleeper);
    FairQueue queue;
    queue.init(root, 0);
    worker.virtual_time = virtual_ns(kMs);
    busy.thread_starts();
    queue.insert(worker);
    for (unsigned i = 0; i < 100; ++i)
        queue.charge(worker, kMs); // as if others had run it far ahead
    queue.remove(worker);
    queue.insert(worker);
    for (const AgentHint hint : kAll) {
        sleeper.give_hint(hint, kMs, 50 * kMs, 0);
        sleeper.thread_starts();
        for (const std::uint64_t now : {0ull, 30ull * kMs, 49ull * kMs}) {
            sleeper.renew_hint(now);
            EXPECT_FALSE(is_before(sleeper.turn(), root.reference() - kSleeperCredit)) << static_cast<int>(hint);
        }
        sleeper.thread_stops();
    }
    sleeper.give_hint(AgentHint::none, 0, 0, 0); // slept without, and says it when it is awake
    sleeper.thread_starts();
    sleeper.give_hint(AgentHint::interactive, 0, 0, 0);
    EXPECT_FALSE(is_before(sleeper.turn(), root.reference() - kSleeperCredit));
    sleeper.thread_stops();
    queue.remove(worker);
    busy.thread_stops();
}

} // namespace
} // namespace aios::sched::test
