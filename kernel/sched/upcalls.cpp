// What the rooms below ask of the scheduler (docs/design/upcalls.md): sleep and wake-up for mutexes, the prices of timers,
// and the interrupts that concern who runs.
#include <algorithm>

#include "kernel/sched/run_queue.hpp"

namespace aios::sync::upcall {

HeldLocks* current_thread_locks() { return Thread::has_current() ? &Thread::current().held_mutexes : nullptr; }
void park() { sched::park(sched::kNever); }
void unpark(void* thread) { sched::unpark(*static_cast<Thread*>(thread)); }

} // namespace aios::sync::upcall

namespace aios::time::upcall {

void deadline_changed() {
    if (Thread::has_current()) sched::RunQueue::mine().program_timer();
}

std::uint64_t timer_delay(sched::ShareGroup& payer, unsigned cpu, std::uint64_t now) {
    if (const std::uint64_t until = payer.exhausted_until(now); until > now) return until - now; // no budget left
    // On an idle CPU nobody is kept from running. Else the others catch up by one virtual nanosecond a nanosecond and
    // CPU if they have the usual weight.
    if (sched::RunQueue::of(cpu).current->is_idle) return 0;
    const std::uint64_t ahead = payer.ahead() / arch::cpu_count();
    constexpr std::uint64_t kShortest = 200'000, kLongest = 20'000'000;
    return ahead == 0 ? 0 : std::clamp(ahead, kShortest, kLongest);
}

void charge_timer(sched::ShareGroup& payer, unsigned cpu, std::uint64_t ns, std::uint64_t now) {
    using CpuWas = sched::ShareGroup::CpuWas;
    payer.charge_work(ns, now, sched::RunQueue::of(cpu).current->is_idle ? CpuWas::idle : CpuWas::busy);
}

PayerTimers& timers_of(sched::ShareGroup& payer, unsigned cpu) { return payer.part(cpu).timers; }

} // namespace aios::time::upcall

namespace aios::arch::upcall {

void timer() {
    if (Thread::has_current()) sched::RunQueue::mine().tick(time::now_ns());
}
void reschedule() {
    if (Thread::has_current()) sched::RunQueue::mine().program_timer();
}
void kernel_preempt() { sched::preempt_if_asked(); }

} // namespace aios::arch::upcall
