// park and unpark, preemption, the billing of lent time, and the hooks of the interrupt entry.
#include "kernel/sched/run_queue.hpp"

namespace aios::sched {

namespace {

// The thread is blocked: it becomes runnable, in no queue. Called with the lock of its queue, which it releases.
void take_out_of_sleep(Thread& thread, RunQueue& queue, unsigned target) AIOS_NO_LOCK_ANALYSIS {
    thread.state_.store(ThreadState::runnable, std::memory_order_relaxed);
    thread.billed->runnable_changed(+1);
    if (target != queue.cpu) {
        thread.virtual_time = rebase(thread.virtual_time, queue.floor(), RunQueue::of(target).floor());
        thread.cpu.store(target, std::memory_order_release);
    }
    queue.release();
}

// Ours to run on this CPU if it was blocked; else it gets a token. Interrupts off.
bool claim(Thread& thread) AIOS_NO_LOCK_ANALYSIS {
    RunQueue& queue = RunQueue::lock_of(thread);
    if (thread.state_.load(std::memory_order_relaxed) != ThreadState::blocked) {
        thread.wake_token = true;
        queue.release();
        return false;
    }
    take_out_of_sleep(thread, queue, arch::cpu_index());
    return true;
}

// Changes who is billed. Lock of its queue held.
void bill_locked(RunQueue& queue, Thread& thread, ShareGroup& group) {
    if (thread.billed == &group) return;
    if (queue.current == &thread) queue.account(now_ns());
    const ThreadState state = thread.state_.load(std::memory_order_relaxed);
    const bool counted = state == ThreadState::runnable || state == ThreadState::running;
    if (counted) thread.billed->runnable_changed(-1);
    thread.billed = &group;
    if (counted) group.runnable_changed(+1);
}

} // namespace

void park(Deadline deadline, Thread* next) AIOS_NO_LOCK_ANALYSIS {
    sync::assert_may_block();
    Thread& me = Thread::current();
    if (deadline != kNever) time::arm(*me.sleep_timer(), deadline);
    {
        arch::InterruptGuard guard;
        const bool claimed = next != nullptr && claim(*next);
        RunQueue& queue = RunQueue::mine();
        queue.acquire();
        if (me.wake_token) {
            me.wake_token = false;
            if (claimed) queue.push(*next);
            queue.release();
            queue.kick();
        } else {
            me.state_.store(ThreadState::blocked, std::memory_order_relaxed);
            queue.switch_away(claimed ? next : nullptr);
        }
    }
    if (deadline != kNever) time::cancel(*me.sleep_timer());
}

void unpark(Thread& thread) AIOS_NO_LOCK_ANALYSIS {
    arch::InterruptGuard guard;
    RunQueue& queue = RunQueue::lock_of(thread);
    switch (thread.state_.load(std::memory_order_relaxed)) {
    case ThreadState::blocked: {
        const unsigned target = choose_cpu(thread);
        take_out_of_sleep(thread, queue, target);
        enter_on(thread, target);
        return;
    }
    case ThreadState::created:
    case ThreadState::runnable:
    case ThreadState::running:
        thread.wake_token = true;
        break;
    case ThreadState::dead:
        break;
    }
    queue.release();
}

void yield() AIOS_NO_LOCK_ANALYSIS {
    arch::InterruptGuard guard;
    RunQueue& queue = RunQueue::mine();
    if (queue.waiting.load(std::memory_order_relaxed) == 0) return;
    queue.acquire();
    queue.account(now_ns());
    queue.step_behind_first();
    queue.current->state_.store(ThreadState::runnable, std::memory_order_relaxed);
    queue.switch_away(nullptr);
}

void preempt_if_asked() AIOS_NO_LOCK_ANALYSIS {
    if (!Thread::has_current()) return;
    while (RunQueue::mine().need_switch.load(std::memory_order_relaxed)) {
        RunQueue& queue = RunQueue::mine();
        queue.acquire();
        queue.current->state_.store(ThreadState::runnable, std::memory_order_relaxed);
        queue.switch_away(nullptr);
    }
}

void lend_from(Thread& payer) {
    arch::InterruptGuard guard;
    Thread& me = Thread::current();
    RunQueue& queue = RunQueue::mine();
    queue.acquire();
    queue.account(now_ns());
    if (!me.is_lent) me.own_distance = me.virtual_time - queue.floor();
    me.is_lent = true;
    bill_locked(queue, me, *payer.billed);
    // A hint, read without the payer's lock: it sleeps, or is about to.
    const VirtualTime floor_there = RunQueue::of(payer.cpu.load(std::memory_order_relaxed)).floor();
    me.virtual_time = rebase(payer.virtual_time, floor_there, queue.floor());
    me.lent_since = me.virtual_time;
    queue.release();
}

void lend_end(Thread& server, Thread* payer) {
    arch::InterruptGuard guard;
    RunQueue& queue = RunQueue::lock_of(server);
    if (queue.current == &server) {
        queue.account(now_ns());
        if (server.is_lent) {
            if (payer != nullptr) payer->virtual_debt.fetch_add(server.virtual_time - server.lent_since);
            server.virtual_time = later_of(server.own_distance + queue.floor(), queue.floor() - kSleeperCredit);
        }
    }
    server.is_lent = false; // elsewhere it keeps the place that it has
    bill_locked(queue, server, server.owner()->share_group());
    queue.release();
}

void lend_change(Thread& server, ShareGroup& billed) {
    arch::InterruptGuard guard;
    RunQueue& queue = RunQueue::lock_of(server);
    bill_locked(queue, server, billed);
    queue.release();
}

void settle_accounts() {
    const std::uint64_t now = now_ns();
    for (unsigned cpu = 0; cpu < arch::cpu_count(); cpu++) {
        arch::InterruptGuard guard;
        RunQueue& queue = RunQueue::of(cpu);
        queue.acquire();
        if (queue.current != nullptr) queue.account(now);
        queue.release();
    }
}

} // namespace aios::sched

namespace aios::time {
void deadline_changed() {
    if (Thread::has_current()) sched::RunQueue::mine().program_timer();
}
} // namespace aios::time

namespace aios::arch::hook {

void timer() {
    if (Thread::has_current()) sched::RunQueue::mine().tick(time::now_ns());
}
void reschedule() {
    if (Thread::has_current()) sched::RunQueue::mine().program_timer();
}
void kernel_preempt() { sched::preempt_if_asked(); }

} // namespace aios::arch::hook
