#include "personality/linux/futex.hpp"

#include "kernel/time/clock.hpp"

namespace aios::linux_abi {
namespace {

struct Key {
    const void* object; // Pages or AddressSpace: compared, never used
    std::uint64_t offset;
    bool operator==(const Key&) const = default;
};

struct Waiter {
    ListNode node;
    Key key{};
    std::uint32_t bitset = ~0u;
    bool queued = true; // under the bucket's lock
    std::atomic<bool> woken{false};
    sched::WaitQueue queue;
};

using FutexLock = sync::SpinLock<sync::Rank::futex>;
struct Bucket {
    FutexLock lock;
    IntrusiveList<Waiter, &Waiter::node> waiters;
};
constexpr std::uint32_t kBuckets = 256;
Bucket buckets[kBuckets]; // owner: this file

std::uint32_t bucket_of(const Key& key) {
    const auto mixed =
        (reinterpret_cast<std::uintptr_t>(key.object) >> 4) ^ (key.offset >> 2); // SAFETY: hashed, never used
    return static_cast<std::uint32_t>((mixed * 0x9e37'79b9'7f4a'7c15ull) >> 32) % kBuckets;
}

std::expected<Key, Errno> key_of(LinuxProcess& process, std::uint64_t address, FutexScope scope) {
    if (address % 4 != 0) return refuse(kInvalid);
    if (scope == FutexScope::private_) return Key{&process.memory(), address};
    auto location = process.memory().locate(address);
    if (!location) return refuse(kFault);
    return Key{location->pages, location->offset};
}

// The caller holds the bucket's lock, so the waiter cannot leave its stack frame before this is over.
void wake_locked(Bucket& bucket, Waiter& waiter) {
    bucket.waiters.remove(waiter);
    waiter.queued = false;
    waiter.woken.store(true, std::memory_order_release);
    waiter.queue.wake_one();
}

// Takes the waiter out. Answers whether it had been woken before. Taking the lock also waits for a waker that is still
// busy with this stack frame.
bool withdraw(Bucket& bucket, Waiter& waiter) {
    FutexLock::Guard guard(bucket.lock);
    if (waiter.queued) {
        bucket.waiters.remove(waiter);
        waiter.queued = false;
    }
    return waiter.woken.load(std::memory_order_relaxed);
}

std::uint32_t wake_key(const Key& key, std::uint32_t count, std::uint32_t bitset) {
    Bucket& bucket = buckets[bucket_of(key)];
    std::uint32_t woken = 0;
    FutexLock::Guard guard(bucket.lock);
    for (auto at = bucket.waiters.begin(); at != bucket.waiters.end() && woken < count;) {
        Waiter& waiter = *at;
        ++at;
        if (waiter.key == key && (waiter.bitset & bitset) != 0) {
            wake_locked(bucket, waiter);
            ++woken;
        }
    }
    return woken;
}

} // namespace

Outcome futex_wait(LinuxProcess& process, std::uint64_t address, FutexScope scope, std::uint32_t expected,
                   sched::Deadline deadline, std::uint32_t bitset) {
    if (bitset == 0) return refuse(kInvalid);
    Waiter waiter;
    waiter.key = LINUX_TRY(key_of(process, address, scope));
    waiter.bitset = bitset;
    Bucket& bucket = buckets[bucket_of(waiter.key)];
    {
        FutexLock::Guard guard(bucket.lock);
        bucket.waiters.push_back(waiter);
    }
    const auto value = arch::user_load_u32(address);
    if (!value || *value != expected) {
        if (withdraw(bucket, waiter)) return 0; // a wake-up came first and must not be lost
        return value ? refuse(kAgain) : refuse(kFault);
    }
    const sched::Outcome outcome =
        waiter.queue.wait(deadline, [&] { return waiter.woken.load(std::memory_order_acquire); });
    if (withdraw(bucket, waiter) || outcome == sched::Outcome::ready) return 0;
    return refuse(outcome == sched::Outcome::timed_out ? kTimedOut : kInterrupted);
}

Outcome futex_wake(LinuxProcess& process, std::uint64_t address, FutexScope scope, std::uint32_t count,
                   std::uint32_t bitset) {
    if (bitset == 0) return refuse(kInvalid);
    return wake_key(LINUX_TRY(key_of(process, address, scope)), count, bitset);
}

Outcome call_futex(Call& call) {
    const std::uint64_t address = call.a[0];
    const auto operation = static_cast<std::uint32_t>(call.a[1]);
    const auto value = static_cast<std::uint32_t>(call.a[2]);
    const FutexScope scope = (operation & kFutexPrivate) != 0 ? FutexScope::private_ : FutexScope::shared;
    const std::uint32_t command = operation & ~(kFutexPrivate | kFutexClockRealtime);
    const auto bitset = static_cast<std::uint32_t>(call.a[5]);
    switch (command) {
    case kFutexWait:
    case kFutexWaitBitset: {
        sched::Deadline deadline = sched::kNever;
        if (call.a[3] != 0) {
            const auto time = LINUX_TRY(load_user<TimeSpec>(call.a[3]));
            const std::uint64_t ns = LINUX_TRY(nanoseconds_of(time));
            if (command == kFutexWait) {
                deadline = time::deadline_after(ns); // relative
            } else if ((operation & kFutexClockRealtime) != 0) {
                deadline = time::monotonic_of_wall(ns);
            } else {
                deadline = ns;
            }
        }
        return futex_wait(call.process, address, scope, value, deadline, command == kFutexWait ? ~0u : bitset);
    }
    case kFutexWake:
        return futex_wake(call.process, address, scope, value, ~0u);
    case kFutexWakeBitset:
        return futex_wake(call.process, address, scope, value, bitset);
    case kFutexRequeue:
    case kFutexCmpRequeue: {
        const auto move = static_cast<std::uint32_t>(call.a[3]);
        if (command == kFutexCmpRequeue) {
            const auto word = arch::user_load_u32(address);
            if (!word) return refuse(kFault);
            if (*word != bitset) return refuse(kAgain);
        }
        // Waking instead of moving: callers look at their word again anyway.
        const std::uint64_t all = std::uint64_t{value} + move;
        return futex_wake(call.process, address, scope, all > ~0u ? ~0u : static_cast<std::uint32_t>(all), ~0u);
    }
    default:
        return refuse(kNoSystemCall);
    }
}

} // namespace aios::linux_abi
