// Clocks and sleeping.
#include <algorithm>

#include "kernel/time/clock.hpp"
#include "personality/linux/cpu_clock.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

TimeSpec time_spec(std::uint64_t ns) {
    return {static_cast<std::int64_t>(ns / kSecond), static_cast<std::int64_t>(ns % kSecond)};
}

std::expected<std::uint64_t, Errno> read_clock(Call& call, std::int32_t clock) {
    switch (static_cast<ClockId>(clock)) {
    case ClockId::realtime:
    case ClockId::realtime_coarse:
    case ClockId::realtime_alarm:
    case ClockId::atomic:
        return time::wall_ns();
    case ClockId::monotonic:
    case ClockId::monotonic_raw:
    case ClockId::monotonic_coarse:
    case ClockId::boottime:
    case ClockId::boottime_alarm:
        return time::now_ns();
    case ClockId::thread_cpu:
        return call.thread.cpu_ns();
    case ClockId::process_cpu:
        break;
    }
    const CpuClock named = LINUX_TRY(cpu_clock_of(call, clock));
    const auto ns = read_cpu_clock(call.process.family(), named);
    if (!ns) return std::unexpected(kInvalid); // it has ended meanwhile
    return *ns;
}

// Sleeps until `deadline`; what is left of a relative sleep is written to `remainder` when interrupted.
enum class Sleep : bool { relative, absolute };
Outcome sleep_until(Call& call, std::uint64_t deadline, Sleep kind, UserOut<TimeSpec> remainder) {
    if (kind == Sleep::relative && call.data().restarted_deadline != 0) deadline = call.data().restarted_deadline;
    if (sched::sleep_until(deadline) != sched::Outcome::interrupted) return 0;
    if (kind == Sleep::relative && !remainder.is_null()) {
        const std::uint64_t now = time::now_ns();
        LINUX_TRY(remainder.write(time_spec(deadline > now ? deadline - now : 0)));
    }
    return interrupted_call(call, AfterHandler::ends, kind == Sleep::relative ? deadline : 0);
}

// Sleeps until a CPU clock has reached `due`: wakes when it can have done so at the earliest, and looks again. What the
// restart of a relative sleep keeps is the time on that clock.
Outcome sleep_on_cpu_clock(Call& call, const CpuClock& clock, std::uint64_t due, Sleep kind,
                           UserOut<TimeSpec> remainder) {
    constexpr std::uint64_t kShortest = 1'000'000; // ns
    if (kind == Sleep::relative && call.data().restarted_deadline != 0) due = call.data().restarted_deadline;
    for (;;) {
        const auto now = read_cpu_clock(call.process.family(), clock);
        if (!now || *now >= due) return 0; // or it will never count again
        const std::uint64_t lacks = due - *now;
        const std::uint64_t wait = std::max(least_wait(lacks, clock.tid != 0 ? 1 : arch::cpu_count()), kShortest);
        if (sched::sleep_until(aios::time::deadline_after(wait)) != sched::Outcome::interrupted) continue;
        if (kind == Sleep::relative && !remainder.is_null()) LINUX_TRY(remainder.write(time_spec(lacks)));
        return interrupted_call(call, AfterHandler::ends, kind == Sleep::relative ? due : 0);
    }
}

} // namespace

std::expected<std::uint64_t, Errno> nanoseconds_of(const TimeSpec& time) {
    if (time.seconds < 0 || time.nanoseconds < 0 || time.nanoseconds >= static_cast<std::int64_t>(kSecond)) {
        return std::unexpected(kInvalid);
    }
    const auto seconds = static_cast<std::uint64_t>(time.seconds);
    if (seconds > (sched::kNever - kSecond) / kSecond) return sched::kNever;
    return seconds * kSecond + static_cast<std::uint64_t>(time.nanoseconds);
}

Outcome call_clock_gettime(Call& call, std::int32_t clock, UserOut<TimeSpec> out) {
    return answer(out, time_spec(LINUX_TRY(read_clock(call, clock))));
}

Outcome call_clock_getres(Call& call, std::int32_t clock, UserOut<TimeSpec> out) {
    LINUX_TRY(read_clock(call, clock));
    return out.is_null() ? Outcome(0) : answer(out, TimeSpec{0, 1});
}

Outcome call_gettimeofday(Call&, UserOut<TimeVal> time, UserOut<std::uint64_t> zone) {
    if (!zone.is_null()) LINUX_TRY(zone.write(0)); // time zone: none
    if (time.is_null()) return 0;
    const std::uint64_t ns = aios::time::wall_ns();
    return answer(time, {static_cast<std::int64_t>(ns / kSecond), static_cast<std::int64_t>(ns % kSecond / 1000)});
}

Outcome call_time(Call&, UserOut<std::uint64_t> out) {
    const std::uint64_t seconds = time::wall_ns() / kSecond;
    if (!out.is_null()) LINUX_TRY(out.write(seconds));
    return seconds;
}

// struct tms, in ticks of 10 ms; all time counts as user time.
Outcome call_times(Call& call, UserOut<std::uint64_t> out) {
    constexpr std::uint64_t kTick = 10'000'000;
    const std::uint64_t own = LINUX_TRY(read_cpu_clock(call.process.family(), {call.process.pid(), 0}));
    const std::uint64_t times[4] = {own / kTick, 0, children_cpu_ns(call.process) / kTick, 0};
    if (!out.is_null()) LINUX_TRY(out.write_array(0, times, std::size(times)));
    return time::now_ns() / kTick;
}

Outcome call_nanosleep(Call& call, UserIn<TimeSpec> time, UserOut<TimeSpec> remainder) {
    const TimeSpec given = LINUX_TRY(time.read());
    const std::uint64_t ns = LINUX_TRY(nanoseconds_of(given));
    return sleep_until(call, aios::time::deadline_after(ns), Sleep::relative, remainder);
}

Outcome call_clock_nanosleep(Call& call, std::int32_t clock, std::uint32_t flags, UserIn<TimeSpec> time,
                             UserOut<TimeSpec> remainder) {
    const TimeSpec given = LINUX_TRY(time.read());
    const std::uint64_t ns = LINUX_TRY(nanoseconds_of(given));
    const auto id = static_cast<ClockId>(clock);
    if (id == ClockId::thread_cpu) return refuse(kNotSupported);
    if (is_cpu_clock(clock)) {
        const CpuClock cpu = LINUX_TRY(cpu_clock_of(call, clock));
        if (cpu.tid == call.data().tid) return refuse(kInvalid); // it would sleep for ever
        if ((flags & kTimerAbsolute) != 0) return sleep_on_cpu_clock(call, cpu, ns, Sleep::absolute, remainder);
        const std::uint64_t now = LINUX_TRY(read_cpu_clock(call.process.family(), cpu));
        const std::uint64_t due = ns > sched::kNever - now ? sched::kNever : now + ns;
        return sleep_on_cpu_clock(call, cpu, due, Sleep::relative, remainder);
    }
    const bool is_wall = id == ClockId::realtime || id == ClockId::atomic;
    if (!is_wall && id != ClockId::monotonic && id != ClockId::boottime) {
        const bool is_alarm = id == ClockId::realtime_alarm || id == ClockId::boottime_alarm;
        const bool is_told = is_alarm || read_clock(call, clock).has_value();
        return refuse(is_alarm ? kPerm : is_told ? kNotSupported : kInvalid);
    }
    if ((flags & kTimerAbsolute) == 0)
        return sleep_until(call, aios::time::deadline_after(ns), Sleep::relative, remainder);
    const std::uint64_t deadline = is_wall ? aios::time::monotonic_of_wall(ns) : ns;
    return sleep_until(call, deadline, Sleep::absolute, remainder);
}

} // namespace aios::linux_abi
