// One CPU's run queue: the running thread, those that wait for the CPU, the slice, and the switch itself. Only
// kernel/sched.
//
// The lock is held across a context switch: the thread that leaves takes it, the thread that arrives releases it
// (finish_switch). So whoever holds a run queue's lock sees every thread of that queue wholly saved. Never two of these
// locks at once: a thread that moves between queues is `runnable` and in no queue on its way.
#pragma once

#include "kernel/sched/fair.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::sched {

class RunQueue {
public:
    static RunQueue& mine(); // interrupts off
    static RunQueue& of(unsigned cpu);
    // The queue of `thread`, locked. Interrupts off.
    static RunQueue& lock_of(Thread& thread);

    void acquire() AIOS_NO_LOCK_ANALYSIS { lock_.acquire(); }
    void release() AIOS_NO_LOCK_ANALYSIS { lock_.release(); }

    // --- with the lock held
    // ---------------------------------------------------------------------------------------------------
    void account(std::uint64_t now); // charges the running thread up to now
    void push(Thread& thread);       // it enters here: a new, woken or moved thread; may ask for preemption
    void step_behind_first();        // yield: others first
    // Leaves the CPU to `next`, or to whoever is first. The current thread's state says whether it stays runnable.
    // Releases the lock; returns, perhaps on another CPU, when the thread runs again.
    void switch_away(Thread* next);
    [[nodiscard]] std::uint64_t load() const; // sum of shares, of at most kLoadSample threads

    // --- without
    // -------------------------------------------------------------------------------------------------------------
    void kick();                                    // after push from elsewhere: tells the CPU, if it needs to know
    static void finish_switch();                    // first act of a thread that was switched to
    void program_timer();                           // this CPU's; interrupts off
    void tick(std::uint64_t now);                   // timer interrupt
    void become_current(Thread& thread, bool idle); // boot
    [[nodiscard]] VirtualTime floor() const { return floor_.load(std::memory_order_relaxed); }

    std::atomic<bool> need_switch{false};
    std::atomic<std::uint32_t> waiting{0}; // threads in the queue; a hint for others
    Thread* current = nullptr;
    Thread* idle = nullptr;
    unsigned cpu = 0;

private:
    friend void balance_from(RunQueue& queue);
    friend Thread* steal();
    static constexpr unsigned kLoadSample = 32;
    static constexpr std::uint64_t kBalancePeriod = 16'000'000;
    void update_floor();
    void save_user_state(Thread& thread);
    void load_user_state(Thread& thread);

    sync::SpinLock<sync::Rank::run_queue> lock_;
    FairQueue<Thread, &Thread::run_node, &Thread::virtual_time> queue_;
    std::atomic<VirtualTime> floor_{0};
    Thread* left_ = nullptr; // who was switched away from
    std::uint64_t slice_end_ = 0;
    std::uint64_t next_balance_ = 0;
    std::uint64_t programmed_ = kNever;
    std::atomic<bool> kick_wanted_{false};
};

// Where a thread that wakes up should run: its last CPU, or one that is idle. balance.cpp
unsigned choose_cpu(const Thread& thread);
void cpu_online(unsigned cpu);
void set_idle(unsigned cpu, bool idle);
Thread* steal();                             // for a CPU that has nothing: a thread, in no queue, or nullptr
void enter_on(Thread& thread, unsigned cpu); // `thread` is runnable and in no queue
void balance_from(RunQueue& queue);          // moves a waiting thread to a CPU with less load; interrupts off, no lock
[[noreturn]] void idle_loop();
void bury(Thread& thread); // hands a dead thread that was left to the reaper

} // namespace aios::sched
