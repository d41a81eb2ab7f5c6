// Ranked locks. SpinLock: interrupts off while held, never blocks. Mutex: blocks the thread, interrupts stay on.
// Protected<T, Rank> owns its data: reached only through with(). No lock is recursive; ranks ascend.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/intrusive_list.hpp"
#include "kernel/arch/arch.hpp"
#include "kernel/sync/annotations.hpp"
#include "kernel/sync/held.hpp"
#include "kernel/sync/rank.hpp"

namespace aios::sync {

// Answered by the scheduler (docs/design/upcalls.md). A thread is what arch::current_thread() says.
namespace upcall {
[[nodiscard]] HeldLocks* current_thread_locks(); // the mutexes it holds; nullptr before there are threads
void park();                                     // the current thread, until it is woken; also early
void unpark(void* thread);
} // namespace upcall

// Rank bookkeeping: spinlock ranks are kept per CPU, mutex ranks per thread. Called in debug builds only; a violation
// panics with both names. lock.cpp.
void rank_acquire(Rank rank, const void* lock, Peers peers = Peers::refused);
void rank_release(Rank rank, const void* lock);
void rank_assert_held(Rank rank, const void* lock); // by this CPU (spinlocks), by this thread (mutexes)
void assert_may_block(); // no spinlock is held on this CPU, interrupts are on or about to be; debug builds
// For panic: writes one line a lock that a CPU or the current thread holds. Takes no lock.
void dump_held_locks(void (*line)(void* context, std::string_view text), void* context);

// Takes a spinlock that somebody else holds. Out of line, so that the way through a free lock is a few instructions.
[[gnu::noinline, gnu::cold]] inline void spin_until_taken(std::atomic<std::uint32_t>& word) {
    do {
        while (word.load(std::memory_order_relaxed) != 0)
            arch::relax();
    } while (word.exchange(1, std::memory_order_acquire) != 0); // pairs with the release of release()
}

template <Rank kRank>
class AIOS_CAPABILITY("spinlock") SpinLock {
    static_assert(kRank > Rank::last_mutex);

public:
    constexpr SpinLock() = default;
    SpinLock(const SpinLock&) = delete;
    SpinLock& operator=(const SpinLock&) = delete;

    class [[nodiscard]] AIOS_SCOPED Guard {
    public:
        explicit Guard(SpinLock& lock) AIOS_ACQUIRE(lock) : lock_(lock) { lock_.acquire(); }
        ~Guard() AIOS_RELEASE() { lock_.release(); }
        Guard(const Guard&) = delete;
        Guard& operator=(const Guard&) = delete;

    private:
        arch::InterruptGuard interrupts_; // off before the lock, on after it
        SpinLock& lock_;
    };

    // For code that leaves a lock on another stack (the scheduler): interrupts are off already.
    void acquire() AIOS_ACQUIRE() {
        if constexpr (kRankChecks) rank_acquire(kRank, this);
        spin();
    }
    // A second lock of the same rank, directly after the first. The caller shows why no two can wait for each other.
    void acquire_peer() AIOS_ACQUIRE() {
        if constexpr (kRankChecks) rank_acquire(kRank, this, Peers::allowed);
        spin();
    }
    void release() AIOS_RELEASE() {
        word_.store(0, std::memory_order_release);
        if constexpr (kRankChecks) rank_release(kRank, this);
    }
    // First line of a function that needs the lock: this CPU holds it. Panics in debug builds; no code in release builds.
    void assert_held() const AIOS_ASSERT_CAPABILITY() {
        if constexpr (kRankChecks) rank_assert_held(kRank, this);
    }
    // By whomever; for tests and dumps. Code that needs the lock says assert_held().
    [[nodiscard]] bool is_held() const { return word_.load(std::memory_order_relaxed) != 0; }

private:
    void spin() {
        if (word_.exchange(1, std::memory_order_acquire) != 0) [[unlikely]]
            spin_until_taken(word_);
    }
    std::atomic<std::uint32_t> word_{0};
};

template <typename T, Rank kRank>
class Protected {
public:
    template <typename... Arguments>
    constexpr explicit Protected(Arguments&&... arguments) : value_(std::forward<Arguments>(arguments)...) {}

    template <typename F>
    decltype(auto) with(F&& function) {
        typename SpinLock<kRank>::Guard guard(lock_);
        return std::forward<F>(function)(value_);
    }
    // In a panic alone, when whoever held the lock is stopped for good.
    // No analysis: it takes no lock.
    T& in_panic() AIOS_NO_LOCK_ANALYSIS { return value_; }

private:
    SpinLock<kRank> lock_;
    T value_ AIOS_GUARDED_BY(lock_);
};

struct MutexWaiter {
    ListNode node;
    void* thread = nullptr;
    bool woken = false;
};

// A fair sleeping lock: handed over in the order of asking. Only threads take it, never interrupt handlers, never under
// a spinlock.
class MutexCore {
public:
    void lock(); // mutex.cpp
    [[nodiscard]] bool try_lock();
    void unlock();
    [[nodiscard]] bool is_held() const { return owner_.load(std::memory_order_relaxed) != nullptr; }

private:
    void wait_for(void* me);
    void hand_on(void* word);

    SpinLock<Rank::mutex_waiters> lock_;
    std::atomic<void*> owner_{nullptr}; // and whether somebody waits for it: mutex.cpp
    IntrusiveList<MutexWaiter, &MutexWaiter::node> waiters_ AIOS_GUARDED_BY(lock_);
};

template <Rank kRank>
class AIOS_CAPABILITY("mutex") Mutex {
    static_assert(kRank <= Rank::last_mutex);

public:
    class [[nodiscard]] AIOS_SCOPED Guard {
    public:
        explicit Guard(Mutex& mutex) AIOS_ACQUIRE(mutex) : mutex_(mutex) { mutex_.acquire(); }
        ~Guard() AIOS_RELEASE() { mutex_.release(); }
        Guard(const Guard&) = delete;
        Guard& operator=(const Guard&) = delete;

    private:
        Mutex& mutex_;
    };
    // For guards that do more than this one (mm::AddressSpace).
    void acquire() AIOS_ACQUIRE() {
        if constexpr (kRankChecks) rank_acquire(kRank, this);
        core_.lock();
    }
    [[nodiscard]] bool try_acquire() AIOS_TRY_ACQUIRE(true) { // waits for nobody
        if (!core_.try_lock()) return false;
        if constexpr (kRankChecks) rank_acquire(kRank, this);
        return true;
    }
    void release() AIOS_RELEASE() {
        core_.unlock();
        if constexpr (kRankChecks) rank_release(kRank, this);
    }
    // As for SpinLock: this thread holds it.
    void assert_held() const AIOS_ASSERT_CAPABILITY() {
        if constexpr (kRankChecks) rank_assert_held(kRank, this);
    }
    [[nodiscard]] bool is_held() const { return core_.is_held(); } // by whomever

private:
    MutexCore core_;
};

} // namespace aios::sync
