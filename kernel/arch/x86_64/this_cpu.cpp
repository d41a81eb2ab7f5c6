// This CPU: its block, interrupts, time stamp.
// SAFETY: instructions on the interrupt flag order memory accesses like a lock, so they clobber memory.
#include <bit>

#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/remote.hpp"

namespace aios::arch {

bool interrupts_enabled() { return (x86::read_flags() & x86::kFlagInterrupt) != 0; }

bool interrupts_disable() {
    const bool were_enabled = interrupts_enabled();
    asm volatile("cli" : : : "memory");
    return were_enabled;
}
void interrupts_enable() { asm volatile("sti" : : : "memory"); }
void wait_for_interrupt() { asm volatile("sti; hlt; cli" : : : "memory"); }
std::uint64_t ticks() { return x86::read_tsc(); }

unsigned cpu_index() {
    std::uint32_t index;
    // SAFETY: gs points at this CPU's block.
    asm volatile("movl %%gs:%c1, %0" : "=r"(index) : "i"(CPU_INDEX));
    return index;
}
unsigned cpu_count() { return static_cast<unsigned>(std::popcount(x86::cpus_up_mask())); }

} // namespace aios::arch
