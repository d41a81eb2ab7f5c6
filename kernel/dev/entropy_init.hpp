// Start of the entropy pool (boot CPU, once, after the clocks), and single random words for address-space layout.
#pragma once

#include <cstdint>

namespace aios::dev {

void init_entropy();
[[nodiscard]] std::uint64_t random_word(); // 0 before the pool is seeded

} // namespace aios::dev
