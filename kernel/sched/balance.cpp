// Which CPU a thread runs on. A thread that wakes goes to its last CPU or to an idle one; a CPU that runs out of
// threads takes one that waits elsewhere; a CPU on which threads wait gives one away, now and then, to a CPU with less
// load. The set of idle CPUs is one atomic word: whoever wakes a thread claims a CPU by clearing its bit, so two
// wake-ups find two CPUs.
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

void set_idle(unsigned cpu, bool idle) {
    if (idle)
        g_idle.fetch_or(bit(cpu), std::memory_order_seq_cst);
    else
        g_idle.fetch_and(~bit(cpu), std::memory_order_seq_cst);
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
    if (!busiest->current->is_idle) taken = busiest->queue_.pop(); // an idle CPU is about to take it itself
    if (taken != nullptr) {
        busiest->waiting.store(static_cast<std::uint32_t>(busiest->queue_.size()), std::memory_order_relaxed);
        taken->virtual_time = rebase(taken->virtual_time, busiest->floor(), mine.floor());
        taken->cpu.store(mine.cpu, std::memory_order_release);
    }
    busiest->release();
    return taken;
}

void balance_from(RunQueue& queue) {
    RunQueue* lightest = nullptr;
    std::uint64_t least = ~0ull, own = 0;
    for_each_online([&](unsigned cpu) {
        RunQueue& other = RunQueue::of(cpu);
        other.acquire();
        const std::uint64_t load = other.load();
        other.release();
        if (&other == &queue) {
            own = load;
        } else if (load < least) {
            least = load;
            lightest = &other;
        }
    });
    if (lightest == nullptr) return;
    Thread* moved = nullptr;
    queue.acquire();
    unsigned looked_at = 0;
    for (Thread* thread = queue.queue_.first(); thread != nullptr && looked_at < RunQueue::kLoadSample; looked_at++) {
        if (should_move(own, least, thread->billed->thread_share())) {
            moved = thread;
            break;
        }
        thread = queue.queue_.next(*thread);
    }
    if (moved != nullptr) {
        queue.queue_.remove(*moved);
        queue.waiting.store(static_cast<std::uint32_t>(queue.queue_.size()), std::memory_order_relaxed);
        moved->virtual_time = rebase(moved->virtual_time, queue.floor(), lightest->floor());
        moved->cpu.store(lightest->cpu, std::memory_order_release);
    }
    queue.release();
    if (moved != nullptr) enter_on(*moved, lightest->cpu);
}

void idle_loop() {
    arch::interrupts_disable();
    for (;;) {
        RunQueue& queue = RunQueue::mine();
        Thread* next = nullptr;
        if (queue.waiting.load(std::memory_order_relaxed) == 0) {
            // Order: first be seen idle, then look. Whoever makes a thread wait later sees the bit.
            set_idle(queue.cpu, true);
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
        queue.switch_away(next);
    }
}

} // namespace aios::sched
