// Entry points of traps.S into C++; nobody else calls these.
#pragma once

#include "kernel/arch/arch.hpp"

namespace aios::arch::x86 {

extern "C" {
void trap_from_user(TrapFrame* frame);   // exceptions and interrupts that hit user mode; ends in upcall::before_user
void trap_from_kernel(TrapFrame* frame); // those that hit the kernel
void trap_paranoid_handler(TrapFrame* frame);
}

} // namespace aios::arch::x86
