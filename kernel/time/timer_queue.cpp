// The timers of each CPU. The first deadline is kept beside the lock too, so that the scheduler can program the
// hardware from under its own lock. Lock: Rank::timer_queue, one a CPU, never two at once.
#include "kernel/time/timer_queue.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/sync/lock.hpp"
#include "kernel/time/clock.hpp"

namespace aios::time {

namespace {

// What an interrupt costs beside the work that is measured: entry, exit, the hardware's next deadline.
constexpr std::uint64_t kInterruptCost = 1'000; // ns
// What an interrupt may take before it leaves the rest to the next one: looked at after each expiry, of which one alone
// takes 15,000 instructions at most (a timer with all the listeners that it takes, in chains of queues with threads).
constexpr std::uint64_t kMostTime = 20'000; // ns
// When an interrupt has done all it may, the interrupted thread runs at least so long.
constexpr std::uint64_t kPause = 100'000; // ns

struct Cpu {
    sync::SpinLock<sync::Rank::timer_queue> lock;
    PayerQueue queue AIOS_GUARDED_BY(lock);
    PayerTimers of_kernel AIOS_GUARDED_BY(lock);
    std::atomic<std::uint64_t> first{kNever}; // written under the lock
    std::uint64_t paused_until = 0;           // this CPU's own, interrupts off
    void publish_locked() AIOS_REQUIRES(lock) {
        lock.assert_held();
        first.store(queue.next_deadline(), std::memory_order_relaxed);
    }
    PayerTimers& timers_of_locked(const TimerEntry& entry, std::uint32_t cpu) AIOS_REQUIRES(lock) {
        lock.assert_held();
        return entry.payer == nullptr ? of_kernel : upcall::timers_of(*entry.payer, cpu);
    }
};
constinit arch::PerCpu<Cpu> g_cpus;

bool remove(TimerEntry& entry) {
    for (;;) {
        const std::uint32_t cpu = entry.cpu.load(std::memory_order_acquire);
        Cpu& owner = g_cpus.of(cpu);
        sync::SpinLock<sync::Rank::timer_queue>::Guard guard(owner.lock);
        if (entry.cpu.load(std::memory_order_relaxed) != cpu) continue;
        if (!entry.node.is_linked()) return false;
        owner.queue.remove(owner.timers_of_locked(entry, cpu), entry);
        owner.publish_locked();
        return true;
    }
}

} // namespace

// Two CPUs that arm the same entry at once are serialised by its owner (a thread arms only its own; Timer has a lock).
void arm(TimerEntry& entry, std::uint64_t deadline) {
    remove(entry);
    if (deadline == kNever) return;
    arch::InterruptGuard guard;
    bool is_first;
    {
        // The entry is armed nowhere: its queue may change. Under the old queue's lock, as cancel() expects.
        Cpu& old = g_cpus.of(entry.cpu.load(std::memory_order_relaxed));
        sync::SpinLock<sync::Rank::timer_queue>::Guard lock(old.lock);
        entry.cpu.store(arch::cpu_index(), std::memory_order_release);
    }
    {
        Cpu& mine = g_cpus.mine();
        sync::SpinLock<sync::Rank::timer_queue>::Guard lock(mine.lock);
        const std::uint64_t before = mine.first.load(std::memory_order_relaxed);
        mine.queue.insert(mine.timers_of_locked(entry, arch::cpu_index()), entry, deadline);
        mine.publish_locked();
        is_first = mine.first.load(std::memory_order_relaxed) < before;
    }
    if (is_first) upcall::deadline_changed();
}

bool cancel(TimerEntry& entry) { return remove(entry); }

// One entry, or one look at a payer that has to wait, each under the lock by itself: others wait for the lock no longer
// than that. (1) The first payer that is due is asked for its standing. (2) One that is ahead of its share is put off
// until the others have caught up; else its first entry fires, and its next one stands behind the other payers. (3)
// Either way the time is charged to it. (4) After kMostExpiries rounds, or kMostTime, the rest waits for the next
// interrupt, which does not come before the interrupted thread has run for kPause.
std::uint64_t run_due(std::uint64_t now) {
    const unsigned cpu = arch::cpu_index();
    Cpu& mine = g_cpus.mine();
    std::uint64_t charged = 0, since = now;
    std::uint64_t cost = kInterruptCost;
    for (unsigned left = kMostExpiries; left != 0; --left) {
        sync::SpinLock<sync::Rank::timer_queue>::Guard guard(mine.lock);
        PayerTimers* due = mine.queue.first_due(now);
        if (due == nullptr) return charged;
        sched::ShareGroup* payer = due->payer;
        const std::uint64_t delay = payer == nullptr ? 0 : upcall::timer_delay(*payer, cpu, now);
        if (delay == 0) mine.queue.fire_one(*due, now);
        mine.queue.hold(*due, now + delay); // also without a delay: behind the others that are due
        mine.publish_locked();
        const std::uint64_t after = now_ns();
        if (payer != nullptr) {
            upcall::charge_timer(*payer, cpu, after - since + cost, now);
            charged += after - since + cost;
            cost = 0;
        }
        since = after;
        if (after - now >= kMostTime) break;
    }
    mine.paused_until = since + kPause;
    return charged;
}

std::uint64_t next_deadline() {
    const Cpu& mine = g_cpus.mine();
    const std::uint64_t first = mine.first.load(std::memory_order_relaxed);
    return first < mine.paused_until ? mine.paused_until : first;
}

} // namespace aios::time
