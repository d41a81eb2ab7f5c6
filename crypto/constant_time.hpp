// Computing on secrets: masks in place of branches, and the one function that makes a secret public.
//
// Code that handles secrets never branches on them and never uses them as an index. Compilers turn masks back into
// branches where they see that a value is 0 or 1; opaque() hides that from them. That the result really is free of
// branches is checked, not believed: tests/constant_time runs every secret-key operation under valgrind with all
// secrets marked as undefined, built by two compilers at three levels.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#ifdef AIOS_CONSTANT_TIME_CHECK
#include <valgrind/memcheck.h>
#endif

namespace aios::crypto {

namespace detail {
// Always zero; volatile, so that no compiler may know.
extern const volatile std::uint64_t kOpaqueZero;
} // namespace detail

// `value`, of which the compiler knows nothing any more. In loops over many values, add opaque(0), read once, instead.
template <std::unsigned_integral T>
[[nodiscard]] inline T opaque(T value) {
    return static_cast<T>(value ^ static_cast<T>(detail::kOpaqueZero));
}

// All ones if `bit` is 1, zero if it is 0; nothing else is allowed.
template <std::unsigned_integral T>
[[nodiscard]] inline T mask_from_bit(T bit) {
    return static_cast<T>(T{0} - opaque(bit));
}

// All ones if `value` is not zero, else zero.
template <std::unsigned_integral T>
[[nodiscard]] inline T mask_if_nonzero(T value) {
    constexpr int kTop = static_cast<int>(8 * sizeof(T)) - 1;
    return mask_from_bit(static_cast<T>(static_cast<T>(value | static_cast<T>(T{0} - value)) >> kTop));
}

// `a` where the mask is ones, `b` where it is zero.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T select(T mask, T a, T b) {
    return static_cast<T>(b ^ (mask & (a ^ b)));
}

// Marks for the check under valgrind; nothing otherwise. classify() makes memory a secret; declassify() makes public
// what a standard publishes: a rejected candidate was rejected, a signature is about to be handed out.
inline void classify([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t size) {
#ifdef AIOS_CONSTANT_TIME_CHECK
    VALGRIND_MAKE_MEM_UNDEFINED(memory, size);
#endif
}
inline void declassify([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t size) {
#ifdef AIOS_CONSTANT_TIME_CHECK
    VALGRIND_MAKE_MEM_DEFINED(memory, size);
#endif
}
inline void classify(Bytes memory) { classify(memory.data(), memory.size()); }
inline void declassify(Bytes memory) { declassify(memory.data(), memory.size()); }

// The value of a secret that a standard makes public.
template <std::integral T>
[[nodiscard]] inline T declassified(T value) {
    declassify(&value, sizeof(value));
    return value;
}

} // namespace aios::crypto
