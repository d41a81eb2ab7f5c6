// Threads and the scheduler's face. A thread belongs to a ThreadOwner (a process, or the kernel), is billed to the
// ShareGroup of its agent (or of the agent whose call it serves), and blocks on WaitQueues.
//
// Holds always: a thread is running on one CPU, in one run queue, blocked, or under way between two queues; its stack
// is freed by another thread, after it has left it for ever. A wake-up of a thread that is not blocked leaves a token
// that the next park() consumes. Locks: Rank::run_queue (one a CPU), Rank::wait_queue; Rank::lending (one a thread).
//
// How no wake-up is lost, between a thread that waits and one that wakes it:
//   (1) The waiter makes itself known (a queue entry, a call's state) under a lock that the waker takes too, and then
//       looks at its condition, at its deadline and at interrupt and kill.
//   (2) It calls park(), which takes the lock of its run queue. A wake-up since the last park() has left a token under
//       that lock: then it returns at once. Else its state becomes `blocked` under the same lock.
//   (3) The waker changes the condition first, and then calls unpark(), which takes the same run queue's lock: it finds
//       `blocked` and makes the thread runnable, or anything else and leaves the token that (2) finds.
//   (4) The waiter goes back to (1). A wake-up that came for an older reason therefore costs one more look and no more.
// interrupt() and kill() are wakers like others: the flag is the condition, set before unpark().
#pragma once

#include "base/intrusive_list.hpp"
#include "base/intrusive_tree.hpp"
#include "kernel/object/object.hpp"
#include "kernel/object/source.hpp"
#include "kernel/sched/share_group.hpp"
#include "kernel/sched/wait_queue.hpp"
#include "kernel/sync/held.hpp"
#include "kernel/sync/lock.hpp"
#include "kernel/time/clock.hpp"
#include "kernel/time/timer_queue.hpp"

namespace aios {
class Thread;
namespace mm {
class AddressSpace;
}
namespace ipc {
struct Call;
struct Disposal;
} // namespace ipc
} // namespace aios

namespace aios::sched {

class RunQueue;
struct BootThreads; // boot.cpp

// Whose run queue has the thread. Everybody may look; it changes under the lock of the queue that it names, so RunQueue
// alone writes it, in functions that require the lock.
class CpuNumber {
public:
    explicit CpuNumber(std::uint32_t first) : number_(first) {} // nobody else knows of the thread yet
    [[nodiscard]] std::uint32_t load(std::memory_order order) const { return number_.load(order); }

private:
    friend class RunQueue;
    void store(std::uint32_t number, std::memory_order order) { number_.store(number, order); }
    std::atomic<std::uint32_t> number_;
};

// What a thread belongs to. kernel/agent implements it for processes.
class ThreadOwner {
public:
    virtual ShareGroup& share_group() = 0;
    virtual mm::AddressSpace* address_space() = 0;  // nullptr: kernel thread. Constant, like the group
    virtual void thread_exited(Thread& thread) = 0; // runs on the dying thread, last act with the owner alive
    virtual void retain() = 0;
    virtual void release() = 0;

protected:
    ~ThreadOwner() = default;
};

} // namespace aios::sched

namespace aios {

enum class ThreadState : std::uint8_t { created, runnable, running, blocked, dead };

class Thread final : public Object, public sched::Runnable {
public:
    static constexpr ObjectType kType = ObjectType::thread;

    // A thread that starts in user mode with `frame`; the stack, extended state and object are charged to `payer`.
    static Result<Ref<Thread>> create_user(Payer& payer, Ref<sched::ThreadOwner> owner, const arch::TrapFrame& frame,
                                           std::uint64_t fs_base);
    // A thread of `owner` that starts in the kernel, with interrupts enabled and the owner's address space active: how
    // the first thread of a process loads its program. It ends with arch::enter_user() or exit_current().
    static Result<Ref<Thread>> create_in_kernel(Payer& payer, Ref<sched::ThreadOwner> owner, void (*entry)(void*),
                                                void* argument);
    // A kernel thread; `name` must stay valid. It ends when `entry` returns.
    static Result<Ref<Thread>> create_kernel(const char* name, void (*entry)(void*), void* argument);
    void start(); // created -> runnable; once

    [[nodiscard]] static Thread& current();
    [[nodiscard]] static bool has_current(); // false early in boot
    [[nodiscard]] sched::ThreadOwner* owner() const { return owner_.get(); }
    // The owner's, kept here because every switch and every way to user mode asks for them.
    [[nodiscard]] sched::ShareGroup& own_group() const { return own_group_; }
    [[nodiscard]] mm::AddressSpace* address_space() const { return address_space_; }
    [[nodiscard]] ThreadState state() const { return state_.load(std::memory_order_acquire); }
    [[nodiscard]] const char* name() const { return name_; }
    [[nodiscard]] bool is_user() const { return extended_state != nullptr; }
    [[nodiscard]] std::uint64_t cpu_ns() const; // up to now, also of a running thread

    // Ask the thread to leave at its next call boundary: wakes it from interruptible waits. `kill` is final.
    void interrupt();
    void kill();
    [[nodiscard]] bool is_interrupted() const { return interrupted_.load(std::memory_order_acquire) || is_killed(); }
    [[nodiscard]] bool is_killed() const { return killed_.load(std::memory_order_acquire); }
    void clear_interrupt() { interrupted_.store(false, std::memory_order_release); }

    [[noreturn]] static void exit_current(); // calls owner->thread_exited

    event::Source* event_source() override { return &ended_; } // kSignalEnded
    void handle_removed(Rights) override { ended_.drop_ended(); }
    void revoked_for(std::uint64_t) override { ended_.drop_ended(); }

    // The personality's own data of this thread (signal mask, clear_child_tid, ...). Owned by the personality.
    void* personality_data = nullptr;
    // What it works on: of the message that it took last. Its own, and a new thread's from whoever makes it.
    TraceId trace{};
    // The frame of the current call, for personalities that read or change registers.
    arch::TrapFrame* user_frame = nullptr;
    // Set while it copies to or from user memory; only it and its CPU's interrupts look (kernel/entry/upcalls.cpp).
    std::atomic<bool> touches_user_memory{false};
    // In its process's list; kernel/agent's.
    ListNode owner_node;

    // --- for kernel/sched and kernel/ipc only ------------------------------------------------------------------------
    arch::KernelContext context;
    void* extended_state = nullptr; // of user threads; while a thread runs, the registers hold the truth
    arch::UserBases bases;          // likewise
    std::uint64_t stack_top = 0;    // constant until it is dead
    bool stack_is_own = false;      // false: the boot stack of a CPU, never freed
    // Under the lock of the run queue of `cpu`, which changes under the same:
    sched::CpuNumber cpu{arch::cpu_index()}; // of whoever makes it
    std::atomic<std::uint64_t> debt_ns{0};   // run by servers on this thread's behalf, not yet in its virtual time
    std::uint64_t started_running = 0;
    std::atomic<std::uint64_t> run_ns{0};
    std::atomic<ThreadState> state_{ThreadState::created};
    bool wake_token = false;
    bool is_idle = false;
    bool is_lent = false; // runs in the place of a caller; its own place waits in own_time
    sched::VirtualTime own_time = 0;
    std::uint64_t lent_ns = 0; // run in the caller's place so far
    time::TimerEntry* sleep_timer() { return &timer_; }
    // ipc_call: the call that this thread serves, and the one that it waits in. A link lies under the locks of two
    // threads; ipc/lending.hpp tells which and in which order.
    sync::SpinLock<sync::Rank::lending> lend_lock;
    ipc::Call* serving AIOS_GUARDED_BY(lend_lock) = nullptr;
    ipc::Call* calling AIOS_GUARDED_BY(lend_lock) = nullptr;
    ipc::Disposal* disposing = nullptr; // ends channels, one after the other: kernel/ipc/disposal.cpp
    sync::HeldLocks held_mutexes;
    Thread* next_dead = nullptr; // in the list of the dead, under its lock

    Thread(mm::OnHeap, Reservation charge, Ref<sched::ThreadOwner> owner, const char* name);
    ~Thread() override;

private:
    static Result<Ref<Thread>> create(Reservation charge, Ref<sched::ThreadOwner> owner, const char* name);
    static Result<Ref<Thread>> create_charged(Payer& payer, Ref<sched::ThreadOwner> owner);
    static void first_act(void* thread);
    struct SleepTimer final : time::TimerEntry {
        explicit SleepTimer(Thread& owner);
        Thread& thread;
    };
    Ref<sched::ThreadOwner> owner_;
    sched::ShareGroup& own_group_;
    mm::AddressSpace* const address_space_;
    const char* name_; // constant
    std::atomic<bool> interrupted_{false}, killed_{false};
    SleepTimer timer_{*this};
    event::Source ended_;
    struct Entry {
        void (*function)(void*) = nullptr;
        void* argument = nullptr;
        arch::TrapFrame frame{};
    } entry_;
    friend struct sched::BootThreads;
};

namespace sched {

void init();                  // boot CPU: from now on the boot code is a thread and may block
[[noreturn]] void run_idle(); // ends the boot thread; the CPU goes on with what is runnable
void yield();
// Sleeps until the deadline: timed_out, or interrupted.
Outcome sleep_until(Deadline deadline);
[[nodiscard]] std::uint64_t now_ns(); // monotonic; time::now_ns
// Charges what runs at this moment on all CPUs, so that cpu_ns() of groups is up to now. For accounts and reports.
void settle_accounts();
// For upcall::before_user, interrupts off: lets others run if the slice is over. May switch; returns with interrupts off.
void preempt_if_asked();
// For upcall::before_user, interrupts off: while the agent is stopped, or has used up its CPU budget, the thread sleeps
// here for a while. False: it need not, and interrupts were off all the time. True: everything must be looked at again.
[[nodiscard]] bool wait_for_leave();

// The root of all weights: the group of the first agent is its child. Kernel threads have a group of their own beside
// it.
[[nodiscard]] ShareGroup& root_group();

// --- the mechanism under WaitQueue, mutexes and ipc
//
// Blocks the current thread until unpark() or the deadline; may return early, so callers look again in a loop. `next`,
// if it refers to a thread: one that is blocked and about to be woken by the caller; the CPU is handed straight to it
// (else it is woken as by unpark). The reference is gone when anything sleeps, and when park() returns.
void park(Deadline deadline, Ref<Thread>* next = nullptr);
void unpark(Thread& thread); // any context; makes it runnable, or leaves a token
// Handing the CPU over, for ipc: the current thread wakes one that is about to be asked or has been answered, and sleeps.
// Interrupts stay off from (1) to (3), and a lock that both threads need keeps them apart:
//   (1) Under that lock the caller changes what `next` waits for. claim() then takes `next` out of its sleep: it is
//       runnable, in no queue, and ours. One that is not blocked keeps a token and is left alone: false.
//   (2) hand_over() takes the lock of this CPU's run queue and makes the current thread `blocked`. Only then is `lock`
//       released: whoever changes what the current thread waits for finds it blocked, or wakes it by the token.
//   (3) It switches to `next`. If a token had come before (2), it puts `next` in the queue and returns: the current
//       thread goes on, and looks.
[[nodiscard]] bool claim(Thread& next);
// The same with a server whose link to the current thread has just been made (both lend_locks are held): it is billed
// to what the current thread is billed to, before it runs.
[[nodiscard]] bool lend_and_claim(Thread& server);
// `payer`: the current thread served it up to now, and returns to its own group as by lend_end(). May be nullptr.
void hand_over(Thread& next, Deadline deadline, sync::SpinLock<sync::Rank::channel>& lock, Thread* payer)
    AIOS_RELEASE(lock);
// Billing. The caller holds the lend_lock of the server, and of `payer` before it.
// The current thread is billed to what `payer` is billed to, and takes its place in virtual time.
void lend_from(Thread& payer);
// `server` is billed to its owner again, at its own place; what it ran meanwhile is added to `payer`'s virtual time.
void lend_end(Thread& server, Thread& payer);
void lend_change(Thread& server, ShareGroup& billed); // in the middle of a chain
// The current thread is charged with `ns` more than it ran, for what another thread will do on its behalf.
void charge_current(std::uint64_t ns);

} // namespace sched

} // namespace aios
