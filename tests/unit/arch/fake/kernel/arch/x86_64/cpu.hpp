// Stands in the place of kernel/arch/x86_64/cpu.hpp when sources of the kernel are compiled for tests: the same
// functions on a processor made of variables (fake_machine.hpp).
#pragma once

#include "kernel/arch/x86_64/registers.hpp"

namespace aios::arch::x86 {

void out8(std::uint16_t port, std::uint8_t value);
void out16(std::uint16_t port, std::uint16_t value);
void out32(std::uint16_t port, std::uint32_t value);
std::uint8_t in8(std::uint16_t port);
std::uint16_t in16(std::uint16_t port);
std::uint32_t in32(std::uint16_t port);
std::uint64_t read_msr(std::uint32_t msr);
void write_msr(std::uint32_t msr, std::uint64_t value);
std::uint64_t read_cr0();
void write_cr0(std::uint64_t value);
std::uint64_t read_cr4();
void write_cr4(std::uint64_t value);
void write_xcr0(std::uint64_t value);
void init_fpu();
void drop_breakpoints();
void store_fence();
void* read_gs_word();
CpuId cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0);
std::uint64_t read_tsc();
inline bool has_leaf(std::uint32_t leaf) { return cpuid(leaf & 0x8000'0000).eax >= leaf; }

} // namespace aios::arch::x86
