// The local APIC (SDM volume 3 chapter 11; xAPIC registers, x2APIC MSRs if firmware has switched to them), interrupts
// between CPUs, and the timer's interrupt. I/O APIC lines come to device_interrupt().
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace aios::arch::x86 {

Result<> map_local_apic(std::uint64_t physical); // once; from then on the functions below work
void init_local_apic();                          // each CPU
[[nodiscard]] bool has_local_apic();
// Whether a CPU with this id can be sent to: outside of x2APIC mode ids have 8 bits.
[[nodiscard]] bool apic_reaches(std::uint32_t apic_id);
[[nodiscard]] std::uint32_t local_apic_id();
void end_of_interrupt();
void send_interrupt(std::uint32_t apic_id, unsigned vector);
void send_init(std::uint32_t apic_id);
void send_startup(std::uint32_t apic_id, std::uint8_t page);
void send_nmi_to_others();

void timer_interrupt();                 // from traps.cpp
void device_interrupt(unsigned vector); // from traps.cpp

} // namespace aios::arch::x86
