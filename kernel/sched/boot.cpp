// Start of the scheduler on each CPU, and the reaper. The boot code becomes a thread on its own stack, which is never
// freed; so does the start code of every other CPU, which becomes that CPU's idle thread. Lock: Rank::dead_threads (their
// list).
#include "kernel/sched/boot.hpp"

#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/sched/run_queue.hpp"

namespace aios::sched {

namespace {

// Kernel threads are few and short: together they may take most of a CPU before agents feel it.
constexpr std::uint32_t kKernelWeight = 10'000;

constinit ShareGroup g_root{nullptr, 100};
constinit ShareGroup g_kernel_group{&g_root, kKernelWeight};
static_assert(arch::kMaxCpus == ShareGroup::kMostCpus);
constinit CpuPart g_root_parts[arch::kMaxCpus], g_kernel_parts[arch::kMaxCpus];

class KernelOwner final : public ThreadOwner {
public:
    ShareGroup& share_group() override { return g_kernel_group; }
    mm::AddressSpace* address_space() override { return nullptr; }
    void thread_exited(Thread&) override {}
    void retain() override {} // lives for ever
    void release() override {}
};
constinit KernelOwner g_owner;

struct Dead {
    Thread* first = nullptr;
};
constinit sync::Protected<Dead, sync::Rank::dead_threads> g_dead{};
Thread* g_reaper = nullptr;

void reap(void*) {
    for (;;) {
        Thread* dead = g_dead.with([](Dead& list) { return std::exchange(list.first, nullptr); });
        if (dead == nullptr) {
            park(kNever);
            continue;
        }
        while (dead != nullptr) {
            Thread* next = dead->next_dead;
            if (dead->stack_is_own) mm::free_stack(std::exchange(dead->stack_top, 0));
            dead->release();
            dead = next;
        }
    }
}

Ref<Thread> must(Result<Ref<Thread>> thread, const char* what) {
    if (!thread) panic("no memory for the {} thread", what);
    return std::move(*thread);
}

// In a panic: what this CPU ran, and which locks are held. Polled, takes no lock.
void report_panic() {
    if (Thread::has_current()) log(LogLevel::error, "thread {} ({})", Thread::current().id(), Thread::current().name());
    sync::dump_held_locks([](void*, std::string_view line) { log_line(LogLevel::error, line); }, nullptr);
}

} // namespace

struct BootThreads {
    // A thread object for code that runs already, on a stack that is not ours.
    static Thread& adopt(const char* name, RunQueue::Role role) {
        auto made = mm::make<Thread>(Reservation(), kernel_owner(), name);
        if (!made) panic("no memory for the {} thread", name);
        Thread& thread = **made;
        RunQueue::mine().become_current(thread, role);
        if (role != RunQueue::Role::idle) thread.billed->thread_starts();
        return thread;
    }
};

Ref<ThreadOwner> kernel_owner() { return Ref<ThreadOwner>::share(g_owner); }
ShareGroup& root_group() { return g_root; }

void bury(Thread& thread) {
    g_dead.with([&](Dead& list) {
        thread.next_dead = list.first;
        list.first = &thread;
    });
    unpark(*g_reaper);
}

void init() {
    arch::add_panic_reporter(&report_panic);
    g_root.prepare_in(g_root_parts, arch::kMaxCpus);
    g_kernel_group.prepare_in(g_kernel_parts, arch::kMaxCpus);
    {
        arch::InterruptGuard guard;
        BootThreads::adopt("boot", RunQueue::Role::boot);
    }
    RunQueue& queue = RunQueue::mine();
    Ref<Thread> idle = must(Thread::create_kernel("idle", [](void*) { idle_loop(); }, nullptr), "idle");
    {
        arch::InterruptGuard guard;
        idle->is_idle = true;
        AIOS_ASSERT(idle->cpu.load(std::memory_order_relaxed) == queue.cpu);
        idle->state_.store(ThreadState::runnable, std::memory_order_relaxed);
        queue.idle = idle.leak();
        cpu_online(queue.cpu);
    }
    Ref<Thread> reaper = must(Thread::create_kernel("reaper", &reap, nullptr), "reaper");
    g_reaper = reaper.get();
    reaper->start();
    static_cast<void>(reaper.leak());
}

void run_idle() { Thread::exit_current(); }

} // namespace aios::sched

namespace aios::arch::upcall {

void cpu_started(unsigned cpu) {
    AIOS_ASSERT(cpu == cpu_index());
    sched::BootThreads::adopt("idle", sched::RunQueue::Role::idle);
    sched::cpu_online(cpu);
    sched::idle_loop();
}

} // namespace aios::arch::upcall
