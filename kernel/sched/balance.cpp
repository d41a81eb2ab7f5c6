// Which CPU a thread runs on. A thread that wakes goes to its last CPU or to an idle one; a CPU that runs out of
// threads takes one that waits elsewhere; a CPU on which threads wait evens out with another, once a slice, if its
// turn has come already by what another CPU runs. Virtual times are the same on all CPUs, so whoever got less than
// others moves until all got the same: that is what makes shares hold over the whole machine. The set of idle CPUs is
// one atomic word: whoever wakes a thread claims a CPU by clearing its bit, so two wake-ups find two CPUs.
#include <bit>

#include "kernel/sched/run_queue.hpp"

namespace aios::sched {

namespace {
std::atomic<std::uint64_t> g_online{0};
std::atomic<std::uint64_t> g_idle{0};

constexpr std::uint64_t bit(unsigned cpu) { return 1ull << cpu; }
static_assert(arch::kMaxCpus <= 64);

bool claim_idle(unsigned cpu) { return (g_idle.fetch_and(~bit(cpu), std::memory_order_seq_cst) & bit(cpu)) != 0; }

template <typename F>
void for_each_online(F&& function) {
    for (std::uint64_t left = g_online.load(std::memory_order_acquire); left != 0; left &= left - 1)
        function(static_cast<unsigned>(std::countr_zero(left)));
}
} // namespace

void cpu_online(unsigned cpu) { g_online.fetch_or(bit(cpu), std::memory_order_release); }

void set_idleness(unsigned cpu, Idleness idleness) {
    if (idleness == Idleness::idle)
        g_idle.fetch_or(bit(cpu), std::memory_order_seq_cst);
    else
        g_idle.fetch_and(~bit(cpu), std::memory_order_seq_cst);
}

// Where the fewest wait; `first` of equal ones.
static unsigned least_busy(unsigned first) {
    unsigned best = first;
    for_each_online([&](unsigned cpu) {
        if (RunQueue::of(cpu).waiting.load(std::memory_order_relaxed) <
            RunQueue::of(best).waiting.load(std::memory_order_relaxed))
            best = cpu;
    });
    return best;
}

unsigned choose_cpu(const Thread& thread) {
    const unsigned last = thread.cpu.load(std::memory_order_relaxed);
    if (std::uint64_t idle = g_idle.load(std::memory_order_seq_cst); idle != 0) {
        if ((idle & bit(last)) != 0 && claim_idle(last)) return last;
        for (; idle != 0; idle &= idle - 1) {
            const unsigned cpu = static_cast<unsigned>(std::countr_zero(idle));
            if (claim_idle(cpu)) return cpu;
        }
    }
    const unsigned here = arch::cpu_index();
    if (thread.billed->hint() == AgentHint::waiting) return least_busy(here); // it slept long: nothing of it is warm
    const std::uint32_t waiting_here = RunQueue::of(here).waiting.load(std::memory_order_relaxed);
    const std::uint32_t waiting_there = RunQueue::of(last).waiting.load(std::memory_order_relaxed);
    return waiting_here + 1 < waiting_there ? here : last;
}

void enter_on(Thread& thread, unsigned cpu) {
    RunQueue& queue = RunQueue::of(cpu);
    queue.acquire();
    queue.push(thread);
    queue.release();
    queue.kick();
}

Thread* steal() {
    RunQueue& mine = RunQueue::mine();
    RunQueue* busiest = nullptr;
    std::uint32_t most = 0;
    for_each_online([&](unsigned cpu) {
        const std::uint32_t waiting = RunQueue::of(cpu).waiting.load(std::memory_order_seq_cst);
        if (cpu == mine.cpu || waiting <= most) return;
        most = waiting;
        busiest = &RunQueue::of(cpu);
    });
    if (busiest == nullptr) return nullptr;
    Thread* taken = nullptr;
    busiest->acquire();
    if (!busiest->current->is_idle) taken = static_cast<Thread*>(busiest->queue_.pop()); // an idle CPU takes its own
    if (taken != nullptr) {
        busiest->count_waiting();
        busiest->send_to(*taken, mine.cpu);
    }
    busiest->release();
    return taken;
}

// (1) The other CPUs are taken in turn. (2) Both queues are locked, the lower CPU's first, so that two CPUs that even
// out with each other do not wait for each other. (3) FairQueue::compare says who moves; it is on its way under both
// locks. The bound, with interrupts off: six ways along at most ShareGroup::kMaxDepth levels, a look at two members at
// each, and FairQueue::kRefreshesInWalk keys brought up to date on each CPU (tests/unit/sched/bounds_test.cpp).
void even_out(RunQueue& queue) {
    const std::uint64_t others = g_online.load(std::memory_order_acquire) & ~bit(queue.cpu);
    if (others == 0) return;
    const std::uint64_t later = others & ~(bit(queue.partner_) | (bit(queue.partner_) - 1));
    queue.partner_ = static_cast<unsigned>(std::countr_zero(later != 0 ? later : others));
    RunQueue& partner = RunQueue::of(queue.partner_);
    RunQueue& first_locked = queue.cpu < partner.cpu ? queue : partner;
    RunQueue& second_locked = queue.cpu < partner.cpu ? partner : queue;
    first_locked.acquire();
    second_locked.acquire_peer();
    queue.assert_held(); // the two under their other names
    partner.assert_held();
    Exchange exchange;
    if (!partner.current->is_idle) { // an idle CPU takes one itself
        partner.account(now_ns());
        const Thread* running_here = queue.current->is_idle ? nullptr : queue.current;
        exchange = queue.queue_.compare(partner.queue_, running_here, partner.current);
    }
    if (exchange.move != Move::none) {
        RunQueue& from = exchange.move == Move::come ? partner : queue;
        RunQueue& to = exchange.move == Move::come ? queue : partner;
        from.assert_held(); // each is one of the two
        to.assert_held();
        from.queue_.remove(*exchange.thread);
        from.count_waiting();
        auto& thread = static_cast<Thread&>(*exchange.thread);
        from.send_to(thread, to.cpu);
        to.push(thread);
    }
    second_locked.release();
    first_locked.release();
    partner.kick();
    queue.kick();
}

void idle_loop() {
    arch::interrupts_disable();
    for (;;) {
        RunQueue& queue = RunQueue::mine();
        Thread* next = nullptr;
        if (queue.waiting.load(std::memory_order_relaxed) == 0) {
            // Order: first be seen idle, then look. Whoever makes a thread wait later sees the bit.
            set_idleness(queue.cpu, Idleness::idle);
            next = steal();
            if (next == nullptr && queue.waiting.load(std::memory_order_seq_cst) == 0) {
                queue.need_switch.store(false, std::memory_order_relaxed);
                queue.program_timer();
                arch::wait_for_interrupt();
                continue;
            }
        }
        queue.acquire();
        queue.current->state_.store(ThreadState::runnable, std::memory_order_relaxed);
        const std::uint64_t now = now_ns();
        queue.note(now);
        queue.switch_away(next, now);
    }
}

} // namespace aios::sched
