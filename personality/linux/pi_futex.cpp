// See pi_futex.hpp.
#include "personality/linux/pi_futex.hpp"

#include "personality/linux/process.hpp"
#include "personality/linux/robust_list.hpp"

namespace aios::linux_abi {

PiTable::List& PiTable::bucket_of(const FutexKey& key) {
    return buckets_[(key.offset >> 2 ^ key.offset >> 12) % kBuckets];
}

PiWaiter* PiTable::first_locked(const FutexKey& key, const PiWaiter* self) {
    lock.assert_held();
    PiWaiter* first = nullptr;
    for (PiWaiter& waiter : bucket_of(key)) {
        if (&waiter == self || waiter.key != key) continue;
        if (first == nullptr || waiter.priority > first->priority) first = &waiter;
    }
    return first;
}

bool PiTable::owner_died_locked(const FutexKey& key, std::int32_t owner) {
    lock.assert_held();
    for (const PiWaiter& waiter : bucket_of(key)) {
        if (waiter.key == key && waiter.owner == owner && waiter.owner_died) return true;
    }
    return false;
}

void PiTable::change_owner_locked(const FutexKey& key, std::int32_t owner) {
    lock.assert_held();
    for (PiWaiter& waiter : bucket_of(key)) {
        if (waiter.key != key) continue;
        waiter.owner = owner;
        waiter.owner_died = false;
    }
}

void PiTable::add_locked(PiWaiter& waiter) {
    lock.assert_held();
    if (std::exchange(waiter.is_listed, true)) return;
    bucket_of(waiter.key).push_back(waiter);
    count_.fetch_add(1, std::memory_order_seq_cst); // pairs with the load in owner_is_gone()
}

void PiTable::remove_locked(PiWaiter& waiter) {
    lock.assert_held();
    if (!std::exchange(waiter.is_listed, false)) return;
    bucket_of(waiter.key).remove(waiter);
    count_.fetch_sub(1, std::memory_order_relaxed);
}

// Who comes after the look at the count finds no thread with this number.
void PiTable::owner_is_gone(std::int32_t tid) {
    if (count_.load(std::memory_order_seq_cst) == 0) return;
    Lock::Guard guard(lock);
    for (List& bucket : buckets_) {
        for (PiWaiter& waiter : bucket) {
            if (waiter.owner != tid) continue;
            waiter.owner_died = true;
            waiter.state.store(PiWaiter::State::looks_again, std::memory_order_release);
            waiter.queue.wake_one();
        }
    }
}

namespace {

std::int32_t owner_of(std::uint32_t word) { return static_cast<std::int32_t>(word & kFutexOwner); }

// Whether `owner` waits, through at most kMostLinks others, for the thread `tid`. Who was given its lock waits no more,
// though it has not run since.
bool waits_for(PiTable& table, ProcessTable& family, std::int32_t owner, std::int32_t tid) AIOS_REQUIRES(table.lock) {
    table.lock.assert_held();
    constexpr unsigned kMostLinks = 64;
    ProcessTable::Lock::Guard guard(family.lock);
    for (unsigned i = 0; i < kMostLinks && owner != tid; ++i) {
        const LinuxThread* const thread = family.find_thread_locked(owner);
        if (thread == nullptr || thread->waits_for == nullptr) return false;
        if (thread->waits_for->state.load(std::memory_order_relaxed) != PiWaiter::State::waits) return false;
        owner = thread->waits_for->owner;
    }
    return owner == tid;
}

bool is_thread(ProcessTable& family, std::int32_t tid) {
    ProcessTable::Lock::Guard guard(family.lock);
    return family.find_thread_locked(tid) != nullptr;
}

// (1), (2) One look. The owner that is to be waited for; 0: the lock is the caller's.
std::expected<std::int32_t, Errno> attempt_locked(PiTable& table, Call& call, std::uint64_t address,
                                                  const PiWaiter& self, PiWait wait) AIOS_REQUIRES(table.lock) {
    table.lock.assert_held();
    ProcessTable& family = call.process.family();
    std::uint32_t word = LINUX_TRY(arch::user_load_u32(address));
    while (!call.thread.is_killed()) {
        const std::int32_t owner = owner_of(word);
        if (owner == self.tid) return std::unexpected(kDeadlock);
        const bool is_there = owner != 0 && is_thread(family, owner);
        const bool has_died =
            owner != 0 && (table.owner_died_locked(self.key, owner) || (!is_there && (word & kFutexOwnerDied) != 0));
        std::uint32_t wanted = word | kFutexWaiters;
        if (owner == 0 || has_died) {
            wanted = static_cast<std::uint32_t>(self.tid) | (word & kFutexOwnerDied);
            if (has_died) wanted |= kFutexOwnerDied;
            if (table.first_locked(self.key, &self) != nullptr) wanted |= kFutexWaiters;
        } else {
            if (!is_there) return std::unexpected(kNoProcess);
            if (wait == PiWait::tries) return std::unexpected(kAgain);
            if (waits_for(table, family, owner, self.tid)) return std::unexpected(kDeadlock);
        }
        if (!LINUX_TRY(arch::user_compare_exchange_u32(address, word, wanted))) continue; // `word` is what is there
        return owner == 0 || has_died ? 0 : owner;
    }
    return std::unexpected(kInterrupted);
}

// A waiter in the table, to which its thread points meanwhile.
class Stay {
public:
    Stay(Call& call, PiWaiter& waiter) : call_(call), waiter_(waiter) {}
    Stay(const Stay&) = delete;
    void begin_locked(PiTable& table, std::int32_t owner) AIOS_REQUIRES(table.lock) {
        table.lock.assert_held();
        waiter_.owner = owner;
        waiter_.owner_died = false;
        waiter_.state.store(PiWaiter::State::waits, std::memory_order_relaxed);
        table.add_locked(waiter_);
        point_at(&waiter_);
    }
    void end_locked(PiTable& table) AIOS_REQUIRES(table.lock) {
        table.lock.assert_held();
        table.remove_locked(waiter_);
        point_at(nullptr);
    }

private:
    void point_at(PiWaiter* waiter) {
        ProcessTable::Lock::Guard guard(call_.process.family().lock);
        call_.data().waits_for = waiter;
    }
    Call& call_;
    PiWaiter& waiter_;
};

std::int32_t priority_of(Call& call) {
    ProcessTable::Lock::Guard guard(call.process.family().lock);
    return call.data().schedule.priority;
}

} // namespace

Outcome pi_lock(Call& call, std::uint64_t address, FutexScope scope, sched::Deadline deadline, PiWait wait) {
    FutexPlace place = LINUX_TRY(futex_place(call.process, address, scope));
    PiTable& table = call.process.family().pi;
    PiWaiter waiter;
    waiter.key = place.key;
    waiter.held = std::move(place.held);
    waiter.tid = call.data().tid;
    waiter.priority = priority_of(call);
    Stay stay(call, waiter);
    sched::Outcome woken = sched::Outcome::ready;
    for (;;) {
        {
            PiTable::Lock::Guard guard(table.lock);
            if (waiter.state.load(std::memory_order_relaxed) == PiWaiter::State::is_granted) { // (3)
                stay.end_locked(table);
                return 0;
            }
            if (woken != sched::Outcome::ready) { // (5)
                stay.end_locked(table);
                return refuse(woken == sched::Outcome::timed_out ? kTimedOut : kInterrupted);
            }
            const auto owner = attempt_locked(table, call, address, waiter, wait);
            if (!owner || *owner == 0) {
                stay.end_locked(table);
                if (!owner) return refuse(owner.error());
                table.change_owner_locked(waiter.key, waiter.tid);
                return 0;
            }
            stay.begin_locked(table, *owner);
        }
        woken = waiter.queue.wait(
            deadline, [&] { return waiter.state.load(std::memory_order_acquire) != PiWaiter::State::waits; });
    }
}

Outcome pi_unlock(Call& call, std::uint64_t address, FutexScope scope) {
    const FutexPlace place = LINUX_TRY(futex_place(call.process, address, scope));
    PiTable& table = call.process.family().pi;
    PiTable::Lock::Guard guard(table.lock);
    std::uint32_t word = LINUX_TRY(arch::user_load_u32(address));
    while (!call.thread.is_killed()) {
        if (owner_of(word) != call.data().tid) return refuse(kPerm);
        PiWaiter* const next = table.first_locked(place.key, nullptr);
        std::uint32_t wanted = next == nullptr ? 0 : static_cast<std::uint32_t>(next->tid);
        if (next != nullptr && table.first_locked(place.key, next) != nullptr) wanted |= kFutexWaiters;
        if (!LINUX_TRY(arch::user_compare_exchange_u32(address, word, wanted))) continue; // `word` is what is there
        if (next == nullptr) return 0;
        table.remove_locked(*next); // (3)
        table.change_owner_locked(place.key, next->tid);
        next->state.store(PiWaiter::State::is_granted, std::memory_order_release);
        next->queue.wake_one();
        return 0;
    }
    return refuse(kInterrupted);
}

} // namespace aios::linux_abi
