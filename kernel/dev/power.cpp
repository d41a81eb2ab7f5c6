// See power.hpp. ACPI specification 6.5 sections 4.8.3.2 (PM1 control), 4.8.3.6 (reset register), 7.4.2 (S5).
#include "kernel/dev/power.hpp"

#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/dev/host_port.hpp"
#include "kernel/dev/platform.hpp"

namespace aios::dev {
namespace {

// A moment for the machine to obey. Counted in ticks: nothing else may work any more.
void wait_a_moment() {
    const std::uint64_t until = arch::ticks() + arch::tick_khz() * 50;
    while (arch::ticks() < until)
        arch::relax();
}

void write_register(const AcpiRegister& place, std::uint8_t value) {
    if (place.space == 1) {
        arch::port_write8(static_cast<std::uint16_t>(place.address), value);
    } else if (place.space == 0) {
        // SAFETY: the FADT names this register for exactly this.
        if (const auto window = arch::map_registers({place.address}, 1))
            *static_cast<volatile std::uint8_t*>(*window) = value;
    }
}

// Reduced hardware (section 4.8.3.7): one register does it, and there is no other mode to leave first.
void sleep_s5_reduced(const AcpiRegister& control) {
    constexpr std::uint8_t kSleepEnable = 1 << 5;
    write_register(control, static_cast<std::uint8_t>(*platform().sleep_type_a << 2 | kSleepEnable));
    wait_a_moment();
}

void sleep_s5() {
    constexpr std::uint16_t kSleepEnable = 1 << 13, kAcpiMode = 1;
    if (!platform().sleep_type_a) return;
    if (platform().sleep_control) sleep_s5_reduced(*platform().sleep_control);
    if (platform().power_port_a == 0) return;
    if ((arch::port_read16(platform().power_port_a) & kAcpiMode) == 0 && platform().smi_port != 0 &&
        platform().acpi_enable != 0) {
        arch::port_write8(platform().smi_port, platform().acpi_enable);
        wait_a_moment();
    }
    arch::port_write16(platform().power_port_a,
                       static_cast<std::uint16_t>(*platform().sleep_type_a << 10 | kSleepEnable));
    if (platform().power_port_b != 0)
        arch::port_write16(platform().power_port_b,
                           static_cast<std::uint16_t>(*platform().sleep_type_b << 10 | kSleepEnable));
    wait_a_moment();
}

[[noreturn]] void leave(arch::ExitStatus status) {
    drain_host_port();
    arch::interrupts_disable();
    arch::debug_exit(status);
    sleep_s5();
    log(LogLevel::error, "the machine does not switch off: it stands still now");
    arch::halt_forever();
}

} // namespace

void power_off(RunEnd end) { leave(end == RunEnd::well ? arch::ExitStatus::success : arch::ExitStatus::run_failed); }

void refuse_machine(std::string_view sentence) {
    log(LogLevel::error, "{}{}", std::string_view(arch::kRefusal), sentence);
    leave(arch::ExitStatus::refused);
}

void reset() {
    drain_host_port();
    arch::interrupts_disable();
    if (platform().reset) {
        write_register(*platform().reset, platform().reset_value);
        wait_a_moment();
    }
    arch::port_write8(0xcf9, 0x02); // hard reset, then start it
    arch::port_write8(0xcf9, 0x06);
    wait_a_moment();
    arch::triple_fault();
}

} // namespace aios::dev
