// Robust futexes: a thread says where the list of locks that it holds begins, and whoever waits for one of them hears when the
// thread ends. The list is the program's memory: nothing in it is believed, and no more than kMostRobust of it is looked at.
#pragma once

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

inline constexpr unsigned kMostRobust = 2048;         // ROBUST_LIST_LIMIT
inline constexpr std::uint64_t kRobustHeadBytes = 24; // struct robust_list_head
inline constexpr std::uint32_t kFutexWaiters = 1u << 31, kFutexOwnerDied = 1u << 30, kFutexOwner = (1u << 30) - 1;

// The thread is ending, with its memory active: each lock in its list that it still holds says so (FUTEX_OWNER_DIED), and
// one who waits for it is woken.
void release_robust_list(LinuxProcess& process, const LinuxThread& data);

} // namespace aios::linux_abi
