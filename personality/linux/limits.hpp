// The limits of a process (setrlimit). They are the process's own, go to its children and stay over execve. RLIMIT_NOFILE is
// kept by the descriptor table; memory, time and processes are limited by the agent's quota, whatever is set here.
#pragma once

#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

inline constexpr std::uint64_t kMaxFiles = 1024; // descriptors of a process

struct Limits {
    Limits() {
        for (Limit& limit : of)
            limit = {kLimitInfinity, kLimitInfinity};
        of[kLimitStack] = {8ull << 20, kLimitInfinity};
        of[kLimitFiles] = {kMaxFiles, kMaxFiles};
    }
    Limit of[kLimitCount];
};

} // namespace aios::linux_abi
