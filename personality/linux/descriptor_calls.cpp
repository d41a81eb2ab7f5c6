// Descriptors: close, dup, fcntl. What leaves the table is let go outside the process's lock.
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

using Guard = LinuxProcess::Lock::Guard;

Outcome duplicate_to(Call& call, Descriptor from, Descriptor to, OnExec on_exec) {
    Ref<OpenFile> replaced;
    {
        Guard guard(call.process.lock);
        auto file = LINUX_TRY(call.process.files.get(from));
        replaced = LINUX_TRY(call.process.files.set(call.process.quota(), to, std::move(file), on_exec));
    }
    if (replaced) drop_record_locks(call.process, *replaced);
    return to.number;
}

std::uint64_t access_mode(const OpenFile& file) {
    if (!file.writable) return kOpenReadOnly;
    return file.readable ? kOpenReadWrite : kOpenWriteOnly;
}

} // namespace

Outcome call_close(Call& call, Descriptor fd) {
    Ref<OpenFile> file;
    {
        Guard guard(call.process.lock);
        file = call.process.files.remove(fd);
    }
    if (!file) return refuse(kBadFd);
    drop_record_locks(call.process, *file);
    return 0;
}

Outcome call_close_range(Call& call, std::uint32_t first, std::uint32_t last, Flags<kCloseRangeCloseOnExec> flags) {
    if (first > last) return refuse(kInvalid);
    for (std::uint64_t number = first; number <= last && number < kMaxFiles; ++number) {
        const Descriptor fd(number);
        Ref<OpenFile> file;
        {
            Guard guard(call.process.lock);
            if (flags.has(kCloseRangeCloseOnExec)) {
                call.process.files.set_on_exec(fd, OnExec::close);
            } else {
                file = call.process.files.remove(fd);
            }
        }
        if (file) drop_record_locks(call.process, *file);
    }
    return 0;
}

Outcome call_dup(Call& call, Descriptor fd) {
    Guard guard(call.process.lock);
    auto file = LINUX_TRY(call.process.files.get(fd));
    return call.process.files.add(call.process.quota(), std::move(file), OnExec::keep);
}

Outcome call_dup2(Call& call, Descriptor fd, Descriptor to) {
    if (fd == to) {
        Guard guard(call.process.lock);
        LINUX_TRY(call.process.files.get(fd));
        return to.number;
    }
    return duplicate_to(call, fd, to, OnExec::keep);
}

Outcome call_dup3(Call& call, Descriptor fd, Descriptor to, Flags<kOpenCloseOnExec> flags) {
    if (fd == to) return refuse(kInvalid);
    return duplicate_to(call, fd, to, flags.has(kOpenCloseOnExec) ? OnExec::close : OnExec::keep);
}

Outcome call_fcntl(Call& call, Descriptor fd, std::uint32_t command, std::uint64_t argument) {
    Ref<OpenFile> file;
    {
        Guard guard(call.process.lock);
        FileTable& files = call.process.files;
        file = LINUX_TRY(files.get(fd));
        if (command == kFcntlDup || command == kFcntlDupCloseOnExec) {
            if (argument >= files.limit()) return refuse(kInvalid);
            return files.add(call.process.quota(), std::move(file),
                             command == kFcntlDupCloseOnExec ? OnExec::close : OnExec::keep,
                             static_cast<std::uint32_t>(argument));
        }
        if (command == kFcntlGetFd) return files.on_exec(fd) == OnExec::close ? kCloseOnExec : 0;
        if (command == kFcntlSetFd) {
            files.set_on_exec(fd, (argument & kCloseOnExec) != 0 ? OnExec::close : OnExec::keep);
            return 0;
        }
    }
    const bool is_for_paths = command == kFcntlGetFlags; // of what O_PATH opened nothing else can be asked
    if (file->path_only && !is_for_paths) return refuse(kBadFd);
    switch (command) {
    case kFcntlGetFlags: {
        const std::uint64_t access = access_mode(*file);
        constexpr std::uint64_t kLargeFile = 0100000; // Linux sets it in every open file of a 64-bit program
        return access | (file->append ? kOpenAppend : 0) | (file->path_only ? kOpenPath : 0) |
               (file->node() != nullptr && !file->path_only ? kLargeFile : 0) |
               (file->non_blocking ? kOpenNonBlock : 0) | file->kept_flags.load();
    }
    case kFcntlSetFlags:
        file->append = (argument & kOpenAppend) != 0;
        file->non_blocking = (argument & kOpenNonBlock) != 0;
        file->kept_flags = (file->kept_flags.load() & ~kOpenSettable) | (argument & kOpenSettable);
        return 0;
    case kFcntlGetOwner:
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(file->signal_owner.load()));
    case kFcntlSetOwner:
        file->signal_owner = static_cast<std::int32_t>(argument);
        return 0;
    case kFcntlGetSignal:
        return static_cast<std::uint64_t>(file->signal_number.load());
    case kFcntlSetSignal:
        if (argument > static_cast<std::uint64_t>(kSignalCount)) return refuse(kInvalid);
        file->signal_number = static_cast<std::int32_t>(argument);
        return 0;
    case kFcntlGetLease:
        return 2;          // F_UNLCK: there is none
    case kFcntlSetLease: { // none is given: the kind of answer says whether Linux would have looked further
        constexpr std::uint64_t kRead = 0, kNone = 2;
        if (argument > kNone || file->node() == nullptr) return refuse(kInvalid);
        return refuse(argument == kNone || (argument == kRead && file->writable) ? kAgain : kInvalid);
    }
    case kFcntlGetLock:
    case kFcntlSetLock:
    case kFcntlSetLockWait:
    case kFcntlGetFileLock:
    case kFcntlSetFileLock:
    case kFcntlSetFileLockWait:
        return record_lock(call, fd, *file, command, UserInOut<FileLock>(argument));
    case kFcntlAddSeals:
    case kFcntlGetSeals:
        return seal_file(*file, command, argument);
    case kFcntlSetPipeBytes:
    case kFcntlGetPipeBytes:
        return pipe_capacity(call, *file, static_cast<std::uint32_t>(command), argument);
    default:
        return refuse(kInvalid);
    }
}

} // namespace aios::linux_abi
