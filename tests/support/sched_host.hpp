// Kernel threads on host threads, for tests of what waits: the real WaitQueue, Mutex and EventQueue above a park() and
// unpark() made of a condition variable. Shares are not simulated; who is billed is (Thread::billed).
#pragma once

#include <atomic>
#include <functional>

#include "kernel/quota/quota.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::test {

// Makes the calling host thread a kernel thread for its life.
class AsThread {
public:
    explicit AsThread(sched::ShareGroup* group = nullptr);
    ~AsThread();
    Thread& thread() { return *thread_; }

private:
    Ref<Thread> thread_;
};

// Runs `function` on a host thread that is a kernel thread; joined at the end of its life.
class HostThread {
public:
    explicit HostThread(std::function<void()> function, sched::ShareGroup* group = nullptr);
    ~HostThread();
    Thread& thread();
    void join();
    // Returns once the thread sleeps in park(). Whoever wants to see it wait asks here, instead of sleeping for a
    // moment that is long enough on a quiet machine.
    void await_parked();
    // Joins it. False if it did not end within ten seconds, which is ages: then nobody has woken it, and it is killed.
    // A deadline of its own would not do: whoever wakes at a deadline looks again, and finds what he was not woken for.
    [[nodiscard]] bool ends_by_itself();

private:
    struct State;
    State* state_;
};

Ref<Quota> plenty();              // a payer for tests
extern std::atomic<long> unparks; // wake-ups so far
// If not 0, what the clock says; it stands still then, and deadlines behind it do not come.
extern std::atomic<std::uint64_t> held_clock;

} // namespace aios::test
