// Device interrupts. The kernel's own devices are polled, so no line has a handler: one that comes all the same is
// switched off, or a level line would come for ever.
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"

namespace aios::arch::upcall {

void device_interrupt(unsigned line) {
    disable_line(line);
    log(LogLevel::warning, "interrupt line {} has no driver and is switched off", line);
}

} // namespace aios::arch::upcall
