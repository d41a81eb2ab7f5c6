// The time stamp counter just before the first user instruction of this boot, for the report; 0 until then.
#pragma once

#include <atomic>

#include "kernel/arch/arch.hpp"

namespace aios {

inline constinit std::atomic<std::uint64_t> first_user_ticks{0};

inline void mark_user_entry() {
    if (first_user_ticks.load(std::memory_order_relaxed) == 0)
        first_user_ticks.store(arch::ticks(), std::memory_order_relaxed);
}

} // namespace aios
