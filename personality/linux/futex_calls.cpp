// futex and futex_waitv: what they ask of the waiters and the locks of futex.hpp and pi_futex.hpp.
#include <algorithm>
#include <optional>

#include "kernel/time/clock.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

struct Wait {
    std::uint64_t address;
    FutexScope scope;
    std::uint32_t value, bitset;
    UserIn<TimeSpec> time;
    bool is_absolute, is_realtime; // what `time` is
};

std::expected<sched::Deadline, Errno> absolute_deadline(UserIn<TimeSpec> time, bool is_realtime) {
    if (time.is_null()) return sched::kNever;
    const TimeSpec given = LINUX_TRY(time.read());
    const std::uint64_t ns = LINUX_TRY(nanoseconds_of(given));
    return is_realtime ? time::monotonic_of_wall(ns) : ns;
}

Outcome wait_call(Call& call, const Wait& wait) {
    sched::Deadline deadline = sched::kNever;
    if (wait.is_absolute) {
        deadline = LINUX_TRY(absolute_deadline(wait.time, wait.is_realtime));
    } else if (!wait.time.is_null()) {
        const TimeSpec given = LINUX_TRY(wait.time.read());
        const std::uint64_t ns = LINUX_TRY(nanoseconds_of(given));
        if (call.data().restarted_deadline != 0) {
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

// FUTEX_LOCK_PI, TRYLOCK_PI, LOCK_PI2: a handler never ends it.
Outcome lock_call(Call& call, std::uint64_t address, FutexScope scope, sched::Deadline deadline, PiWait wait) {
    const Outcome outcome = pi_lock(call, address, scope, deadline, wait);
    if (outcome || outcome.error() != kInterrupted) return outcome;
    return interrupted_call(call, AfterHandler::always_restarts);
}

// FUTEX_WAIT_REQUEUE_PI: waits, and has the lock `second` when it is woken. What ends the wait for the lock, but for its
// deadline, is EAGAIN, as the word that was waited on has changed.
Outcome wait_and_lock(Call& call, std::uint64_t address, FutexScope scope, std::uint32_t expected,
                      sched::Deadline deadline, std::uint64_t second) {
    const FutexPlace lock = LINUX_TRY(futex_place(call.process, second, scope));
    const FutexPlace word = LINUX_TRY(futex_place(call.process, address, scope));
    if (lock.key == word.key) return refuse(kInvalid);
    const Outcome waited = futex_wait(call.process, address, scope, expected, deadline, ~0u, lock.key);
    if (!waited && waited.error() == kInterrupted) return interrupted_call(call, AfterHandler::always_restarts);
    if (!waited) return waited;
    const Outcome locked = pi_lock(call, second, scope, deadline, PiWait::waits);
    return !locked && locked.error() == kInterrupted ? refuse(kAgain) : locked;
}

// FUTEX_CMP_REQUEUE_PI
Outcome wake_to_lock(Call& call, std::uint64_t address, FutexScope scope, std::uint32_t most, std::uint64_t second,
                     std::uint32_t expected) {
    if (static_cast<std::int32_t>(most) < 0) return refuse(kInvalid);
    const FutexPlace from = LINUX_TRY(futex_place(call.process, address, scope));
    const FutexPlace to = LINUX_TRY(futex_place(call.process, second, scope));
    if (from.key == to.key) return refuse(kInvalid);
    if (LINUX_TRY(arch::user_load_u32(address)) != expected) return refuse(kAgain);
    return futex_wake_for_lock(from, to.key, most + 1);
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

namespace {

struct WaitEntry { // struct futex_waitv
    std::uint64_t value, address;
    std::uint32_t flags, reserved;
};
constexpr std::uint32_t kMostWaits = 128; // FUTEX_WAITV_MAX
constexpr std::uint32_t kWord = 2;        // FUTEX_32

// The waiters of one call, each in its bucket, with one queue.
struct ManyWaiters {
    explicit ManyWaiters(Reservation reservation) : charge(std::move(reservation)) {}
    // Answers the first that was woken.
    std::optional<std::uint32_t> withdraw_all() {
        std::optional<std::uint32_t> woken;
        for (std::uint32_t i = count; i-- > 0;) {
            if (futex_withdraw(of[i])) woken = i;
        }
        count = 0;
        return woken;
    }
    [[nodiscard]] bool is_woken() const {
        return std::any_of(of, of + count,
                           [](const FutexWaiter& waiter) { return waiter.woken.load(std::memory_order_acquire); });
    }
    ~ManyWaiters() = default;
    Reservation charge;
    sched::WaitQueue queue;
    std::uint32_t count = 0; // of those that are queued
    FutexWaiter of[kMostWaits];
};

// Queues one waiter more and reads its word: (1) and (2) of futex.hpp. kAgain: it has another value.
Outcome queue_one(Call& call, const WaitEntry& entry, ManyWaiters& many) {
    if ((entry.flags & ~kFutexPrivate) != kWord || entry.reserved != 0) return refuse(kInvalid);
    const FutexScope scope = (entry.flags & kFutexPrivate) != 0 ? FutexScope::private_ : FutexScope::shared;
    const FutexPlace place = LINUX_TRY(futex_place(call.process, entry.address, scope));
    FutexWaiter& waiter = many.of[many.count];
    waiter.wakes = &many.queue;
    futex_enqueue(place, waiter);
    ++many.count;
    const std::uint32_t word = LINUX_TRY(arch::user_load_u32(entry.address));
    return word == static_cast<std::uint32_t>(entry.value) ? Outcome(0) : refuse(kAgain);
}

} // namespace

// The index of the one that was woken.
Outcome call_futex_waitv(Call& call, UserIn<std::byte> user, std::uint32_t count, Flags<0> flags, UserIn<TimeSpec> time,
                         std::int32_t clock) {
    static_cast<void>(flags);
    const auto id = static_cast<ClockId>(clock);
    if (count == 0 || count > kMostWaits || user.is_null()) return refuse(kInvalid);
    if (!time.is_null() && id != ClockId::realtime && id != ClockId::monotonic) return refuse(kInvalid);
    const auto deadline = LINUX_TRY(absolute_deadline(time, id == ClockId::realtime));
    Reservation charge = LINUX_TRY(Reservation::make(call.process.quota(), Resource::memory, mm::cost_of<ManyWaiters>));
    const auto many = LINUX_TRY(mm::own<ManyWaiters>(std::move(charge)));
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto entry = UserIn<WaitEntry>(user.address()).read(i);
        const Outcome queued = entry ? queue_one(call, *entry, *many) : refuse(kFault);
        if (queued) continue;
        const auto woken = many->withdraw_all();
        return woken && queued.error() == kAgain ? Outcome(*woken) : refuse(queued.error());
    }
    const sched::Outcome outcome = many->queue.wait(deadline, [&] { return many->is_woken(); });
    if (const auto woken = many->withdraw_all()) return *woken;
    if (outcome == sched::Outcome::timed_out) return refuse(kTimedOut);
    return interrupted_call(call, AfterHandler::restarts);
}

Outcome call_futex(Call& call, std::uint64_t address, std::uint32_t operation, std::uint32_t value,
                   std::uint64_t timeout, std::uint64_t second, std::uint32_t last) {
    const FutexScope scope = (operation & kFutexPrivate) != 0 ? FutexScope::private_ : FutexScope::shared;
    const std::uint32_t command = operation & ~(kFutexPrivate | kFutexClockRealtime);
    const bool realtime = (operation & kFutexClockRealtime) != 0;
    const bool takes_clock = command == kFutexWaitBitset || command == kFutexWaitRequeuePi || command == kFutexLockPi2;
    if (realtime && !takes_clock) return refuse(kNoSystemCall);
    switch (command) {
    case kFutexWait:
        return wait_call(call, {address, scope, value, ~0u, UserIn<TimeSpec>(timeout), false, false});
    case kFutexWaitBitset:
        return wait_call(call, {address, scope, value, last, UserIn<TimeSpec>(timeout), true, realtime});
    case kFutexWake:
        return futex_wake(call.process, address, scope, value, ~0u);
    case kFutexWakeBitset:
        return futex_wake(call.process, address, scope, value, last);
    case kFutexLockPi:
    case kFutexLockPi2: {
        const auto deadline =
            LINUX_TRY(absolute_deadline(UserIn<TimeSpec>(timeout), realtime || command == kFutexLockPi));
        return lock_call(call, address, scope, deadline, PiWait::waits);
    }
    case kFutexTryLockPi:
        return lock_call(call, address, scope, sched::kNever, PiWait::tries);
    case kFutexUnlockPi:
        return pi_unlock(call, address, scope);
    case kFutexWaitRequeuePi: {
        const auto deadline = LINUX_TRY(absolute_deadline(UserIn<TimeSpec>(timeout), realtime));
        return wait_and_lock(call, address, scope, value, deadline, second);
    }
    case kFutexCmpRequeuePi: // the argument of the time has two meanings
        if (value != 1) return refuse(kInvalid);
        return wake_to_lock(call, address, scope, static_cast<std::uint32_t>(timeout), second, last);
    case kFutexRequeue:
    case kFutexCmpRequeue: {
        const auto move = static_cast<std::uint32_t>(timeout); // the argument has two meanings
        if (static_cast<std::int32_t>(value) < 0 || static_cast<std::int32_t>(move) < 0) return refuse(kInvalid);
        if (command == kFutexCmpRequeue) {
            const auto word = arch::user_load_u32(address);
            if (!word) return refuse(kFault);
            if (*word != last) return refuse(kAgain);
        }
        const FutexPlace from = LINUX_TRY(futex_place(call.process, address, scope));
        if (scope == FutexScope::shared && !arch::user_load_u32(second)) return refuse(kFault);
        const FutexPlace to = LINUX_TRY(futex_place(call.process, second, scope));
        const std::uint32_t woken = value == 0 ? 0 : futex_wake_some(from, value, ~0u);
        if (from.key == to.key || move == 0) return woken; // they stand there already
        const void* const own = &call.process.memory();
        if (to.key.object == own &&
            from.key.object != own) // others' too: they are not to stand in this process's table
            return woken + futex_wake_some(from, move, ~0u);
        return woken + futex_move(from, to, move);
    }
    case kFutexWakeOperation: {
        const FutexPlace first = LINUX_TRY(futex_place(call.process, address, scope));
        const FutexPlace other = LINUX_TRY(futex_place(call.process, second, scope));
        const bool wakes_other = LINUX_TRY(operate_on_word(second, last));
        const std::uint32_t woken = value == 0 ? 0 : futex_wake_some(first, value, ~0u);
        const auto most = static_cast<std::uint32_t>(timeout); // the argument has two meanings
        return woken + (wakes_other && most != 0 ? futex_wake_some(other, most, ~0u) : 0);
    }
    default:
        return refuse(kNoSystemCall);
    }
}

} // namespace aios::linux_abi
