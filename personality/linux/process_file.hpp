// Process descriptors (pidfd_open): a file that stands for a process, whatever gets its number later.
#pragma once

#include "personality/linux/outcome.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {

// The process that a descriptor stands for: its number, and whether that is still its own. kBadFd: it is no such descriptor.
std::expected<std::int32_t, Errno> process_of(OpenFile& file);

// pidfd_open; `flags` as of open. The process may have no thread yet.
Outcome open_process(Call& call, std::int32_t pid, std::uint64_t flags);

} // namespace aios::linux_abi
