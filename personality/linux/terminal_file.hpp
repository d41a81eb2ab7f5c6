// The two sides of a terminal as open files, and how they are opened: /dev/ptmx, /dev/pts/N, /dev/tty.
#pragma once

#include "personality/linux/open_file.hpp"
#include "personality/linux/terminal.hpp"

namespace aios::linux_abi {

// A new terminal. kNoSpace, kNoMemory.
std::expected<Ref<OpenFile>, Errno> open_terminal_master(LinuxProcess& process);
// kNoEntry: there is none with this number (any more); kIo: it is locked; kNoMemory.
std::expected<Ref<OpenFile>, Errno> open_terminal_slave(LinuxProcess& process, std::uint32_t number);
// The slave of the process's controlling terminal, by the name /dev/tty. kNoDeviceAddress: it has none; kIo, kNoMemory.
std::expected<Ref<OpenFile>, Errno> open_own_terminal(LinuxProcess& process);
// One that is at hand, by its own name: TIOCGPTPEER. kIo, kNoMemory.
std::expected<Ref<OpenFile>, Errno> open_slave_of(Payer& payer, const Ref<Terminal>& terminal);

// ioctl on either side. terminal_control.cpp
Outcome control_slave(Call& call, Terminal& terminal, std::uint32_t request, std::uint64_t argument);
Outcome control_master(Call& call, const Ref<Terminal>& terminal, std::uint32_t request, std::uint64_t argument);

} // namespace aios::linux_abi
