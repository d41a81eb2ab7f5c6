// This CPU: its block, interrupts, time stamp.
// SAFETY: instructions on the interrupt flag order memory accesses like a lock, so they clobber memory.
#include <bit>

#include "kernel/arch/arch.hpp"
#include "kernel/arch/off_time.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/remote.hpp"

namespace aios::arch {

bool interrupts_enabled() { return (x86::read_flags() & x86::kFlagInterrupt) != 0; }

// Where our caller goes on: what is told of a stretch with interrupts off. SAFETY: a number, never followed.
#define CALLER reinterpret_cast<std::uint64_t>(__builtin_return_address(0))

[[gnu::noinline]] bool interrupts_disable() {
    const bool were_enabled = interrupts_enabled();
    asm volatile("cli" : : : "memory");
    if (were_enabled) interrupts_went_off(CALLER);
    return were_enabled;
}
[[gnu::noinline]] void interrupts_enable() {
    interrupts_go_on(CALLER);
    asm volatile("sti" : : : "memory");
}
[[gnu::noinline]] void wait_for_interrupt() {
    interrupts_go_on(CALLER);
    asm volatile("sti; hlt; cli" : : : "memory");
    interrupts_went_off(CALLER);
}
std::uint64_t ticks() { return x86::read_tsc(); }

unsigned cpu_index() {
    std::uint32_t index;
    // SAFETY: gs points at this CPU's block.
    asm volatile("movl %%gs:%c1, %0" : "=r"(index) : "i"(CPU_INDEX));
    return index;
}
unsigned cpu_count() { return static_cast<unsigned>(std::popcount(x86::cpus_up_mask())); }

} // namespace aios::arch
