// The two ways to leave the machine. Everything that is to be told to the host must have been drained before. Any
// context.
#pragma once

namespace aios::dev {

// The debug-exit port with status 0x10 (success) or 0x11 (the run failed), else ACPI S5.
[[noreturn]] void power_off(bool success);
// FADT reset register, else port 0xcf9, else a triple fault; each gets a moment to work.
[[noreturn]] void reset();

} // namespace aios::dev
