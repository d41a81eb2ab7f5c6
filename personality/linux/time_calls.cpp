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
        return sched::now_ns();
    case ClockId::thread_cpu:
        return call.thread.cpu_ns();
    case ClockId::process_cpu:
        return call.process.process().agent().share_group().cpu_ns();
    }
    return std::unexpected(kInvalid);
}

// Sleeps until `deadline`; what is left is written to `remainder_at` when interrupted.
Outcome sleep_until(std::uint64_t deadline, std::uint64_t remainder_at) {
    sched::WaitQueue queue; // nobody wakes it: only the deadline or an interrupt ends the wait
    const sched::Outcome outcome = queue.wait(deadline, [] { return false; });
    if (outcome != sched::Outcome::interrupted) return 0;
    if (remainder_at != 0) {
        const std::uint64_t now = sched::now_ns();
        LINUX_TRY(store_user(remainder_at, time_spec(deadline > now ? deadline - now : 0)));
    }
    return refuse(kInterrupted);
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
    if (call.a[0] == 0) return 0;
    const std::uint64_t ns = time::wall_ns();
    return store_user(call.a[0],
                      TimeVal{static_cast<std::int64_t>(ns / kSecond), static_cast<std::int64_t>(ns % kSecond / 1000)});
}

Outcome call_nanosleep(Call& call) {
    const auto time = LINUX_TRY(load_user<TimeSpec>(call.a[0]));
    return sleep_until(time::deadline_after(LINUX_TRY(nanoseconds_of(time))), call.a[1]);
}

Outcome call_clock_nanosleep(Call& call) {
    const auto time = LINUX_TRY(load_user<TimeSpec>(call.a[2]));
    const std::uint64_t ns = LINUX_TRY(nanoseconds_of(time));
    const auto clock = static_cast<ClockId>(call.a[0]);
    if (clock != ClockId::realtime && clock != ClockId::monotonic && clock != ClockId::boottime)
        return refuse(kInvalid);
    if ((call.a[1] & kTimerAbsolute) == 0) return sleep_until(time::deadline_after(ns), call.a[3]);
    return sleep_until(clock == ClockId::realtime ? time::monotonic_of_wall(ns) : ns, 0);
}

} // namespace aios::linux_abi
