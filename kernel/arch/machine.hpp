// What the boot code found out and what ends the machine, for the folders above arch that bring the kernel up.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "boot/handoff.hpp"
#include "kernel/arch/arch.hpp"

namespace aios::arch {

[[nodiscard]] const boot::HandOff& hand_off(); // a copy in the kernel image; its addresses are physical
[[nodiscard]] std::string_view command_line();
[[nodiscard]] std::optional<std::string_view> command_line_value(std::string_view name); // of the word `name=value`
[[nodiscard]] std::optional<std::uint64_t> command_line_number(std::string_view name);
[[nodiscard]] std::optional<std::uint64_t> fixed_seed(); // seed=N

// Statuses that QEMU's isa-debug-exit reports (QEMU itself exits with 2 * status + 1).
enum class ExitStatus : std::uint8_t { success = 0x10, run_failed = 0x11, panicked = 0x12, selftest_failed = 0x13 };
void debug_exit(ExitStatus status); // returns where there is no such device
[[noreturn]] void halt_forever();

// The machine's address space is complete; drops what only the start needed.
void run_initializers(); // .init_array

} // namespace aios::arch

namespace aios {
[[noreturn]] void kernel_main(); // kernel/main.cpp, on the boot stack, interrupts off
}
