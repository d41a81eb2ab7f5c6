// The switch, the slice and the accounts of one CPU. See run_queue.hpp for the lock.
#include "kernel/sched/run_queue.hpp"

#include "kernel/mm/address_space.hpp"

namespace aios::sched {

namespace {
constinit arch::PerCpu<RunQueue> g_queues;
}

RunQueue& RunQueue::mine() { return g_queues.mine(); }
RunQueue& RunQueue::of(unsigned cpu) { return g_queues.of(cpu); }

RunQueue& RunQueue::lock_of(Thread& thread) {
    for (;;) {
        const unsigned cpu = thread.cpu.load(std::memory_order_acquire);
        RunQueue& queue = of(cpu);
        queue.acquire();
        if (thread.cpu.load(std::memory_order_relaxed) == cpu) return queue;
        queue.release();
    }
}

void RunQueue::become_current(Thread& thread, bool as_idle) {
    cpu = arch::cpu_index();
    thread.cpu.store(cpu, std::memory_order_relaxed);
    thread.is_idle = as_idle;
    thread.state_.store(ThreadState::running, std::memory_order_relaxed);
    thread.started_running = now_ns();
    if (as_idle) idle = &thread;
    current = &thread;
    arch::set_current_thread(&thread, thread.stack_top);
}

void RunQueue::account(std::uint64_t now) {
    Thread& thread = *current;
    const std::uint64_t ran = now > thread.started_running ? now - thread.started_running : 0;
    thread.started_running = now;
    thread.run_ns.fetch_add(ran, std::memory_order_relaxed);
    if (!thread.is_idle) {
        thread.billed->charge_cpu(ran);
        thread.virtual_time += virtual_of(ran, thread.billed->thread_share());
        thread.virtual_time += thread.virtual_debt.exchange(0, std::memory_order_relaxed);
    }
    update_floor();
}

void RunQueue::update_floor() {
    queue_.advance(current->is_idle ? nullptr : current);
    floor_.store(queue_.floor(), std::memory_order_relaxed);
}

void RunQueue::push(Thread& thread) {
    const std::uint64_t now = now_ns();
    account(now);
    thread.cpu.store(cpu, std::memory_order_release);
    thread.state_.store(ThreadState::runnable, std::memory_order_relaxed);
    thread.virtual_time += thread.virtual_debt.exchange(0, std::memory_order_relaxed);
    queue_.enter(thread);
    waiting.store(static_cast<std::uint32_t>(queue_.size()), std::memory_order_seq_cst);
    if (current->is_idle || should_preempt(thread.virtual_time, current->virtual_time)) {
        need_switch.store(true, std::memory_order_relaxed);
        kick_wanted_.store(true, std::memory_order_relaxed);
    } else if (queue_.size() == 1) {
        // The running thread was alone and had no slice.
        if (slice_end_ < now) slice_end_ = now + kSlice / 4;
        kick_wanted_.store(true, std::memory_order_relaxed);
    }
}

void RunQueue::step_behind_first() {
    if (const Thread* first = queue_.first())
        current->virtual_time = later_of(current->virtual_time, first->virtual_time);
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
    thread.fs_base = arch::user_fs_base();
    thread.gs_base = arch::user_gs_base();
}

void RunQueue::load_user_state(Thread& thread) {
    arch::restore_extended_state(thread.extended_state);
    arch::set_user_fs_base(thread.fs_base);
    arch::set_user_gs_base(thread.gs_base);
    // Loads nothing where this CPU has the space already. Kernel threads run in whatever space was loaded last.
    if (mm::AddressSpace* space = thread.owner()->address_space()) space->activate();
}

void RunQueue::switch_away(Thread* next) AIOS_NO_LOCK_ANALYSIS {
    Thread& me = *current;
    const std::uint64_t now = now_ns();
    account(now);
    need_switch.store(false, std::memory_order_relaxed);
    if (me.state_.load(std::memory_order_relaxed) != ThreadState::runnable)
        me.billed->runnable_changed(-1);
    else if (!me.is_idle)
        queue_.put_back(me);
    const bool handed_over = next != nullptr;
    if (next == nullptr) next = queue_.pop();
    if (next == nullptr) next = idle;
    waiting.store(static_cast<std::uint32_t>(queue_.size()), std::memory_order_relaxed);
    // Who is handed the CPU goes on with the slice: calling to and fro gives nobody more than his time.
    if (!handed_over || slice_end_ < now) slice_end_ = now + kSlice;
    next->state_.store(ThreadState::running, std::memory_order_relaxed);
    next->cpu.store(cpu, std::memory_order_release);
    next->started_running = now;
    current = next;
    update_floor();
    if (next == &me) {
        release();
        program_timer();
        return;
    }
    left_ = &me;
    if (me.is_idle) set_idle(cpu, false);
    if (me.is_user()) save_user_state(me);
    if (next->is_user()) load_user_state(*next);
    arch::set_current_thread(next, next->stack_top);
    arch::switch_context(me.context, next->context);
    finish_switch();
}

void RunQueue::finish_switch() {
    RunQueue& queue = mine(); // not where the thread left from, perhaps
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
    if (waiting.load(std::memory_order_relaxed) != 0 && !current->is_idle && slice_end_ < wanted) wanted = slice_end_;
    if (wanted >= programmed_) return;
    programmed_ = wanted;
    arch::timer_arm(time::ticks_at(wanted));
}

void RunQueue::tick(std::uint64_t now) {
    programmed_ = kNever;
    time::run_due(now);
    acquire();
    account(now);
    bool balance = false;
    if (Thread* first = queue_.first()) {
        if (current->is_idle) {
            need_switch.store(true, std::memory_order_relaxed);
        } else if (now >= slice_end_) {
            if (is_before(first->virtual_time, current->virtual_time))
                need_switch.store(true, std::memory_order_relaxed);
            else
                slice_end_ = now + kSlice;
        }
        balance = now >= next_balance_;
        if (balance) next_balance_ = now + kBalancePeriod;
    }
    release();
    if (balance) balance_from(*this);
    program_timer();
}

std::uint64_t RunQueue::load() const {
    std::uint64_t sum = current->is_idle ? 0 : current->billed->thread_share();
    unsigned sampled = 0;
    for (const Thread* thread = queue_.first(); thread != nullptr && sampled < kLoadSample;
         thread = queue_.next(*thread)) {
        sum += thread->billed->thread_share();
        sampled++;
    }
    return sum;
}

} // namespace aios::sched
