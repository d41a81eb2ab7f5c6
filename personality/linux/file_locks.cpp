// Locks on files. See file_locks.hpp.
#include "personality/linux/file_locks.hpp"

#include <algorithm>

#include "kernel/mm/size_classes.hpp"
#include "personality/linux/outcome.hpp"

namespace aios::linux_abi {

// A change adds at most two: the new lock, and the rest of one that it cuts in the middle.
struct FileLocks::Spares {
    mm::Owned<File> file;
    mm::Owned<Lock> locks[2];
    [[nodiscard]] Lock& take() { return *locks[locks[0] ? 0 : 1].release(); }
};

namespace {

template <typename T>
Result<mm::Owned<T>> make_charged(Payer& payer) {
    return mm::own<T>(TRY(Reservation::make(payer, Resource::memory, mm::cost_of<T>)));
}

bool see_each_other(const FileLocks::Owner& a, const FileLocks::Owner& b) {
    return (a.kind == FileLocks::Kind::whole) == (b.kind == FileLocks::Kind::whole) && a != b;
}

} // namespace

Result<Ref<FileLocks>> FileLocks::create(Payer& payer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<FileLocks>));
    return Ref<FileLocks>::adopt(TRY(mm::make<FileLocks>(std::move(charge))));
}

// Open files with locks have a reference, and processes give theirs back when they end: nothing is left.
FileLocks::~FileLocks() { AIOS_ASSERT(files_.is_empty() && waiters_.is_empty()); }

std::expected<FileLocks::Spares, Errno> FileLocks::make_spares(Payer& payer) {
    Spares spares;
    spares.file = LINUX_TRY(make_charged<File>(payer));
    for (mm::Owned<Lock>& lock : spares.locks)
        lock = LINUX_TRY(make_charged<Lock>(payer));
    return spares;
}

const FileLocks::Lock* FileLocks::conflict_in(const File& file, const Owner& owner, const Range& range) {
    for (const Lock* lock = file.locks.first(); lock != nullptr && lock->place.first <= range.last;
         lock = file.locks.next(*lock)) {
        if (lock->last < range.first || !see_each_other(lock->owner, owner)) continue;
        if (lock->type == Type::exclusive || range.type == Type::exclusive) return lock;
    }
    return nullptr;
}

bool FileLocks::remove_of(File& file, const Owner& owner) {
    const std::size_t before = file.locks.size();
    for (Lock* lock = file.locks.first(); lock != nullptr;) {
        Lock* const next = file.locks.next(*lock);
        if (lock->owner == owner) {
            file.locks.erase(*lock);
            mm::destroy(lock);
        }
        lock = next;
    }
    return file.locks.size() != before;
}

void FileLocks::forget_if_unused_locked(File& file) {
    mutex_.assert_held();
    if (!file.locks.is_empty() || file.waiting != 0) return;
    files_.erase(file);
    mm::destroy(&file);
}

// What the owner has in the range gives way; what continues it on either side, of the same type, is merged with it.
bool FileLocks::replace_locked(File& file, const Owner& owner, Range range, Spares& spares) {
    mutex_.assert_held();
    bool has_freed = false;
    for (Lock* lock = file.locks.first(); lock != nullptr && lock->place.first <= range.last + 1;) {
        Lock* const next = file.locks.next(*lock);
        const std::uint64_t first = lock->place.first;
        const bool is_own = lock->owner == owner;
        if (is_own && lock->type == range.type && lock->last + 1 >= range.first) {
            range.first = std::min(range.first, first);
            range.last = std::max(range.last, lock->last);
            file.locks.erase(*lock);
            mm::destroy(lock);
        } else if (is_own && lock->last >= range.first && first <= range.last) {
            has_freed = true;
            const bool has_head = first<range.first, has_tail = lock->last> range.last;
            if (has_head && has_tail) {
                Lock& tail = spares.take();
                tail.place = {range.last + 1, ++last_number_};
                tail.last = lock->last;
                tail.owner = owner;
                tail.type = lock->type;
                file.locks.insert(tail);
            }
            if (has_head) {
                lock->last = range.first - 1;
            } else {
                file.locks.erase(*lock);
                if (has_tail) {
                    lock->place.first = range.last + 1;
                    file.locks.insert(*lock);
                } else {
                    mm::destroy(lock);
                }
            }
        }
        lock = next;
    }
    if (range.type == Type::none) return has_freed;
    Lock& fresh = spares.take();
    fresh.place = {range.first, ++last_number_};
    fresh.last = range.last;
    fresh.owner = owner;
    fresh.type = range.type;
    file.locks.insert(fresh);
    return has_freed;
}

Errno FileLocks::set_locked(const Key& key, const Owner& owner, const Range& range, Spares& spares) {
    mutex_.assert_held();
    File* file = files_.find(key);
    if (file == nullptr) {
        if (range.type == Type::none) return Errno{};
        file = spares.file.release();
        file->key = key;
        files_.insert(*file);
    }
    Errno error{};
    // flock gives up what it has before it asks for something else.
    bool has_freed = owner.kind == Kind::whole && remove_of(*file, owner);
    const bool is_all_given_back = range.type == Type::none && range.first == 0 && range.last == kEnd;
    const std::size_t most = file->locks.size() + (range.type == Type::none ? 1 : 2);
    if (range.type != Type::none && conflict_in(*file, owner, range) != nullptr) {
        error = kAgain;
    } else if (most > kMostLocks && !is_all_given_back) {
        error = kNoLocks;
    } else if (replace_locked(*file, owner, range, spares)) {
        has_freed = true;
    }
    if (has_freed && file->waiting != 0) file->queue.wake_all();
    forget_if_unused_locked(*file);
    return error;
}

Errno FileLocks::set(Payer& payer, const Key& key, const Owner& owner, const Range& range) {
    auto spares = make_spares(payer);
    if (!spares) return spares.error();
    sync::Mutex<sync::Rank::open_file>::Guard guard(mutex_);
    return set_locked(key, owner, range, *spares);
}

const FileLocks::Lock* FileLocks::blocker_of_locked(const Waiter& waiter) const {
    mutex_.assert_held();
    const File* const file = files_.find(waiter.key);
    return file == nullptr ? nullptr : conflict_in(*file, waiter.owner, waiter.range);
}

// Whether the waiter waits for somebody who, by others, waits for the waiter's own process. What somebody waits for is looked
// up, not remembered: one whose way has just become free waits no more, although it has not run yet.
bool FileLocks::closes_circle_locked(const Waiter& waiter) const {
    mutex_.assert_held();
    const Waiter* at = &waiter;
    for (unsigned i = 0; i < kMostDeep; ++i) {
        const Lock* const blocker = blocker_of_locked(*at);
        if (blocker == nullptr || blocker->owner.kind != Kind::process) return false;
        if (blocker->owner == waiter.owner) return true;
        at = waiters_.lower_bound(WaiterKey{blocker->owner.number, 0});
        if (at == nullptr || at->owner != blocker->owner) return false;
    }
    return false;
}

Errno FileLocks::try_again(Waiter& waiter, Spares& spares) {
    sync::Mutex<sync::Rank::open_file>::Guard guard(mutex_);
    const Errno error = set_locked(waiter.key, waiter.owner, waiter.range, spares);
    const bool is_process = waiter.owner.kind == Kind::process;
    return error == kAgain && is_process && closes_circle_locked(waiter) ? kDeadlock : error;
}

// (1) The first attempt. What it finds in its way keeps the file known. (2) The waiter is listed, so that others who would
// wait for it see the circle, and the file stays. (3) Each change of the file wakes all, who try again. (4) Whatever came of
// it, the waiter goes, and the file if nobody needs it.
Errno FileLocks::set_or_wait(Payer& payer, const Key& key, const Owner& owner, const Range& range) {
    auto spares = make_spares(payer);
    if (!spares) return spares.error();
    Waiter waiter;
    waiter.key = key;
    waiter.owner = owner;
    waiter.range = range;
    File* file = nullptr;
    {
        sync::Mutex<sync::Rank::open_file>::Guard guard(mutex_);
        const Errno error = set_locked(key, owner, range, *spares); // (1)
        if (error != kAgain) return error;
        if (owner.kind == Kind::process && closes_circle_locked(waiter)) return kDeadlock;
        file = files_.find(key); // (2)
        ++file->waiting;
        waiter.place = {owner.number, ++last_number_};
        if (owner.kind == Kind::process) waiters_.insert(waiter);
    }
    Errno error = kAgain;
    const auto is_decided = [&] { return (error = try_again(waiter, *spares)) != kAgain; };
    if (file->queue.wait(sched::kNever, is_decided) != sched::Outcome::ready) error = kInterrupted; // (3)
    sync::Mutex<sync::Rank::open_file>::Guard guard(mutex_);
    if (waiter.node.is_linked()) waiters_.erase(waiter); // (4)
    --file->waiting;
    forget_if_unused_locked(*file);
    return error;
}

std::optional<FileLocks::Held> FileLocks::find_conflict(const Key& key, const Owner& owner, const Range& range) {
    sync::Mutex<sync::Rank::open_file>::Guard guard(mutex_);
    const File* const file = files_.find(key);
    const Lock* const lock = file == nullptr ? nullptr : conflict_in(*file, owner, range);
    if (lock == nullptr) return std::nullopt;
    return Held{lock->owner, {lock->place.first, lock->last, lock->type}};
}

void FileLocks::drop(const Key& key, const Owner& owner) {
    sync::Mutex<sync::Rank::open_file>::Guard guard(mutex_);
    File* const file = files_.find(key);
    if (file == nullptr) return;
    if (remove_of(*file, owner) && file->waiting != 0) file->queue.wake_all();
    forget_if_unused_locked(*file);
}

} // namespace aios::linux_abi
