// Calls about signals. Only processes of the own agent can be sent one: other agents are reached by AgentKill alone.
#include "personality/linux/process_walk.hpp"
#include "personality/linux/signals.hpp"

#include <span>

#include "kernel/mm/owned.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kSignalSetBytes = 8;

bool is_signal(std::int32_t signal) { return signal >= 0 && signal <= kSignalCount; }

SentSignal sent_by(Call& call, std::int32_t signal, std::int32_t code) {
    const auto user = static_cast<std::int32_t>(call.process.real_user.load(std::memory_order_relaxed));
    return {signal, code, call.process.pid(), user};
}
mm::Owned<QueuedSignal> room_for(Call& call, int signal) { return make_queued(call.process.quota(), signal); }

Outcome outcome_of(Errno error) { return error == Errno{} ? Outcome(0) : refuse(error); }

// Whether `who`, of the caller's session or not, may send to the process of `entry`. The table's lock is held.
bool may_signal_locked(ProcessTable& family, Call& call, const Identity& who, const ProcessEntry& entry, int signal)
    AIOS_REQUIRES(family.lock) {
    family.lock.assert_held();
    const LinuxProcess* const target = entry.process;
    if (target == nullptr || target == &call.process || who.has(Capability::kill)) return true;
    if (signal == kSigContinue && entry.group->session == call.process.entry().group->session) return true;
    const std::uint32_t real = target->real_user.load(std::memory_order_relaxed);
    const std::uint32_t saved = target->saved_user.load(std::memory_order_relaxed);
    return who.user.effective == real || who.user.effective == saved || who.user.real == real || who.user.real == saved;
}

// To every process that `is_meant`, as far as the caller may. kNoProcess: there is none; kPerm: none that it may.
template <typename F>
Outcome send_to_many(Call& call, const SentSignal& sent, F&& is_meant) {
    ProcessTable& family = call.process.family();
    const Identity who = identity_of(call.process);
    bool any = false, any_refused = false;
    const auto look = [&](ProcessEntry& entry) {
        family.lock.assert_held();
        if (!is_meant(entry)) return false;
        const bool may = may_signal_locked(family, call, who, entry, sent.signal);
        any_refused = any_refused || !may;
        return may;
    };
    for_processes(family, look, [&](std::int32_t pid) {
        any = send_to_process(family, pid, sent, &call.data(), room_for(call, sent.signal)) == Errno{} || any;
        return true;
    });
    if (any) return 0;
    return refuse(any_refused ? kPerm : kNoProcess);
}

// Signals that a change of the mask has let through come on the way back to user mode.
void set_mask(Call& call, std::uint64_t mask) {
    call.data().blocked = mask & ~kUnblockable;
    if (has_deliverable(call.process, call.data())) call.thread.interrupt();
}

// The same of the process that a thread is of.
Errno may_signal_thread(Call& call, std::int32_t tid, int signal) {
    const Identity who = identity_of(call.process);
    ProcessTable& family = call.process.family();
    ProcessTable::Lock::Guard guard(family.lock);
    const LinuxThread* const thread = family.find_thread_locked(tid);
    if (thread == nullptr) return kNoProcess;
    return may_signal_locked(family, call, who, thread->process->entry(), signal) ? Errno{} : kPerm;
}

Outcome wait_for_signal(Call& call) {
    sched::WaitQueue queue; // nobody wakes it: only an interrupt ends the wait
    (void)queue.wait(sched::kNever, [&] { return has_deliverable(call.process, call.data()); });
    call.thread.interrupt(); // what was pending before comes through too
    return interrupted_call(call, AfterHandler::ends);
}

// Whether a signal with this action does nothing.
bool is_passed_over(const SignalAction& action, int signal) {
    constexpr std::uint64_t kByDefault =
        bit_of(kSigChild) | bit_of(kSigContinue) | bit_of(kSigUrgent) | bit_of(kSigWindow);
    if (action.handler == kSigIgnore) return true;
    return action.handler == kSigDefault && (kByDefault & bit_of(signal)) != 0;
}

// It was pending, of the process or a thread, blocked or not: it is no more.
void drop_pending(LinuxProcess& process, int signal) {
    if (is_queued(signal)) return drop_queued_everywhere(process, signal);
    process.process_pending.fetch_and(~bit_of(signal));
    std::int32_t next = ProcessTable::kFirst;
    for (bool is_at_end = false; !is_at_end;) {
        LinuxProcess::ThreadLock::Guard guard(process.thread_lock);
        LinuxThread* thread = process.threads.lower_bound(next);
        for (unsigned i = 0; i < ProcessTable::kAtOnce && thread != nullptr; ++i) {
            thread->pending.fetch_and(~bit_of(signal));
            next = thread->tid + 1;
            thread = process.threads.next(*thread);
        }
        is_at_end = thread == nullptr;
    }
}

} // namespace

Errno may_signal(Call& call, std::int32_t pid, int signal) {
    const Identity who = identity_of(call.process);
    ProcessTable& family = call.process.family();
    ProcessTable::Lock::Guard guard(family.lock);
    const ProcessEntry* const entry = family.find_locked(pid);
    if (entry == nullptr) return kNoProcess;
    return may_signal_locked(family, call, who, *entry, signal) ? Errno{} : kPerm;
}

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
    if (!action.is_null() && is_passed_over(wanted, signal)) drop_pending(process, signal);
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
    if (const Errno error = may_signal_thread(call, tid, signal); error != Errno{}) return refuse(error);
    return outcome_of(
        send_to_thread(call.process.family(), 0, tid, sent_by(call, signal, kCodeThread), room_for(call, signal)));
}

Outcome call_tgkill(Call& call, std::int32_t group, std::int32_t tid, std::int32_t signal) {
    if (group <= 0 || tid <= 0 || !is_signal(signal)) return refuse(kInvalid);
    if (const Errno error = may_signal_thread(call, tid, signal); error != Errno{}) return refuse(error);
    return outcome_of(
        send_to_thread(call.process.family(), group, tid, sent_by(call, signal, kCodeThread), room_for(call, signal)));
}

Outcome call_kill(Call& call, std::int32_t pid, std::int32_t signal) {
    if (!is_signal(signal)) return refuse(kInvalid);
    const SentSignal sent = sent_by(call, signal, kCodeUser);
    if (pid > 0) pid = process_number(call.process.family(), pid);
    if (pid > 0) {
        if (const Errno error = may_signal(call, pid, signal); error != Errno{}) return refuse(error);
    }
    if (pid > 0)
        return outcome_of(send_to_process(call.process.family(), pid, sent, &call.data(), room_for(call, signal)));
    if (pid == INT32_MIN) return refuse(kNoProcess);
    ProcessTable& family = call.process.family();
    std::int32_t group = -pid;
    if (pid == 0) {
        ProcessTable::Lock::Guard guard(family.lock);
        group = call.process.entry().group->number;
    }
    if (pid != -1) return send_to_many(call, sent, [&](ProcessEntry& entry) { return entry.group->number == group; });
    // Everybody but oneself and the first.
    return send_to_many(call, sent, [&](ProcessEntry& entry) {
        return entry.pid != ProcessTable::kFirst && entry.pid != call.process.pid();
    });
}

} // namespace aios::linux_abi
