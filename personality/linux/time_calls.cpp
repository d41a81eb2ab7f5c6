// Clocks and sleeping.
#include "kernel/time/clock.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

TimeSpec time_spec(std::uint64_t ns) {
    return {static_cast<std::int64_t>(ns / kSecond), static_cast<std::int64_t>(ns % kSecond)};
}

std::expected<std::uint64_t, Errno> read_clock(Call& call, std::uint64_t clock) {
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
        return call.process.agent().share_group().cpu_ns();
    }
    return std::unexpected(kInvalid);
}

// Sleeps until `deadline`; what is left of a relative sleep is written to `remainder_at` when interrupted.
enum class Sleep : bool { relative, absolute };
Outcome sleep_until(Call& call, std::uint64_t deadline, Sleep kind, std::uint64_t remainder_at) {
    if (kind == Sleep::relative && call.data().restarted_deadline != 0) deadline = call.data().restarted_deadline;
    if (sched::sleep_until(deadline) != sched::Outcome::interrupted) return 0;
    if (kind == Sleep::relative && remainder_at != 0) {
        const std::uint64_t now = time::now_ns();
        LINUX_TRY(store_user(remainder_at, time_spec(deadline > now ? deadline - now : 0)));
    }
    return interrupted_call(call, false, kind == Sleep::relative ? deadline : 0);
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

Outcome call_clock_gettime(Call& call) {
    return store_user(call.a[1], time_spec(LINUX_TRY(read_clock(call, call.a[0]))));
}

Outcome call_clock_getres(Call& call) {
    LINUX_TRY(read_clock(call, call.a[0]));
    if (call.a[1] == 0) return 0;
    return store_user(call.a[1], TimeSpec{0, 1});
}

Outcome call_gettimeofday(Call& call) {
    if (call.a[1] != 0) LINUX_TRY(store_user(call.a[1], std::uint64_t{0})); // time zone: none
    if (call.a[0] == 0) return 0;
    const std::uint64_t ns = time::wall_ns();
    return store_user(call.a[0],
                      TimeVal{static_cast<std::int64_t>(ns / kSecond), static_cast<std::int64_t>(ns % kSecond / 1000)});
}

Outcome call_time(Call& call) {
    const std::uint64_t seconds = time::wall_ns() / kSecond;
    if (call.a[0] != 0) LINUX_TRY(store_user(call.a[0], seconds));
    return seconds;
}

// struct tms, in ticks of 10 ms; all of the agent's time counts as user time.
Outcome call_times(Call& call) {
    constexpr std::uint64_t kTick = 10'000'000;
    const std::uint64_t times[4] = {call.process.agent().share_group().cpu_ns() / kTick, 0, 0, 0};
    if (call.a[0] != 0) LINUX_TRY(store_user(call.a[0], times));
    return time::now_ns() / kTick;
}

Outcome call_nanosleep(Call& call) {
    const auto time = LINUX_TRY(load_user<TimeSpec>(call.a[0]));
    return sleep_until(call, time::deadline_after(LINUX_TRY(nanoseconds_of(time))), Sleep::relative, call.a[1]);
}

Outcome call_clock_nanosleep(Call& call) {
    const auto time = LINUX_TRY(load_user<TimeSpec>(call.a[2]));
    const std::uint64_t ns = LINUX_TRY(nanoseconds_of(time));
    const auto clock = static_cast<ClockId>(call.a[0]);
    if (clock != ClockId::realtime && clock != ClockId::monotonic && clock != ClockId::boottime)
        return refuse(kInvalid);
    if ((call.a[1] & kTimerAbsolute) == 0)
        return sleep_until(call, time::deadline_after(ns), Sleep::relative, call.a[3]);
    return sleep_until(call, clock == ClockId::realtime ? time::monotonic_of_wall(ns) : ns, Sleep::absolute, 0);
}

} // namespace aios::linux_abi
