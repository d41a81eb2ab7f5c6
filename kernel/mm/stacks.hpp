// How many kernel stacks there can be at once (kernel_space.cpp): then allocate_stack() answers out_of_memory. A bound on
// threads for whoever makes limits.
#pragma once

#include <cstdint>

namespace aios::mm {

inline constexpr std::uint64_t kMaxStacks = 1u << 18;

} // namespace aios::mm
