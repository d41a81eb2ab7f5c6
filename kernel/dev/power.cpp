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

void sleep_s5() {
    constexpr std::uint16_t kSleepEnable = 1 << 13, kAcpiMode = 1;
    if (!platform().sleep_type_a || platform().power_port_a == 0) return;
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

} // namespace

void power_off(bool success) {
    drain_host_port();
    arch::interrupts_disable();
    arch::debug_exit(success ? arch::ExitStatus::success : arch::ExitStatus::run_failed);
    sleep_s5();
    log(LogLevel::error, "the machine does not switch off: it stands still now");
    arch::halt_forever();
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
