// Memory that nobody may touch right now (free frames, free heap objects) is told to AddressSanitizer in host tests. In
// the kernel these functions are nothing.
#pragma once

#include <cstddef>

#if defined(AIOS_HOST) && defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define AIOS_HAS_ASAN 1
#endif
#endif

namespace aios::mm {

inline void asan_poison([[maybe_unused]] const void* from, [[maybe_unused]] std::size_t bytes) {
#ifdef AIOS_HAS_ASAN
    __asan_poison_memory_region(from, bytes);
#endif
}

inline void asan_unpoison([[maybe_unused]] const void* from, [[maybe_unused]] std::size_t bytes) {
#ifdef AIOS_HAS_ASAN
    __asan_unpoison_memory_region(from, bytes);
#endif
}

} // namespace aios::mm
