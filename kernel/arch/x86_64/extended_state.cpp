// x87, SSE, AVX and what else CPUID lists, by XSAVE in its standard format (SDM volume 1 chapter 13), or FXSAVE where
// there is no XSAVE. The kernel itself is compiled without any of these registers. Also the user's fs and gs bases.
#include <cstring>

#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/features.hpp"

namespace aios::arch {

std::size_t extended_state_bytes() { return x86::features().extended_bytes; }

void init_extended_state(void* area) {
    std::memset(area, 0, extended_state_bytes());
    const std::uint16_t control = 0x37f; // x87: all exceptions masked, 64-bit precision
    const std::uint32_t mxcsr = 0x1f80;  // SSE: all exceptions masked
    std::memcpy(static_cast<char*>(area) + 0, &control, sizeof(control));
    std::memcpy(static_cast<char*>(area) + 24, &mxcsr, sizeof(mxcsr));
}

// SAFETY (these two): `area` has extended_state_bytes() bytes, 64-byte aligned, and holds what init or save left there.
void save_extended_state(void* area) {
    if (x86::features().xsaveopt) {
        asm volatile("xsaveopt64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
    } else if (x86::features().xsave) {
        asm volatile("xsave64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
    } else {
        asm volatile("fxsave64 (%0)" : : "r"(area) : "memory");
    }
}
void restore_extended_state(const void* area) {
    if (x86::features().xsave) {
        asm volatile("xrstor64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
    } else {
        asm volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
    }
}

std::uint64_t user_fs_base() {
    if (!x86::features().fsgsbase) return x86::read_msr(x86::kMsrFsBase);
    std::uint64_t base;
    asm volatile("rdfsbase %0" : "=r"(base));
    return base;
}
void set_user_fs_base(std::uint64_t base) {
    if (!x86::features().fsgsbase) return x86::write_msr(x86::kMsrFsBase, base);
    asm volatile("wrfsbase %0" : : "r"(base));
}
// While the kernel runs, the user's gs base waits in the other register.
std::uint64_t user_gs_base() { return x86::read_msr(x86::kMsrKernelGsBase); }
void set_user_gs_base(std::uint64_t base) { x86::write_msr(x86::kMsrKernelGsBase, base); }

} // namespace aios::arch
