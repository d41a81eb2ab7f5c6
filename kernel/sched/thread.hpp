// Threads and the scheduler's face. A thread belongs to a ThreadOwner (a process, or the kernel), is scheduled in the ShareGroup
// of its agent, and blocks on WaitQueues. Locks: Rank::run_queue (one a CPU), Rank::wait_queue.
#pragma once

#include "base/intrusive_tree.hpp"
#include "kernel/object/object.hpp"
#include "kernel/sync/lock.hpp"

namespace aios {
class Thread;
namespace mm {
class AddressSpace;
}
} // namespace aios

namespace aios::sched {

using Deadline = std::uint64_t; // nanoseconds on the monotonic clock; kNoDeadline = never
inline constexpr Deadline kNever = ~0ull;

// A node in the tree of CPU weights: children and own threads divide their parent's share. One an agent. fair.hpp has the
// arithmetic, which host tests exercise.
class ShareGroup {
public:
    ShareGroup(ShareGroup* parent, std::uint32_t weight) : parent_(parent), weight_(weight) {}
    [[nodiscard]] ShareGroup* parent() const { return parent_; }
    [[nodiscard]] std::uint32_t weight() const { return weight_; }
    [[nodiscard]] std::uint64_t cpu_ns() const { return cpu_ns_.load(std::memory_order_relaxed); }
    void runnable_changed(int difference); // a thread billed to this group became runnable (+1) or stopped (-1)
    void charge_cpu(std::uint64_t ns) { cpu_ns_.fetch_add(ns, std::memory_order_relaxed); }
    // This group's part of one CPU's time right now, in 1/65536, divided by its runnable threads.
    [[nodiscard]] std::uint32_t thread_share() const;

private:
    ShareGroup* parent_;
    std::uint32_t weight_;
    std::atomic<std::uint32_t> runnable_threads_{0};
    std::atomic<std::uint64_t> active_child_weight_{0};
    std::atomic<std::uint64_t> cpu_ns_{0};
};

// What a thread belongs to. kernel/agent implements it for processes.
class ThreadOwner {
public:
    virtual ShareGroup& share_group() = 0;
    virtual mm::AddressSpace* address_space() = 0; // nullptr: kernel thread
    virtual void thread_exited(Thread& thread) = 0; // runs on the dying thread, last act with the owner alive
    virtual void retain() = 0;
    virtual void release() = 0;

protected:
    ~ThreadOwner() = default;
};

enum class Outcome : std::uint8_t { ready, timed_out, interrupted };

// Threads waiting for a condition. The condition is checked after enqueueing, so no wake-up is lost:
//   Outcome o = queue.wait(deadline, [&] { return has_message(); });
class WaitQueue {
public:
    // Blocks the current thread until `ready()` answers true, the deadline passes, or the thread is interrupted (kill, signal).
    template <typename Condition>
    Outcome wait(Deadline deadline, Condition&& ready);
    void wake_one();
    void wake_all();
    [[nodiscard]] bool has_waiters() const;

    struct Entry {
        ListNode node;
        Thread* thread = nullptr;
        bool queued = false;
    };

private:
    void enqueue(Entry& entry);
    bool dequeue(Entry& entry); // false if a waker has taken it off already
    static Outcome sleep(Entry& entry, Deadline deadline); // blocks unless woken since enqueue
    sync::SpinLock<sync::Rank::wait_queue> lock_;
    IntrusiveList<Entry, &Entry::node> entries_;
};

} // namespace aios::sched

namespace aios {

enum class ThreadState : std::uint8_t { created, runnable, running, blocked, dead };

class Thread final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::thread;

    // A thread that starts in user mode with `frame`; the stack, extended state and object are charged to `payer`.
    static Result<Ref<Thread>> create_user(Payer& payer, Ref<sched::ThreadOwner> owner, const arch::TrapFrame& frame,
                                           std::uint64_t fs_base);
    static Result<Ref<Thread>> create_kernel(const char* name, void (*entry)(void*), void* argument);
    // A thread of `owner` that starts in the kernel, with interrupts enabled and the owner's address space active: how the first
    // thread of a process loads its program. It ends with arch::enter_user() or exit_current().
    static Result<Ref<Thread>> create_in_kernel(Payer& payer, Ref<sched::ThreadOwner> owner, void (*entry)(void*),
                                                void* argument);
    void start(); // created -> runnable

    [[nodiscard]] static Thread& current();
    [[nodiscard]] static bool has_current(); // false early in boot
    [[nodiscard]] sched::ThreadOwner* owner() const { return owner_.get(); }
    [[nodiscard]] ThreadState state() const { return state_; }
    [[nodiscard]] std::uint64_t cpu_ns() const;

    // Ask the thread to leave at its next call boundary: wakes it from interruptible waits. `kill` is final.
    void interrupt();
    void kill();
    [[nodiscard]] bool is_interrupted() const { return interrupted_.load(std::memory_order_acquire); }
    [[nodiscard]] bool is_killed() const { return killed_.load(std::memory_order_acquire); }
    void clear_interrupt() { interrupted_.store(false, std::memory_order_release); }

    [[noreturn]] static void exit_current();

    // The personality's own data of this thread (signal mask, clear_child_tid, ...). Owned by the personality.
    void* personality_data = nullptr;
    // The frame of the current call, for personalities that read or change registers.
    arch::TrapFrame* user_frame = nullptr;

    // --- for kernel/sched only; see sched.cpp -----------------------------------------------------------------------------------
    arch::KernelContext context;
    void* extended_state = nullptr;
    std::uint64_t fs_base = 0, gs_base = 0;
    std::uint64_t stack_top = 0;
    TreeNode run_node; // in a run queue, by virtual time
    std::uint64_t virtual_time = 0, started_running = 0, run_ns = 0;
    std::atomic<std::uint32_t> cpu{0};
    // Who is billed: the owner's group, or, while it serves an ipc_call, the caller's.
    sched::ShareGroup* billed = nullptr;
    ThreadState state_ = ThreadState::created;

private:
    Thread(Reservation charge, Ref<sched::ThreadOwner> owner);
    ~Thread() override;
    Ref<sched::ThreadOwner> owner_;
    std::atomic<bool> interrupted_{false}, killed_{false};
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
};

namespace sched {
void init();                       // boot CPU; starts its idle thread
[[noreturn]] void run_idle();      // becomes this CPU's idle thread
void yield();
void block_and_switch_to(Thread& receiver); // ipc_call: hand the CPU straight over (kernel/ipc)
[[nodiscard]] std::uint64_t now_ns(); // monotonic, kernel/time
} // namespace sched

} // namespace aios
