// Clocks that count the CPU time of a process or a thread of the agent. All time counts as user time, so the clocks of user
// time and of all time are one. A process's time is that of its threads, those that have ended and the programs before
// execve among them: whoever asks walks the threads, a few under one hold.
// A number below zero names one: minus the pid or tid and one in its upper bits, a mark of threads, and which time
// (include/linux/posix-timers_types.h). Locks: the process table's and, inside it, thread_lock.
#pragma once

#include <expected>

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

struct CpuClock {
    std::int32_t pid = 0;
    std::int32_t tid = 0; // 0: of the whole process
};

// Whether the number is one of such a clock, there or not.
[[nodiscard]] bool is_cpu_clock(std::int32_t number);
// kInvalid: there is no such clock, process or thread, or it is a thread of another process.
std::expected<CpuClock, Errno> cpu_clock_of(Call& call, std::int32_t number);
// Nanoseconds. kNoProcess: it has ended.
std::expected<std::uint64_t, Errno> read_cpu_clock(ProcessTable& family, const CpuClock& clock);

// Of children that were waited for.
[[nodiscard]] std::uint64_t children_cpu_ns(LinuxProcess& process);

// read_cpu_clock in steps, for interrupts: at most ProcessTable::kAtOnce threads each.
struct CpuWalk {
    std::uint64_t ns = 0;
    std::uint32_t threads = 0;
    std::int32_t next = 0; // thread; 0: it has not begun
};
enum class CpuStep : std::uint8_t { more, done, gone };
CpuStep step_cpu_clock(ProcessTable& family, const CpuClock& clock, CpuWalk& walk);

// How long it takes at least until a clock that `threads` threads drive has gone on by `ns`: nobody is told earlier, and who
// looks again after that time finds it or less of it left.
[[nodiscard]] std::uint64_t least_wait(std::uint64_t ns, std::uint32_t threads);

// RLIMIT_CPU has been set, or inherited: SIGXCPU comes at the soft limit and each second after it, SIGKILL at the hard one.
// kNoMemory. signal_timer_calls.cpp
std::expected<void, Errno> follow_cpu_limit(LinuxProcess& process) AIOS_REQUIRES(process.lock);

} // namespace aios::linux_abi
