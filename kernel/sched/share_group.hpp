// A node in the tree of CPU shares, one an agent. Its members (own runnable threads, kUsualWeight each, and active
// children, each with its weight) divide what the group gets; what is asleep takes no part.
//
// Each member has a virtual time in its group: what it ran, divided by its weight. Weights are fixed, so a slice costs
// the same whatever else starts or stops meanwhile. A group's time is one for all CPUs: an agent on many CPUs moves on
// faster, so its number of threads and their places do not change its share. Who has the least time runs next.
//
// Holds always: a group's clock never goes back; a member that becomes active stands at most kSleeperCredit behind
// those that wait. Debt and credit of an agent are its group's, so they do not vanish with a thread. No locks: atomics,
// and one part a CPU that belongs to that CPU's run queue (its lock) and timer queue (its lock).
#pragma once

#include <algorithm>
#include <atomic>

#include "abi/call_types.hpp"
#include "base/intrusive_tree.hpp"
#include "base/result.hpp"
#include "kernel/sched/virtual_time.hpp"
#include "kernel/sched/wait_queue.hpp"
#include "kernel/time/timer_queue.hpp"

namespace aios::sched {

class ShareGroup;

// What can run: a thread, as far as sharing is concerned. Under the lock of the run queue that it belongs to.
struct Runnable {
    TreeNode run_node;            // in CpuPart::threads while it waits for a CPU
    VirtualTime virtual_time = 0; // among the members of `billed`
    // Who is billed: the owner's group, or, while it serves an ipc_call, the caller's.
    ShareGroup* billed = nullptr;
    bool waits_as_batch = false; // while it waits for a CPU: its agent was a batch agent when that began
};

// What of a group waits on one CPU. Linked into its parent's part of the same CPU while it has members that wait.
struct alignas(64) CpuPart {
    TreeNode node;
    VirtualTime key = 0; // the group's time when it was put there; the group may have moved on meanwhile
    ShareGroup* group = nullptr;
    IntrusiveTree<Runnable, &Runnable::run_node, &Runnable::virtual_time, EarlierVirtual> threads;
    IntrusiveTree<CpuPart, &CpuPart::node, &CpuPart::key, EarlierVirtual> groups;
    std::atomic<VirtualTime> least{0}; // of the members that wait here; read by other CPUs
    time::PayerTimers timers;          // under the lock of the CPU's timer queue
    [[nodiscard]] bool has_waiting() const { return !threads.is_empty() || !groups.is_empty(); }
};

// At most `quota_ns` of CPU time in each `period_ns`, over all CPUs. 0: no limit.
struct CpuBudget {
    std::uint64_t quota_ns = 0, period_ns = 0;
};

class ShareGroup {
public:
    static constexpr unsigned kMostCpus = 64;
    static constexpr unsigned kMaxDepth = 128; // below this, groups stand beside their parent

    // `parent` must outlive the group. weight 1..10000.
    constexpr ShareGroup(ShareGroup* parent, std::uint32_t weight, CpuBudget budget = {})
        : parent_(parent), weight_(weight), factor_((std::uint64_t{kUsualWeight} << kFactorShift) / weight),
          budget_(budget) {}
    ~ShareGroup();
    ShareGroup(const ShareGroup&) = delete;

    // Before a thread of the group runs, and after the parent: makes its parts, part_bytes(cpus) of memory.
    // out_of_memory.
    Result<> prepare(unsigned cpus);
    // The same in memory of the caller's that stays.
    void prepare_in(CpuPart* parts, unsigned cpus);
    [[nodiscard]] static constexpr std::size_t part_bytes(unsigned cpus) { return cpus * sizeof(CpuPart); }

    [[nodiscard]] ShareGroup* parent() const { return parent_; }
    [[nodiscard]] unsigned depth() const { return depth_; }
    [[nodiscard]] std::uint32_t weight() const { return weight_; }
    [[nodiscard]] CpuPart& part(unsigned cpu) { return parts_[cpu]; }
    [[nodiscard]] VirtualTime time() const { return time_.load(std::memory_order_relaxed); }
    // Where it stands in the order of the parent's members: its time, less what a hint lets it go before its turn.
    [[nodiscard]] VirtualTime turn() const { return time() - advance(); }
    [[nodiscard]] std::uint64_t cpu_ns() const { return cpu_ns_.load(std::memory_order_relaxed); }
    void charge_cpu(std::uint64_t ns) { cpu_ns_.fetch_add(ns, std::memory_order_relaxed); }
    // What `ns` of running cost this group among its parent's members.
    [[nodiscard]] VirtualTime virtual_of(std::uint64_t ns) const {
        constexpr unsigned kShift = kFactorShift - kVirtualShift;
        return ns < kLongest ? ns * factor_ >> kShift : (ns >> kShift) * factor_;
    }

    // A thread billed to this group became runnable or stopped. The group, and those above, take their places when they
    // become active.
    void thread_starts();
    void thread_stops();
    // Where a member stands that was at `time` when it last ran: at most kSleeperCredit behind, less what a hint lets it go
    // before its turn.
    [[nodiscard]] VirtualTime place(VirtualTime time, VirtualTime advance = 0) const;
    // Where a new thread starts: one slice behind the others, so that making threads gains nothing.
    [[nodiscard]] VirtualTime place_of_new() const;
    // The least time of the members that wait; if none waits, of one that has a CPU to itself.
    [[nodiscard]] VirtualTime reference() const;

    // Work that was done for the group by an interrupt of `cpu`, beside its threads. `idle`: nothing else ran there.
    enum class CpuWas : std::uint8_t { busy, idle };
    void charge_work(std::uint64_t ns, std::uint64_t now, CpuWas cpu);
    // How long (virtual ns) such work has to wait; 0: its turn has come. It waits while the group, or one above, is
    // ahead of those that it shares with by more than kWorkAhead of its own running. Within the group, work and threads
    // take turns: where threads wait, work of kWorkAhead is followed by as much running, or the threads, even killed
    // ones, would never run; and what threads ran gives work a turn, or a thread with a CPU to itself would keep the
    // group ahead for ever. First agents and the kernel never wait.
    [[nodiscard]] std::uint64_t ahead() const;

    // --- hints: hint.cpp tells what they do. Any context
    // `cpu_ns` and `deadline` are of AgentHint::deadline.
    void give_hint(AgentHint hint, std::uint64_t cpu_ns, std::uint64_t deadline, std::uint64_t now);
    [[nodiscard]] AgentHint hint() const {
        return static_cast<AgentHint>(hint_.load(std::memory_order_relaxed) & kHintBits);
    }
    // How far (virtual) it goes before its turn; below zero: behind it.
    [[nodiscard]] VirtualTime advance() const { return hint_.load(std::memory_order_relaxed) & ~kHintBits; }
    // Whether it goes before its turn, or will when its deadline is nearer.
    [[nodiscard]] bool goes_before() const { return hint() == AgentHint::interactive || hint() == AgentHint::deadline; }
    // Before a member takes its place: how near its deadline is by now.
    void renew_hint(std::uint64_t now) {
        if (hint() == AgentHint::deadline) renew_deadline(now);
    }

    // --- budgets; any context
    void spend(std::uint64_t ns, std::uint64_t now); // of this group and of those above
    // Until when the group must not run, by its own budget or one above: 0 if it may run now.
    [[nodiscard]] std::uint64_t exhausted_until(std::uint64_t now);
    // What the group may run before a budget is used up: ~0 if there is none.
    [[nodiscard]] std::uint64_t budget_left(std::uint64_t now);
    [[nodiscard]] CpuBudget budget() const { return budget_; } // its own
    [[nodiscard]] bool is_limited() const { return is_limited_; }

    // --- stopping: gate.cpp tells how. Any thread context without locks
    // The group's threads, and those of all groups below it, are to stop at the gates, or may go on. Whoever stops or
    // lets go then tells the groups below, each once: they must look, they may be through.
    void stop() { is_stopped_.store(true, std::memory_order_seq_cst); }
    void let_go() { is_stopped_.store(false, std::memory_order_seq_cst); }
    void must_look();
    void wake_stopped() { stopped_.wake_all(); }
    // Whether its threads are to stop: by itself or a group above. Not when must_look() was not said.
    [[nodiscard]] bool has_to_stop();
    // Whether a thread must ask anything before it goes to user mode. One load.
    [[nodiscard]] bool must_ask() const { return (gate_.load(std::memory_order_acquire) & kMustAsk) != 0; }
    // The current thread stops here until its group may go on, or it is killed. Interrupts on.
    void stop_here();

private:
    friend class FairQueue;
    static constexpr unsigned kFactorShift = 20;
    static constexpr std::uint64_t kLongest = 1ull << 36;
    static constexpr std::uint64_t kWorkAhead = 2'000'000; // ns
    void advance_clock(VirtualTime time);
    void raise_time(VirtualTime least);
    void take_place();
    void refill(std::uint64_t now);
    void renew_deadline(std::uint64_t now);
    [[nodiscard]] VirtualTime most_advance() const {
        return std::min(virtual_of(kMostAdvance), virtual_ns(kMostAdvance));
    }
    void move_lead(std::int64_t by);

    ShareGroup* parent_;
    unsigned depth_ = 0; // set by prepare
    const std::uint32_t weight_;
    const std::uint64_t factor_; // usual weight / weight
    const CpuBudget budget_;
    bool is_limited_ = false; // a budget here or above; set by prepare
    static constexpr std::uint64_t kMustLook = 1, kHasBudget = 2, kMustAsk = kMustLook | kHasBudget, kLookNumber = 4;
    std::atomic<std::uint64_t> gate_{kMustLook}; // those, and a count of must_look() above them
    std::atomic<bool> is_stopped_{false};        // itself, not by one above
    WaitQueue stopped_;
    CpuPart* parts_ = nullptr;
    bool parts_are_own_ = false;
    std::atomic<std::int64_t> active_{0};     // own runnable threads and active children
    std::atomic<VirtualTime> time_{0};        // among the parent's members
    std::atomic<VirtualTime> clock_{0};       // the latest time at which a member of ours was chosen, or ran alone
    std::atomic<std::uint64_t> contended_{0}; // CPUs on which members wait
    std::atomic<std::uint64_t> cpu_ns_{0};
    std::atomic<std::int64_t> work_lead_{0}; // ns of charge_work less what threads ran, within kWorkAhead
    static constexpr VirtualTime kHintBits = 7;
    std::atomic<VirtualTime> hint_{0}; // the advance, and in its lowest bits the hint: no two of different hints
    std::atomic<std::uint64_t> deadline_{0}, deadline_cpu_{0}; // when, and at which cpu_ns() it has had what it wanted
    std::atomic<std::uint64_t> period_end_{0};                 // the budget's; 0 before the first
    std::atomic<std::int64_t> used_ns_{0}; // in this period; what was used beyond the quota is carried on
};

} // namespace aios::sched
