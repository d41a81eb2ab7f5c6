// Running a function on other CPUs, and waiting for it. It cannot deadlock: a CPU that waits, and one that spins with
// interrupts off (arch::relax), serves what others ask of it. So the functions run in any context with interrupts off,
// maybe inside a critical section of that CPU: they take no locks and touch only state of their own CPU.
#pragma once

#include <cstdint>

namespace aios::arch::x86 {

void run_incoming(); // interrupts off
// Runs it on the CPUs in `mask` other than this one; returns when all have. Interrupts are off.
void run_on(std::uint64_t mask, void (*function)(void*), void* argument);
[[nodiscard]] std::uint64_t cpus_up_mask();

} // namespace aios::arch::x86
