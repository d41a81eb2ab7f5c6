// The ways to leave the machine. Everything that is to be told to the host must have been drained before. Any
// context.
#pragma once

#include <string_view>

namespace aios::dev {

enum class RunEnd : bool { failed, well };
// The debug-exit port with status 0x10 (well) or 0x11 (failed), else ACPI S5.
[[noreturn]] void power_off(RunEnd end);
// AIOS does not start on this machine: `sentence` says what is missing and what to do, on the serial line, where the
// host looks for it (arch::kRefusal). The debug-exit port with status 0x14, else ACPI S5.
[[noreturn]] void refuse_machine(std::string_view sentence);
// FADT reset register, else port 0xcf9, else a triple fault; each gets a moment to work.
[[noreturn]] void reset();

} // namespace aios::dev
