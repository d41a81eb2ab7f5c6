// Signals of a Linux process. Actions and masks are kept; default actions and SIG_IGN are carried out. A signal or
// fault that has a handler ends the agent all the same: handlers are not run yet (docs/caveats.md).
#pragma once

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

// A fault of the program's own code. False: the agent ends with EndReason::fault.
bool deliver_fault(LinuxProcess& process, Thread& thread, arch::TrapFrame& frame, std::uint64_t address);
// Carries out what is pending and not blocked for this thread, on the way back to user mode.
void deliver_pending(LinuxProcess& process, Thread& thread, arch::TrapFrame& frame);

} // namespace aios::linux_abi
