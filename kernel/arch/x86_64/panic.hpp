// Panic, as the trap code uses it; see panic.cpp.
#pragma once

#include "kernel/arch/arch.hpp"

namespace aios::arch::x86 {

[[noreturn]] void panic_trap(const TrapFrame& frame, std::uint64_t address, const char* what);
void stop_if_panicking(const TrapFrame& frame); // on an NMI: does not return if another CPU is in a panic

} // namespace aios::arch::x86
