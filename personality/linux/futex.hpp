// Futexes. A waiter is on the stack of its thread, linked into a bucket by key: private ones by address, in a table of
// their own process, so that no agent meets another's waiters; shared ones by memory object and offset, in a table of
// the kernel. A shared futex on memory of the process's own is the same futex as the private one there. Lock: Rank::futex,
// one a bucket; two buckets are never held at once.
//
// FUTEX_REQUEUE moves waiters: (a) out of their bucket, under its lock, after which they stand in none, (b) into the other one,
// under that one's lock. Saying so is the last that the mover does to a waiter: from then on it may leave its stack frame, as
// soon as it has that lock. Interrupts are off from (a) to (b), so whoever finds a waiter that stands in none (6) looks again
// after a moment. Waiters of other processes are not moved into this process's own table, which goes with it: they are woken.
//
// Why no wake-up is lost, although the word is never read under a spinlock (it may fault, and then the thread blocks):
//   (1) The waiter is linked into its bucket, under the bucket's lock.
//   (2) It reads the word. A waker's program writes the word first and then calls futex_wake(), which takes the same lock:
//       either it comes after (1) and finds the waiter, or it was done before (1), and the read sees what it wrote.
//   (3) If the word is not what the caller expected it withdraws, under the lock. A wake-up that has met it meanwhile took
//       it for a sleeper, and counted it: it is passed on to another waiter of the same word, as far as one is there.
//   (4) Else it sleeps until `woken` is set. The waker unlinks it, sets `woken` and wakes its queue, all under the lock.
//   (5) Whatever ended the sleep, it withdraws: if `woken` is set by then it answers success, also where deadline or signal
//       came at the same moment, so that a wake-up that was counted is never swallowed. Taking the lock here also waits
//       for a waker that is still busy with the waiter, which lies on the stack that is about to go.
//   (6) The bucket is the one that it stands in by then: it may have been moved.
#pragma once

#include <atomic>
#include <expected>

#include "kernel/mm/pages.hpp"
#include "kernel/sched/wait_queue.hpp"
#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

class LinuxProcess;
struct Call;
enum class FutexScope : std::uint8_t { private_, shared };

struct FutexKey {
    const void* object = nullptr; // Pages or AddressSpace: compared, never used; who has the key holds it
    std::uint64_t offset = 0;
    bool operator==(const FutexKey&) const = default;
};

struct FutexBucket;
struct FutexWaiter {
    ListNode node;
    FutexKey key;
    FutexKey lock_after; // FUTEX_WAIT_REQUEUE_PI: the lock that it takes once it is woken; no object: none
    Ref<mm::Pages> held; // what a shared key names: nobody else's memory comes to stand there while it waits
    std::uint32_t bitset = ~0u;
    bool queued = true;                        // under the bucket's lock
    std::atomic<FutexBucket*> bucket{nullptr}; // where it stands; null: it is being moved
    std::atomic<bool> woken{false};
    sched::WaitQueue queue;
    sched::WaitQueue* wakes = &queue; // futex_waitv: one for several waiters
};

struct FutexBucket {
    sync::SpinLock<sync::Rank::futex> lock;
    IntrusiveList<FutexWaiter, &FutexWaiter::node> waiters AIOS_GUARDED_BY(lock);
};

class FutexTable {
public:
    using Bucket = FutexBucket;
    Bucket& bucket_of(const FutexKey& key);

private:
    static constexpr std::uint32_t kBuckets = 32;
    Bucket buckets_[kBuckets];
};

// Where a word's waiters stand. kInvalid: it is not aligned; kFault.
struct FutexPlace {
    FutexKey key;
    FutexBucket& bucket;
    Ref<mm::Pages> held; // of a shared key: what it names
};
std::expected<FutexPlace, Errno> futex_place(LinuxProcess& process, std::uint64_t address, FutexScope scope);

// The steps that futex_wait() is made of, for those who wait for several words: (1), and (3) or (5), which answers whether the
// waiter was woken.
void futex_enqueue(const FutexPlace& place, FutexWaiter& waiter);
bool futex_withdraw(FutexWaiter& waiter);

// Blocks while the word is `expected`. kAgain (another value), kTimedOut, kInterrupted, kFault. `deadline` is
// monotonic.
std::expected<std::uint64_t, Errno> futex_wait(LinuxProcess& process, std::uint64_t address, FutexScope scope,
                                               std::uint32_t expected, sched::Deadline deadline, std::uint32_t bitset,
                                               const FutexKey& lock_after = {});
// Wakes up to `count` waiters whose bitset meets `bitset`; answers how many.
std::expected<std::uint64_t, Errno> futex_wake(LinuxProcess& process, std::uint64_t address, FutexScope scope,
                                               std::uint32_t count, std::uint32_t bitset);
// The same, where the place is known; it does not touch the word.
std::uint32_t futex_wake_some(const FutexPlace& place, std::uint32_t count, std::uint32_t bitset);
// Up to `count` waiters of one word become waiters of another. Answers how many.
std::uint32_t futex_move(const FutexPlace& from, const FutexPlace& to, std::uint32_t count);
// FUTEX_CMP_REQUEUE_PI: wakes up to `count` waiters that take the lock `then`, which they do in their own time. kInvalid: one
// waits there for something else.
std::expected<std::uint64_t, Errno> futex_wake_for_lock(const FutexPlace& place, const FutexKey& then,
                                                        std::uint32_t count);

} // namespace aios::linux_abi
