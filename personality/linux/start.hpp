// The Linux personality's entry for the rest of the kernel.
#pragma once

#include "kernel/agent/agent.hpp"

namespace aios::linux_abi {

class LinuxProcess;

void register_linux(); // at boot, before the first agent
// PersonalityFactory for PersonalityKind::linux_abi.
Result<ProgramEntry> start_program(Process& process, const ProgramStart& start);
// Loads the program into the process's empty memory, which is active; start's interpreter comes from the agent's own tree.
// not_found, missing_right: the interpreter; what elf_load answers.
Result<ProgramEntry> load_program(LinuxProcess& process, const ProgramStart& start);

} // namespace aios::linux_abi
