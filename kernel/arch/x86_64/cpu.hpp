// Single instructions as functions: ports, model-specific registers, control registers, CPUID. Only kernel/arch/x86_64
// includes this. Names follow Intel SDM volumes 2 to 4.
// SAFETY: each asm statement names all that the instruction reads and writes; those that order memory clobber it.
#pragma once

#include <cstdint>

#include "kernel/arch/x86_64/registers.hpp"

namespace aios::arch::x86 {

// SAFETY (whole file): each asm statement names all that the instruction reads and writes; those that order memory
// clobber it.
inline void out8(std::uint16_t port, std::uint8_t value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
inline void out16(std::uint16_t port, std::uint16_t value) { asm volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
inline void out32(std::uint16_t port, std::uint32_t value) { asm volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }
inline std::uint8_t in8(std::uint16_t port) {
    std::uint8_t value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline std::uint16_t in16(std::uint16_t port) {
    std::uint16_t value;
    asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline std::uint32_t in32(std::uint16_t port) {
    std::uint32_t value;
    asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

inline std::uint64_t read_msr(std::uint32_t msr) {
    std::uint32_t low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (std::uint64_t{high} << 32) | low;
}
inline void write_msr(std::uint32_t msr, std::uint64_t value) {
    asm volatile("wrmsr"
                 :
                 : "c"(msr), "a"(static_cast<std::uint32_t>(value)), "d"(static_cast<std::uint32_t>(value >> 32))
                 : "memory");
}

// With CR4.FSGSBASE alone. The other gs base is the one that SWAPGS exchanges: interrupts are off.
inline std::uint64_t read_fs_base() {
    std::uint64_t base;
    asm volatile("rdfsbase %0" : "=r"(base));
    return base;
}
inline void write_fs_base(std::uint64_t base) { asm volatile("wrfsbase %0" : : "r"(base)); }
inline std::uint64_t read_other_gs_base() {
    std::uint64_t base;
    asm volatile("swapgs; rdgsbase %0; swapgs" : "=r"(base) : : "memory");
    return base;
}
inline void write_other_gs_base(std::uint64_t base) {
    asm volatile("swapgs; wrgsbase %0; swapgs" : : "r"(base) : "memory");
}

inline std::uint64_t read_cr0() {
    std::uint64_t value;
    asm volatile("movq %%cr0, %0" : "=r"(value));
    return value;
}
inline void write_cr0(std::uint64_t value) { asm volatile("movq %0, %%cr0" : : "r"(value) : "memory"); }
inline std::uint64_t read_cr2() {
    std::uint64_t value;
    asm volatile("movq %%cr2, %0" : "=r"(value));
    return value;
}
inline std::uint64_t read_cr3() {
    std::uint64_t value;
    asm volatile("movq %%cr3, %0" : "=r"(value));
    return value;
}
inline void write_cr3(std::uint64_t value) { asm volatile("movq %0, %%cr3" : : "r"(value) : "memory"); }
inline std::uint64_t read_cr4() {
    std::uint64_t value;
    asm volatile("movq %%cr4, %0" : "=r"(value));
    return value;
}
inline void write_cr4(std::uint64_t value) { asm volatile("movq %0, %%cr4" : : "r"(value) : "memory"); }
// The components that XSAVE manages; takes only those that CPUID names.
inline void write_xcr0(std::uint64_t value) {
    asm volatile("xsetbv"
                 :
                 : "c"(0), "a"(static_cast<std::uint32_t>(value)), "d"(static_cast<std::uint32_t>(value >> 32))
                 : "memory");
}
inline void init_fpu() { asm volatile("fninit"); }
// No local descriptor table, and no breakpoints in debug registers.
inline void drop_local_descriptors() { asm volatile("lldt %w0" : : "r"(0)); }
inline void drop_breakpoints() { asm volatile("movq %0, %%dr7" : : "r"(std::uint64_t{0x400})); }
inline void store_fence() { asm volatile("mfence" : : : "memory"); }
// What gs:0 holds: the address of this CPU's block.
inline void* read_gs_word() {
    void* word;
    asm volatile("movq %%gs:0, %0" : "=r"(word));
    return word;
}
inline void flush_page(std::uint64_t address) { asm volatile("invlpg (%0)" : : "r"(address) : "memory"); }

inline CpuId cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
    CpuId r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}
inline bool has_leaf(std::uint32_t leaf) { return cpuid(leaf & 0x8000'0000).eax >= leaf; }

inline std::uint64_t read_tsc() {
    std::uint32_t low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return (std::uint64_t{high} << 32) | low;
}
// False when the generator has no number right now (SDM volume 1 section 7.3.17); callers retry a few times.
inline bool read_random(std::uint64_t& value) {
    bool ok;
    asm volatile("rdrand %0" : "=r"(value), "=@ccc"(ok));
    return ok;
}
// Where this instruction stands.
inline std::uint64_t instruction_pointer() {
    std::uint64_t here;
    asm volatile("leaq (%%rip), %0" : "=r"(here));
    return here;
}
inline std::uint64_t read_flags() {
    std::uint64_t flags;
    asm volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
    return flags;
}

} // namespace aios::arch::x86
