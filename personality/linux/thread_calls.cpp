// Threads and identity numbers: clone, clone3, exit, exit_group, tids. New processes are made in fork.cpp; a new principal
// comes from AgentSpawn alone.
#include "personality/linux/fork.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kThreadFlags = kCloneVm | kCloneFs | kCloneFiles | kCloneSighand | kCloneThread;
constexpr std::uint64_t kCommonFlags =
    kCloneSysvsem | kCloneSetTls | kCloneParentSetTid | kCloneChildClearTid | kCloneChildSetTid | kCloneDetached |
    kClonePtrace | kCloneUntraced |
    kCloneIo; // the last three say nothing here: nobody is traced, and input waits for none

Outcome create_thread(Call& call, const CloneArguments& arguments, arch::TrapFrame& frame, std::uint64_t fs) {
    const std::uint64_t flags = arguments.flags;
    const auto made = call.process.process().create_thread(frame, fs);
    if (!made) return refuse(made.error() == Error::quota_exceeded ? kAgain : errno_of(made.error()));
    LinuxThread& data = data_of(**made);
    inherit_thread(**made, call);
    if ((flags & kCloneChildClearTid) != 0) data.clear_child_tid = arguments.child_tid;
    // Both writes go to memory that parent and child share. A bad address is the program's own loss, as on Linux.
    const auto tid = static_cast<std::uint32_t>(data.tid);
    if ((flags & kCloneParentSetTid) != 0) (void)UserOut<std::uint32_t>(arguments.parent_tid).write(tid);
    if ((flags & kCloneChildSetTid) != 0) (void)UserOut<std::uint32_t>(arguments.child_tid).write(tid);
    (*made)->start();
    return tid;
}

// A thread shares all that Linux knows of; a process shares its memory, or nothing. What lies between is not answered.
Outcome create(Call& call, CloneArguments arguments) {
    const std::uint64_t flags = arguments.flags;
    if ((flags & kCloneThread) != 0 && (flags & kCloneSighand) == 0) return refuse(kInvalid);
    if ((flags & kCloneSighand) != 0 && (flags & kCloneVm) == 0) return refuse(kInvalid);
    if ((flags & kCloneSighand) != 0 && (flags & kCloneClearSighand) != 0) return refuse(kInvalid);
    if ((flags & kCloneFs) != 0 && (flags & kCloneNewSpaces) != 0) return refuse(kInvalid);
    if ((flags & kCloneNewSpaces) != 0) return refuse(kPerm); // as unshare
    if ((flags & kCloneParent) != 0 && call.process.is_first()) return refuse(kInvalid);
    std::uint64_t stack = 0;
    if (__builtin_add_overflow(arguments.stack, arguments.stack_bytes, &stack) || stack > arch::kUserHigh)
        return refuse(kInvalid);
    if ((flags & kCloneSetTls) != 0 && arguments.tls >= arch::kUserHigh) return refuse(kPerm);

    arch::TrapFrame frame = call.frame;
    if (stack != 0) frame.rsp = stack;
    arch::set_call_result(frame, 0);
    const std::uint64_t fs = (flags & kCloneSetTls) != 0 ? arguments.tls : arch::user_fs_base();
    if ((flags & kCloneThread) != 0) {
        if ((flags & ~(kThreadFlags | kCommonFlags | kCloneParent)) != 0) return refuse(kInvalid);
        if ((flags & kThreadFlags) != kThreadFlags) return refuse(kNoSystemCall);
        return create_thread(call, arguments, frame, fs);
    }
    if ((flags & ~(kCloneVm | kCloneVfork | kCloneParent | kClonePidFd | kCommonFlags | kCloneClearSighand)) != 0) {
        const bool shares_part = (flags & (kCloneFs | kCloneFiles | kCloneSighand)) != 0;
        return refuse(shares_part ? kNoSystemCall : kInvalid);
    }
    return create_process(call, arguments, frame, fs);
}

} // namespace

Outcome call_clone(Call& call, std::uint64_t flags, std::uint64_t stack, UserOut<std::uint32_t> parent_tid,
                   UserOut<std::uint32_t> child_tid, std::uint64_t tls) {
    CloneArguments arguments{};
    arguments.flags = static_cast<std::uint32_t>(flags) & ~0xffull; // the exit signal in the low byte
    arguments.exit_signal = flags & 0xff;
    if (arguments.exit_signal > kSignalCount) return refuse(kInvalid);
    arguments.stack = stack;
    arguments.parent_tid = arguments.pidfd = parent_tid.address();
    if ((flags & kClonePidFd) != 0 && (flags & (kCloneParentSetTid | kCloneDetached)) != 0) return refuse(kInvalid);
    arguments.child_tid = child_tid.address();
    arguments.tls = tls;
    return create(call, arguments);
}

Outcome call_fork(Call& call) {
    CloneArguments arguments{};
    arguments.exit_signal = kSigChild;
    return create(call, arguments);
}

Outcome call_vfork(Call& call) {
    CloneArguments arguments{};
    arguments.flags = kCloneVm | kCloneVfork;
    arguments.exit_signal = kSigChild;
    return create(call, arguments);
}

Outcome call_clone3(Call& call, UserIn<std::byte> user, std::uint64_t bytes) {
    if (bytes > arch::kPageSize) return refuse(kTooBig);
    if (bytes < sizeof(CloneArguments)) return refuse(kInvalid);
    const auto arguments = LINUX_TRY(UserIn<CloneArguments>(user.address()).read());
    std::byte rest[64]; // later fields must be zero
    for (std::uint64_t at = sizeof(CloneArguments); at < bytes;) {
        const std::size_t part = bytes - at < sizeof(rest) ? bytes - at : sizeof(rest);
        LINUX_TRY(user.read_array(at, rest, part));
        for (std::size_t i = 0; i < part; ++i) {
            if (rest[i] != std::byte{}) return refuse(kTooBig);
        }
        at += part;
    }
    if ((arguments.flags & 0xff) != 0 || arguments.exit_signal > 64) return refuse(kInvalid);
    if ((arguments.stack == 0) != (arguments.stack_bytes == 0)) return refuse(kInvalid);
    const bool has_no_signal = (arguments.flags & (kCloneThread | kCloneParent)) != 0;
    if (has_no_signal && arguments.exit_signal != 0) return refuse(kInvalid);
    if ((arguments.flags & kCloneDetached) != 0) return refuse(kInvalid);
    return create(call, arguments);
}

// The last thread's status becomes the process's.
Outcome call_exit(Call& call, std::int32_t status) {
    call.data().leaving = true;
    if (call.process.threads_staying.fetch_sub(1) == 1)
        (void)call.process.leave(EndReason::exited, static_cast<std::uint32_t>(status) & 0xff);
    Thread::exit_current();
}

Outcome call_exit_group(Call& call, std::int32_t status) {
    (void)call.process.leave(EndReason::exited, static_cast<std::uint32_t>(status) & 0xff);
    Thread::exit_current();
}

Outcome call_set_tid_address(Call& call, std::uint64_t address) {
    call.data().clear_child_tid = address;
    return static_cast<std::uint64_t>(call.data().tid);
}

Outcome call_getpid(Call& call) { return static_cast<std::uint64_t>(call.process.pid()); }
Outcome call_gettid(Call& call) { return static_cast<std::uint64_t>(call.data().tid); }

Outcome call_sched_yield(Call&) {
    sched::yield();
    return 0;
}

Outcome call_arch_prctl(Call&, std::int32_t option, std::uint64_t argument) {
    switch (option) {
    case kArchSetFs:
        if (argument >= arch::kUserHigh) return refuse(kPerm);
        arch::set_user_fs_base(argument);
        return 0;
    case kArchSetGs:
        if (argument >= arch::kUserHigh) return refuse(kPerm);
        arch::set_user_gs_base(argument);
        return 0;
    case kArchGetFs:
        return answer(UserOut<std::uint64_t>(argument), arch::user_fs_base());
    case kArchGetGs:
        return answer(UserOut<std::uint64_t>(argument), arch::user_gs_base());
    default:
        return refuse(kInvalid);
    }
}

} // namespace aios::linux_abi
