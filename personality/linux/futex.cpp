#include "personality/linux/futex.hpp"

#include <utility>

#include "kernel/time/clock.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

using FutexLock = sync::SpinLock<sync::Rank::futex>;

struct SharedTable {
    static constexpr std::uint32_t kTables = 8;
    FutexTable tables[kTables];
};
constinit SharedTable shared_table;

struct Place {
    FutexKey key;
    FutexTable::Bucket& bucket;
    Ref<mm::Pages> held; // of a shared key
};

std::uint64_t mix(std::uint64_t value) { return value * 0x9e37'79b9'7f4a'7c15ull >> 32; }

std::expected<Place, Errno> place_of(LinuxProcess& process, std::uint64_t address, FutexScope scope) {
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
    return Place{key, table->bucket_of(key), std::move(held)};
}

// (4) The waiter cannot leave its stack frame before this is over, as withdraw() takes the lock.
void wake_locked(FutexTable::Bucket& bucket, FutexWaiter& waiter) AIOS_REQUIRES(bucket.lock) {
    bucket.lock.assert_held();
    bucket.waiters.remove(waiter);
    waiter.queued = false;
    waiter.woken.store(true, std::memory_order_release); // pairs with the acquire in futex_wait(); before the wake-up
    waiter.queue.wake_one();
}

// (3), (5) Takes the waiter out. Answers whether it had been woken before. Taking the lock also waits for a waker that is
// still busy with this stack frame.
bool withdraw(FutexWaiter& waiter) {
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
std::uint32_t wake_some(FutexTable::Bucket& bucket, const FutexKey& key, std::uint32_t count, std::uint32_t bitset) {
    constexpr std::uint32_t kPiece = 16;
    std::uint32_t woken = 0;
    for (;;) {
        const std::uint32_t goal = count - woken < kPiece ? count : woken + kPiece;
        {
            FutexLock::Guard guard(bucket.lock);
            for (auto at = bucket.waiters.begin(); at != bucket.waiters.end() && woken < goal;) {
                FutexWaiter& waiter = *at;
                ++at;
                if (waiter.key == key && (waiter.bitset & bitset) != 0) {
                    wake_locked(bucket, waiter);
                    ++woken;
                }
            }
        }
        if (woken < goal || woken == count || Thread::current().is_killed()) return woken;
    }
}

// Up to `count` waiters of one word become waiters of another, a few at a time. Answers how many.
std::uint32_t move_some(const Place& from, const Place& to, std::uint32_t count) {
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
                waiter.bucket.store(&to.bucket, std::memory_order_release); // pairs with withdraw()
            }
        }
        moved += found;
        if (moved == count || Thread::current().is_killed()) return moved;
    }
}

} // namespace

FutexTable::Bucket& FutexTable::bucket_of(const FutexKey& key) { return buckets_[mix(key.offset >> 2) % kBuckets]; }

Outcome futex_wait(LinuxProcess& process, std::uint64_t address, FutexScope scope, std::uint32_t expected,
                   sched::Deadline deadline, std::uint32_t bitset) {
    if (bitset == 0) return refuse(kInvalid);
    const Place place = LINUX_TRY(place_of(process, address, scope));
    FutexWaiter waiter;
    waiter.key = place.key;
    waiter.held = place.held;
    waiter.bitset = bitset;
    waiter.bucket.store(&place.bucket, std::memory_order_relaxed);
    { // (1)
        FutexLock::Guard guard(place.bucket.lock);
        place.bucket.waiters.push_back(waiter);
    }
    const auto value = arch::user_load_u32(address); // (2)
    if (!value || *value != expected) {
        // (3) A wake-up that took this waiter for one that sleeps goes on to the next.
        if (withdraw(waiter)) wake_some(place.bucket, place.key, 1, bitset);
        return value ? refuse(kAgain) : refuse(kFault);
    }
    const sched::Outcome outcome = // (4)
        waiter.queue.wait(deadline, [&] { return waiter.woken.load(std::memory_order_acquire); });
    if (withdraw(waiter) || outcome == sched::Outcome::ready) return 0; // (5)
    return refuse(outcome == sched::Outcome::timed_out ? kTimedOut : kInterrupted);
}

Outcome futex_wake(LinuxProcess& process, std::uint64_t address, FutexScope scope, std::uint32_t count,
                   std::uint32_t bitset) {
    if (bitset == 0) return refuse(kInvalid);
    if (scope == FutexScope::shared && !arch::user_load_u32(address))
        return refuse(kFault); // as Linux, which asks whose page it is
    const Place place = LINUX_TRY(place_of(process, address, scope));
    return wake_some(place.bucket, place.key, count == 0 ? 1 : count, bitset); // Linux, too, wakes one for 0
}

namespace {

struct Wait {
    std::uint64_t address;
    FutexScope scope;
    std::uint32_t value, bitset;
    UserIn<TimeSpec> time;
    bool is_absolute, is_realtime; // what `time` is
};

Outcome wait_call(Call& call, const Wait& wait) {
    sched::Deadline deadline = sched::kNever;
    if (!wait.time.is_null()) {
        const TimeSpec given = LINUX_TRY(wait.time.read());
        const std::uint64_t ns = LINUX_TRY(nanoseconds_of(given));
        if (wait.is_absolute) {
            deadline = wait.is_realtime ? time::monotonic_of_wall(ns) : ns;
        } else if (call.data().restarted_deadline != 0) {
            deadline = call.data().restarted_deadline;
        } else {
            deadline = time::deadline_after(ns);
        }
    }
    const Outcome outcome = futex_wait(call.process, wait.address, wait.scope, wait.value, deadline, wait.bitset);
    if (outcome || outcome.error() != kInterrupted) return outcome;
    const bool has_deadline = deadline != sched::kNever;
    return interrupted_call(call, has_deadline ? AfterHandler::ends : AfterHandler::restarts,
                            has_deadline && !wait.is_absolute ? deadline : 0);
}

// FUTEX_WAKE_OP: changes the word at `address` as `what` says, and answers whether its old value compares as asked.
// kNoSystemCall: there is no such operation.
std::expected<bool, Errno> operate_on_word(std::uint64_t address, std::uint32_t what) {
    const auto sign_extended = [](std::uint32_t twelve_bits) {
        return static_cast<std::uint32_t>(static_cast<std::int32_t>(twelve_bits << 20) >> 20);
    };
    const bool shifts = (what >> 31) != 0;
    const std::uint32_t operation = what >> 28 & 7, comparison = what >> 24 & 15;
    std::uint32_t argument = sign_extended(what >> 12 & 0xfff);
    const std::uint32_t compared = sign_extended(what & 0xfff);
    if (shifts) argument = 1u << (argument & 31);
    if (operation > 4 || comparison > 5) return std::unexpected(kNoSystemCall);
    std::uint32_t word = LINUX_TRY(arch::user_load_u32(address));
    for (;;) {
        const std::uint32_t results[] = {argument, word + argument, word | argument, word & ~argument, word ^ argument};
        if (LINUX_TRY(arch::user_compare_exchange_u32(address, word, results[operation]))) break;
    }
    const auto old = static_cast<std::int32_t>(word), other = static_cast<std::int32_t>(compared);
    const bool answers[] = {old == other, old != other, old<other, old <= other, old> other, old >= other};
    return answers[comparison];
}

} // namespace

Outcome call_futex(Call& call, std::uint64_t address, std::uint32_t operation, std::uint32_t value,
                   std::uint64_t timeout, std::uint64_t second, std::uint32_t last) {
    const FutexScope scope = (operation & kFutexPrivate) != 0 ? FutexScope::private_ : FutexScope::shared;
    const std::uint32_t command = operation & ~(kFutexPrivate | kFutexClockRealtime);
    const bool realtime = (operation & kFutexClockRealtime) != 0;
    if (realtime && command != kFutexWaitBitset) return refuse(kNoSystemCall);
    switch (command) {
    case kFutexWait:
        return wait_call(call, {address, scope, value, ~0u, UserIn<TimeSpec>(timeout), false, false});
    case kFutexWaitBitset:
        return wait_call(call, {address, scope, value, last, UserIn<TimeSpec>(timeout), true, realtime});
    case kFutexWake:
        return futex_wake(call.process, address, scope, value, ~0u);
    case kFutexWakeBitset:
        return futex_wake(call.process, address, scope, value, last);
    case kFutexRequeue:
    case kFutexCmpRequeue: {
        const auto move = static_cast<std::uint32_t>(timeout); // the argument has two meanings
        if (static_cast<std::int32_t>(value) < 0 || static_cast<std::int32_t>(move) < 0) return refuse(kInvalid);
        if (command == kFutexCmpRequeue) {
            const auto word = arch::user_load_u32(address);
            if (!word) return refuse(kFault);
            if (*word != last) return refuse(kAgain);
        }
        const Place from = LINUX_TRY(place_of(call.process, address, scope));
        if (scope == FutexScope::shared && !arch::user_load_u32(second)) return refuse(kFault);
        const Place to = LINUX_TRY(place_of(call.process, second, scope));
        const std::uint32_t woken = value == 0 ? 0 : wake_some(from.bucket, from.key, value, ~0u);
        if (from.key == to.key || move == 0) return woken; // they stand there already
        const void* const own = &call.process.memory();
        if (to.key.object == own &&
            from.key.object != own) // others' too: they are not to stand in this process's table
            return woken + wake_some(from.bucket, from.key, move, ~0u);
        return woken + move_some(from, to, move);
    }
    case kFutexWakeOperation: {
        const Place first = LINUX_TRY(place_of(call.process, address, scope));
        const Place other = LINUX_TRY(place_of(call.process, second, scope));
        const bool wakes_other = LINUX_TRY(operate_on_word(second, last));
        const std::uint32_t woken = value == 0 ? 0 : wake_some(first.bucket, first.key, value, ~0u);
        const auto most = static_cast<std::uint32_t>(timeout); // the argument has two meanings
        return woken + (wakes_other && most != 0 ? wake_some(other.bucket, other.key, most, ~0u) : 0);
    }
    default:
        return refuse(kNoSystemCall);
    }
}

} // namespace aios::linux_abi
