// This CPU: its block, interrupts, time stamp.
#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/cpu.hpp"

namespace aios::arch {

bool interrupts_enabled() { return (x86::read_flags() & x86::kFlagInterrupt) != 0; }

bool interrupts_disable() {
    const bool were_enabled = interrupts_enabled();
    asm volatile("cli" : : : "memory");
    return were_enabled;
}
void interrupts_enable() { asm volatile("sti" : : : "memory"); }
void wait_for_interrupt() { asm volatile("sti; hlt; cli" : : : "memory"); }
void relax() { asm volatile("pause" : : : "memory"); }
std::uint64_t ticks() { return x86::read_tsc(); }

} // namespace aios::arch
