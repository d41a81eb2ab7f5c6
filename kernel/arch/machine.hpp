// What the boot code found out and what ends the machine, for the folders above arch that bring the kernel up.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/types.hpp"
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
enum class ExitStatus : std::uint8_t {
    success = 0x10,
    run_failed = 0x11,
    panicked = 0x12,
    selftest_failed = 0x13,
    refused = 0x14, // AIOS does not start on this machine; the serial line says why
};
void debug_exit(ExitStatus status);                              // returns where there is no such device
inline constexpr char kRefusal[] = "AIOS does not start here: "; // begins the line that says why
[[noreturn]] void halt_forever();
// Runs in a panic, after the report, with everything else stopped: polled, without locks. In the order of adding; at
// most 8.
void add_panic_reporter(void (*reporter)());
[[nodiscard]] bool is_panicking();
[[nodiscard]] std::string_view panic_message(); // of this panic; "" when there is none

// Steps of the start, in this order (kernel/main.cpp). Interrupts stay off until the scheduler runs.
void run_initializers(); // .init_array
void init_boot_cpu();    // features, descriptor tables, control registers, traps, local APIC
// What the rates of the time stamp counter and the timer are measured by, beside what needs no address.
struct ClockSources {
    std::uint64_t hpet = 0;               // physical address of its registers, or 0
    std::uint16_t acpi_timer = 0;         // port of ACPI's timer, or 0
    std::optional<std::uint64_t> tsc_khz; // tsc_khz= of the command line; what is not plausible is passed over
};
[[nodiscard]] bool init_clocks(const ClockSources& sources); // false: this machine has nothing to measure time by
[[nodiscard]] std::uint64_t tick_khz();
// I/O APIC lines (global system interrupts). Enabled ones come to upcall::device_interrupt on the boot CPU.
enum class LineTrigger : std::uint8_t { edge, level };
enum class LinePolarity : std::uint8_t { high, low };
Result<> add_io_apic(std::uint64_t physical, unsigned first_line);
Result<> enable_line(unsigned line, LineTrigger trigger, LinePolarity polarity); // not_found, already_exists, no_space
void disable_line(unsigned line);
// Starts the CPUs with these local APIC ids; the boot CPU's own is skipped. Answers how many run then, this one
// included. allocate_stack: tops of kernel stacks, as mm::allocate_stack gives them.
Result<unsigned> start_cpus(std::span<const std::uint32_t> apic_ids, Result<std::uint64_t> (*allocate_stack)());
// Firmware tables: `bytes` readable bytes at a physical address, mapped read-only where the physmap does not have them.
Result<Bytes> view_physical(PhysAddr address, std::uint64_t bytes);
// Device registers in kernel space, uncached, for good.
Result<volatile void*> map_registers(PhysAddr address, std::uint64_t bytes);
// Ports, for the few devices that have them (power, PCI configuration space, real-time clock).
[[nodiscard]] std::uint8_t port_read8(std::uint16_t port);
[[nodiscard]] std::uint16_t port_read16(std::uint16_t port);
[[nodiscard]] std::uint32_t port_read32(std::uint16_t port);
void port_write8(std::uint16_t port, std::uint8_t value);
void port_write16(std::uint16_t port, std::uint16_t value);
void port_write32(std::uint16_t port, std::uint32_t value);
[[noreturn]] void triple_fault(); // the last way to reset
// A number from the processor's generator, or nothing where there is none or it has failed.
[[nodiscard]] std::optional<std::uint64_t> hardware_random();

// Processors without a fix for Meltdown: untrusted agents are refused there unless unsafe= says otherwise.
[[nodiscard]] bool needs_page_table_isolation();

} // namespace aios::arch
