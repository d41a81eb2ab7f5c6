// Process descriptors (pidfd_open): a file that stands for a process, whatever gets its number later.
#pragma once

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

// The process that a descriptor stands for: its number, and whether that is still its own. kBadFd: it is no such descriptor.
std::expected<std::int32_t, Errno> process_of(OpenFile& file);

} // namespace aios::linux_abi
