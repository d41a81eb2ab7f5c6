// What the shared object that each Linux program finds in its memory (vdso) knows of the clock, and the arithmetic that it
// shares with the kernel's. The kernel writes it once, at boot.
#pragma once

#include <cstdint>

namespace aios::linux_abi {

struct VdsoClock {
    std::uint64_t first_tick;  // of the time stamp counter, where the monotonic clock is 0
    std::uint64_t ns_per_tick; // 32.32 fixed point
    std::uint64_t boot_wall_ns;
};

// Where the image has it (vdso.ld).
inline constexpr std::uint64_t kVdsoClockOffset = 0xfc0;

} // namespace aios::linux_abi
