// What timer calls answer of a timer: its period, and what is left until it expires next.
#pragma once

#include "kernel/time/clock.hpp"
#include "kernel/time/timer_queue.hpp"
#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

[[nodiscard]] inline TimeSpec time_spec(std::uint64_t ns) {
    constexpr std::uint64_t kSecond = 1'000'000'000;
    return {static_cast<std::int64_t>(ns / kSecond), static_cast<std::int64_t>(ns % kSecond)};
}

// `setting` has `due` on the clock that stands at `now` (time::kNever: nothing is left) and `period`, in nanoseconds.
template <typename Setting>
[[nodiscard]] TimerSpec spec_of(const Setting& setting, std::uint64_t now = time::now_ns()) {
    if (setting.due == time::kNever) return {time_spec(setting.period), {0, 0}};
    return {time_spec(setting.period), time_spec(setting.due > now ? setting.due - now : 1)}; // it comes in this moment
}

} // namespace aios::linux_abi
