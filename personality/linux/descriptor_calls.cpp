// Descriptors: close, dup, fcntl. What leaves the table is let go outside the process's lock.
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

using Guard = LinuxProcess::Lock::Guard;

Outcome duplicate_to(Call& call, bool close_on_exec) {
    Ref<OpenFile> replaced;
    Guard guard(call.process.lock);
    auto file = LINUX_TRY(call.process.files.get(call.a[0]));
    const std::uint64_t to = call.a[1] & 0xffff'ffff;
    replaced = LINUX_TRY(call.process.files.set(call.process.quota(), to, std::move(file), close_on_exec));
    return to;
}

constexpr std::uint64_t kGetLock = 5, kSetLock = 6, kSetLockWait = 7;
struct FileLock { // struct flock
    std::int16_t type, whence;
    std::uint32_t reserved0;
    std::int64_t start, bytes;
    std::int32_t pid;
    std::uint32_t reserved1;
};
constexpr std::int16_t kLockRead = 0, kLockWrite = 1, kUnlock = 2;

// Record locks belong to the process, and trees are private to the agent: nobody else holds one.
Outcome record_lock(OpenFile& file, std::uint64_t command, std::uint64_t address) {
    auto lock = LINUX_TRY(load_user<FileLock>(address));
    if (file.path_only) return refuse(kBadFd);
    if (lock.type < kLockRead || lock.type > kUnlock) return refuse(kInvalid);
    if (command == kGetLock) {
        lock.type = kUnlock;
        return store_user(address, lock);
    }
    if ((lock.type == kLockRead && !file.readable) || (lock.type == kLockWrite && !file.writable))
        return refuse(kBadFd);
    return 0;
}

} // namespace

Outcome call_close(Call& call) {
    Ref<OpenFile> file;
    Guard guard(call.process.lock);
    file = call.process.files.remove(call.a[0]);
    return file ? Outcome(0) : refuse(kBadFd);
}

Outcome call_close_range(Call& call) {
    constexpr std::uint64_t kCloseOnExecOnly = 4;
    const std::uint64_t first = call.a[0] & 0xffff'ffff, last = call.a[1] & 0xffff'ffff;
    if (first > last || (call.a[2] & ~kCloseOnExecOnly) != 0) return refuse(kInvalid);
    for (std::uint64_t fd = first; fd <= last && fd < kMaxFiles; ++fd) {
        Ref<OpenFile> file;
        Guard guard(call.process.lock);
        if (call.a[2] != 0) {
            call.process.files.set_close_on_exec(fd, true);
        } else {
            file = call.process.files.remove(fd);
        }
    }
    return 0;
}

Outcome call_dup(Call& call) {
    Guard guard(call.process.lock);
    auto file = LINUX_TRY(call.process.files.get(call.a[0]));
    return call.process.files.add(call.process.quota(), std::move(file), false);
}

Outcome call_dup2(Call& call) {
    if ((call.a[0] & 0xffff'ffff) == (call.a[1] & 0xffff'ffff)) {
        Guard guard(call.process.lock);
        LINUX_TRY(call.process.files.get(call.a[0]));
        return call.a[1] & 0xffff'ffff;
    }
    return duplicate_to(call, false);
}

Outcome call_dup3(Call& call) {
    if ((call.a[0] & 0xffff'ffff) == (call.a[1] & 0xffff'ffff) || (call.a[2] & ~kOpenCloseOnExec) != 0)
        return refuse(kInvalid);
    return duplicate_to(call, call.a[2] != 0);
}

Outcome call_fcntl(Call& call) {
    Ref<OpenFile> file;
    const std::uint64_t command = call.a[1];
    {
        Guard guard(call.process.lock);
        FileTable& files = call.process.files;
        file = LINUX_TRY(files.get(call.a[0]));
        if (command == kFcntlDup || command == kFcntlDupCloseOnExec) {
            if (call.a[2] >= kMaxFiles) return refuse(kInvalid);
            return files.add(call.process.quota(), std::move(file), command == kFcntlDupCloseOnExec, call.a[2]);
        }
        if (command == kFcntlGetFd) return files.close_on_exec(call.a[0]) ? kCloseOnExec : 0;
        if (command == kFcntlSetFd) {
            files.set_close_on_exec(call.a[0], (call.a[2] & kCloseOnExec) != 0);
            return 0;
        }
    }
    switch (command) {
    case kFcntlGetFlags: {
        const std::uint64_t access = file->readable && file->writable ? kOpenReadWrite
                                     : file->writable                 ? kOpenWriteOnly
                                                                      : kOpenReadOnly;
        constexpr std::uint64_t kLargeFile = 0100000; // Linux sets it in every open file of a 64-bit program
        return access | (file->append ? kOpenAppend : 0) | (file->path_only ? kOpenPath : 0) |
               (file->kind == FileKind::node ? kLargeFile : 0);
    }
    case kFcntlSetFlags:
        file->append = (call.a[2] & kOpenAppend) != 0;
        return 0;
    case kGetLock:
    case kSetLock:
    case kSetLockWait:
        return record_lock(*file, command, call.a[2]);
    default:
        return refuse(kInvalid);
    }
}

} // namespace aios::linux_abi
