// The limits of a process (setrlimit). They are the process's own, go to its children and stay over execve. RLIMIT_NOFILE is
// kept by the descriptor table, RLIMIT_SIGPENDING by the queues of signals, RLIMIT_CPU by timers; memory and processes are limited by the agent's
// quota, whatever is set here.
#pragma once

#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

inline constexpr std::uint64_t kMaxFiles = 1024;           // descriptors of a process
inline constexpr std::uint64_t kUsualQueuedSignals = 4096; // of a process, unless it sets another limit

struct Limits {
    Limits() {
        for (Limit& limit : of)
            limit = {kLimitInfinity, kLimitInfinity};
        of[kLimitStack] = {8ull << 20, kLimitInfinity};
        of[kLimitFiles] = {kMaxFiles, kMaxFiles};
        of[kLimitSignals] = {kUsualQueuedSignals, kUsualQueuedSignals};
    }
    Limit of[kLimitCount];
};

} // namespace aios::linux_abi
