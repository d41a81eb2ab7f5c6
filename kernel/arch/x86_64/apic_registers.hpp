// Raw access to the local APIC's registers, for apic.cpp and timer.cpp.
#pragma once

#include <cstdint>

namespace aios::arch::x86 {

std::uint32_t apic_read(std::uint32_t offset);
void apic_write(std::uint32_t offset, std::uint32_t value);

inline constexpr std::uint32_t kApicTimerEntry = 0x320, kApicTimerInitial = 0x380, kApicTimerCurrent = 0x390,
                               kApicTimerDivide = 0x3e0;

} // namespace aios::arch::x86
