// The Linux personality's entry for the rest of the kernel.
#pragma once

#include "kernel/agent/agent.hpp"

namespace aios::linux_abi {

void register_linux(); // at boot, before the first agent
// PersonalityFactory for PersonalityKind::linux_abi: static and static-pie executables.
Result<ProgramEntry> start_program(Process& process, const ProgramStart& start);

} // namespace aios::linux_abi
