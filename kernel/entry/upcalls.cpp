// Where the processor's entries meet the rest of the kernel: system calls, faults of programs, and the way back to user
// mode.
//
// Whoever revokes or cuts memory tells the address space, interrupts its CPUs, and goes on (step 3 in
// mm/address_space_notice.cpp). What holds here for its sake: no instruction that touches user memory, in user mode or
// in a copy by the kernel, is executed after such an interrupt before the space is settled.
//   User mode: before_user() looks with interrupts off. One that comes after the look is taken before the first
//     instruction of the program, and ends in before_user() again.
//   Copies: Thread::touches_user_memory is set, then the space is looked at, then the copy runs. An interrupt in
//   between
//     finds it set, and looks again before the copy goes on (user_access_resumes). A fault clears it for its own length
//     (its handler takes locks and is not the copy), sets it again, and looks.
#include "kernel/agent/agent.hpp"
#include "kernel/arch/off_time.hpp"
#include "kernel/syscall/call.hpp"

namespace aios::arch::upcall {

namespace {

constexpr std::uint64_t kPageFaultVector = 14;
constexpr std::uint64_t kCallVector = 256;

bool is_settled(const Thread& thread) {
    const mm::AddressSpace* space = thread.address_space();
    return space == nullptr || space->is_settled();
}

// Before a copy begins or goes on. The thread may wait for its space's mutex here, as a fault in the copy would.
[[gnu::noinline]] void settle_for_copy(Thread& thread) {
    while (!is_settled(thread)) {
        thread.touches_user_memory.store(false, std::memory_order_relaxed);
        thread.address_space()->settle();
        thread.touches_user_memory.store(true, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst); // set before the next look
    }
}

// For the length of a fault: its handler is not the copy that it may have interrupted.
class CopyPause {
public:
    explicit CopyPause(Thread& thread)
        : thread_(thread), was_set_(thread.touches_user_memory.exchange(false, std::memory_order_relaxed)) {}
    ~CopyPause() {
        if (!was_set_) return;
        thread_.touches_user_memory.store(true, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);
        settle_for_copy(thread_);
    }
    CopyPause(const CopyPause&) = delete;

private:
    Thread& thread_;
    const bool was_set_;
};

} // namespace

void system_call(TrapFrame& frame) {
    const CallArguments arguments = call_arguments(frame);
    Thread& thread = Thread::current();
    thread.user_frame = &frame;
    Process& process = static_cast<Process&>(*thread.owner()); // who comes from user mode belongs to a process
    if (arguments.number < 4096) return process.personality().call(thread, frame);
    set_call_result(frame, syscall::dispatch(process, arguments.number, arguments.values));
}

bool user_access_begins() {
    if (!Thread::has_current()) return false; // early in boot
    Thread& thread = Thread::current();
    thread.touches_user_memory.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst); // set before the look; interrupts of this CPU see it in order
    if (!is_settled(thread)) [[unlikely]]
        settle_for_copy(thread);
    return thread.is_user();
}

void user_access_ends() {
    if (Thread::has_current()) Thread::current().touches_user_memory.store(false, std::memory_order_relaxed);
}

void user_access_resumes() {
    if (!Thread::has_current()) return;
    Thread& thread = Thread::current();
    if (!thread.touches_user_memory.load(std::memory_order_relaxed) || is_settled(thread)) [[likely]]
        return;
    interrupts_enable(); // as they were: a copy holds no spinlock
    settle_for_copy(thread);
    interrupts_disable();
}

bool page_fault(TrapFrame& frame, std::uint64_t address, FaultAccess access) {
    Process* process = Process::current_or_null();
    if (process == nullptr || address >= kUserHigh) return false;
    const CopyPause pause(Thread::current());
    const Result<> resolved = process->memory().fault(address, access);
    if (resolved) return true;
    const EndReason reason = end_reason_of(resolved.error());
    if (reason == EndReason::none) return false;
    // Also when the kernel touched the page for the program: it must not go on with contents that it never had.
    if (process->personality_or_null() != nullptr &&
        process->personality().page_is_lost(Thread::current(), reason, address))
        return frame.from_user();
    process->agent().fault(reason, kPageFaultVector, address, frame.from_user() ? frame.rip : 0);
    return frame.from_user();
}

void user_exception(TrapFrame& frame, std::uint64_t address) {
    Thread& thread = Thread::current();
    thread.user_frame = &frame;
    Process& process = Process::current();
    if (process.personality().exception(thread, frame, address)) return;
    process.agent().fault(EndReason::fault, frame.vector, address, frame.rip);
}

void before_user(TrapFrame& frame) {
    interrupts_went_off(kCallVector); // the end of a call; from interrupts and exceptions they are off already
    Thread& thread = Thread::current();
    for (;;) {
        sched::preempt_if_asked();
        if (sched::wait_for_leave()) [[unlikely]]
            continue;
        // Behind everything that may have let others run: what was revoked meanwhile is taken away before user code goes on.
        if (!is_settled(thread)) [[unlikely]] {
            interrupts_enable();
            thread.address_space()->settle();
            interrupts_disable();
            continue;
        }
        if (!thread.is_interrupted()) [[likely]] {
            interrupts_go_on(frame.rip);
            return;
        }
        interrupts_enable();
        if (thread.is_killed()) Thread::exit_current();
        thread.clear_interrupt();
        thread.user_frame = &frame;
        Process::current().personality().interrupted(thread, frame);
        interrupts_disable();
    }
}

} // namespace aios::arch::upcall

namespace aios::sched::upcall {

// A thread that has not been in user mode yet owes nobody the end of a call.
bool may_stop_in_call(Thread& thread) {
    if (thread.user_frame == nullptr) return true;
    const std::uint64_t number = arch::call_arguments(*thread.user_frame).number;
    const Restart restart =
        number < 4096 ? Process::current().personality().restart_of(number) : syscall::restart_of(number);
    return restart != Restart::outcome;
}

} // namespace aios::sched::upcall
