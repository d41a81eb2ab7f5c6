// Windows on physical memory for the kernel's own use: device registers (uncached, writable) or, as memory, firmware
// tables (cached, read-only). They stay for good. no_space or out_of_memory.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "kernel/arch/arch.hpp"

namespace aios::arch::x86 {

Result<volatile void*> map_window(std::uint64_t physical, std::uint64_t bytes, Caching caching);

} // namespace aios::arch::x86
