// See clock.hpp. Nanoseconds are ticks times a 32.32 fixed-point factor: one multiplication and a shift. Set once at
// boot, read by everybody without a lock.
#include "kernel/time/clock_init.hpp"

#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/time/clock.hpp"
#include "kernel/time/rtc.hpp"

namespace aios::time {
namespace {

constinit std::uint64_t first_tick = 0;
constinit std::uint64_t ns_per_tick = 1ull << 32; // 32.32; 1 GHz until calibrated
constinit std::uint64_t ticks_per_ns = 1ull << 32;
constinit std::uint64_t boot_wall_ns = 0;

std::uint64_t scaled(std::uint64_t value, std::uint64_t factor) {
    const auto product = (static_cast<unsigned __int128>(value) * factor) >> 32;
    return product > ~0ull ? ~0ull : static_cast<std::uint64_t>(product);
}

} // namespace

void init_clock() {
    const std::uint64_t khz = arch::tick_khz();
    first_tick = arch::hand_off().entry_tsc;
    if (first_tick > arch::ticks()) first_tick = 0; // the loader's note is from before a reset of the counter
    ns_per_tick = (1'000'000ull << 32) / khz;
    ticks_per_ns = (khz << 32) / 1'000'000; // khz is below 2^32
    if (const auto seconds = read_rtc())
        boot_wall_ns = *seconds * 1'000'000'000 - now_ns();
    else
        log(LogLevel::warning, "the real-time clock cannot be read: wall time starts in 1970");
}

std::uint64_t now_ns() { return scaled(arch::ticks() - first_tick, ns_per_tick); }

std::uint64_t ticks_at(std::uint64_t ns) {
    // One nanosecond more than asked, so that rounding never makes a deadline early.
    const std::uint64_t ticks = scaled(ns, ticks_per_ns);
    std::uint64_t sum;
    if (__builtin_add_overflow(ticks, first_tick + (ticks_per_ns >> 32) + 1, &sum)) return ~0ull;
    return sum;
}

std::uint64_t wall_ns() { return boot_wall_ns + now_ns(); }

Scale scale() { return {first_tick, ns_per_tick, boot_wall_ns}; }

} // namespace aios::time

namespace aios::sched {

std::uint64_t now_ns() { return time::now_ns(); }

} // namespace aios::sched
