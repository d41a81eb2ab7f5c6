// setitimer, alarm, timer_create and their kin: see signal_timer.hpp.
#include "personality/linux/signal_timer.hpp"

#include "kernel/mm/size_classes.hpp"
#include "kernel/time/clock.hpp"
#include "personality/linux/timer_spec.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000, kMicrosecond = 1000;
constexpr std::int32_t kReal = 0, kVirtual = 1, kProfile = 2; // ITIMER_...

// Rounded up: what is set is never told as nothing.
TimeVal time_val(const TimeSpec& spec) {
    const auto up = static_cast<std::uint64_t>(spec.nanoseconds) + kMicrosecond - 1;
    const std::uint64_t microseconds = up / kMicrosecond;
    return {spec.seconds + static_cast<std::int64_t>(microseconds / 1'000'000),
            static_cast<std::int64_t>(microseconds % 1'000'000)};
}
IntervalSpec interval_of(const SignalTimer::Setting& setting) {
    const TimerSpec spec = spec_of(setting);
    return {time_val(spec.interval), time_val(spec.value)};
}
std::expected<std::uint64_t, Errno> nanoseconds_of(const TimeVal& time) {
    if (time.seconds < 0 || time.microseconds < 0 || time.microseconds >= 1'000'000) return std::unexpected(kInvalid);
    return linux_abi::nanoseconds_of(TimeSpec{time.seconds, time.microseconds * 1000});
}

// Due after `value`, or at it; 0 is never.
SignalTimer::Setting setting_of(std::uint64_t value, std::uint64_t interval, const std::uint64_t* absolute) {
    SignalTimer::Setting setting;
    setting.period = interval;
    if (value == 0) return setting;
    setting.due = absolute != nullptr ? *absolute : time::deadline_after(value);
    if (setting.due == time::kNever) --setting.due; // set, however late
    return setting;
}

std::expected<mm::Owned<SignalTimer>, Errno> make_timer(LinuxProcess& process, ClockId clock,
                                                        const SignalTimer::Tells& tells) {
    Reservation charge = LINUX_TRY(Reservation::make(process.quota(), Resource::memory, mm::cost_of<SignalTimer>));
    return LINUX_TRY(mm::own<SignalTimer>(std::move(charge), process, clock, tells));
}

// The process's timers, made if there are none. Its lock is held by `guard`.
std::expected<SignalTimers*, Errno> timers_locked(LinuxProcess& process) AIOS_REQUIRES(process.lock) {
    process.lock.assert_held();
    if (!process.timers) {
        Reservation charge = LINUX_TRY(Reservation::make(process.quota(), Resource::memory, mm::cost_of<SignalTimers>));
        process.timers = LINUX_TRY(mm::own<SignalTimers>(std::move(charge)));
    }
    return process.timers.get();
}

std::expected<SignalTimer*, Errno> timer_locked(LinuxProcess& process, std::int32_t id) AIOS_REQUIRES(process.lock) {
    process.lock.assert_held();
    if (id < 0 || static_cast<std::size_t>(id) >= SignalTimers::kMost || !process.timers || !process.timers->of[id])
        return std::unexpected(kInvalid);
    return process.timers->of[id].get();
}

// What was set before.
std::expected<SignalTimer::Setting, Errno> set_interval(Call& call, const SignalTimer::Setting& wanted) {
    LinuxProcess& process = call.process;
    LinuxProcess::Lock::Guard guard(process.lock);
    if (wanted.due == time::kNever && (!process.timers || !process.timers->interval)) return SignalTimer::Setting{};
    SignalTimers* const timers = LINUX_TRY(timers_locked(process));
    if (!timers->interval) {
        SignalTimer::Tells tells;
        tells.sent = {kSigAlarm, kCodeKernel};
        timers->interval = LINUX_TRY(make_timer(process, ClockId::monotonic, tells));
    }
    return timers->interval->set(wanted);
}

Errno check_which(std::int32_t which) {
    static_assert(kVirtual == 1 && kProfile == 2);
    return which == kReal ? Errno{} : kInvalid;
}

} // namespace

Outcome call_getitimer(Call& call, std::int32_t which, UserOut<IntervalSpec> out) {
    if (const Errno error = check_which(which); error != Errno{}) return refuse(error);
    SignalTimer::Setting now;
    {
        LinuxProcess::Lock::Guard guard(call.process.lock);
        if (call.process.timers && call.process.timers->interval) now = call.process.timers->interval->left();
    }
    return answer(out, interval_of(now));
}

// Without a value it stops the timer, as on Linux.
Outcome call_setitimer(Call& call, std::int32_t which, UserIn<IntervalSpec> spec, UserOut<IntervalSpec> old) {
    IntervalSpec wanted{};
    if (!spec.is_null()) wanted = LINUX_TRY(spec.read());
    const std::uint64_t value = LINUX_TRY(nanoseconds_of(wanted.value));
    const std::uint64_t interval = LINUX_TRY(nanoseconds_of(wanted.interval));
    if (const Errno error = check_which(which); error != Errno{}) return refuse(error);
    const SignalTimer::Setting before = LINUX_TRY(set_interval(call, setting_of(value, interval, nullptr)));
    return old.is_null() ? Outcome(0) : answer(old, interval_of(before));
}

// The seconds that were left, rounded, but not to none.
Outcome call_alarm(Call& call, std::uint32_t seconds) {
    const SignalTimer::Setting before = LINUX_TRY(set_interval(call, setting_of(seconds * kSecond, 0, nullptr)));
    const TimeSpec left = spec_of(before).value;
    const auto whole = static_cast<std::uint64_t>(left.seconds);
    const bool is_up = left.nanoseconds >= 500'000'000 || (whole == 0 && left.nanoseconds != 0);
    return whole + (is_up ? 1 : 0);
}

Outcome call_timer_create(Call& call, std::int32_t clock, UserIn<SignalEvent> event, UserOut<std::int32_t> out) {
    LinuxProcess& process = call.process;
    const auto id = static_cast<ClockId>(clock);
    if (id != ClockId::realtime && id != ClockId::monotonic && id != ClockId::boottime) return refuse(kInvalid);
    SignalTimer::Tells tells;
    tells.sent = {kSigAlarm, kCodeTimer};
    bool has_value = false;
    if (!event.is_null()) {
        const SignalEvent said = LINUX_TRY(event.read());
        if (said.notify != kNotifySignal && said.notify != kNotifyNone && said.notify != kNotifyThread)
            return refuse(kInvalid);
        const bool is_signal = said.signal >= 1 && said.signal <= kSignalCount;
        if (said.notify != kNotifyNone && !is_signal) return refuse(kInvalid);
        tells.sent.signal = said.notify == kNotifyNone ? 0 : said.signal;
        tells.sent.value = said.value;
        has_value = true;
        if (said.notify == kNotifyThread) {
            LinuxProcess::ThreadLock::Guard guard(process.thread_lock);
            if (process.threads.find(said.thread) == nullptr) return refuse(kInvalid);
            tells.tid = said.thread;
        }
    }
    std::int32_t number = 0;
    {
        LinuxProcess::Lock::Guard guard(process.lock);
        SignalTimers* const timers = LINUX_TRY(timers_locked(process));
        while (static_cast<std::size_t>(number) < SignalTimers::kMost && timers->of[number])
            ++number;
        if (static_cast<std::size_t>(number) == SignalTimers::kMost) return refuse(kAgain);
        tells.sent.sender = number;
        if (!has_value) tells.sent.value = static_cast<std::uint32_t>(number);
        timers->of[number] = LINUX_TRY(make_timer(process, id, tells));
    }
    const Outcome told = answer(out, number);
    if (!told) static_cast<void>(call_timer_delete(call, number));
    return told;
}

// Other flags are passed over, as on Linux.
Outcome call_timer_settime(Call& call, std::int32_t id, std::uint32_t flags, UserIn<TimerSpec> spec,
                           UserOut<TimerSpec> old) {
    const TimerSpec wanted = LINUX_TRY(spec.read());
    const std::uint64_t value = LINUX_TRY(linux_abi::nanoseconds_of(wanted.value));
    const std::uint64_t interval = LINUX_TRY(linux_abi::nanoseconds_of(wanted.interval));
    SignalTimer::Setting before;
    {
        LinuxProcess::Lock::Guard guard(call.process.lock);
        SignalTimer* const timer = LINUX_TRY(timer_locked(call.process, id));
        const std::uint64_t absolute = timer->clock == ClockId::realtime ? time::monotonic_of_wall(value) : value;
        before = timer->set(setting_of(value, interval, (flags & kTimerAbsolute) != 0 ? &absolute : nullptr));
    }
    return old.is_null() ? Outcome(0) : answer(old, spec_of(before));
}

Outcome call_timer_gettime(Call& call, std::int32_t id, UserOut<TimerSpec> out) {
    SignalTimer::Setting now;
    {
        LinuxProcess::Lock::Guard guard(call.process.lock);
        SignalTimer* const timer = LINUX_TRY(timer_locked(call.process, id));
        now = timer->left();
    }
    return answer(out, spec_of(now));
}

Outcome call_timer_getoverrun(Call& call, std::int32_t id) {
    LinuxProcess::Lock::Guard guard(call.process.lock);
    SignalTimer* const timer = LINUX_TRY(timer_locked(call.process, id));
    return timer->overruns();
}

Outcome call_timer_delete(Call& call, std::int32_t id) {
    mm::Owned<SignalTimer> gone;
    LinuxProcess::Lock::Guard guard(call.process.lock);
    static_cast<void>(LINUX_TRY(timer_locked(call.process, id)));
    std::swap(gone, call.process.timers->of[id]);
    return 0;
}

} // namespace aios::linux_abi
