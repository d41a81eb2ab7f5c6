// See requirements.hpp. Long mode itself is checked in entry.S, which runs before it.
#include "kernel/arch/x86_64/requirements.hpp"

#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/serial.hpp"

namespace aios::arch::x86 {
namespace {

struct Need {
    std::uint32_t leaf;
    std::uint8_t bit;
    char name[50];
};
// Bits of edx. What every x86-64 processor has (AMD64 volume 3 appendix D), unless a virtual machine hides it.
constexpr Need kNeeds[] = {
    {1, 0, "a floating-point unit (fpu)"},
    {1, 4, "the time stamp counter (tsc)"},
    {1, 5, "model-specific registers (msr)"},
    {1, 6, "physical address extension (pae)"},
    {1, 8, "CMPXCHG8B (cx8)"},
    {1, 9, "a local APIC (apic)"},
    {1, 13, "global pages (pge)"},
    {1, 15, "conditional moves (cmov)"},
    {1, 16, "the page attribute table (pat)"},
    {1, 24, "FXSAVE (fxsr)"},
    {1, 25, "SSE (sse)"},
    {1, 26, "SSE2 (sse2)"},
    {0x8000'0001, 11, "SYSCALL (syscall)"},
    {0x8000'0001, 20, "pages that cannot be executed (nx)"},
    {0x8000'0001, 29, "64-bit mode (lm)"},
};

} // namespace

std::string_view missing_feature() {
    for (const Need& need : kNeeds) {
        if (!has_leaf(need.leaf)) return need.name;
        if ((cpuid(need.leaf).edx >> need.bit & 1) == 0) return need.name;
    }
    return {};
}

void refuse_early(std::string_view first, std::string_view second) {
    serial_init();
    serial_write(kRefusal); // one by one: a list of texts would be a table of pointers
    serial_write(first);
    serial_write(second);
    serial_write(second.empty() ? "\n" : ".\n");
    debug_exit(ExitStatus::refused);
    halt_forever();
}

} // namespace aios::arch::x86
