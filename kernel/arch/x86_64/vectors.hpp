// Interrupt vectors. 0 to 31 are the processor's exceptions (SDM volume 3 section 6.3.1); 32 to 47 catch a legacy PIC
// that is masked but may still answer; lines of the I/O APIC follow; our own are at the top, where the priority is
// highest.
#pragma once

#include <cstdint>

namespace aios::arch::x86 {

inline constexpr unsigned kVectorDebug = 1, kVectorNmi = 2, kVectorBreakpoint = 3, kVectorOverflow = 4,
                          kVectorDoubleFault = 8, kVectorProtection = 13, kVectorPageFault = 14,
                          kVectorMachineCheck = 18;
inline constexpr unsigned kVectorLegacy = 0x20;
inline constexpr unsigned kVectorDevices = 0x30; // one for each line that is routed
inline constexpr unsigned kDeviceVectors = 0xe0 - kVectorDevices;
inline constexpr unsigned kVectorTimer = 0xf0;
inline constexpr unsigned kVectorReschedule = 0xf1;
inline constexpr unsigned kVectorRemoteCall = 0xf2;
inline constexpr unsigned kVectorSpurious = 0xff;

} // namespace aios::arch::x86
