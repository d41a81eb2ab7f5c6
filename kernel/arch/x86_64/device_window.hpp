// Windows on physical memory for the kernel's own use: device registers (uncached, writable) or firmware tables
// (cached, read-only). They stay for good. no_space or out_of_memory.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace aios::arch::x86 {

Result<volatile void*> map_window(std::uint64_t physical, std::uint64_t bytes, bool device_memory);

} // namespace aios::arch::x86
