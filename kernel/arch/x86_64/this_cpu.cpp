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

// What is told of a stretch with interrupts off: the place where it began or ended. Release builds inline these functions
// into whoever calls them (link-time optimisation), so the place is the instruction itself; debug builds do not, and it
// is where our caller goes on.
// SAFETY: a number, never followed.
#ifdef AIOS_DEBUG
#define PLACE reinterpret_cast<std::uint64_t>(__builtin_return_address(0))
#define OUT_OF_LINE [[gnu::noinline]]
#else
#define PLACE x86::instruction_pointer()
#define OUT_OF_LINE
#endif

OUT_OF_LINE bool interrupts_disable() {
    const bool were_enabled = interrupts_enabled();
    asm volatile("cli" : : : "memory");
    if (were_enabled && detail::off_time_measured) [[unlikely]]
        interrupts_went_off(PLACE);
    return were_enabled;
}
OUT_OF_LINE void interrupts_enable() {
    if (detail::off_time_measured) [[unlikely]]
        interrupts_go_on(PLACE);
    asm volatile("sti" : : : "memory");
}
OUT_OF_LINE void wait_for_interrupt() {
    if (detail::off_time_measured) [[unlikely]]
        interrupts_go_on(PLACE);
    asm volatile("sti; hlt; cli" : : : "memory");
    if (detail::off_time_measured) [[unlikely]]
        interrupts_went_off(PLACE);
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
