// Calls about signals. Only processes of the own agent can be sent one: other agents are reached by AgentKill alone.
#include "personality/linux/signals.hpp"

#include <span>

#include "kernel/mm/owned.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kSignalSetBytes = 8;

bool is_signal(std::int32_t signal) { return signal >= 0 && signal <= kSignalCount; }

SentSignal sent_by(Call& call, std::int32_t signal, std::int32_t code) { return {signal, code, call.process.pid(), 0}; }

Outcome outcome_of(Errno error) { return error == Errno{} ? Outcome(0) : refuse(error); }

// Signals that a change of the mask has let through come on the way back to user mode.
void set_mask(Call& call, std::uint64_t mask) {
    call.data().blocked = mask & ~kUnblockable;
    if (has_deliverable(call.process, call.data())) call.thread.interrupt();
}

Outcome wait_for_signal(Call& call) {
    sched::WaitQueue queue; // nobody wakes it: only an interrupt ends the wait
    (void)queue.wait(sched::kNever, [&] { return has_deliverable(call.process, call.data()); });
    call.thread.interrupt(); // what was pending before comes through too
    return interrupted_call(call, AfterHandler::ends);
}

} // namespace

void send_to_self(Call& call, int signal) {
    (void)send_to_thread(call.process.family(), 0, call.data().tid, sent_by(call, signal, kCodeUser));
}

Errno MaskOfCall::set(UserIn<std::uint64_t> mask, std::uint64_t set_bytes) {
    if (mask.is_null()) return Errno{};
    if (set_bytes != kSignalSetBytes) return kInvalid;
    const auto wanted = mask.read();
    if (!wanted) return kFault;
    LinuxThread& data = call_.data();
    before_ = data.blocked.load();
    set_mask(call_, *wanted); // what it lets through ends the wait that follows
    is_set_ = true;
    return Errno{};
}

MaskOfCall::~MaskOfCall() {
    if (!is_set_) return;
    LinuxThread& data = call_.data();
    if (data.interrupted.active) { // what was let through comes first
        data.saved_mask = before_;
        data.restore_mask = true;
    } else {
        set_mask(call_, before_);
    }
}

Outcome call_rt_sigaction(Call& call, std::int32_t signal, UserIn<SignalAction> action, UserOut<SignalAction> old,
                          std::uint64_t set_bytes) {
    if (set_bytes != kSignalSetBytes || signal == 0 || !is_signal(signal)) return refuse(kInvalid);
    LinuxProcess& process = call.process;
    SignalAction wanted{};
    mm::Owned<ActionTable> fresh; // ends again if there is a table already
    if (!action.is_null()) {
        wanted = LINUX_TRY(action.read());
        if (signal == kSigKill || signal == kSigStop) return refuse(kInvalid);
        wanted.mask &= ~kUnblockable;
        auto charge = LINUX_TRY(Reservation::make(process.quota(), Resource::memory, mm::cost_of<ActionTable>));
        fresh = LINUX_TRY(mm::own<ActionTable>(std::move(charge)));
    }
    SignalAction previous{};
    {
        LinuxProcess::Lock::Guard guard(process.lock);
        if (!process.actions) std::swap(process.actions, fresh);
        if (process.actions) {
            previous = process.actions->of[signal - 1];
            if (!action.is_null()) process.actions->of[signal - 1] = wanted;
        }
        if (signal == kSigChild && !action.is_null())
            process.ignores_children = wanted.handler == kSigIgnore || (wanted.flags & kActionNoChildWait) != 0;
    }
    return old.is_null() ? Outcome(0) : answer(old, previous);
}

Outcome call_rt_sigprocmask(Call& call, std::int32_t how, UserIn<std::uint64_t> set, UserOut<std::uint64_t> old,
                            std::uint64_t set_bytes) {
    constexpr std::int32_t kBlock = 0, kUnblock = 1, kSet = 2;
    if (set_bytes != kSignalSetBytes) return refuse(kInvalid);
    const std::uint64_t previous = call.data().blocked.load();
    if (!set.is_null()) {
        const std::uint64_t given = LINUX_TRY(set.read());
        switch (how) {
        case kBlock:
            set_mask(call, previous | given);
            break;
        case kUnblock:
            set_mask(call, previous & ~given);
            break;
        case kSet:
            set_mask(call, given);
            break;
        default:
            return refuse(kInvalid);
        }
    }
    return old.is_null() ? Outcome(0) : answer(old, previous);
}

Outcome call_rt_sigpending(Call& call, UserOut<std::byte> out, std::uint64_t set_bytes) {
    if (set_bytes > kSignalSetBytes) return refuse(kInvalid);
    const LinuxThread& data = call.data();
    const std::uint64_t set = (data.pending.load() | call.process.process_pending.load()) & data.blocked.load();
    LINUX_TRY(out.write_array(0, std::as_bytes(std::span(&set, 1)).data(), set_bytes));
    return 0;
}

Outcome call_rt_sigsuspend(Call& call, UserIn<std::uint64_t> mask, std::uint64_t set_bytes) {
    if (set_bytes != kSignalSetBytes) return refuse(kInvalid);
    const std::uint64_t wanted = LINUX_TRY(mask.read());
    LinuxThread& data = call.data();
    data.saved_mask = data.blocked.load();
    data.restore_mask = true;
    data.blocked = wanted & ~kUnblockable;
    return wait_for_signal(call);
}

Outcome call_pause(Call& call) { return wait_for_signal(call); }

Outcome call_sigaltstack(Call& call, UserIn<SignalStack> stack, UserOut<SignalStack> old) {
    LinuxThread& data = call.data();
    const std::uint64_t pointer = call.frame.rsp;
    const SignalStack& current = data.alternate;
    const bool in_use = (current.flags & (kStackDisable | kStackAutoDisarm)) == 0 && pointer > current.pointer &&
                        pointer - current.pointer <= current.bytes;
    SignalStack previous = current;
    if (in_use) previous.flags |= kStackInUse;
    if (!stack.is_null()) {
        SignalStack wanted = LINUX_TRY(stack.read());
        if (in_use) return refuse(kPerm);
        const std::uint32_t mode = wanted.flags & ~kStackAutoDisarm;
        if (mode != 0 && mode != kStackDisable && mode != kStackInUse) return refuse(kInvalid);
        if (mode == kStackDisable) {
            wanted.pointer = wanted.bytes = 0;
        } else {
            if (wanted.bytes < kMinSignalStack) return refuse(kNoMemory);
            if (wanted.pointer > arch::kUserHigh || wanted.bytes > arch::kUserHigh - wanted.pointer)
                return refuse(kNoMemory); // could never hold a frame
            wanted.flags &= kStackAutoDisarm;
        }
        wanted.reserved = 0;
        data.alternate = wanted;
    }
    return old.is_null() ? Outcome(0) : answer(old, previous);
}

Outcome call_rt_sigreturn(Call& call) {
    LinuxThread& data = call.data();
    if (!pop_signal_frame(data, call.frame)) {
        (void)call.process.leave(EndReason::killed, kSigSegv);
        return 0;
    }
    data.interrupted.active = false;
    if (has_deliverable(call.process, data)) call.thread.interrupt();
    return call.frame.rax; // as it was when the signal came
}

Outcome call_tkill(Call& call, std::int32_t tid, std::int32_t signal) {
    if (tid <= 0 || !is_signal(signal)) return refuse(kInvalid);
    return outcome_of(send_to_thread(call.process.family(), 0, tid, sent_by(call, signal, kCodeThread)));
}

Outcome call_tgkill(Call& call, std::int32_t group, std::int32_t tid, std::int32_t signal) {
    if (group <= 0 || tid <= 0 || !is_signal(signal)) return refuse(kInvalid);
    return outcome_of(send_to_thread(call.process.family(), group, tid, sent_by(call, signal, kCodeThread)));
}

Outcome call_kill(Call& call, std::int32_t pid, std::int32_t signal) {
    if (!is_signal(signal)) return refuse(kInvalid);
    const SentSignal sent = sent_by(call, signal, kCodeUser);
    if (pid > 0) return outcome_of(send_to_process(call.process.family(), pid, sent, &call.data()));
    if (pid == INT32_MIN) return refuse(kNoProcess);
    ProcessTable& family = call.process.family();
    std::int32_t group = -pid;
    if (pid == 0) {
        ProcessTable::Lock::Guard guard(family.lock);
        group = call.process.entry().group->number;
    }
    if (pid != -1) return outcome_of(send_to_group(family, group, sent, &call.data()));
    return outcome_of(send_to_others(family, call.process.pid(), sent));
}

} // namespace aios::linux_abi
