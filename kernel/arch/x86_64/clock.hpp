// The time stamp counter's and the APIC timer's rates. Set once by calibration (clock.cpp) before other CPUs start.
#pragma once

#include <cstdint>

#include "kernel/arch/x86_64/cpu.hpp"

namespace aios::arch::x86 {

[[nodiscard]] std::uint64_t tsc_per_second();                  // a guess of 1 GHz until calibrated
void init_timer();                                             // each CPU, after its local APIC
void set_rates(std::uint64_t tsc_khz, std::uint64_t apic_khz); // apic: the timer after its divider

} // namespace aios::arch::x86
