// Stand-ins for the hooks of folders that have not landed: a strong definition replaces each.
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"

namespace aios::arch::hook {

[[gnu::weak]] void system_call(TrapFrame& frame) { set_call_result(frame, -static_cast<int>(Error::unsupported)); }
[[gnu::weak]] bool page_fault(TrapFrame&, std::uint64_t, bool, bool, bool) { return false; }
[[gnu::weak]] void user_exception(TrapFrame& frame, std::uint64_t address) {
    panic("exception {} in user mode at {:x}, address {:x}", frame.vector, frame.rip, address);
}
[[gnu::weak]] void timer() {}
[[gnu::weak]] void reschedule() {}
[[gnu::weak]] void device_interrupt(unsigned) {}
[[gnu::weak]] void before_user(TrapFrame&) {}
[[gnu::weak]] void kernel_preempt() {}
[[gnu::weak]] void cpu_started(unsigned) {
    for (;;)
        wait_for_interrupt();
}

} // namespace aios::arch::hook
