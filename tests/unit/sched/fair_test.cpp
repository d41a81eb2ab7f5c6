// Fair shares: the kernel's own arithmetic (FairQueue, ShareGroup) drives a simulated machine; what every thread got is
// compared with the ideal.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "kernel/sched/fair.hpp"

namespace aios::sched {
namespace {

struct Simulated {
    TreeNode node;
    VirtualTime time = 0;
    ShareGroup* group = nullptr;
    std::uint64_t ran = 0;
    std::uint64_t longest_wait = 0, waiting_since = 0;
};
using Queue = FairQueue<Simulated, &Simulated::node, &Simulated::time>;

// One CPU that runs slices, as RunQueue does.
class Machine {
public:
    std::uint64_t now = 0;
    Queue queue;

    void wake(Simulated& thread) {
        thread.group->runnable_changed(+1);
        thread.waiting_since = now;
        queue.enter(thread);
    }
    // Runs the first thread for at most a slice; it blocks after `ns` if that is less.
    void step(std::uint64_t ns = kSlice, bool blocks = false) {
        Simulated* thread = queue.pop();
        ASSERT_NE(thread, nullptr);
        thread->longest_wait = std::max(thread->longest_wait, now - thread->waiting_since);
        now += ns;
        thread->ran += ns;
        thread->time += virtual_of(ns, thread->group->thread_share());
        queue.advance(thread);
        if (blocks) {
            thread->group->runnable_changed(-1);
        } else {
            thread->waiting_since = now;
            queue.put_back(*thread);
        }
    }
    ~Machine() {
        while (Simulated* thread = queue.pop())
            thread->group->runnable_changed(-1);
    }
};

void expect_part(const Simulated& thread, std::uint64_t total, double part, double tolerance = 0.03) {
    const double got = static_cast<double>(thread.ran) / static_cast<double>(total);
    EXPECT_NEAR(got, part, part * tolerance + 0.0005);
}

TEST(ShareGroup, children_and_own_threads_divide_the_share) {
    ShareGroup root(nullptr, 100), a(&root, 100), b(&root, 300), c(&a, 200);
    EXPECT_EQ(root.thread_share(), kShareOne); // nothing else runs
    a.runnable_changed(+1);
    EXPECT_EQ(a.thread_share(), kShareOne);
    b.runnable_changed(+2);
    EXPECT_NEAR(a.thread_share(), kShareOne / 4.0, 2);
    EXPECT_NEAR(b.thread_share(), kShareOne * 3 / 8.0, 2);
    c.runnable_changed(+1); // in a: own thread 100, child 200
    EXPECT_NEAR(a.thread_share(), kShareOne / 12.0, 2);
    EXPECT_NEAR(c.thread_share(), kShareOne / 6.0, 2);
    a.runnable_changed(-1);
    EXPECT_NEAR(c.thread_share(), kShareOne / 4.0, 2); // a is active through its child
    c.runnable_changed(-1);
    EXPECT_NEAR(b.thread_share(), kShareOne / 2.0, 2);
    b.runnable_changed(-2);
}

TEST(ShareGroup, random_changes_leave_exact_sums) {
    std::mt19937 random(3);
    ShareGroup root(nullptr, 100);
    std::vector<std::unique_ptr<ShareGroup>> groups;
    for (int i = 0; i < 60; i++) {
        ShareGroup* parent = i == 0 ? &root : groups[random() % groups.size()].get();
        groups.push_back(std::make_unique<ShareGroup>(parent, 1 + random() % 1000));
    }
    std::vector<int> runnable(groups.size());
    for (int step = 0; step < 20000; step++) {
        const std::size_t i = random() % groups.size();
        const int change = runnable[i] == 0 || random() % 2 == 0 ? +1 : -1;
        runnable[i] += change;
        groups[i]->runnable_changed(change);
        if (step % 500 != 0) continue;
        double sum = 0; // all shares together are the whole CPU
        for (std::size_t g = 0; g < groups.size(); g++)
            if (runnable[g] > 0) sum += static_cast<double>(groups[g]->thread_share()) * runnable[g] / kShareOne;
        EXPECT_NEAR(sum, 1.0, 0.1); // the smallest shares are rounded up to 1
    }
    for (std::size_t g = 0; g < groups.size(); g++)
        groups[g]->runnable_changed(-runnable[g]);
    for (auto& group : groups) {
        group->runnable_changed(+1);
        EXPECT_EQ(group->thread_share(), kShareOne);
        group->runnable_changed(-1);
    }
    while (!groups.empty())
        groups.pop_back();
}

TEST(ShareGroup, a_chain_of_thousands_stays_bounded) {
    std::vector<std::unique_ptr<ShareGroup>> chain;
    ShareGroup root(nullptr, 100);
    for (int i = 0; i < 5000; i++)
        chain.push_back(std::make_unique<ShareGroup>(chain.empty() ? &root : chain.back().get(), 100));
    chain.back()->runnable_changed(+1);
    EXPECT_GE(chain.back()->thread_share(), 1u);
    chain.back()->runnable_changed(-1);
}

TEST(Fair, weights_decide) {
    Machine machine;
    ShareGroup root(nullptr, 100);
    const std::uint32_t weights[] = {100, 200, 300, 400, 1000};
    std::vector<std::unique_ptr<ShareGroup>> groups;
    std::vector<std::unique_ptr<Simulated>> threads;
    for (const std::uint32_t weight : weights) {
        groups.push_back(std::make_unique<ShareGroup>(&root, weight));
        threads.push_back(std::make_unique<Simulated>());
        threads.back()->group = groups.back().get();
        machine.wake(*threads.back());
    }
    for (int i = 0; i < 4000; i++)
        machine.step();
    for (std::size_t i = 0; i < threads.size(); i++)
        expect_part(*threads[i], machine.now, weights[i] / 2000.0);
    while (Simulated* thread = machine.queue.pop())
        thread->group->runnable_changed(-1);
}

TEST(Fair, a_crowd_of_threads_gains_nothing) {
    Machine machine;
    ShareGroup root(nullptr, 100), single(&root, 100), crowd(&root, 100);
    std::vector<std::unique_ptr<Simulated>> threads;
    for (int i = 0; i < 21; i++) {
        threads.push_back(std::make_unique<Simulated>());
        threads.back()->group = i == 0 ? &single : &crowd;
        machine.wake(*threads.back());
    }
    for (int i = 0; i < 20000; i++)
        machine.step();
    expect_part(*threads[0], machine.now, 0.5);
    for (int i = 1; i < 21; i++)
        expect_part(*threads[static_cast<std::size_t>(i)], machine.now, 0.025, 0.05);
    while (Simulated* thread = machine.queue.pop())
        thread->group->runnable_changed(-1);
}

TEST(Fair, many_groups_deep_and_wide) {
    std::mt19937 random(11);
    Machine machine;
    ShareGroup root(nullptr, 100);
    struct Leaf {
        ShareGroup* group;
        double ideal;
    };
    // Three levels of agents, four children each with random weights; leaves run two threads.
    std::vector<std::unique_ptr<ShareGroup>> groups;
    std::vector<Leaf> level{{&root, 1.0}};
    for (int depth = 0; depth < 3; depth++) {
        std::vector<Leaf> next;
        for (const Leaf& parent : level) {
            std::uint32_t weights[4], sum = 0;
            for (auto& weight : weights)
                sum += weight = 50 + random() % 200;
            for (const auto weight : weights) {
                groups.push_back(std::make_unique<ShareGroup>(parent.group, weight));
                next.push_back({groups.back().get(), parent.ideal * weight / sum});
            }
        }
        level = next;
    }
    std::vector<std::unique_ptr<Simulated>> threads;
    for (const Leaf& leaf : level)
        for (int i = 0; i < 2; i++) {
            threads.push_back(std::make_unique<Simulated>());
            threads.back()->group = leaf.group;
            machine.wake(*threads.back());
        }
    for (int i = 0; i < 200000; i++)
        machine.step();
    for (std::size_t i = 0; i < threads.size(); i++)
        expect_part(*threads[i], machine.now, level[i / 2].ideal / 2, 0.04);
    while (Simulated* thread = machine.queue.pop())
        thread->group->runnable_changed(-1);
    while (!groups.empty())
        groups.pop_back();
}

TEST(Fair, nobody_starves) {
    Machine machine;
    ShareGroup root(nullptr, 100), great(&root, 10000), small(&root, 1);
    Simulated big[3], tiny;
    for (auto& thread : big) {
        thread.group = &great;
        machine.wake(thread);
    }
    tiny.group = &small;
    machine.wake(tiny);
    for (int i = 0; i < 100000; i++)
        machine.step();
    EXPECT_GT(tiny.ran, 0u);
    // One part in 10,001, a slice at a time.
    EXPECT_LT(tiny.longest_wait, 2 * kSlice * 10001);
    expect_part(tiny, machine.now, 1 / 10001.0, 0.3);
    while (Simulated* thread = machine.queue.pop())
        thread->group->runnable_changed(-1);
}

TEST(Fair, a_sleeper_hoards_no_credit) {
    Machine machine;
    ShareGroup root(nullptr, 100), a(&root, 100), b(&root, 100);
    Simulated sleeper, worker;
    sleeper.group = &a;
    worker.group = &b;
    machine.wake(worker);
    for (int i = 0; i < 1000; i++)
        machine.step(); // four seconds without the sleeper
    machine.wake(sleeper);
    const std::uint64_t before = worker.ran;
    while (worker.ran == before)
        machine.step();
    EXPECT_LE(sleeper.ran, kSlice + kSleeperCredit); // not four seconds in a row
    sleeper.ran = worker.ran = 0;
    const std::uint64_t start = machine.now;
    for (int i = 0; i < 1000; i++)
        machine.step();
    expect_part(sleeper, machine.now - start, 0.5);
    while (Simulated* thread = machine.queue.pop())
        thread->group->runnable_changed(-1);
}

TEST(Fair, short_sleeps_gain_little) {
    // A thread that gives the CPU back just before the end of each slice and comes again at once.
    Machine machine;
    ShareGroup root(nullptr, 100), a(&root, 100), b(&root, 100);
    Simulated sly, honest;
    sly.group = &a;
    honest.group = &b;
    machine.wake(sly);
    machine.wake(honest);
    for (int i = 0; i < 10000; i++) {
        if (machine.queue.first() == &sly) {
            machine.step(kSlice / 2, true);
            machine.wake(sly);
        } else {
            machine.step();
        }
    }
    expect_part(sly, machine.now, 0.5, 0.06);
    while (Simulated* thread = machine.queue.pop())
        thread->group->runnable_changed(-1);
}

TEST(Fair, virtual_time_wraps) {
    EXPECT_TRUE(is_before(~0ull - 5, 3));
    EXPECT_FALSE(is_before(3, ~0ull - 5));
    Queue queue;
    Simulated old_time, new_time;
    old_time.time = ~0ull - 100;
    new_time.time = 50;
    queue.put_back(new_time);
    queue.put_back(old_time);
    EXPECT_EQ(queue.pop(), &old_time);
    EXPECT_EQ(queue.pop(), &new_time);
}

TEST(Fair, moving_evens_out) {
    EXPECT_TRUE(should_move(300, 0, 100));
    EXPECT_TRUE(should_move(200, 100, 100)); // only changes sides: takes turns
    EXPECT_FALSE(should_move(200, 100, 150));
    EXPECT_FALSE(should_move(100, 100, 1));
    EXPECT_FALSE(should_move(50, 100, 10));
    EXPECT_EQ(rebase(110, 100, 1000), 1010u);
    EXPECT_EQ(rebase(90, 100, 5), ~0ull - 4);
}

} // namespace
} // namespace aios::sched
