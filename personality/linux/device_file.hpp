// Devices: the console, and those whose contents are made when they are read.
#pragma once

#include "personality/linux/generated_tree.hpp"
#include "personality/linux/open_file.hpp"

namespace aios::linux_abi {

// Of /dev. kNoDeviceAddress: the agent has no console, or the process no terminal; kNoMemory, and of terminals kIo (locked)
// and kNoSpace.
std::expected<Ref<OpenFile>, Errno> open_device(LinuxProcess& process, const GeneratedNode& node);
[[nodiscard]] std::uint64_t device_id(Device device, std::uint32_t number = 0); // st_rdev; 0: none
[[nodiscard]] Stat device_info(Device device, std::uint32_t permission, std::uint32_t number = 0);
// Not the console.
[[nodiscard]] Result<Ref<OpenFile>> open_memory_device(Payer& payer, Device device);
// `console` may be kNoHandle: then every write answers EACCES.
[[nodiscard]] Result<Ref<OpenFile>> open_console(Payer& payer, Handle console);

} // namespace aios::linux_abi
