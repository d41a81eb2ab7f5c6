// The monotonic clock straight from the time stamp counter. Weak: the clock source that reads wall time too replaces
// it.
#include "kernel/arch/arch.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/time/clock.hpp"

namespace aios::time {

namespace {
// a * b / 2^32 of wide numbers; the rates as 32.32 fixed point need no wide division.
std::uint64_t scale(std::uint64_t a, std::uint64_t b) {
    const unsigned __int128 product = (static_cast<unsigned __int128>(a) * b) >> 32;
    return product > ~0ull ? ~0ull : static_cast<std::uint64_t>(product);
}
} // namespace

[[gnu::weak]] std::uint64_t now_ns() { return scale(arch::ticks(), (1'000'000ull << 32) / arch::tick_khz()); }

// Rounded up, so that at that count now_ns() has reached `ns`, but for the last digits of the rate.
[[gnu::weak]] std::uint64_t ticks_at(std::uint64_t ns) {
    const std::uint64_t ticks = scale(ns, (arch::tick_khz() << 32) / 1'000'000);
    return ticks == ~0ull ? ticks : ticks + 1;
}

} // namespace aios::time
