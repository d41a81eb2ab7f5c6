// What becomes of an exception or interrupt: resolved by an upcall, handed to a thread as an exception, continued at a
// fix-up, or the end. Entered from traps.S with interrupts off and a TrapFrame on the stack.
// SAFETY: the exception table holds distances from its own fields, written by the assembler.
#include "kernel/arch/x86_64/traps.hpp"

#include "kernel/arch/log.hpp"
#include "kernel/arch/off_time.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/panic.hpp"
#include "kernel/arch/x86_64/remote.hpp"
#include "kernel/arch/x86_64/vectors.hpp"

extern "C" {
struct FaultFixup { // distances from the fields themselves
    std::int32_t at, fixup;
};
extern const FaultFixup exception_table_start[], exception_table_end[];
void make_user_frame_safe(aios::arch::TrapFrame* frame);
}

namespace aios::arch::x86 {
namespace {

// Error code of a page fault (SDM volume 3 section 4.7).
constexpr std::uint64_t kFaultPresent = 1, kFaultWrite = 2, kFaultUser = 4, kFaultReserved = 8, kFaultFetch = 16;

// Where to go on after a fault at `rip`, or 0.
std::uint64_t fixup_of(std::uint64_t rip) {
    for (const FaultFixup* entry = exception_table_start; entry != exception_table_end; ++entry) {
        if (reinterpret_cast<std::uint64_t>(&entry->at) + static_cast<std::uint64_t>(std::int64_t{entry->at}) == rip)
            return reinterpret_cast<std::uint64_t>(&entry->fixup) +
                   static_cast<std::uint64_t>(std::int64_t{entry->fixup});
    }
    return 0;
}

void interrupt(const TrapFrame& frame) {
    switch (frame.vector) {
    case kVectorTimer:
        timer_interrupt();
        return;
    case kVectorReschedule:
        end_of_interrupt();
        upcall::reschedule();
        return;
    case kVectorRemoteCall:
        end_of_interrupt();
        run_incoming();
        return;
    case kVectorSpurious:
        return; // no end of interrupt for these
    default:
        if (frame.vector >= kVectorDevices && frame.vector < kVectorDevices + kDeviceVectors)
            device_interrupt(static_cast<unsigned>(frame.vector));
        return;
    }
}

// User code at a page that is there, with the processor's own privilege: nothing that can be mapped helps, and to try
// again would be for ever. QEMU 7.2 does this where user code returns by IRETQ under SMAP.
bool cannot_be_resolved(const TrapFrame& frame) {
    return frame.from_user() && (frame.error & (kFaultPresent | kFaultUser)) == kFaultPresent;
}

FaultAccess access_of(const TrapFrame& frame) {
    if ((frame.error & kFaultFetch) != 0) return FaultAccess::execute;
    return (frame.error & kFaultWrite) != 0 ? FaultAccess::write : FaultAccess::read;
}

bool resolve_page_fault(TrapFrame& frame, std::uint64_t address) {
    if (cannot_be_resolved(frame)) return false;
    return upcall::page_fault(frame, address, access_of(frame));
}

// A fault of the kernel itself, interrupts off.
void resolve_kernel_fault(TrapFrame& frame, bool were_enabled) {
    const std::uint64_t address = frame.vector == kVectorPageFault ? read_cr2() : 0;
    // The only faults that the kernel expects are those of user copies, which stand in the exception table.
    const std::uint64_t fixup = fixup_of(frame.rip);
    if (fixup == 0) panic_trap(frame, address, "fault in the kernel");
    if (frame.vector == kVectorPageFault && address < kUserHigh && (frame.error & kFaultReserved) == 0) {
        if (were_enabled) interrupts_enable();
        const bool resolved = resolve_page_fault(frame, address);
        interrupts_disable();
        if (resolved) return;
    }
    frame.rip = fixup;
}

} // namespace

extern "C" void trap_from_user(TrapFrame* frame) {
    interrupts_went_off(frame->vector);
    if (frame->vector >= 32) {
        interrupt(*frame);
    } else {
        const std::uint64_t address = frame->vector == kVectorPageFault ? read_cr2() : 0;
        if (frame->vector == kVectorPageFault && (frame->error & kFaultReserved) != 0)
            panic_trap(*frame, address, "reserved bit set in a page table");
        interrupts_enable();
        if (frame->vector != kVectorPageFault || !resolve_page_fault(*frame, address))
            upcall::user_exception(*frame, address);
        interrupts_disable();
    }
    upcall::before_user(*frame);
    make_user_frame_safe(frame);
}

extern "C" void trap_from_kernel(TrapFrame* frame) {
    if (frame->vector >= 32) {
        interrupts_went_off(frame->vector); // they were on: it came
        interrupt(*frame);
        upcall::kernel_preempt();
        if ((frame->rflags & kFlagInterrupt) != 0) upcall::user_access_resumes();
        interrupts_go_on(frame->rip);
        return;
    }
    const bool were_enabled = (frame->rflags & kFlagInterrupt) != 0;
    interrupts_went_off(frame->vector);
    resolve_kernel_fault(*frame, were_enabled);
    if (were_enabled) interrupts_go_on(frame->rip);
}

extern "C" void trap_paranoid_handler(TrapFrame* frame) {
    switch (frame->vector) {
    case kVectorNmi:
        stop_if_panicking(*frame);
        return; // nobody else sends them; an NMI without a known source is not worth a system
    case kVectorDoubleFault:
        panic_trap(*frame, read_cr2(), "double fault (kernel stack overrun?)");
    default:
        panic_trap(*frame, 0, "machine check");
    }
}

} // namespace aios::arch::x86
