// See control.hpp. CR4 is written before CR0: with CET on, which firmware may have left, write protection could not be
// touched.
#include "kernel/arch/x86_64/control.hpp"

#include "kernel/arch/x86_64/offsets.h"

namespace aios::arch::x86 {

std::uint64_t cr4_for(const Features& features) {
    std::uint64_t cr4 = kCr4Pae | kCr4GlobalPages | kCr4FxSave | kCr4SimdExceptions;
    if (features.machine_check) cr4 |= kCr4MachineCheck;
    if (features.smep) cr4 |= kCr4Smep;
    if (features.smap) cr4 |= kCr4Smap;
    if (features.umip) cr4 |= kCr4Umip;
    if (features.fsgsbase) cr4 |= kCr4FsGsBase;
    if (features.xsave) cr4 |= kCr4XSave;
    return cr4;
}

void set_control_registers() {
    const Features& has = features();
    write_cr4(cr4_for(has));
    write_cr0(kCr0);
    write_msr(kMsrEfer, kEfer);
    // A change would ask for caches to be flushed; where it is needed, nothing has been mapped by the changed types
    // yet.
    if (read_msr(kMsrPageAttributes) != kPageAttributes) write_msr(kMsrPageAttributes, kPageAttributes);
    if (has.xsave) write_xcr0(has.extended_components);
    if (has.supervisor_state) write_msr(kMsrSupervisorState, 0);
    if (has.tsc_aux) write_msr(kMsrTscAux, 0); // user code can read it
    drop_breakpoints();
    init_fpu();
}

void set_entry_registers(std::uint64_t system_call_entry) {
    constexpr std::uint64_t kFlagPrivilege = 3 << 12;
    write_msr(kMsrStar, (std::uint64_t{USER_BASE | 3} << 48) | (std::uint64_t{KERNEL_CODE} << 32));
    write_msr(kMsrLstar, system_call_entry);
    write_msr(kMsrCstar, system_call_entry); // of compatibility mode, for which there is no segment
    write_msr(kMsrSfmask,
              kFlagInterrupt | kFlagTrap | kFlagDirection | kFlagAlignment | kFlagNestedTask | kFlagPrivilege);
    if (features().sysenter) write_msr(kMsrSysenterSelector, 0); // SYSENTER faults then, whatever firmware left there
}

} // namespace aios::arch::x86
