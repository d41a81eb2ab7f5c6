// Clocks and sleeping.
#include "kernel/time/clock.hpp"
#include "personality/linux/process.hpp"

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
        return time::wall_ns();
    case ClockId::monotonic:
    case ClockId::monotonic_raw:
    case ClockId::monotonic_coarse:
    case ClockId::boottime:
        return time::now_ns();
    case ClockId::thread_cpu:
        return call.thread.cpu_ns();
    case ClockId::process_cpu:
        sched::settle_accounts(); // a thread that was never switched has run, too
        return call.process.agent().share_group().cpu_ns();
    }
    return std::unexpected(kInvalid);
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

// struct tms, in ticks of 10 ms; all of the agent's time counts as user time.
Outcome call_times(Call& call, UserOut<std::uint64_t> out) {
    constexpr std::uint64_t kTick = 10'000'000;
    sched::settle_accounts();
    const std::uint64_t times[4] = {call.process.agent().share_group().cpu_ns() / kTick, 0, 0, 0};
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
    if (id == ClockId::thread_cpu || id == ClockId::process_cpu) return refuse(kNotSupported);
    if (id != ClockId::realtime && id != ClockId::monotonic && id != ClockId::boottime) return refuse(kInvalid);
    if ((flags & kTimerAbsolute) == 0)
        return sleep_until(call, aios::time::deadline_after(ns), Sleep::relative, remainder);
    const std::uint64_t deadline = id == ClockId::realtime ? aios::time::monotonic_of_wall(ns) : ns;
    return sleep_until(call, deadline, Sleep::absolute, remainder);
}

} // namespace aios::linux_abi
