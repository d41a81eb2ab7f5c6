// Descriptors: close, dup, fcntl.
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {
using Guard = sync::Mutex<sync::Rank::process>::Guard;
} // namespace

Outcome call_close(Call& call) {
    Ref<OpenFile> file; // let go outside the lock
    Guard guard(call.process.lock);
    file = LINUX_TRY(call.process.files.get(call.a[0]));
    call.process.files.remove(call.a[0]);
    return 0;
}

Outcome call_dup(Call& call) {
    Guard guard(call.process.lock);
    auto file = LINUX_TRY(call.process.files.get(call.a[0]));
    return call.process.files.add(std::move(file), false);
}

Outcome call_dup2(Call& call) {
    Guard guard(call.process.lock);
    auto file = LINUX_TRY(call.process.files.get(call.a[0]));
    if (call.a[0] == call.a[1]) return call.a[1];
    if (const Errno error = call.process.files.set(call.a[1], std::move(file), false); error != Errno{})
        return refuse(error);
    return call.a[1];
}

Outcome call_dup3(Call& call) {
    if (call.a[0] == call.a[1] || (call.a[2] & ~kOpenCloseOnExec) != 0) return refuse(kInvalid);
    Guard guard(call.process.lock);
    auto file = LINUX_TRY(call.process.files.get(call.a[0]));
    const bool close_on_exec = (call.a[2] & kOpenCloseOnExec) != 0;
    if (const Errno error = call.process.files.set(call.a[1], std::move(file), close_on_exec); error != Errno{})
        return refuse(error);
    return call.a[1];
}

Outcome call_fcntl(Call& call) {
    Guard guard(call.process.lock);
    auto file = LINUX_TRY(call.process.files.get(call.a[0]));
    FileTable& files = call.process.files;
    switch (call.a[1]) {
    case kFcntlDup:
    case kFcntlDupCloseOnExec:
        if (call.a[2] >= kMaxFiles) return refuse(kInvalid);
        return files.add(std::move(file), call.a[1] == kFcntlDupCloseOnExec, call.a[2]);
    case kFcntlGetFd:
        return files.close_on_exec(call.a[0]) ? kCloseOnExec : 0;
    case kFcntlSetFd:
        files.set_close_on_exec(call.a[0], (call.a[2] & kCloseOnExec) != 0);
        return 0;
    case kFcntlGetFlags: {
        const std::uint64_t access = file->readable && file->writable ? kOpenReadWrite
                                     : file->writable                 ? kOpenWriteOnly
                                                                      : kOpenReadOnly;
        return access | (file->append ? kOpenAppend : 0) | (file->path_only ? kOpenPath : 0);
    }
    case kFcntlSetFlags:
        file->append = (call.a[2] & kOpenAppend) != 0;
        return 0;
    default:
        return refuse(kInvalid);
    }
}

} // namespace aios::linux_abi
