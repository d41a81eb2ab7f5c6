// See futex.hpp.
#include "personality/linux/futex.hpp"

#include <utility>

#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

using FutexLock = sync::SpinLock<sync::Rank::futex>;

struct SharedTable {
    static constexpr std::uint32_t kTables = 8;
    FutexTable tables[kTables];
};
constinit SharedTable shared_table;

std::uint64_t mix(std::uint64_t value) { return value * 0x9e37'79b9'7f4a'7c15ull >> 32; }

// (4) The waiter cannot leave its stack frame before this is over, as futex_withdraw() takes the lock.
void wake_locked(FutexBucket& bucket, FutexWaiter& waiter) AIOS_REQUIRES(bucket.lock) {
    bucket.lock.assert_held();
    bucket.waiters.remove(waiter);
    waiter.queued = false;
    waiter.woken.store(true, std::memory_order_release); // pairs with the acquire in futex_wait(); before the wake-up
    waiter.wakes->wake_one();
}

} // namespace

FutexTable::Bucket& FutexTable::bucket_of(const FutexKey& key) { return buckets_[mix(key.offset >> 2) % kBuckets]; }

std::expected<FutexPlace, Errno> futex_place(LinuxProcess& process, std::uint64_t address, FutexScope scope) {
    if (address % 4 != 0) return refuse(kInvalid);
    if (address >= arch::kUserHigh) return refuse(kFault);
    FutexKey key{&process.memory(), address};
    FutexTable* table = &process.futexes;
    Ref<mm::Pages> held;
    if (scope == FutexScope::shared) {
        auto location = process.memory().locate(address);
        if (!location) return refuse(kFault);
        if (location->pages) {
            held = std::move(location->pages);
            key = {held.get(), location->offset};
            // SAFETY: hashed, never used.
            const auto bits = reinterpret_cast<std::uintptr_t>(key.object) >> 6;
            table = &shared_table.tables[mix(bits) % SharedTable::kTables];
        }
    }
    return FutexPlace{key, table->bucket_of(key), std::move(held)};
}

void futex_enqueue(const FutexPlace& place, FutexWaiter& waiter) {
    waiter.key = place.key;
    waiter.held = place.held;
    waiter.bucket.store(&place.bucket, std::memory_order_relaxed);
    FutexLock::Guard guard(place.bucket.lock);
    place.bucket.waiters.push_back(waiter);
}

// (3), (5) Takes the waiter out. Answers whether it had been woken before. Taking the lock also waits for a waker that is
// still busy with this stack frame.
bool futex_withdraw(FutexWaiter& waiter) {
    for (;; arch::relax()) {
        FutexBucket* const bucket = waiter.bucket.load(std::memory_order_acquire);
        if (bucket == nullptr) continue; // (6)
        FutexLock::Guard guard(bucket->lock);
        if (waiter.bucket.load(std::memory_order_relaxed) != bucket) continue; // (6)
        if (waiter.queued) {
            bucket->waiters.remove(waiter);
            waiter.queued = false;
        }
        return waiter.woken.load(std::memory_order_relaxed);
    }
}

// In pieces, so that interrupts are not off for long.
std::uint32_t futex_wake_some(const FutexPlace& place, std::uint32_t count, std::uint32_t bitset) {
    constexpr std::uint32_t kPiece = 16;
    std::uint32_t woken = 0;
    for (;;) {
        const std::uint32_t goal = count - woken < kPiece ? count : woken + kPiece;
        {
            FutexLock::Guard guard(place.bucket.lock);
            for (auto at = place.bucket.waiters.begin(); at != place.bucket.waiters.end() && woken < goal;) {
                FutexWaiter& waiter = *at;
                ++at;
                if (waiter.key == place.key && (waiter.bitset & bitset) != 0) {
                    wake_locked(place.bucket, waiter);
                    ++woken;
                }
            }
        }
        if (woken < goal || woken == count || Thread::current().is_killed()) return woken;
    }
}

// A few at a time.
std::uint32_t futex_move(const FutexPlace& from, const FutexPlace& to, std::uint32_t count) {
    constexpr std::uint32_t kPiece = 16;
    std::uint32_t moved = 0;
    for (;;) {
        Ref<mm::Pages> let_go[kPiece]; // what they waited on: goes under no lock
        FutexWaiter* taken[kPiece];
        std::uint32_t found = 0;
        {
            arch::InterruptGuard no_interrupts; // between (a) and (b) a waiter that leaves waits for us
            {
                FutexLock::Guard guard(from.bucket.lock); // (a)
                for (auto at = from.bucket.waiters.begin();
                     at != from.bucket.waiters.end() && found < kPiece && moved + found < count;) {
                    FutexWaiter& waiter = *at;
                    ++at;
                    if (waiter.key != from.key) continue;
                    from.bucket.waiters.remove(waiter);
                    waiter.bucket.store(nullptr, std::memory_order_relaxed);
                    taken[found++] = &waiter;
                }
            }
            if (found == 0) return moved;
            FutexLock::Guard guard(to.bucket.lock); // (b)
            for (std::uint32_t i = 0; i < found; ++i) {
                FutexWaiter& waiter = *taken[i];
                waiter.key = to.key;
                let_go[i] = std::exchange(waiter.held, to.held);
                to.bucket.waiters.push_back(waiter);
                waiter.bucket.store(&to.bucket, std::memory_order_release); // pairs with futex_withdraw()
            }
        }
        moved += found;
        if (moved == count || Thread::current().is_killed()) return moved;
    }
}

Outcome futex_wake_for_lock(const FutexPlace& place, const FutexKey& then, std::uint32_t count) {
    constexpr std::uint32_t kPiece = 16;
    std::uint32_t woken = 0;
    for (;;) {
        const std::uint32_t goal = count - woken < kPiece ? count : woken + kPiece;
        {
            FutexLock::Guard guard(place.bucket.lock);
            for (auto at = place.bucket.waiters.begin(); at != place.bucket.waiters.end() && woken < goal;) {
                FutexWaiter& waiter = *at;
                ++at;
                if (waiter.key != place.key) continue;
                if (waiter.lock_after != then) return woken != 0 ? Outcome(woken) : refuse(kInvalid);
                wake_locked(place.bucket, waiter);
                ++woken;
            }
        }
        if (woken < goal || woken == count || Thread::current().is_killed()) return woken;
    }
}

Outcome futex_wait(LinuxProcess& process, std::uint64_t address, FutexScope scope, std::uint32_t expected,
                   sched::Deadline deadline, std::uint32_t bitset, const FutexKey& lock_after) {
    if (bitset == 0) return refuse(kInvalid);
    const FutexPlace place = LINUX_TRY(futex_place(process, address, scope));
    FutexWaiter waiter;
    waiter.bitset = bitset;
    waiter.lock_after = lock_after;
    futex_enqueue(place, waiter);                    // (1)
    const auto value = arch::user_load_u32(address); // (2)
    if (!value || *value != expected) {
        // (3) A wake-up that took this waiter for one that sleeps goes on to the next.
        if (futex_withdraw(waiter)) futex_wake_some(place, 1, bitset);
        return value ? refuse(kAgain) : refuse(kFault);
    }
    const sched::Outcome outcome = // (4)
        waiter.queue.wait(deadline, [&] { return waiter.woken.load(std::memory_order_acquire); });
    if (futex_withdraw(waiter) || outcome == sched::Outcome::ready) return 0; // (5)
    return refuse(outcome == sched::Outcome::timed_out ? kTimedOut : kInterrupted);
}

Outcome futex_wake(LinuxProcess& process, std::uint64_t address, FutexScope scope, std::uint32_t count,
                   std::uint32_t bitset) {
    if (bitset == 0) return refuse(kInvalid);
    if (scope == FutexScope::shared && !arch::user_load_u32(address))
        return refuse(kFault); // as Linux, which asks whose page it is
    const FutexPlace place = LINUX_TRY(futex_place(process, address, scope));
    return futex_wake_some(place, count == 0 ? 1 : count, bitset); // Linux, too, wakes one for 0
}

} // namespace aios::linux_abi
