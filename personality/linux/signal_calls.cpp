#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

using Guard = sync::Mutex<sync::Rank::process>::Guard;
constexpr std::uint64_t bit_of(int signal) { return 1ull << (signal - 1); }
constexpr std::uint64_t kUnblockable = bit_of(kSigKill) | bit_of(kSigStop);
constexpr std::uint64_t kIgnoredByDefault =
    bit_of(kSigChild) | bit_of(kSigContinue) | bit_of(kSigUrgent) | bit_of(kSigWindow);
constexpr std::uint64_t kSignalSetBytes = 8;

bool is_ignored(LinuxProcess& process, int signal) {
    Guard guard(process.lock);
    const std::uint64_t handler = process.actions[signal - 1].handler;
    return handler == kSigIgnore || (handler == kSigDefault && (kIgnoredByDefault & bit_of(signal)) != 0);
}

// To a thread of this process: only the caller itself can be named today, because tids are looked up nowhere else.
Outcome send(Call& call, std::int64_t tid, std::uint64_t signal) {
    if (signal > static_cast<std::uint64_t>(kSignalCount)) return refuse(kInvalid);
    LinuxThread& own = data_of(call.thread);
    if (tid != own.tid) return refuse(kNoProcess);
    if (signal == 0) return 0;
    std::atomic_ref(own.pending).fetch_or(bit_of(static_cast<int>(signal)), std::memory_order_relaxed);
    deliver_pending(call.process, call.thread, call.frame);
    return 0;
}

} // namespace

bool deliver_fault(LinuxProcess&, Thread&, arch::TrapFrame&, std::uint64_t) { return false; }

void deliver_pending(LinuxProcess& process, Thread& thread, arch::TrapFrame&) {
    LinuxThread& data = data_of(thread);
    for (int signal = 1; signal <= kSignalCount; ++signal) {
        const std::uint64_t bit = bit_of(signal);
        if ((std::atomic_ref(data.pending).load(std::memory_order_relaxed) & bit) == 0) continue;
        if ((data.signal_mask & bit & ~kUnblockable) != 0) continue;
        std::atomic_ref(data.pending).fetch_and(~bit, std::memory_order_relaxed);
        if (is_ignored(process, signal)) continue;
        process.process().exit(EndReason::killed, static_cast<std::uint64_t>(signal));
        return;
    }
}

Outcome call_rt_sigaction(Call& call) {
    const std::uint64_t signal = call.a[0];
    if (call.a[3] != kSignalSetBytes || signal == 0 || signal > static_cast<std::uint64_t>(kSignalCount))
        return refuse(kInvalid);
    SignalAction wanted{};
    if (call.a[1] != 0) {
        wanted = LINUX_TRY(load_user<SignalAction>(call.a[1]));
        if (signal == kSigKill || signal == kSigStop) return refuse(kInvalid);
        wanted.mask &= ~kUnblockable;
    }
    SignalAction old{};
    {
        Guard guard(call.process.lock);
        old = call.process.actions[signal - 1];
        if (call.a[1] != 0) call.process.actions[signal - 1] = wanted;
    }
    if (call.a[2] != 0) return store_user(call.a[2], old);
    return 0;
}

Outcome call_rt_sigprocmask(Call& call) {
    constexpr std::uint64_t kBlock = 0, kUnblock = 1, kSet = 2;
    if (call.a[3] != kSignalSetBytes) return refuse(kInvalid);
    LinuxThread& data = data_of(call.thread);
    const std::uint64_t old = data.signal_mask;
    if (call.a[1] != 0) {
        const auto set = LINUX_TRY(load_user<std::uint64_t>(call.a[1]));
        switch (call.a[0]) {
        case kBlock:
            data.signal_mask |= set;
            break;
        case kUnblock:
            data.signal_mask &= ~set;
            break;
        case kSet:
            data.signal_mask = set;
            break;
        default:
            return refuse(kInvalid);
        }
        data.signal_mask &= ~kUnblockable;
        deliver_pending(call.process, call.thread, call.frame);
    }
    if (call.a[2] != 0) return store_user(call.a[2], old);
    return 0;
}

Outcome call_sigaltstack(Call& call) {
    LinuxThread& data = data_of(call.thread);
    const SignalStack old = data.alternate;
    if (call.a[0] != 0) {
        const auto wanted = LINUX_TRY(load_user<SignalStack>(call.a[0]));
        if ((wanted.flags & ~kStackDisable) != 0) return refuse(kInvalid);
        if ((wanted.flags & kStackDisable) == 0 && wanted.bytes < 2048) return refuse(kNoMemory);
        data.alternate = wanted;
    }
    if (call.a[1] != 0) return store_user(call.a[1], old);
    return 0;
}

Outcome call_tkill(Call& call) { return send(call, static_cast<std::int32_t>(call.a[0]), call.a[1]); }

Outcome call_tgkill(Call& call) {
    if (static_cast<std::int32_t>(call.a[0]) != call.process.pid()) return refuse(kNoProcess);
    return send(call, static_cast<std::int32_t>(call.a[1]), call.a[2]);
}

} // namespace aios::linux_abi
