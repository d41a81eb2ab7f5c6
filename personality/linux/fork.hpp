// fork and vfork: a further process of the agent.
#pragma once

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

// What a new thread has of the one that makes it: signal mask, name, registers that no call frame holds.
void inherit_thread(Thread& made, Call& call);
// A process whose first thread starts with `frame`. kAgain: no thread is left in the quota; kNoMemory: it cannot be paid.
Outcome create_process(Call& call, const CloneArguments& arguments, const arch::TrapFrame& frame,
                       std::uint64_t fs_base);

} // namespace aios::linux_abi
