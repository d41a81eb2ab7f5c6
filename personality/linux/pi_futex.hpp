// Futexes that say who owns them (FUTEX_LOCK_PI and its kin), for mutexes with PTHREAD_PRIO_INHERIT. The word holds the
// owner's tid, FUTEX_WAITERS if somebody waits in the kernel, and FUTEX_OWNER_DIED if an owner has ended; programs take and
// leave a lock that nobody waits for by themselves. Tids are the agent's own, so such a futex works within one agent.
//
// No priority is inherited: there is none among an agent's threads (docs/design/sched.md). Of those who wait the one with
// the highest priority that sched_setscheduler has set comes first, and among equals who came first.
//
//  (1) Who wants the lock looks at the word under the table's mutex, which all of the agent take, and changes it by compare
//      and exchange, as programs do without it. If nobody owns it, it is his.
//  (2) Else he sets FUTEX_WAITERS, so that the owner comes to the kernel to unlock, and stands in the table under the same
//      hold. If the owner waits, through others, for him, that is EDEADLK.
//  (3) The owner who unlocks gives the lock on: the word names the next, who is out of the table and knows that it is granted.
//  (4) A thread that ends tells who waits for it: they look at the word again, in their own memory, and the first of them
//      takes it with FUTEX_OWNER_DIED. The list of robust locks has marked the word by then; others still name the thread.
//  (5) Who gives up takes himself out under the mutex, unless it was granted meanwhile. A waiter is on its thread's stack: it
//      takes the mutex before it leaves, so whoever works on it has finished.
// Lock: PiTable::lock (Rank::process, a mutex, as user memory is read and written under it); then the process table's.
#pragma once

#include "kernel/sync/lock.hpp"
#include "personality/linux/futex.hpp"

namespace aios::linux_abi {

struct LinuxThread;
class ProcessTable;

struct PiWaiter {
    enum class State : std::uint8_t { waits, is_granted, looks_again };
    ListNode node;
    FutexKey key;
    Ref<mm::Pages> held; // what a shared key names
    std::int32_t tid = 0, priority = 0;
    std::int32_t owner = 0; // whom it waits for
    bool owner_died = false;
    bool is_listed = false;
    std::atomic<State> state{State::waits};
    sched::WaitQueue queue;
};

// The waiters of one agent.
class PiTable : Pinned {
public:
    using Lock = sync::Mutex<sync::Rank::process>;
    Lock lock;

    // The best of those who wait for the lock, but for `self`; nullptr: nobody.
    [[nodiscard]] PiWaiter* first_locked(const FutexKey& key, const PiWaiter* self) AIOS_REQUIRES(lock);
    // Whether somebody waits for an owner of it who has ended.
    [[nodiscard]] bool owner_died_locked(const FutexKey& key, std::int32_t owner) AIOS_REQUIRES(lock);
    void change_owner_locked(const FutexKey& key, std::int32_t owner) AIOS_REQUIRES(lock);
    void add_locked(PiWaiter& waiter) AIOS_REQUIRES(lock);
    void remove_locked(PiWaiter& waiter) AIOS_REQUIRES(lock);
    // (4) The thread can be found by nobody any more.
    void owner_is_gone(std::int32_t tid);

private:
    using List = IntrusiveList<PiWaiter, &PiWaiter::node>;
    static constexpr std::uint32_t kBuckets = 16;
    List& bucket_of(const FutexKey& key) AIOS_REQUIRES(lock);
    List buckets_[kBuckets] AIOS_GUARDED_BY(lock);
    std::atomic<std::uint32_t> count_{0};
};

// FUTEX_LOCK_PI and TRYLOCK_PI (`deadline` 0). kDeadlock, kNoProcess (the word names nobody), kAgain (TRYLOCK alone), kTimedOut,
// kInterrupted, kFault.
enum class PiWait : std::uint8_t { waits, tries };
std::expected<std::uint64_t, Errno> pi_lock(Call& call, std::uint64_t address, FutexScope scope,
                                            sched::Deadline deadline, PiWait wait);
// kPerm: it is not the caller's.
std::expected<std::uint64_t, Errno> pi_unlock(Call& call, std::uint64_t address, FutexScope scope);

} // namespace aios::linux_abi
