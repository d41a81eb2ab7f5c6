// Devices: the console, and those whose contents are made when they are read.
#pragma once

#include "personality/linux/generated_tree.hpp"
#include "personality/linux/open_file.hpp"

namespace aios::linux_abi {

// Of /dev. kNoDeviceAddress: the agent has no console; kNoMemory.
std::expected<Ref<OpenFile>, Errno> open_device(LinuxProcess& process, Device device);
[[nodiscard]] std::uint64_t device_id(Device device); // st_rdev; 0: none
// Not the console.
[[nodiscard]] Result<Ref<OpenFile>> open_memory_device(Payer& payer, Device device);
// `console` may be kNoHandle: then every write answers EACCES.
[[nodiscard]] Result<Ref<OpenFile>> open_console(Payer& payer, Handle console);

} // namespace aios::linux_abi
