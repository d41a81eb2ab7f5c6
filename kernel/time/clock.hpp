// The monotonic clock: nanoseconds since boot, from the time stamp counter, the same on all CPUs. Implemented beside it
// (clock sources and calibration). sched::now_ns() is the same clock.
#pragma once

#include <cstdint>

namespace aios::time {

[[nodiscard]] std::uint64_t now_ns();
// The time stamp counter's value at `ns` on the monotonic clock, for arch::timer_arm. Saturates.
[[nodiscard]] std::uint64_t ticks_at(std::uint64_t ns);

} // namespace aios::time
