// The shared object in the memory of each Linux program (vdso): the clocks without a call. It runs in user mode, so it trusts
// its caller as little as a library does, and what it does not know itself it asks the kernel for. vdso(7), clock_gettime(2);
// functions and versions are those of Linux on x86-64.
#include <cstdint>

#include "personality/linux/vdso/clock.hpp"

using aios::linux_abi::VdsoClock;

extern "C" [[gnu::visibility("hidden")]] const VdsoClock vdso_clock; // vdso.ld says where

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr int kRealtime = 0, kMonotonic = 1, kMonotonicRaw = 4, kRealtimeCoarse = 5, kMonotonicCoarse = 6,
              kBootTime = 7;
constexpr long kCallGetTimeOfDay = 96, kCallClockGetTime = 228, kCallClockGetRes = 229, kCallTime = 201;

struct Time {
    std::int64_t seconds, part; // nanoseconds; or microseconds
};

std::uint64_t monotonic_ns() {
    // SAFETY: reads the counter, which user mode may.
    std::uint32_t low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    const std::uint64_t ticks = (std::uint64_t{high} << 32 | low) - vdso_clock.first_tick;
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(ticks) * vdso_clock.ns_per_tick) >> 32);
}

long call(long number, long first, long second) {
    long answer = number;
    // SAFETY: a call as the kernel takes it; what it writes, "memory" says.
    asm volatile("syscall" : "+a"(answer) : "D"(first), "S"(second) : "rcx", "r11", "memory");
    return answer;
}

// SAFETY: addresses cross the border as words.
long word(const void* pointer) { return reinterpret_cast<long>(pointer); }

} // namespace

extern "C" {

int __vdso_clock_gettime(int clock, Time* to) {
    std::uint64_t ns = 0;
    switch (clock) {
    case kRealtime:
    case kRealtimeCoarse:
        ns = monotonic_ns() + vdso_clock.boot_wall_ns;
        break;
    case kMonotonic:
    case kMonotonicRaw:
    case kMonotonicCoarse:
    case kBootTime:
        ns = monotonic_ns();
        break;
    default:
        return static_cast<int>(call(kCallClockGetTime, clock, word(to)));
    }
    to->seconds = static_cast<std::int64_t>(ns / kSecond);
    to->part = static_cast<std::int64_t>(ns % kSecond);
    return 0;
}

int __vdso_clock_getres(int clock, Time* to) { return static_cast<int>(call(kCallClockGetRes, clock, word(to))); }

int __vdso_gettimeofday(Time* to, void* zone) {
    if (to == nullptr || zone != nullptr) return static_cast<int>(call(kCallGetTimeOfDay, word(to), word(zone)));
    const std::uint64_t ns = monotonic_ns() + vdso_clock.boot_wall_ns;
    to->seconds = static_cast<std::int64_t>(ns / kSecond);
    to->part = static_cast<std::int64_t>(ns % kSecond / 1000);
    return 0;
}

std::int64_t __vdso_time(std::int64_t* to) {
    if (to != nullptr) return call(kCallTime, word(to), 0);
    return static_cast<std::int64_t>((monotonic_ns() + vdso_clock.boot_wall_ns) / kSecond);
}

} // extern "C"
