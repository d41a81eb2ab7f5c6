// Signals that are waited for instead of handled (rt_sigtimedwait), and those that carry a value (rt_sigqueueinfo).
#include "kernel/time/clock.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kSetBytes = 8;

// As the program says it; the kernel's own codes and tgkill's are not its to say to others.
std::expected<SentSignal, Errno> said_by(bool to_itself, std::int32_t signal, UserIn<SignalInfoRecord> user) {
    const SignalInfoRecord info = LINUX_TRY(user.read());
    if (signal < 0 || signal > kSignalCount) return std::unexpected(kInvalid);
    if (!to_itself && (info.code >= 0 || info.code == kCodeThread)) return std::unexpected(kPerm);
    SentSignal sent{signal, info.code};
    sent.sender = static_cast<std::int32_t>(info.first);
    sent.overrun = static_cast<std::int32_t>(info.first >> 32);
    sent.value = info.rest[0];
    return sent;
}

Outcome outcome_of(Errno error) { return error == Errno{} ? Outcome(0) : refuse(error); }

} // namespace

// (1) What is pending is taken at once. (2) If there is none, the signals of the set are let through while it waits, so that
// a sender wakes this thread; nothing is delivered meanwhile, as it does not leave the kernel. (3) The mask comes back, and
// what came is taken.
Outcome call_rt_sigtimedwait(Call& call, UserIn<std::uint64_t> set, UserOut<SignalInfoRecord> out,
                             UserIn<TimeSpec> timeout, std::uint64_t set_bytes) {
    if (set_bytes != kSetBytes) return refuse(kInvalid);
    const std::uint64_t wanted = LINUX_TRY(set.read()) & ~kUnblockable;
    sched::Deadline deadline = sched::kNever;
    if (!timeout.is_null()) {
        const TimeSpec time = LINUX_TRY(timeout.read());
        const std::uint64_t ns = LINUX_TRY(nanoseconds_of(time));
        const std::uint64_t before = call.data().restarted_deadline; // a signal came that is ignored
        deadline = before != 0 ? before : time::deadline_after(ns);
    }
    LinuxThread& data = call.data();
    SignalInfo info;
    bool is_taken = take_pending_among(call, wanted, info); // (1)
    if (!is_taken) {
        sched::WaitQueue nobody_wakes;
        const std::uint64_t before = data.blocked.load();
        data.blocked = before & ~wanted; // (2)
        const sched::Outcome outcome = nobody_wakes.wait(
            deadline, [&] { return ((call.process.process_pending.load() | data.pending.load()) & wanted) != 0; });
        data.blocked = before; // (3)
        is_taken = take_pending_among(call, wanted, info);
        if (!is_taken && outcome == sched::Outcome::timed_out) return refuse(kAgain);
        if (!is_taken) return interrupted_call(call, AfterHandler::ends, timeout.is_null() ? 0 : deadline);
    }
    if (!out.is_null()) LINUX_TRY(out.write(record_of(info)));
    return info.signal;
}

Outcome call_rt_sigqueueinfo(Call& call, std::int32_t pid, std::int32_t signal, UserIn<SignalInfoRecord> user) {
    const SentSignal sent = LINUX_TRY(said_by(pid == call.process.pid(), signal, user));
    if (pid <= 0) return refuse(kNoProcess);
    pid = process_number(call.process.family(), pid);
    if (const Errno error = may_signal(call, pid, signal); error != Errno{}) return refuse(error);
    return outcome_of(
        send_to_process(call.process.family(), pid, sent, &call.data(), make_queued(call.process.quota(), signal)));
}

Outcome call_rt_tgsigqueueinfo(Call& call, std::int32_t group, std::int32_t tid, std::int32_t signal,
                               UserIn<SignalInfoRecord> user) {
    if (group <= 0 || tid <= 0) return refuse(kInvalid);
    const SentSignal sent = LINUX_TRY(said_by(group == call.process.pid(), signal, user));
    if (const Errno error = may_signal(call, group, signal); error != Errno{}) return refuse(error);
    return outcome_of(
        send_to_thread(call.process.family(), group, tid, sent, make_queued(call.process.quota(), signal)));
}

} // namespace aios::linux_abi
