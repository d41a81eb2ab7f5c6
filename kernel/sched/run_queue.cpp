// The switch, the slice and the accounts of one CPU. See run_queue.hpp for the lock.
#include "kernel/sched/run_queue.hpp"

#include "kernel/mm/address_space.hpp"

namespace aios::sched {

namespace {
constinit arch::PerCpu<RunQueue> g_queues;
}

RunQueue& RunQueue::mine() { return g_queues.mine(); }
RunQueue& RunQueue::of(unsigned cpu) { return g_queues.of(cpu); }

// No analysis: it returns with the lock.
RunQueue& RunQueue::lock_of(Thread& thread) AIOS_NO_LOCK_ANALYSIS {
    for (;;) {
        const unsigned cpu = thread.cpu.load(std::memory_order_acquire);
        RunQueue& queue = of(cpu);
        queue.acquire();
        if (thread.cpu.load(std::memory_order_relaxed) == cpu) return queue;
        queue.release();
    }
}

void RunQueue::become_current(Thread& thread, Role role) {
    acquire();
    cpu = arch::cpu_index();
    thread.cpu.store(cpu, std::memory_order_relaxed);
    thread.is_idle = role == Role::idle;
    thread.state_.store(ThreadState::running, std::memory_order_relaxed);
    thread.started_running = now_ns();
    if (thread.is_idle) idle = &thread;
    queue_.init(root_group(), cpu);
    current = &thread;
    release();
    arch::set_current_thread(&thread, thread.stack_top);
}

void RunQueue::note(std::uint64_t now) {
    assert_held();
    Thread& thread = *current;
    if (now <= thread.started_running) return; // read before another CPU accounted, or an interrupt was charged away
    const std::uint64_t ran = now - thread.started_running;
    thread.started_running = now;
    // Only its own CPU writes it, under the lock; others read.
    thread.run_ns.store(thread.run_ns.load(std::memory_order_relaxed) + ran, std::memory_order_relaxed);
    if (thread.is_idle) return;
    std::uint64_t debt = 0; // that comes while we look is taken in the next time
    if (thread.debt_ns.load(std::memory_order_relaxed) != 0)
        debt = thread.debt_ns.exchange(0, std::memory_order_relaxed);
    if (thread.is_lent) thread.lent_ns += ran + debt;
    thread.virtual_time += virtual_ns(ran + debt);
    owed_ns_ += ran;
}

void RunQueue::settle(std::uint64_t now) {
    assert_held();
    if (owed_ns_ == 0) return;
    const std::uint64_t ran = std::exchange(owed_ns_, 0);
    current->billed->charge_cpu(ran);
    current->billed->spend(ran, now);
    queue_.charge_groups(*current, ran);
}

void RunQueue::send_to(Thread& thread, unsigned target) {
    assert_held();
    AIOS_ASSERT(thread.cpu.load(std::memory_order_relaxed) == cpu);
    // release: pairs with the acquire in lock_of()
    if (target != cpu) thread.cpu.store(target, std::memory_order_release);
}

void RunQueue::push(Thread& thread) {
    assert_held();
    const std::uint64_t now = now_ns();
    note(now); // what its group owes is too little to change who goes first
    if (owed_ns_ >= kMostOwed || current->billed->is_limited()) settle(now);
    AIOS_ASSERT(thread.cpu.load(std::memory_order_relaxed) == cpu);
    thread.state_.store(ThreadState::runnable, std::memory_order_relaxed);
    insert(thread, now);
    count_waiting();
    if (current->is_idle || should_preempt(thread, *current)) {
        need_switch.store(true, std::memory_order_relaxed);
        kick_wanted_.store(true, std::memory_order_relaxed);
    } else if (queue_.size() == 1) {
        // The running thread was alone and had no slice.
        if (slice_end() < now) set_slice_end(now + kSlice / 4);
        kick_wanted_.store(true, std::memory_order_relaxed);
    }
    // A batch agent's slice may have been long, while no others waited.
    if (slice_end() > now + kSlice && !thread.waits_as_batch) {
        set_slice_end(now + slice_among(queue_.size()));
        kick_wanted_.store(true, std::memory_order_relaxed);
    }
}

void RunQueue::rebill(Thread& thread, ShareGroup& group, VirtualTime place) {
    assert_held();
    const ThreadState state = thread.state_.load(std::memory_order_relaxed);
    const bool is_active = state == ThreadState::runnable || state == ThreadState::running;
    const bool is_waiting = thread.run_node.is_linked();
    if (is_waiting) queue_.remove(thread);
    if (thread.billed != &group) {
        if (is_active) group.thread_starts();
        if (is_active) thread.billed->thread_stops();
        thread.billed = &group;
    }
    thread.virtual_time = group.place(place);
    if (is_waiting) queue_.insert(thread);
}

void RunQueue::kick() {
    if (!kick_wanted_.exchange(false, std::memory_order_relaxed)) return;
    if (cpu == arch::cpu_index())
        program_timer();
    else
        arch::send_reschedule(cpu);
}

void RunQueue::save_user_state(Thread& thread) {
    arch::save_extended_state(thread.extended_state);
    arch::save_user_bases(thread.bases);
}

void RunQueue::load_user_state(Thread& thread) {
    arch::restore_extended_state(thread.extended_state);
    arch::load_user_bases(thread.bases);
    // Loads nothing where this CPU has the space already. Kernel threads run in whatever space was loaded last.
    if (mm::AddressSpace* space = thread.address_space()) space->activate();
}

void RunQueue::switch_away(Thread* next, std::uint64_t now) {
    assert_held();
    Thread& me = *current;
    settle_for(next, now);
    if (me.state_.load(std::memory_order_relaxed) != ThreadState::runnable)
        me.billed->thread_stops();
    else if (!me.is_idle)
        insert(me, now);
    if (next != nullptr) return switch_to(*next, now);
    next = static_cast<Thread*>(queue_.pop());
    if (next == nullptr) next = idle;
    set_slice_end(now + queue_.slice_of(*next));
    switch_to(*next, now);
}

void RunQueue::yield(std::uint64_t now) {
    assert_held();
    account(now);
    auto* next = static_cast<Thread*>(queue_.step_behind_first(*current));
    if (next == nullptr) return release();
    // Where the two stand equal it was there before: its turn has come, and nobody has to look again. We come first, so
    // that what both are below stays in the trees.
    current->state_.store(ThreadState::runnable, std::memory_order_relaxed);
    queue_.insert(*current);
    queue_.take(*next);
    set_slice_end(now + queue_.slice_of(*next));
    switch_to(*next, now);
}

// What the leaving thread's group owes goes on only with a thread that is billed to the same.
void RunQueue::settle_for(const Thread* next, std::uint64_t now) {
    assert_held();
    const ShareGroup& group = *current->billed;
    const bool goes_on = next != nullptr && next->billed == &group && owed_ns_ < kMostOwed && !group.is_limited();
    if (!goes_on) settle(now);
}

// No analysis: our lock is released by the thread that arrives, in its finish_switch(), and when this one comes back it
// releases the lock of the queue that it has come back on.
void RunQueue::switch_to(Thread& next, std::uint64_t now) AIOS_NO_LOCK_ANALYSIS {
    assert_held();
    Thread& me = *current;
    need_switch.store(false, std::memory_order_relaxed);
    count_waiting();
    // Who is handed the CPU goes on with the slice: calling to and fro gives nobody more than his time.
    if (slice_end() < now) set_slice_end(now + queue_.slice_of(next));
    next.state_.store(ThreadState::running, std::memory_order_relaxed);
    AIOS_ASSERT(next.cpu.load(std::memory_order_relaxed) == cpu);
    next.started_running = now;
    current = &next;
    if (&next == &me) {
        release();
        program_timer();
        return;
    }
    left_ = &me;
    if (me.is_idle) set_idleness(cpu, Idleness::busy);
    if (me.is_user()) save_user_state(me);
    if (next.is_user()) load_user_state(next);
    arch::set_current_thread(&next, next.stack_top);
    arch::switch_context(me.context, next.context);
    finish_switch();
}

void RunQueue::finish_switch() {
    RunQueue& queue = mine(); // not where the thread left from, perhaps
    queue.assert_held();      // taken by the thread that left
    Thread& left = *queue.left_;
    const bool is_dead = left.state_.load(std::memory_order_relaxed) == ThreadState::dead;
    queue.release();
    if (is_dead) bury(left);
    queue.program_timer();
}

// Arms this CPU's timer for its next timer entry or the end of the slice. An earlier shot stays: it finds nothing to do
// and programs again, which is cheaper than programming at every switch.
void RunQueue::program_timer() {
    std::uint64_t wanted = time::next_deadline();
    // Whoever ends the slice from another CPU has us look again (kick).
    const bool has_slice = waiting.load(std::memory_order_relaxed) != 0 && !current->is_idle;
    if (const std::uint64_t end = slice_end(); has_slice && end < wanted) wanted = end;
    if (ShareGroup& own = current->own_group(); own.is_limited()) {
        // Once it is used up the thread stops at its way to user mode, which the kernel may still take a while to go.
        const std::uint64_t now = now_ns(), left = own.budget_left(now);
        if (left != 0 && left < wanted && now + left < wanted) wanted = now + left;
    }
    if (wanted >= programmed_) return;
    programmed_ = wanted;
    arch::timer_arm(time::ticks_at(wanted));
}

void RunQueue::tick(std::uint64_t now) {
    // Who is woken by what fires would program for the deadline that is being served, which is past: an interrupt for
    // nothing, in the way of the woken. We program when all is done.
    programmed_ = 0;
    acquire();
    account(now); // the clocks that timers are measured by are up to now
    release();
    const std::uint64_t charged = time::run_due(now);
    acquire();
    current->started_running += charged; // that was not the interrupted thread's
    now = now_ns();
    account(now);
    bool balance = false;
    if (const Runnable* first = queue_.first()) {
        if (current->is_idle) {
            need_switch.store(true, std::memory_order_relaxed);
        } else if (now >= slice_end()) {
            if (FairQueue::lead(*first, *current) > 0)
                need_switch.store(true, std::memory_order_relaxed);
            else
                set_slice_end(now + queue_.slice_of(*current));
        }
        balance = now >= next_balance_;
        if (balance) next_balance_ = now + slice_among(queue_.size());
    }
    release();
    programmed_ = kNever;
    if (balance) even_out(*this);
    program_timer();
}

} // namespace aios::sched
