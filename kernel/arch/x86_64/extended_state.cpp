// x87, SSE, AVX and what else CPUID lists, by XSAVE in its standard format (SDM volume 1 chapter 13), or FXSAVE where
// there is no XSAVE. The kernel itself is compiled without any of these registers. Also the user's fs and gs bases.
// SAFETY: an area has extended_state_bytes() bytes, 64-byte aligned, and holds what init or save left there; the base
// registers are the current thread's.
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

std::uint64_t extended_state_components() { return x86::features().xsave ? x86::features().extended_components : 3; }

// XRSTOR faults at reserved bits of MXCSR, at components that XCR0 has not, and at a header that is not of the standard
// format (SDM volume 1 section 13.8.1).
void clean_extended_state(void* area) {
    constexpr std::size_t kMxcsr = 24, kHeader = 512, kHeaderBytes = 64;
    constexpr std::uint32_t kMxcsrBits = 0xffbf; // without denormals-are-zeros, which not all processors have
    static const std::uint32_t mask = [] {
        alignas(64) std::uint32_t legacy[128] = {};
        asm volatile("fxsave64 (%0)" : : "r"(legacy) : "memory");
        return legacy[7] != 0 ? legacy[7] : kMxcsrBits;
    }();
    auto* bytes = static_cast<std::byte*>(area);
    std::uint32_t mxcsr;
    std::memcpy(&mxcsr, bytes + kMxcsr, sizeof(mxcsr));
    mxcsr &= mask;
    std::memcpy(bytes + kMxcsr, &mxcsr, sizeof(mxcsr));
    if (!x86::features().xsave) return;
    std::uint64_t present;
    std::memcpy(&present, bytes + kHeader, sizeof(present));
    present &= extended_state_components();
    std::memset(bytes + kHeader, 0, kHeaderBytes);
    std::memcpy(bytes + kHeader, &present, sizeof(present));
}

std::uint64_t user_fs_base() {
    if (!x86::features().fsgsbase) return x86::read_msr(x86::kMsrFsBase);
    return x86::read_fs_base();
}
void set_user_fs_base(std::uint64_t base) {
    if (!x86::features().fsgsbase) return x86::write_msr(x86::kMsrFsBase, base);
    x86::write_fs_base(base);
}
// While the kernel runs, the user's gs base waits in the other register. RDGSBASE reaches it between two SWAPGS, with
// interrupts off: an interrupt that comes from the kernel takes gs to be the kernel's. (Those that cannot be held off
// look for themselves: trap_paranoid.)
std::uint64_t user_gs_base() {
    if (!x86::features().fsgsbase) return x86::read_msr(x86::kMsrKernelGsBase);
    InterruptGuard guard;
    return x86::read_other_gs_base();
}
void set_user_gs_base(std::uint64_t base) {
    if (!x86::features().fsgsbase) return x86::write_msr(x86::kMsrKernelGsBase, base);
    InterruptGuard guard;
    x86::write_other_gs_base(base);
}

void save_user_bases(UserBases& bases) {
    if (x86::features().fsgsbase) [[likely]] {
        bases = {x86::read_fs_base(), x86::read_other_gs_base()};
    } else {
        bases = {x86::read_msr(x86::kMsrFsBase), x86::read_msr(x86::kMsrKernelGsBase)};
    }
}
void load_user_bases(const UserBases& bases) {
    if (x86::features().fsgsbase) [[likely]] {
        x86::write_fs_base(bases.fs);
        x86::write_other_gs_base(bases.gs);
    } else {
        x86::write_msr(x86::kMsrFsBase, bases.fs);
        x86::write_msr(x86::kMsrKernelGsBase, bases.gs);
    }
}

} // namespace aios::arch
