// Where the processor's entries meet the rest of the kernel: system calls, faults of programs, and the way back to user
// mode.
#include "kernel/agent/agent.hpp"
#include "kernel/syscall/call.hpp"

namespace aios::arch::hook {

namespace {

constexpr std::uint64_t kPageFaultVector = 14;

// Errors of a touch that no program can mend: its page is damaged, or nobody pays for it.
EndReason end_reason(Error error) {
    if (error == Error::integrity) return EndReason::integrity;
    if (error == Error::quota_exceeded || error == Error::out_of_memory) return EndReason::quota;
    return EndReason::none;
}

} // namespace

void system_call(TrapFrame& frame) {
    const CallArguments arguments = call_arguments(frame);
    Thread& thread = Thread::current();
    thread.user_frame = &frame;
    Process& process = static_cast<Process&>(*thread.owner()); // who comes from user mode belongs to a process
    if (arguments.number < 4096) return process.personality().call(thread, frame);
    set_call_result(frame, syscall::dispatch(process, arguments.number, arguments.values));
}

bool page_fault(TrapFrame& frame, std::uint64_t address, bool write, bool execute, bool) {
    Process* process = Process::current_or_null();
    if (process == nullptr || address >= kUserHigh) return false;
    using Access = mm::AddressSpace::Access;
    const Result<> resolved = process->memory().fault(address, execute ? Access::execute
                                                               : write ? Access::write
                                                                       : Access::read);
    if (resolved) return true;
    const EndReason reason = end_reason(resolved.error());
    if (reason == EndReason::none) return false;
    // Also when the kernel touched the page for the program: it must not go on with contents that it never had.
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
    Thread& thread = Thread::current();
    for (;;) {
        sched::preempt_if_asked();
        if (!thread.is_interrupted()) [[likely]]
            return;
        interrupts_enable();
        if (thread.is_killed()) Thread::exit_current();
        thread.clear_interrupt();
        thread.user_frame = &frame;
        Process::current().personality().interrupted(thread, frame);
        interrupts_disable();
    }
}

} // namespace aios::arch::hook
