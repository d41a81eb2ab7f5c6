// setitimer, alarm, timer_create and their kin: see signal_timer.hpp.
#include "personality/linux/signal_timer.hpp"

#include <algorithm>
#include <iterator>

#include "kernel/mm/size_classes.hpp"
#include "kernel/time/clock.hpp"
#include "personality/linux/timer_spec.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000, kMicrosecond = 1000;
constexpr std::int32_t kReal = 0, kVirtual = 1, kProfile = 2; // ITIMER_...
constexpr std::int32_t kNotifyByThread = 2;                   // SIGEV_THREAD
constexpr int kSignalOf[] = {kSigAlarm, kSigVirtualAlarm, kSigProfile};
static_assert(std::size(kSignalOf) == SignalTimers::kIntervals && kVirtual == 1 && kProfile == 2);

// Rounded up: what is set is never told as nothing.
TimeVal time_val(const TimeSpec& spec) {
    const auto up = static_cast<std::uint64_t>(spec.nanoseconds) + kMicrosecond - 1;
    const std::uint64_t microseconds = up / kMicrosecond;
    return {spec.seconds + static_cast<std::int64_t>(microseconds / 1'000'000),
            static_cast<std::int64_t>(microseconds % 1'000'000)};
}
IntervalSpec interval_of(const SignalTimer::Setting& setting, std::uint64_t now) {
    const TimerSpec spec = spec_of(setting, now);
    return {time_val(spec.interval), time_val(spec.value)};
}
std::expected<std::uint64_t, Errno> nanoseconds_of(const TimeVal& time) {
    if (time.seconds < 0 || time.microseconds < 0 || time.microseconds >= 1'000'000) return std::unexpected(kInvalid);
    return linux_abi::nanoseconds_of(TimeSpec{time.seconds, time.microseconds * 1000});
}

// Due `value` after `now`, or at `absolute`; 0 is never.
SignalTimer::Setting setting_of(std::uint64_t value, std::uint64_t interval, std::uint64_t now,
                                const std::uint64_t* absolute) {
    SignalTimer::Setting setting;
    setting.period = interval;
    if (value == 0) return setting;
    setting.due = absolute != nullptr ? *absolute : value > time::kNever - now ? time::kNever : now + value;
    if (setting.due == time::kNever) --setting.due; // set, however late
    return setting;
}

std::expected<mm::Owned<SignalTimer>, Errno> make_timer(LinuxProcess& process, const SignalTimer::Measures& measures,
                                                        const SignalTimer::Tells& tells) {
    Reservation charge = LINUX_TRY(Reservation::make(process.quota(), Resource::memory, mm::cost_of<SignalTimer>));
    return LINUX_TRY(mm::own<SignalTimer>(std::move(charge), process, measures, tells));
}

SignalTimer::Measures own_time(LinuxProcess& process) { return {ClockId::process_cpu, {process.pid(), 0}}; }

// What the timer's clock says; where whoever it counts has ended it has gone as far as it ever will.
std::uint64_t now_of(ProcessTable& family, const SignalTimer::Measures& measures) {
    if (measures.cpu.pid == 0) return time::now_ns();
    return read_cpu_clock(family, measures.cpu).value_or(0);
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

struct Interval {
    SignalTimer::Setting setting;
    std::uint64_t now; // of its clock
};

bool is_interval(std::int32_t which) { return which >= kReal && which <= kProfile; }
SignalTimer::Measures measures_of(LinuxProcess& process, std::int32_t which) {
    return which == kReal ? SignalTimer::Measures{} : own_time(process);
}

// What was set before.
std::expected<Interval, Errno> set_interval(Call& call, std::int32_t which, std::uint64_t value,
                                            std::uint64_t interval) {
    LinuxProcess& process = call.process;
    const SignalTimer::Measures measures = measures_of(process, which);
    const std::uint64_t now = now_of(process.family(), measures);
    LinuxProcess::Lock::Guard guard(process.lock);
    if (value == 0 && (!process.timers || !process.timers->intervals[which])) return Interval{{}, now};
    SignalTimers* const timers = LINUX_TRY(timers_locked(process));
    mm::Owned<SignalTimer>& timer = timers->intervals[which];
    if (!timer) {
        SignalTimer::Tells tells;
        tells.sent = {kSignalOf[which], kCodeKernel};
        timer = LINUX_TRY(make_timer(process, measures, tells));
    }
    return Interval{timer->set(setting_of(value, interval, now, nullptr)), now};
}

// Sets a timer that sends `signal` when the process has used its time up, and each second after it if it goes on then.
std::expected<void, Errno> follow_limit(LinuxProcess& process, mm::Owned<SignalTimer>& timer, int signal,
                                        std::uint64_t seconds, std::uint64_t period) {
    if (!timer && seconds == kLimitInfinity) return {};
    if (!timer) {
        SignalTimer::Tells tells;
        tells.sent = {signal, kCodeKernel};
        timer = LINUX_TRY(make_timer(process, own_time(process), tells));
    }
    SignalTimer::Setting wanted;
    std::uint64_t due = 0;
    if (!__builtin_mul_overflow(std::max<std::uint64_t>(seconds, 1), kSecond, &due)) wanted = {due, period};
    (void)timer->set(wanted);
    return {};
}

} // namespace

Outcome call_getitimer(Call& call, std::int32_t which, UserOut<IntervalSpec> out) {
    if (!is_interval(which)) return refuse(kInvalid);
    const std::uint64_t now = now_of(call.process.family(), measures_of(call.process, which));
    SignalTimer::Setting left;
    {
        LinuxProcess::Lock::Guard guard(call.process.lock);
        const SignalTimers* const timers = call.process.timers.get();
        if (timers != nullptr && timers->intervals[which]) left = timers->intervals[which]->left();
    }
    return answer(out, interval_of(left, now));
}

std::expected<void, Errno> follow_cpu_limit(LinuxProcess& process) {
    process.lock.assert_held();
    if (process.has_no_more_timers) return {};
    const Limit limit = process.limits.of[kLimitCpu];
    if (!process.timers && limit.current == kLimitInfinity && limit.maximum == kLimitInfinity) return {};
    SignalTimers* const timers = LINUX_TRY(timers_locked(process));
    LINUX_TRY(follow_limit(process, timers->soft_limit, kSigCpuTime, limit.current, kSecond));
    return follow_limit(process, timers->hard_limit, kSigKill, limit.maximum, 0);
}

// Without a value it stops the timer, as on Linux.
Outcome call_setitimer(Call& call, std::int32_t which, UserIn<IntervalSpec> spec, UserOut<IntervalSpec> old) {
    IntervalSpec wanted{};
    if (!spec.is_null()) wanted = LINUX_TRY(spec.read());
    const std::uint64_t value = LINUX_TRY(nanoseconds_of(wanted.value));
    const std::uint64_t interval = LINUX_TRY(nanoseconds_of(wanted.interval));
    if (!is_interval(which)) return refuse(kInvalid);
    const Interval before = LINUX_TRY(set_interval(call, which, value, interval));
    return old.is_null() ? Outcome(0) : answer(old, interval_of(before.setting, before.now));
}

// The seconds that were left, rounded, but not to none.
Outcome call_alarm(Call& call, std::uint32_t seconds) {
    const Interval before = LINUX_TRY(set_interval(call, kReal, seconds * kSecond, 0));
    const TimeSpec left = spec_of(before.setting, before.now).value;
    const auto whole = static_cast<std::uint64_t>(left.seconds);
    const bool is_up = left.nanoseconds >= 500'000'000 || (whole == 0 && left.nanoseconds != 0);
    return whole + (is_up ? 1 : 0);
}

Outcome call_timer_create(Call& call, std::int32_t clock, UserIn<SignalEvent> event, UserOut<std::int32_t> out) {
    LinuxProcess& process = call.process;
    const auto id = static_cast<ClockId>(clock);
    SignalTimer::Measures measures{id, {}};
    if (is_cpu_clock(clock)) {
        measures.cpu = LINUX_TRY(cpu_clock_of(call, clock));
    } else if (id != ClockId::realtime && id != ClockId::monotonic && id != ClockId::boottime &&
               id != ClockId::atomic) {
        return refuse(kInvalid);
    }
    SignalTimer::Tells tells;
    tells.sent = {kSigAlarm, kCodeTimer};
    bool has_value = false;
    if (!event.is_null()) {
        const SignalEvent said = LINUX_TRY(event.read());
        const bool is_plain = said.notify == kNotifySignal || said.notify == kNotifyByThread; // the same to a kernel
        if (!is_plain && said.notify != kNotifyNone && said.notify != kNotifyThread) return refuse(kInvalid);
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
        timers->of[number] = LINUX_TRY(make_timer(process, measures, tells));
    }
    const Outcome told = answer(out, number);
    if (!told) static_cast<void>(call_timer_delete(call, number));
    return told;
}

// Other flags are passed over, as on Linux.
Outcome call_timer_settime(Call& call, std::int32_t id, std::uint32_t flags, UserIn<TimerSpec> spec,
                           UserOut<TimerSpec> old) {
    if (spec.is_null()) return refuse(kInvalid);
    const TimerSpec wanted = LINUX_TRY(spec.read());
    const std::uint64_t value = LINUX_TRY(linux_abi::nanoseconds_of(wanted.value));
    const std::uint64_t interval = LINUX_TRY(linux_abi::nanoseconds_of(wanted.interval));
    SignalTimer::Setting before;
    std::uint64_t now = 0;
    {
        LinuxProcess::Lock::Guard guard(call.process.lock);
        SignalTimer* const timer = LINUX_TRY(timer_locked(call.process, id));
        const ClockId clock = timer->measured.clock;
        const bool is_wall = clock == ClockId::realtime || clock == ClockId::atomic;
        const std::uint64_t absolute = is_wall ? time::monotonic_of_wall(value) : value;
        now = now_of(call.process.family(), timer->measured);
        before = timer->set(setting_of(value, interval, now, (flags & kTimerAbsolute) != 0 ? &absolute : nullptr));
    }
    return old.is_null() ? Outcome(0) : answer(old, spec_of(before, now));
}

Outcome call_timer_gettime(Call& call, std::int32_t id, UserOut<TimerSpec> out) {
    SignalTimer::Setting left;
    std::uint64_t now = 0;
    {
        LinuxProcess::Lock::Guard guard(call.process.lock);
        SignalTimer* const timer = LINUX_TRY(timer_locked(call.process, id));
        left = timer->left();
        now = now_of(call.process.family(), timer->measured);
    }
    return answer(out, spec_of(left, now));
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
