// How long interrupts stay off: measured by whatever switches them off and on (guards, locks, entries, the way back to
// user mode), for each CPU, when the boot option interrupts_off=TICKS asks for it. TICKS is the limit; with an
// instruction-counting machine of one CPU a tick is one instruction (qemu -icount shift=0), and the figures are the
// same on every run. Without the option each switch costs one test of a flag.
//
// A stretch begins where interrupts go off and ends where they go on again, wherever that is: a thread that leaves the
// CPU with interrupts off hands the stretch to the one that comes. Waiting for an interrupt does not count.
#pragma once

#include <cstdint>
#include <string_view>

namespace aios::arch {

// From now on, with this limit; what was measured before is forgotten.
void measure_off_time(std::uint64_t limit);
[[nodiscard]] bool is_off_time_measured();

// The longest stretches, one for each place where they began, longest first, and how many there are. Addresses are
// those of the linker, for a symbolizer; a beginning below 256 is an interrupt or exception of that vector.
struct OffTime {
    std::uint64_t ticks, from, to;
};
inline constexpr unsigned kMaxOffTimes = 16;
unsigned longest_off_times(OffTime (&out)[kMaxOffTimes]);
[[nodiscard]] std::uint64_t off_time_limit();

namespace detail {
extern bool off_time_measured; // set once
void off_time_begin(std::uint64_t from);
void off_time_end(std::uint64_t to);
} // namespace detail

// Interrupts are off; `from` is where they went off. No effect if they were off before.
inline void interrupts_went_off(std::uint64_t from) {
    if (detail::off_time_measured) [[unlikely]]
        detail::off_time_begin(from);
}
// Interrupts are still off, and are on after the next instructions.
inline void interrupts_go_on(std::uint64_t to) {
    if (detail::off_time_measured) [[unlikely]]
        detail::off_time_end(to);
}

} // namespace aios::arch
