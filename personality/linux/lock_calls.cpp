// Locks on files: flock, and the record locks of fcntl. See file_locks.hpp.
#include "kernel/mm/size_classes.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

using Type = FileLocks::Type;
using Kind = FileLocks::Kind;

constexpr std::int16_t kLockRead = 0, kLockWrite = 1, kUnlock = 2; // F_RDLCK, F_WRLCK, F_UNLCK
constexpr std::uint32_t kLockShared = 1, kLockExclusive = 2, kLockNoWait = 4, kLockNone = 8; // LOCK_SH ...

FileLocks::Key key_of(const OpenFile& file) {
    const Stat info = file.info();
    return {info.device, info.inode};
}

FileLocks::Owner owner_of(const OpenFile& file, Kind kind) {
    return {kind, reinterpret_cast<std::uint64_t>(&file)}; // SAFETY: an address as a number, compared alone
}

// The bytes that a struct flock names. kInvalid: they begin before the file; kOverflow.
std::expected<FileLocks::Range, Errno> range_of(OpenFile& file, const FileLock& lock) {
    std::int64_t base = 0;
    if (lock.whence == static_cast<std::int16_t>(kSeekCurrent)) {
        if (const Outcome at = file.seek(0, kSeekCurrent); at) base = static_cast<std::int64_t>(*at);
    } else if (lock.whence == static_cast<std::int16_t>(kSeekEnd)) {
        base = file.info().bytes;
    } else if (lock.whence != static_cast<std::int16_t>(kSeekSet)) {
        return std::unexpected(kInvalid);
    }
    std::int64_t first = 0, last = INT64_MAX;
    if (__builtin_add_overflow(base, lock.start, &first)) return std::unexpected(kOverflow);
    if (lock.bytes > 0) {
        if (__builtin_add_overflow(first, lock.bytes - 1, &last)) return std::unexpected(kOverflow);
    } else if (lock.bytes < 0) { // those before it
        last = first - 1;
        if (__builtin_add_overflow(first, lock.bytes, &first)) return std::unexpected(kInvalid);
    }
    if (first < 0) return std::unexpected(kInvalid);
    const Type type = lock.type == kUnlock ? Type::none : lock.type == kLockRead ? Type::shared : Type::exclusive;
    return FileLocks::Range{static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(last), type};
}

Outcome outcome_of(Call& call, Errno error) {
    if (error == kInterrupted) return interrupted_call(call, AfterHandler::restarts);
    return error == Errno{} ? Outcome(0) : refuse(error);
}

Outcome tell_conflict(Call& call, const FileLocks::Key& key, const FileLocks::Owner& owner,
                      const FileLocks::Range& range, FileLock lock, UserInOut<FileLock> user) {
    const auto found = call.process.family().locks->find_conflict(key, owner, range);
    if (!found) {
        lock.type = kUnlock;
        return answer(user.out(), lock);
    }
    lock.type = found->range.type == Type::exclusive ? kLockWrite : kLockRead;
    lock.whence = static_cast<std::int16_t>(kSeekSet);
    lock.start = static_cast<std::int64_t>(found->range.first);
    lock.bytes =
        found->range.last == FileLocks::kEnd ? 0 : static_cast<std::int64_t>(found->range.last) - lock.start + 1;
    lock.pid = found->owner.kind == Kind::process ? static_cast<std::int32_t>(found->owner.number) : -1;
    return answer(user.out(), lock);
}

} // namespace

Errno OpenFile::keep_locks(Payer& payer, FileLocks& table) {
    if (locks_.load(std::memory_order_acquire) != nullptr) return Errno{};
    auto charge = Reservation::make(payer, Resource::memory, mm::cost_of<LocksOfFile>);
    if (!charge) return kNoMemory;
    auto made = mm::own<LocksOfFile>();
    if (!made) return kNoMemory;
    (*made)->charge = std::move(*charge);
    (*made)->table = Ref<FileLocks>::share(table);
    (*made)->key = key_of(*this);
    LocksOfFile* expected = nullptr;
    if (locks_.compare_exchange_strong(expected, made->get())) (void)made->release(); // else another thread's will do
    return Errno{};
}

void OpenFile::drop_locks() {
    mm::Owned<LocksOfFile> own(locks_.exchange(nullptr));
    if (!own) return;
    own->table->drop(own->key, owner_of(*this, Kind::open_file));
    own->table->drop(own->key, owner_of(*this, Kind::whole));
}

void drop_record_locks(LinuxProcess& process, const OpenFile& file) {
    if (!process.has_record_locks.load() || !process.has_entry()) return;
    process.family().locks->drop(key_of(file), {Kind::process, static_cast<std::uint64_t>(process.pid())});
}

Outcome record_lock(Call& call, Descriptor fd, OpenFile& file, std::uint32_t command, UserInOut<FileLock> user) {
    const bool is_of_file =
        command == kFcntlGetFileLock || command == kFcntlSetFileLock || command == kFcntlSetFileLockWait;
    const bool asks = command == kFcntlGetLock || command == kFcntlGetFileLock;
    const bool waits = command == kFcntlSetLockWait || command == kFcntlSetFileLockWait;
    const auto lock = LINUX_TRY(user.read());
    if (file.path_only) return refuse(kBadFd);
    if (lock.type < kLockRead || lock.type > kUnlock) return refuse(kInvalid);
    if (is_of_file && lock.pid != 0) return refuse(kInvalid);
    const FileLocks::Range range = LINUX_TRY(range_of(file, lock));
    const FileLocks::Key key = key_of(file);
    FileLocks& table = *call.process.family().locks;
    const FileLocks::Owner owner =
        is_of_file ? owner_of(file, Kind::open_file)
                   : FileLocks::Owner{Kind::process, static_cast<std::uint64_t>(call.process.pid())};
    if (asks) {
        if (lock.type == kUnlock) return refuse(kInvalid);
        return tell_conflict(call, key, owner, range, lock, user);
    }
    if (lock.type == kLockRead && !file.readable) return refuse(kBadFd);
    if (lock.type == kLockWrite && !file.writable) return refuse(kBadFd);
    Payer& payer = call.process.quota();
    if (is_of_file) {
        if (const Errno error = file.keep_locks(payer, table); error != Errno{}) return refuse(error);
        return outcome_of(call,
                          waits ? table.set_or_wait(payer, key, owner, range) : table.set(payer, key, owner, range));
    }
    // (1) Who closes from here on drops what it finds. (2) The lock. (3) If the descriptor was closed between the two it is
    // dropped here: that close may have looked before (2).
    call.process.has_record_locks = true;
    const Errno error = waits ? table.set_or_wait(payer, key, owner, range) : table.set(payer, key, owner, range);
    if (error != Errno{}) return outcome_of(call, error);
    bool is_open = false;
    {
        LinuxProcess::Lock::Guard guard(call.process.lock);
        const auto there = call.process.files.get(fd);
        is_open = there && there->get() == &file;
    }
    if (!is_open) drop_record_locks(call.process, file);
    return 0;
}

Outcome call_flock(Call& call, Descriptor fd, std::uint32_t operation) {
    const auto file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return refuse(kBadFd);
    FileLocks::Range range;
    switch (operation & ~kLockNoWait) {
    case kLockShared:
        range.type = Type::shared;
        break;
    case kLockExclusive:
        range.type = Type::exclusive;
        break;
    case kLockNone:
        break;
    default:
        return refuse(kInvalid);
    }
    FileLocks& table = *call.process.family().locks;
    Payer& payer = call.process.quota();
    if (const Errno error = file->keep_locks(payer, table); error != Errno{}) return refuse(error);
    const FileLocks::Owner owner = owner_of(*file, Kind::whole);
    const bool waits = (operation & kLockNoWait) == 0;
    return outcome_of(call, waits ? table.set_or_wait(payer, key_of(*file), owner, range)
                                  : table.set(payer, key_of(*file), owner, range));
}

} // namespace aios::linux_abi
