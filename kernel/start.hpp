// What an image does once the kernel runs: the one that is shipped starts agents (start.cpp), that of the kernel's tests
// runs them (tests/kernel/start.cpp).
#pragma once

namespace aios {

void after_boot(); // on the boot thread, interrupts on; may return, or switch the machine off

} // namespace aios
