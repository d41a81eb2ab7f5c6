// Calls about signals. Only the own process can be sent one: other agents are reached by AgentKill alone.
#include "personality/linux/signals.hpp"

#include <span>

#include "kernel/mm/owned.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kSignalSetBytes = 8;

bool is_signal(std::int32_t signal) { return signal >= 0 && signal <= kSignalCount; }

// To the thread itself the signal comes on its way back to user mode; another one is woken for it.
void make_pending(LinuxThread& target, int signal) {
    target.pending.fetch_or(bit_of(signal));
    target.thread.interrupt();
}

Outcome send_to_thread(Call& call, std::int32_t tid, std::int32_t signal) {
    if (tid <= 0 || !is_signal(signal)) return refuse(kInvalid);
    LinuxProcess::ThreadLock::Guard guard(call.process.thread_lock);
    LinuxThread* const thread = call.process.threads.find(tid);
    if (thread == nullptr) return refuse(kNoProcess);
    if (signal != 0) make_pending(*thread, signal);
    return 0;
}

// Any thread that does not block it takes it; the caller first.
Outcome send_to_process(Call& call, std::int32_t signal) {
    if (!is_signal(signal)) return refuse(kInvalid);
    if (signal == 0) return 0;
    const std::uint64_t bit = bit_of(signal);
    call.process.process_pending.fetch_or(bit);
    if ((call.data().blocked.load() & bit & ~kUnblockable) == 0) {
        call.thread.interrupt();
        return 0;
    }
    // A few at a time under the lock. One that is passed over blocks it: if it lets it through later it looks itself
    // (set_mask). One that starts meanwhile has the mask of its maker, who was asked or has looked.
    constexpr unsigned kAtATime = 16;
    std::int32_t next = LinuxProcess::kFirstTid;
    for (bool is_at_end = false; !is_at_end;) {
        LinuxProcess::ThreadLock::Guard guard(call.process.thread_lock);
        LinuxThread* thread = call.process.threads.lower_bound(next);
        for (unsigned i = 0; i < kAtATime && thread != nullptr; ++i) {
            if ((thread->blocked.load() & bit) == 0) {
                thread->thread.interrupt();
                return 0;
            }
            next = thread->tid + 1;
            thread = call.process.threads.next(*thread);
        }
        is_at_end = thread == nullptr;
    }
    return 0;
}

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
        call.process.process().exit(EndReason::killed, kSigSegv);
        return 0;
    }
    data.interrupted.active = false;
    if (has_deliverable(call.process, data)) call.thread.interrupt();
    return call.frame.rax; // as it was when the signal came
}

Outcome call_tkill(Call& call, std::int32_t tid, std::int32_t signal) { return send_to_thread(call, tid, signal); }

Outcome call_tgkill(Call& call, std::int32_t group, std::int32_t tid, std::int32_t signal) {
    if (group <= 0 || tid <= 0) return refuse(kInvalid);
    if (group != call.process.pid()) return refuse(kNoProcess);
    return send_to_thread(call, tid, signal);
}

Outcome call_kill(Call& call, std::int32_t pid, std::int32_t signal) {
    if (!is_signal(signal)) return refuse(kInvalid);
    // 0 and -1 name the group and everybody: here that is the process itself.
    if (pid != call.process.pid() && pid != 0 && pid != -call.process.pid()) return refuse(kNoProcess);
    return send_to_process(call, signal);
}

} // namespace aios::linux_abi
