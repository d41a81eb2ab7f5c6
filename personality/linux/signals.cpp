#include "personality/linux/signals.hpp"

#include <bit>

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kTerminalStops = bit_of(kSigTerminalStop) | bit_of(kSigTerminalIn) | bit_of(kSigTerminalOut);
constexpr std::uint64_t kIgnoredByDefault =
    bit_of(kSigChild) | bit_of(kSigContinue) | bit_of(kSigUrgent) | bit_of(kSigWindow);
// Taken first: they are about what the program just did.
constexpr std::uint64_t kSynchronous =
    bit_of(kSigSegv) | bit_of(kSigBus) | bit_of(kSigIll) | bit_of(kSigTrap) | bit_of(kSigFpe) | bit_of(31);

SignalAction action_of(LinuxProcess& process, int signal) {
    LinuxProcess::Lock::Guard guard(process.lock);
    return process.actions ? process.actions->of[signal - 1] : SignalAction{};
}

bool is_ignored(const SignalAction& action, int signal) {
    return action.handler == kSigIgnore || (action.handler == kSigDefault && (kIgnoredByDefault & bit_of(signal)) != 0);
}

SentSignal sent_of(LinuxProcess& process, int signal) {
    LinuxProcess::ThreadLock::Guard guard(process.thread_lock);
    return process.sent[signal - 1];
}

// Takes one pending signal that is in `set`. False: there is none.
bool take_pending(LinuxProcess& process, LinuxThread& data, std::uint64_t set, SignalInfo& info) {
    for (;;) {
        std::uint64_t own = data.pending.load() & set;
        std::uint64_t common = process.process_pending.load() & set;
        if ((own | common) == 0) return false;
        if (((own | common) & kSynchronous) != 0) {
            own &= kSynchronous;
            common &= kSynchronous;
        }
        const bool is_own = own != 0;
        const int signal = std::countr_zero(is_own ? own : common) + 1;
        std::optional<SentSignal> sent;
        if (is_queued(signal)) {
            sent = take_queued(process, is_own ? data.queued : process.queued, signal);
        } else {
            std::atomic<std::uint64_t>& from = is_own ? data.pending : process.process_pending;
            if ((from.fetch_and(~bit_of(signal)) & bit_of(signal)) != 0) sent = sent_of(process, signal);
        }
        if (!sent) continue; // another thread was faster
        info = {};
        info.signal = signal;
        info.code = is_own && sent->code >= kCodeUser ? kCodeThread : sent->code;
        info.sender = sent->sender;
        info.overrun = sent->overrun;
        info.value = sent->value;
        return true;
    }
}

// What may be delivered.
std::uint64_t open_signals(const LinuxThread& data) { return ~(data.blocked.load() & ~kUnblockable); }

// Lets the handler run, on the way to user mode. False: the frame does not fit.
bool run_handler(LinuxProcess& process, LinuxThread& data, arch::TrapFrame& frame, const SignalAction& action,
                 const SignalInfo& info) {
    LinuxThread::Interrupted& call = data.interrupted;
    if (call.active) {
        call.active = false;
        const bool restarts = call.after == AfterHandler::always_restarts ||
                              (call.after == AfterHandler::restarts && (action.flags & kActionRestart) != 0);
        if (restarts) arch::restart_call(frame, call.number);
    }
    const std::uint64_t mask = data.restore_mask ? data.saved_mask : data.blocked.load();
    if (!push_signal_frame(data, frame, action, info, mask)) return false;
    data.restore_mask = false;
    std::uint64_t blocked = data.blocked.load() | action.mask;
    if ((action.flags & kActionNoDefer) == 0) blocked |= bit_of(info.signal);
    data.blocked = blocked & ~kUnblockable;
    if ((action.flags & kActionResetHand) != 0) {
        LinuxProcess::Lock::Guard guard(process.lock);
        if (process.actions) process.actions->of[info.signal - 1].handler = kSigDefault;
    }
    return true;
}

// The frame of `signal` did not fit: that is a fault of its own, which another handler may take.
bool run_handler_of_bad_frame(LinuxProcess& process, LinuxThread& data, arch::TrapFrame& frame, int signal) {
    const SignalAction action = action_of(process, kSigSegv);
    if (signal == kSigSegv || action.handler == kSigDefault || action.handler == kSigIgnore) return false;
    if ((data.blocked.load() & bit_of(kSigSegv)) != 0) return false;
    SignalInfo info;
    info.signal = kSigSegv;
    info.code = kCodeKernel;
    return run_handler(process, data, frame, action, info);
}

struct FaultKind {
    int signal;
    std::int32_t code;
    bool has_address; // else the address is that of the instruction, or none
};

constexpr std::uint64_t kVectorDivide = 0, kVectorDebug = 1, kVectorBreak = 3, kVectorOpcode = 6, kVectorStack = 12,
                        kVectorPage = 14, kVectorX87 = 16, kVectorAlign = 17, kVectorSimd = 19;
constexpr std::int32_t kIntegerDivide = 1, kFloatInvalid = 7, kTrapTrace = 2, kIllegalOperand = 2, kMapError = 1,
                       kAccessError = 2, kBusAlign = 1, kBusAddress = 2;

// A page fault: nothing is mapped there, or it may not be used so, or the file behind it ends before.
FaultKind page_fault_kind(LinuxProcess& process, const arch::TrapFrame& frame, std::uint64_t address) {
    const auto area = process.memory().next_area(address);
    if (!area || area->start > address) return {kSigSegv, kMapError, true};
    auto needed = arch::Protection::read;
    if ((frame.error & 2) != 0) needed = arch::Protection::write;
    if ((frame.error & 16) != 0) needed = arch::Protection::execute; // fetched
    if (!area->is_anonymous && arch::has(area->protection, needed)) return {kSigBus, kBusAddress, true};
    return {kSigSegv, kAccessError, true};
}

FaultKind kind_of(LinuxProcess& process, const arch::TrapFrame& frame, std::uint64_t address) {
    switch (frame.vector) {
    case kVectorDivide:
        return {kSigFpe, kIntegerDivide, false};
    case kVectorDebug:
        return {kSigTrap, kTrapTrace, false};
    case kVectorBreak:
        return {kSigTrap, kCodeKernel, false};
    case kVectorOpcode:
        return {kSigIll, kIllegalOperand, false};
    case kVectorStack:
        return {kSigBus, kCodeKernel, false};
    case kVectorPage:
        return page_fault_kind(process, frame, address);
    case kVectorX87:
    case kVectorSimd:
        return {kSigFpe, kFloatInvalid, false};
    case kVectorAlign:
        return {kSigBus, kBusAlign, false};
    default: // overflow, bounds, general protection
        return {kSigSegv, kCodeKernel, false};
    }
}

} // namespace

int signal_of_fault(LinuxProcess& process, const arch::TrapFrame& frame, std::uint64_t address) {
    return kind_of(process, frame, address).signal;
}

bool deliver_fault(LinuxProcess& process, Thread& thread, arch::TrapFrame& frame, std::uint64_t address) {
    LinuxThread& data = data_of(thread);
    const FaultKind kind = kind_of(process, frame, address);
    const SignalAction action = action_of(process, kind.signal);
    if (action.handler == kSigDefault || action.handler == kSigIgnore) return false;
    if ((data.blocked.load() & bit_of(kind.signal)) != 0) return false; // it would fault for ever
    SignalInfo info;
    info.signal = kind.signal;
    info.code = kind.code;
    info.is_fault = true;
    info.vector = frame.vector;
    info.error = frame.error;
    if (kind.has_address) {
        info.address = address;
    } else if (kind.code != kCodeKernel) {
        info.address = frame.rip;
    }
    data.interrupted.active = false;
    return run_handler(process, data, frame, action, info);
}

bool has_deliverable(LinuxProcess& process, const LinuxThread& data) {
    return ((data.pending.load() | process.process_pending.load()) & open_signals(data)) != 0;
}

bool is_held_off(LinuxProcess& process, const LinuxThread& data, int signal) {
    return (data.blocked.load() & bit_of(signal)) != 0 || is_ignored(action_of(process, signal), signal);
}

bool take_pending_among(Call& call, std::uint64_t set, SignalInfo& info) {
    return take_pending(call.process, call.data(), set, info);
}

namespace {

std::uint32_t continues_of(LinuxProcess& process) {
    LinuxProcess::ThreadLock::Guard guard(process.thread_lock);
    return process.continues;
}

// The default action of a stopping signal, unless a continue came after it (`continues`: as it was before the signal was
// taken).
void stop_process(LinuxProcess& process, int signal, std::uint32_t continues) {
    if ((kTerminalStops & bit_of(signal)) != 0 && is_orphaned(process.family(), process.group())) return;
    {
        LinuxProcess::ThreadLock::Guard guard(process.thread_lock);
        if (process.continues != continues) return;
        process.is_stopped = true;
    }
    interrupt_all(process);
    process.family().tell(process.entry(), ChildNews::stopped, static_cast<std::uint32_t>(signal) << 8 | 0x7f);
}

// Waits until the process may go on, or is killed. Who leaves passes the word on.
void stand_still(LinuxProcess& process, Thread& thread, const LinuxThread& data) {
    const auto goes_on = [&] {
        return !process.is_stopped.load() ||
               ((process.process_pending.load() | data.pending.load()) & bit_of(kSigKill)) != 0;
    };
    while (process.stopped.wait(sched::kNever, goes_on) != sched::Outcome::ready && !thread.is_killed())
        thread.clear_interrupt();
    process.stopped.wake_one();
    if (process.has_continued.exchange(false)) process.family().tell(process.entry(), ChildNews::continued, 0xffff);
}

} // namespace

void deliver_pending(LinuxProcess& process, Thread& thread, arch::TrapFrame& frame) {
    LinuxThread& data = data_of(thread);
    for (;;) {
        if (process.is_stopped.load()) stand_still(process, thread, data);
        if (thread.is_killed()) return;
        const std::uint32_t continues = continues_of(process);
        SignalInfo info;
        if (!take_pending(process, data, open_signals(data), info)) break;
        int signal = info.signal;
        const SignalAction action = action_of(process, signal);
        if (signal != kSigKill && is_ignored(action, signal)) continue;
        if (signal == kSigStop || (action.handler == kSigDefault && (kTerminalStops & bit_of(signal)) != 0)) {
            stop_process(process, signal, continues);
            continue;
        }
        if (signal != kSigKill && action.handler != kSigDefault) {
            if (run_handler(process, data, frame, action, info)) continue; // the next one goes on top of it
            if (run_handler_of_bad_frame(process, data, frame, signal)) continue;
            signal = kSigSegv;
        }
        // An execve that is under way is not held up: the new program takes the signal.
        if (!process.leave(EndReason::killed, static_cast<std::uint64_t>(signal)))
            process.process_pending.fetch_or(bit_of(signal));
        return;
    }
    // No handler ran: the call goes on as if nothing had been.
    if (data.interrupted.active) {
        data.interrupted.active = false;
        data.restarted_deadline = data.interrupted.deadline;
        arch::restart_call(frame, data.interrupted.number);
    }
    if (data.restore_mask) {
        data.restore_mask = false;
        data.blocked = data.saved_mask;
    }
}

} // namespace aios::linux_abi
