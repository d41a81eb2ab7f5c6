// park and unpark, preemption, and the billing of lent time.
//
// How a waiter and a waker meet is told in thread.hpp, steps (1) to (4); the numbers below are those. What they stand on:
//   (a) Thread::cpu names the run queue whose lock covers the thread's state, token and place. It changes only under that
//       lock (RunQueue::send_to). lock_of() loads it, takes the lock, and looks again: if it is still the same, it stays so
//       until the lock is let go; if not, the thread was moved in between, and it tries again.
//   (b) A thread that goes to sleep writes `blocked` under that lock, and the lock is let go by the thread that comes after
//       it, on its own stack (finish_switch). So whoever finds `blocked` under the lock finds a thread that has left its
//       stack and whose registers are saved: it may run elsewhere at once.
//   (c) A thread between two queues is `runnable` and in none. Whoever took it out owns it alone; a waker that comes
//       meanwhile finds it not blocked, and leaves the token.
//   (d) The token is one bit, written by wakers and taken by the thread itself, both under the lock. Two wake-ups may become
//       one: each came after its condition was changed, and the thread looks at all conditions after it took the token.
//   (e) What a waker wrote before unpark() is seen after park(): its release of the lock pairs with the acquisition of the
//       same lock by the sleeper (token), or by the CPU that takes the thread out of its queue.
#include "kernel/sched/run_queue.hpp"

namespace aios::sched {

namespace {

// The thread is blocked: it becomes runnable, in no queue, and is ours (c). With the lock of its queue, which it releases.
void take_out_of_sleep(Thread& thread, RunQueue& queue, unsigned target) AIOS_RELEASE(queue.lock()) {
    queue.assert_held();
    thread.state_.store(ThreadState::runnable, std::memory_order_relaxed);
    thread.billed->thread_starts();
    thread.virtual_time = thread.billed->place(thread.virtual_time);
    queue.send_to(thread, target);
    queue.release();
}

// `server` keeps its own place while it is lent. Its queue is locked; it is noted up to now.
void begin_lending(Thread& server) {
    if (!server.is_lent) server.own_time = server.virtual_time;
    server.is_lent = true;
    server.lent_ns = 0;
}

// The payer sleeps or is about to: its place is read without its run queue's lock and may be out by one account.
VirtualTime place_of(Thread& payer) { return std::atomic_ref(payer.virtual_time).load(std::memory_order_relaxed); }

// The current thread's, with what it has run and not been noted for.
VirtualTime own_place_now(const Thread& me) {
    const std::uint64_t now = now_ns();
    return me.virtual_time + (now > me.started_running ? virtual_ns(now - me.started_running) : 0);
}

} // namespace

bool claim(Thread& next) {
    RunQueue& queue = RunQueue::lock_of(next);
    queue.assert_held();
    // relaxed: under the lock, like every look at a state in this file.
    if (next.state_.load(std::memory_order_relaxed) != ThreadState::blocked) {
        next.wake_token = true; // (3): it has not slept yet, and finds the token at (2)
        queue.release();
        return false;
    }
    take_out_of_sleep(next, queue, arch::cpu_index());
    return true;
}

bool lend_and_claim(Thread& server) {
    Thread& payer = Thread::current();
    RunQueue& queue = RunQueue::lock_of(server);
    queue.assert_held();
    const bool sleeps = server.state_.load(std::memory_order_relaxed) == ThreadState::blocked;
    if (queue.current == &server) queue.account(now_ns());
    begin_lending(server);
    queue.rebill(server, *payer.billed, own_place_now(payer)); // of one that sleeps no group hears anything yet
    if (sleeps) {
        take_out_of_sleep(server, queue, arch::cpu_index());
        return true;
    }
    server.wake_token = true;
    queue.release();
    return false;
}

void hand_over(Thread& next, Deadline deadline, sync::SpinLock<sync::Rank::channel>& lock, Thread* payer) {
    lock.assert_held();
    Thread& me = Thread::current();
    if (deadline != kNever) time::arm(*me.sleep_timer(), deadline);
    RunQueue& queue = RunQueue::mine();
    queue.acquire();
    const std::uint64_t now = now_ns();
    queue.note(now);
    const bool was_lent = payer != nullptr && me.is_lent;
    if (was_lent) {
        payer->debt_ns.fetch_add(me.lent_ns, std::memory_order_relaxed);
        me.is_lent = false;
    }
    if (!me.wake_token) {
        queue.settle_for(&next, now);
        me.billed->thread_stops();
        if (was_lent) { // it takes part in neither group: its own hears of it when it wakes
            me.billed = &me.own_group();
            me.virtual_time = me.own_time;
        }
        me.state_.store(ThreadState::blocked, std::memory_order_relaxed);
        // Whoever takes `lock` now and wakes us waits for the run queue's lock until we have left the stack (b).
        lock.release();
        queue.switch_to(next, now);
    } else {
        me.wake_token = false;
        queue.settle(now);
        if (was_lent) queue.rebill(me, me.own_group(), me.own_time);
        lock.release();
        queue.push(next);
        queue.release();
        queue.kick();
    }
    if (deadline != kNever) time::cancel(*me.sleep_timer());
}

// Who sleeps keeps no other thread alive, or an agent could not end while a stranger's server waits. So the reference
// to `next` is given up first: one that was claimed cannot end before it has run, and until it has ended the
// scheduler's own reference keeps it; for one that somebody else has woken we come back early, where interrupts are on.
void park(Deadline deadline, Ref<Thread>* next) {
    sync::assert_may_block();
    Thread& me = Thread::current();
    const bool hands_over = next != nullptr && *next;
    bool claimed = false;
    if (deadline != kNever) time::arm(*me.sleep_timer(), deadline);
    {
        arch::InterruptGuard guard;
        Thread* to = nullptr;
        if (hands_over && (claimed = claim(**next))) {
            to = next->get();
            next->reset();
        }
        if (claimed || !hands_over) {
            RunQueue& queue = RunQueue::mine();
            queue.acquire();
            if (me.wake_token) { // (2) a wake-up came since (1)
                me.wake_token = false;
                if (to != nullptr) queue.push(*to);
                queue.release();
                queue.kick();
            } else {
                const std::uint64_t now = now_ns();
                queue.note(now);
                // (2) From here on a waker finds us asleep, and gets the lock when we have left the stack (b).
                me.state_.store(ThreadState::blocked, std::memory_order_relaxed);
                queue.switch_away(to, now);
            }
        }
    }
    if (deadline != kNever) time::cancel(*me.sleep_timer());
    if (hands_over && !claimed) next->reset();
}

void unpark(Thread& thread) {
    arch::InterruptGuard guard;
    RunQueue& queue = RunQueue::lock_of(thread);
    queue.assert_held();
    switch (thread.state_.load(std::memory_order_relaxed)) { // (3)
    case ThreadState::blocked: {
        const unsigned target = choose_cpu(thread);
        take_out_of_sleep(thread, queue, target);
        enter_on(thread, target);
        return;
    }
    case ThreadState::created:
    case ThreadState::runnable:
    case ThreadState::running: // or about to be: it finds the token when it is to sleep
        thread.wake_token = true;
        break;
    case ThreadState::dead:
        break;
    }
    queue.release();
}

void yield() {
    arch::InterruptGuard guard;
    RunQueue& queue = RunQueue::mine();
    if (queue.waiting.load(std::memory_order_relaxed) == 0) return;
    queue.acquire();
    queue.yield(now_ns());
}

namespace {

[[gnu::noinline]] void switch_while_asked() {
    do {
        RunQueue& queue = RunQueue::mine();
        queue.acquire();
        const std::uint64_t now = now_ns();
        queue.note(now);
        queue.current->state_.store(ThreadState::runnable, std::memory_order_relaxed);
        queue.switch_away(nullptr, now);
    } while (RunQueue::mine().need_switch.load(std::memory_order_relaxed));
}

// The budget is that of the thread's own agent: a server is not held up for a caller's, which pays what it used too
// much in its next periods. Here no lock is held and no kernel work is under way, so nobody waits for the sleeper.
[[gnu::noinline]] bool sleep_without_leave(Thread& me) {
    ShareGroup& group = me.own_group();
    const bool is_stopped = group.has_to_stop() && !me.is_killed();
    const std::uint64_t until = is_stopped || me.is_interrupted() ? 0 : group.exhausted_until(now_ns());
    if (!is_stopped && until == 0) return false;
    arch::interrupts_enable();
    if (is_stopped)
        group.stop_here();
    else
        park(until);
    arch::interrupts_disable();
    return true;
}

} // namespace

void preempt_if_asked() {
    if (Thread::has_current() && RunQueue::mine().need_switch.load(std::memory_order_relaxed)) switch_while_asked();
}

bool wait_for_leave() {
    Thread& me = Thread::current();
    return me.own_group().must_ask() && sleep_without_leave(me);
}

// How lent time is paid, so that neither the server's agent nor the caller gains by it:
//   (1) From lend_from() on, all that the server runs is charged to the caller's group at once, and counted in lent_ns.
//       The server stands at the caller's place among the threads of that group.
//   (2) lend_end() adds lent_ns to the caller's debt, which its own virtual time takes in when it runs next; a caller
//       that serves somebody itself hands that debt on in its own lent_ns, so a chain pays from its end to its start.
//   (3) The server returns to the place that it had in its own group. It has run nothing there meanwhile.
// Only run time is handed on, never a difference of virtual times: those of two groups do not compare.
void lend_from(Thread& payer) {
    arch::InterruptGuard guard;
    Thread& me = Thread::current();
    RunQueue& queue = RunQueue::mine();
    queue.acquire();
    queue.account(now_ns());
    begin_lending(me);
    queue.rebill(me, *payer.billed, place_of(payer));
    queue.release();
}

void lend_end(Thread& server, Thread& payer) {
    arch::InterruptGuard guard;
    RunQueue& queue = RunQueue::lock_of(server);
    queue.assert_held();
    if (queue.current == &server) queue.account(now_ns());
    if (server.is_lent) {
        payer.debt_ns.fetch_add(server.lent_ns, std::memory_order_relaxed);
        server.is_lent = false;
        queue.rebill(server, server.own_group(), server.own_time);
    }
    queue.release();
}

void lend_change(Thread& server, ShareGroup& billed) {
    arch::InterruptGuard guard;
    RunQueue& queue = RunQueue::lock_of(server);
    queue.assert_held();
    if (queue.current == &server) queue.account(now_ns());
    if (server.billed != &billed) queue.rebill(server, billed, billed.reference());
    queue.release();
}

void charge_current(std::uint64_t ns) {
    arch::InterruptGuard guard;
    RunQueue& queue = RunQueue::mine();
    queue.acquire();
    queue.account(now_ns());
    queue.current->started_running -= ns; // as if it had started so much earlier
    queue.account(now_ns());
    queue.release();
}

void settle_accounts() {
    const std::uint64_t now = now_ns();
    for (unsigned cpu = 0; cpu < arch::cpu_count(); ++cpu) {
        arch::InterruptGuard guard;
        RunQueue& queue = RunQueue::of(cpu);
        queue.acquire();
        if (queue.current != nullptr) queue.account(now);
        queue.release();
    }
}

} // namespace aios::sched
