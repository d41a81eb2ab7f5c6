// The few processor instructions that the loader needs. Everything else about the processor is the kernel's matter.
#pragma once

#include <cstdint>

namespace aios::efi {

struct CpuId {
    std::uint32_t eax, ebx, ecx, edx;
};

inline CpuId cpuid(std::uint32_t leaf) {
    CpuId id;
    // SAFETY: CPUID reads, and changes these four registers alone.
    asm volatile("cpuid" : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx) : "a"(leaf), "c"(0));
    return id;
}

inline bool cpu_under_hypervisor() { return (cpuid(1).ecx >> 31 & 1) != 0; }
inline bool cpu_has_rdrand() { return (cpuid(1).ecx >> 30 & 1) != 0; }
inline bool cpu_has_gib_pages() {
    return cpuid(0x8000'0000).eax >= 0x8000'0001 && (cpuid(0x8000'0001).edx >> 26 & 1) != 0;
}

// True if the firmware runs on five-level page tables, which can only be left by leaving 64-bit mode.
inline bool cpu_five_levels() {
    std::uint64_t cr4;
    // SAFETY: reads a control register; UEFI runs applications in ring 0.
    asm volatile("mov %%cr4, %0" : "=r"(cr4));
    return (cr4 >> 12 & 1) != 0;
}

inline std::uint64_t cpu_tsc() {
    std::uint32_t low, high;
    // SAFETY: reads the time stamp counter.
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return std::uint64_t{high} << 32 | low;
}

// One hardware random number, or false if ten tries gave none (Intel SDM volume 1 section 7.3.17.1).
inline bool cpu_random(std::uint64_t& value) {
    for (int i = 0; i < 10; ++i) {
        bool ok;
        // SAFETY: the caller has checked cpu_has_rdrand.
        asm volatile("rdrand %0" : "=r"(value), "=@ccc"(ok));
        if (ok) return true;
    }
    return false;
}

struct [[gnu::packed]] GdtPointer {
    std::uint16_t limit;
    std::uint64_t base;
};

// What the processor takes over when it leaves the loader. Every address is physical and inside the new identity map.
struct Departure {
    GdtPointer gdt; // selector 8: 64-bit code, 16: data
    std::uint64_t page_tables;
    std::uint64_t stack_top;
    std::uint64_t entry;
    std::uint64_t hand_off;
};

// Interrupts off, own page tables, own GDT, own stack, then the kernel's 64-bit entry with rdi = the hand-off block.
[[noreturn]] inline void cpu_depart(const Departure& departure) {
    // SAFETY: the last instructions of the loader. Its own code and `departure` lie in identity-mapped memory, so both
    // stay valid across the change of CR3; nothing is taken from the old stack once rsp has changed (all operands in
    // registers).
    asm volatile("cli\n\t"
                 "cld\n\t"
                 "lgdt %[gdt]\n\t"
                 "mov %[tables], %%cr3\n\t"
                 "mov %[stack], %%rsp\n\t"
                 "mov $16, %%eax\n\t"
                 "mov %%eax, %%ds\n\t"
                 "mov %%eax, %%es\n\t"
                 "mov %%eax, %%ss\n\t"
                 "xor %%eax, %%eax\n\t"
                 "mov %%eax, %%fs\n\t"
                 "mov %%eax, %%gs\n\t"
                 "xor %%ebp, %%ebp\n\t"
                 "pushq $8\n\t"
                 "pushq %[entry]\n\t"
                 "lretq\n\t"
                 :
                 : [gdt] "m"(departure.gdt), [tables] "r"(departure.page_tables), [stack] "r"(departure.stack_top),
                   [entry] "r"(departure.entry), "D"(departure.hand_off)
                 : "rax", "memory");
    __builtin_unreachable();
}

} // namespace aios::efi
