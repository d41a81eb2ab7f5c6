// One CPU's run queue: the running thread, those that wait for the CPU, the slice, and the switch itself. Only
// kernel/sched.
//
// The lock is held across a context switch: the thread that leaves takes it, the thread that arrives releases it
// (finish_switch). So whoever holds a run queue's lock sees every thread of that queue wholly saved. Two of these locks
// are held only by even_out(), which takes the one of the lower CPU first; elsewhere a thread that moves between queues
// is `runnable` and in no queue on its way.
#pragma once

#include "kernel/sched/fair.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::sched {

class RunQueue {
public:
    static RunQueue& mine(); // interrupts off
    static RunQueue& of(unsigned cpu);
    // The queue of `thread`, locked. Interrupts off. The caller goes on with assert_held(), as clang has no name for the
    // lock of what a function answers.
    static RunQueue& lock_of(Thread& thread);

    using Lock = sync::SpinLock<sync::Rank::run_queue>;
    [[nodiscard]] Lock& lock() AIOS_RETURNS_CAPABILITY(lock_) { return lock_; }
    void acquire() AIOS_ACQUIRE(lock_) { lock_.acquire(); }
    void acquire_peer() AIOS_ACQUIRE(lock_) { lock_.acquire_peer(); } // of a higher CPU, after another queue's
    void release() AIOS_RELEASE(lock_) { lock_.release(); }
    void assert_held() const AIOS_ASSERT_CAPABILITY(lock_) { lock_.assert_held(); }

    // --- with the lock held ------------------------------------------------------------------------------------------
    // Charges the running thread up to now, and its group with those above. note() charges the thread alone; what the
    // groups get is kept in `owed_ns_`, at most kMostOwed, and told by settle(). So threads that hand the CPU to and fro
    // within one group (a call: the server is billed to the caller's) walk up the tree once for many switches.
    void account(std::uint64_t now) AIOS_REQUIRES(lock_) {
        note(now);
        settle(now);
    }
    void note(std::uint64_t now) AIOS_REQUIRES(lock_);
    void settle(std::uint64_t now) AIOS_REQUIRES(lock_);
    // `thread` is of this queue, and in none: from now on it is of that of `target`. Thread::cpu changes nowhere else, so
    // who holds the lock of the queue that it names (lock_of) has the thread.
    void send_to(Thread& thread, unsigned target) AIOS_REQUIRES(lock_);
    // It enters here: a new, woken or moved thread; may ask for preemption.
    void push(Thread& thread) AIOS_REQUIRES(lock_);
    // Bills `thread`, of this queue, to `group`, where it stands at `place`.
    void rebill(Thread& thread, ShareGroup& group, VirtualTime place) AIOS_REQUIRES(lock_);
    // Leaves the CPU to `next`, or to whoever is first. The current thread's state says whether it stays runnable.
    // Releases the lock; returns, perhaps on another CPU, when the thread runs again. Noted up to `now`.
    void switch_away(Thread* next, std::uint64_t now) AIOS_RELEASE(lock_);
    // The first one that waits takes the current thread's place, which steps behind it. Releases the lock.
    void yield(std::uint64_t now) AIOS_RELEASE(lock_);
    // Its two halves, for a thread that has told its group by itself that it stops. `next` is given.
    void settle_for(const Thread* next, std::uint64_t now) AIOS_REQUIRES(lock_);
    void switch_to(Thread& next, std::uint64_t now) AIOS_RELEASE(lock_);

    // --- without -----------------------------------------------------------------------------------------------------
    void kick();                  // after push from elsewhere: tells the CPU, if it needs to know
    static void finish_switch();  // first act of a thread that was switched to
    void program_timer();         // this CPU's; interrupts off
    void tick(std::uint64_t now); // timer interrupt
    enum class Role : std::uint8_t { boot, idle };
    void become_current(Thread& thread, Role role); // boot

    std::atomic<bool> need_switch{false};
    std::atomic<std::uint32_t> waiting{0}; // threads in the queue; a hint for others
    Thread* current = nullptr;             // changed under the lock, by this CPU: it may read it without
    Thread* idle = nullptr;                // constant once the CPU runs
    unsigned cpu = 0;                      // likewise

private:
    friend void even_out(RunQueue& queue);
    friend Thread* steal();
    // seq_cst: pairs with the look of a CPU that has just become idle (idle_loop). Where nothing changes there is nothing
    // to tell, and a hand-over changes nothing.
    void count_waiting() AIOS_REQUIRES(lock_) {
        if (waiting.load(std::memory_order_relaxed) != queue_.size())
            waiting.store(queue_.size(), std::memory_order_seq_cst);
    }
    [[nodiscard]] std::uint64_t slice_end() const { return slice_end_.load(std::memory_order_relaxed); }
    void set_slice_end(std::uint64_t ns) AIOS_REQUIRES(lock_) { slice_end_.store(ns, std::memory_order_relaxed); }
    void insert(Thread& thread, std::uint64_t now) AIOS_REQUIRES(lock_) {
        assert_held();
        thread.billed->renew_hint(now);
        queue_.insert(thread);
    }
    static constexpr std::uint64_t kMostOwed = 50'000; // ns
    void save_user_state(Thread& thread);
    void load_user_state(Thread& thread);

    Lock lock_;
    FairQueue queue_ AIOS_GUARDED_BY(lock_);
    Thread* left_ AIOS_GUARDED_BY(lock_) = nullptr; // who was switched away from
    // By the group that the running thread is billed to, and those above it.
    std::uint64_t owed_ns_ AIOS_GUARDED_BY(lock_) = 0;
    std::atomic<std::uint64_t> slice_end_{0}; // written under the lock; program_timer() reads it without
    // This CPU's own, interrupts off:
    std::uint64_t next_balance_ = 0;
    unsigned partner_ = 0; // the CPU with which this one evened out last
    std::uint64_t programmed_ = kNever;
    std::atomic<bool> kick_wanted_{false};
};

// Where a thread that wakes up should run: its last CPU, or one that is idle. balance.cpp
unsigned choose_cpu(const Thread& thread);
void cpu_online(unsigned cpu);
enum class Idleness : std::uint8_t { busy, idle };
void set_idleness(unsigned cpu, Idleness idleness);
Thread* steal();                             // for a CPU that has nothing: a thread, in no queue, or nullptr
void enter_on(Thread& thread, unsigned cpu); // `thread` is runnable and in no queue
void even_out(RunQueue& queue); // moves a thread that is behind to where its turn comes; interrupts off, no lock
[[noreturn]] void idle_loop();
void bury(Thread& thread); // hands a dead thread that was left to the reaper

} // namespace aios::sched
