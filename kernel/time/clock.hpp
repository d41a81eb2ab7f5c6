// The monotonic clock: nanoseconds since boot, from the time stamp counter, the same on all CPUs. Implemented beside it
// (clock sources and calibration). sched::now_ns() is the same clock.
#pragma once

#include <cstdint>

namespace aios::time {

[[nodiscard]] std::uint64_t now_ns();
// The time stamp counter's value at `ns` on the monotonic clock, for arch::timer_arm. Saturates.
[[nodiscard]] std::uint64_t ticks_at(std::uint64_t ns);

// Nanoseconds since 1970-01-01 UTC: the real-time clock read at boot plus the monotonic clock.
[[nodiscard]] std::uint64_t wall_ns();

// How both clocks come from the counter: nanoseconds are (ticks - first_tick) * ns_per_tick >> 32, and boot_wall_ns more on
// the wall clock. Constant after boot.
struct Scale {
    std::uint64_t first_tick;
    std::uint64_t ns_per_tick; // 32.32 fixed point
    std::uint64_t boot_wall_ns;
};
[[nodiscard]] Scale scale();

// A monotonic deadline `ns` from now, and one for a wall-clock time. They saturate: never earlier than asked.
[[nodiscard]] inline std::uint64_t deadline_after(std::uint64_t ns) {
    const std::uint64_t now = now_ns();
    return ns > ~0ull - now ? ~0ull : now + ns;
}
[[nodiscard]] inline std::uint64_t monotonic_of_wall(std::uint64_t wall) {
    if (wall == ~0ull) return ~0ull;
    const std::uint64_t now = wall_ns();
    return wall <= now ? 0 : deadline_after(wall - now);
}

} // namespace aios::time
