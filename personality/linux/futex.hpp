// Futexes. A waiter is on the stack of its thread, linked into one of a fixed number of buckets by key: private futexes
// by address space and address, shared ones by memory object and offset. A waiter is queued before it reads the word,
// so that no wake-up is lost and the word is never read under a spinlock. Lock: Rank::futex, one a bucket; two buckets
// (requeue) in address order.
#pragma once

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

enum class FutexScope : std::uint8_t { private_, shared };

// Blocks while the word is `expected`. kAgain (another value), kTimedOut, kInterrupted, kFault. `deadline` is
// monotonic.
Outcome futex_wait(LinuxProcess& process, std::uint64_t address, FutexScope scope, std::uint32_t expected,
                   sched::Deadline deadline, std::uint32_t bitset);
// Wakes up to `count` waiters whose bitset meets `bitset`; answers how many.
Outcome futex_wake(LinuxProcess& process, std::uint64_t address, FutexScope scope, std::uint32_t count,
                   std::uint32_t bitset);

} // namespace aios::linux_abi
