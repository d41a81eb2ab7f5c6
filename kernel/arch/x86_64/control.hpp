// What the kernel switches on in the processor: constant sets, so that nothing that firmware left on stays on. A
// feature that is not named here (CET, protection keys, PCID, AMX, performance counters for user code, virtualisation)
// is off, because the kernel neither saves its state nor handles its exceptions. SDM volume 3 sections 2.5, 2.6
// and 4.1.
#pragma once

#include <cstdint>

#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/features.hpp"

namespace aios::arch::x86 {

inline constexpr std::uint64_t kCr0 =
    kCr0Protected | kCr0Monitor | kCr0Extension | kCr0Numeric | kCr0WriteProtect | kCr0Paging;
inline constexpr std::uint64_t kEfer = kEferSyscall | kEferLongMode | kEferLongModeActive | kEferNoExecute;
// The memory types as after a reset: write-back, write-through, uncached-, uncached, twice (SDM volume 3
// section 11.12.4).
inline constexpr std::uint64_t kPageAttributes = 0x0007'0406'0007'0406;

[[nodiscard]] std::uint64_t cr4_for(const Features& features);

// Each CPU, once its interrupt table is loaded; interrupts are off.
void set_control_registers();
// The same for the registers that say where SYSCALL goes. SYSENTER goes nowhere.
void set_entry_registers(std::uint64_t system_call_entry);

} // namespace aios::arch::x86
