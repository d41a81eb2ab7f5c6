// One timer queue a CPU. The first deadline is kept beside the lock too, so that the scheduler can program the hardware
// from under its own lock. Lock: Rank::timer_queue, one a CPU, never two at once.
#include "kernel/time/timer_queue.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::time {

namespace {

struct Cpu {
    sync::SpinLock<sync::Rank::timer_queue> lock;
    TimerQueue queue;
    std::atomic<std::uint64_t> first{kNever};
    void publish() { first.store(queue.next_deadline(), std::memory_order_relaxed); }
};
constinit arch::PerCpu<Cpu> g_cpus;

bool remove(TimerEntry& entry) {
    for (;;) {
        const std::uint32_t cpu = entry.cpu.load(std::memory_order_acquire);
        Cpu& owner = g_cpus.of(cpu);
        sync::SpinLock<sync::Rank::timer_queue>::Guard guard(owner.lock);
        if (entry.cpu.load(std::memory_order_relaxed) != cpu) continue;
        const bool was_armed = owner.queue.remove(entry);
        if (was_armed) owner.publish();
        return was_armed;
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
        mine.queue.insert(entry, deadline);
        is_first = deadline < mine.first.load(std::memory_order_relaxed);
        mine.publish();
    }
    if (is_first) deadline_changed();
}

bool cancel(TimerEntry& entry) { return remove(entry); }

void run_due(std::uint64_t now) {
    Cpu& mine = g_cpus.mine();
    for (;;) { // one at a time, so that others wait for the lock no longer than that
        sync::SpinLock<sync::Rank::timer_queue>::Guard guard(mine.lock);
        const bool fired = mine.queue.fire_one(now);
        mine.publish();
        if (!fired) return;
    }
}

std::uint64_t next_deadline() { return g_cpus.mine().first.load(std::memory_order_relaxed); }

} // namespace aios::time
