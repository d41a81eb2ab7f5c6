// Threads on the real processor: switching, mutexes, sleeping, preemption, killing waits, moving between CPUs, reaping.
// The tests run on the boot thread; helpers are kernel threads that each test waits for.
#include <atomic>

#include "kernel/mm/mm.hpp"
#include "kernel/quota/quota.hpp"
#include "kernel/sched/thread.hpp"
#include "tests/kernel/test.hpp"

namespace aios {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

// Starts kernel threads that run one function and waits for their end.
class Crew {
public:
    explicit Crew(void (*function)(void*)) : function_(function) {}
    ~Crew() { join(); }
    bool add(void* argument) {
        auto thread = Thread::create_kernel("test", function_, argument);
        if (!thread || count_ == kMost) return false;
        threads_[count_] = std::move(*thread);
        threads_[count_++]->start();
        return true;
    }
    Thread& thread(unsigned index) { return *threads_[index]; }
    void join() {
        for (unsigned i = 0; i < count_; ++i) {
            while (threads_[i]->state() != ThreadState::dead)
                sched::sleep_until(sched::now_ns() + kMs / 2);
            threads_[i].reset();
        }
        count_ = 0;
    }

private:
    static constexpr unsigned kMost = 16;
    void (*function_)(void*);
    Ref<Thread> threads_[kMost];
    unsigned count_ = 0;
};

} // namespace

KERNEL_TEST(thread_runs_and_ends) {
    static std::atomic<int> ran;
    ran = 0;
    {
        Crew crew([](void*) { ++ran; });
        for (int i = 0; i < 8; ++i)
            KERNEL_EXPECT(crew.add(nullptr));
    }
    KERNEL_EXPECT(ran == 8);
}

KERNEL_TEST(threads_play_ping_pong) {
    struct Table {
        sched::WaitQueue queue;
        std::atomic<int> turn{0};
        std::atomic<int> rounds{0};
    };
    static Table table;
    table.rounds = 0;
    static std::atomic<int> next_player;
    next_player = 0;
    {
        Crew crew([](void*) {
            const int me = next_player++;
            for (int round = 0; round < 500; ++round) {
                table.queue.wait(sched::kNever, [&] { return table.turn == me; });
                ++table.rounds;
                table.turn = 1 - me;
                table.queue.wake_all();
            }
        });
        KERNEL_EXPECT(crew.add(nullptr));
        KERNEL_EXPECT(crew.add(nullptr));
    }
    KERNEL_EXPECT(table.rounds == 1000);
}

KERNEL_TEST(mutex_excludes_and_is_fair) {
    struct Shared {
        sync::Mutex<sync::Rank::process> mutex;
        std::uint64_t value = 0; // changed without atomics, on purpose
        std::uint64_t taken[4] = {};
        std::atomic<bool> stop{false};
        std::atomic<int> next{0};
    };
    static Shared shared;
    shared.stop = false;
    {
        Crew crew([](void*) {
            const int me = shared.next++;
            for (int i = 0; i < 300; ++i) {
                sync::Mutex<sync::Rank::process>::Guard guard(shared.mutex);
                const std::uint64_t old = shared.value;
                if (i % 16 == 0) sched::yield();
                shared.value = old + 1;
                ++shared.taken[me];
            }
        });
        for (int i = 0; i < 4; ++i)
            KERNEL_EXPECT(crew.add(nullptr));
    }
    KERNEL_EXPECT(shared.value == 1200);
    KERNEL_EXPECT(!shared.mutex.is_held());
}

KERNEL_TEST(sleep_ends_at_its_deadline) {
    std::uint64_t worst = 0;
    for (int i = 0; i < 10; ++i) {
        const std::uint64_t deadline = sched::now_ns() + 3 * kMs;
        KERNEL_EXPECT(sched::sleep_until(deadline) == sched::Outcome::timed_out);
        const std::uint64_t woke = sched::now_ns();
        KERNEL_EXPECT(woke >= deadline);
        if (woke - deadline > worst) worst = woke - deadline;
    }
    KERNEL_EXPECT_EXACT(worst < kMs);
}

KERNEL_TEST(wait_times_out_and_polls) {
    sched::WaitQueue queue;
    KERNEL_EXPECT(queue.wait(0, [] { return false; }) == sched::Outcome::timed_out);
    KERNEL_EXPECT(queue.wait(0, [] { return true; }) == sched::Outcome::ready);
    const std::uint64_t deadline = sched::now_ns() + 2 * kMs;
    KERNEL_EXPECT(queue.wait(deadline, [] { return false; }) == sched::Outcome::timed_out);
    KERNEL_EXPECT(sched::now_ns() >= deadline);
    KERNEL_EXPECT(!queue.has_waiters());
}

KERNEL_TEST(spinning_threads_are_preempted) {
    static std::atomic<bool> stop;
    static std::atomic<std::uint64_t> spins[4];
    static std::atomic<int> next;
    stop = false;
    next = 0;
    {
        // More spinners than CPUs: each must get its part although none ever gives way.
        Crew crew([](void*) {
            std::atomic<std::uint64_t>& mine = spins[next++ % 4];
            while (!stop)
                ++mine;
        });
        for (auto& count : spins)
            count = 0;
        for (int i = 0; i < 4; ++i)
            KERNEL_EXPECT(crew.add(nullptr));
        const std::uint64_t end = sched::now_ns() + 400 * kMs;
        bool all = false;
        while (!all && sched::now_ns() < end + 4000 * kMs) {
            sched::sleep_until(sched::now_ns() + 20 * kMs);
            all = sched::now_ns() >= end;
            for (auto& count : spins)
                all = all && count != 0;
        }
        stop = true;
        KERNEL_EXPECT(all);
        std::uint64_t least = ~0ull, most = 0;
        for (unsigned i = 0; i < 4; ++i) {
            const std::uint64_t ran = crew.thread(i).cpu_ns();
            if (ran < least) least = ran;
            if (ran > most) most = ran;
        }
        KERNEL_EXPECT_EXACT(least * 10 > most * 9);
    }
}

KERNEL_TEST(kill_reaches_every_wait_at_every_moment) {
    // Threads that go from one kind of wait into the next, killed at a moment that moves on with each round.
    static sched::WaitQueue queue;
    static std::atomic<unsigned> passed;
    const auto waits = [](void*) {
        for (unsigned i = 0; !Thread::current().is_killed(); ++i) {
            ++passed;
            switch (i % 3) {
            case 0:
                (void)queue.wait(sched::now_ns() + kMs / 50, [] { return false; });
                break;
            case 1:
                (void)sched::sleep_until(sched::now_ns() + kMs / 100);
                break;
            default:
                queue.wake_one();
                sched::yield();
                break;
            }
        }
        // Now it must be seen in waits without an end too.
        (void)queue.wait(sched::kNever, [] { return false; });
        (void)sched::sleep_until(sched::kNever);
    };
    for (unsigned round = 0; round < 40; ++round) {
        passed = 0;
        Crew crew(waits);
        for (int i = 0; i < 4; ++i)
            KERNEL_EXPECT(crew.add(nullptr));
        while (passed < 8 + round)
            sched::yield();
        for (unsigned i = 0; i < 4; ++i)
            crew.thread(i).kill();
        crew.join(); // hangs, and the test with it, if one is lost
    }
    KERNEL_EXPECT(!queue.has_waiters());
}

KERNEL_TEST(kill_ends_a_wait) {
    static std::atomic<int> outcomes;
    outcomes = 0;
    static sched::WaitQueue queue;
    Crew crew([](void*) {
        if (queue.wait(sched::kNever, [] { return false; }) == sched::Outcome::interrupted) ++outcomes;
        if (sched::sleep_until(sched::kNever) == sched::Outcome::interrupted) ++outcomes;
    });
    KERNEL_EXPECT(crew.add(nullptr));
    while (!queue.has_waiters())
        sched::yield();
    KERNEL_EXPECT(outcomes == 0);
    crew.thread(0).kill();
    crew.join();
    KERNEL_EXPECT(outcomes == 2);
    KERNEL_EXPECT(!queue.has_waiters());
}

KERNEL_TEST(dead_threads_give_everything_back) {
    const auto run = [] {
        Crew crew([](void*) {});
        for (int i = 0; i < 8; ++i)
            if (!crew.add(nullptr)) return false;
        return true;
    };
    const auto settle = [] { sched::sleep_until(sched::now_ns() + 20 * kMs); };
    // Each CPU may keep a cache of free frames back from the count: enough threads that a loss would be larger.
    const unsigned cpus = arch::cpu_count();
    const std::uint64_t kept_back = std::uint64_t{64} * cpus;
    KERNEL_EXPECT(run()); // fills the caches
    settle();
    const std::uint64_t before = mm::frame_counts().free;
    for (unsigned i = 0; i < 10 * cpus; ++i) // 80 threads a CPU, each with 4 stack pages and more
        KERNEL_EXPECT(run());
    bool is_back = false;
    for (int i = 0; i < 3000 && !is_back; ++i) { // the reaper may be late on a busy host
        settle();
        is_back = mm::frame_counts().free + kept_back >= before;
    }
    KERNEL_EXPECT(is_back);
}

KERNEL_TEST_ON(threads_spread_over_cpus, 2) {
    static std::atomic<std::uint64_t> seen;
    static std::atomic<bool> stop;
    seen = 0;
    stop = false;
    Crew crew([](void*) {
        while (!stop) {
            arch::InterruptGuard guard;
            seen.fetch_or(1ull << arch::cpu_index());
        }
    });
    for (unsigned i = 0; i < arch::cpu_count(); ++i)
        KERNEL_EXPECT(crew.add(nullptr));
    const std::uint64_t all = (1ull << arch::cpu_count()) - 1;
    const std::uint64_t give_up = sched::now_ns() + 5000 * kMs;
    while (seen != all && sched::now_ns() < give_up)
        sched::sleep_until(sched::now_ns() + 10 * kMs);
    stop = true;
    crew.join();
    KERNEL_EXPECT(seen == all);
}

KERNEL_TEST_ON(thread_migrates, 2) {
    // One thread more than CPUs, all spinning: the odd one out takes turns, so threads change their CPU.
    static std::atomic<bool> stop;
    static std::atomic<int> moves;
    stop = false;
    moves = 0;
    Crew crew([](void*) {
        unsigned last = ~0u;
        while (!stop) {
            arch::InterruptGuard guard;
            const unsigned cpu = arch::cpu_index();
            if (last != ~0u && cpu != last) ++moves;
            last = cpu;
        }
    });
    for (unsigned i = 0; i <= arch::cpu_count(); ++i)
        KERNEL_EXPECT(crew.add(nullptr));
    const std::uint64_t give_up = sched::now_ns() + 5000 * kMs;
    while (moves < 4 && sched::now_ns() < give_up)
        sched::sleep_until(sched::now_ns() + 20 * kMs);
    stop = true;
    crew.join();
    KERNEL_EXPECT(moves >= 4);
}

} // namespace aios
