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

[[nodiscard]] PhysAddr image_to_phys(const void* pointer); // of something in the kernel image

// Statuses that QEMU's isa-debug-exit reports (QEMU itself exits with 2 * status + 1).
enum class ExitStatus : std::uint8_t { success = 0x10, run_failed = 0x11, panicked = 0x12, selftest_failed = 0x13 };
void debug_exit(ExitStatus status); // returns where there is no such device
[[noreturn]] void halt_forever();
// Runs in a panic, after the report, with everything else stopped: polled, without locks. In the order of adding; at
// most 8.
void add_panic_reporter(void (*reporter)());
[[nodiscard]] bool is_panicking();

// Steps of the start, in this order (kernel/main.cpp). Interrupts stay off until the scheduler runs.
void run_initializers(); // .init_array
void init_boot_cpu();    // features, descriptor tables, control registers, traps, local APIC
// Rates of the time stamp counter and the timer; `hpet`: physical address of its registers or 0; tsc_khz= of the
// command line.
void init_clocks(std::uint64_t hpet, std::optional<std::uint64_t> tsc_khz);
[[nodiscard]] std::uint64_t tick_khz();
// Processors without a fix for Meltdown: untrusted agents are refused there unless unsafe= says otherwise.
[[nodiscard]] bool needs_page_table_isolation();

} // namespace aios::arch

namespace aios {
[[noreturn]] void kernel_main(); // kernel/main.cpp, on the boot stack, interrupts off
}
