// Arithmetic that reports overflow as Error::overflow instead of wrapping. For sizes, offsets and counts that come from
// outside.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/result.hpp"

namespace aios {

template <std::integral T>
[[nodiscard]] constexpr Result<T> checked_add(T a, std::type_identity_t<T> b) {
    T sum;
    if (__builtin_add_overflow(a, b, &sum)) return fail(Error::overflow);
    return sum;
}

template <std::integral T>
[[nodiscard]] constexpr Result<T> checked_sub(T a, std::type_identity_t<T> b) {
    T difference;
    if (__builtin_sub_overflow(a, b, &difference)) return fail(Error::overflow);
    return difference;
}

template <std::integral T>
[[nodiscard]] constexpr Result<T> checked_mul(T a, std::type_identity_t<T> b) {
    T product;
    if (__builtin_mul_overflow(a, b, &product)) return fail(Error::overflow);
    return product;
}

// `value` as a To, or overflow if To cannot hold it.
template <std::integral To, std::integral From>
[[nodiscard]] constexpr Result<To> checked_narrow(From value) {
    if (!std::in_range<To>(value)) return fail(Error::overflow);
    return static_cast<To>(value);
}

// Rounds up to a multiple of `alignment`, a power of two.
template <std::unsigned_integral T>
[[nodiscard]] constexpr Result<T> checked_align_up(T value, std::type_identity_t<T> alignment) {
    const T mask = alignment - 1;
    T sum;
    if (__builtin_add_overflow(value, mask, &sum)) return fail(Error::overflow);
    return static_cast<T>(sum & ~mask);
}

// True if [offset, offset + length) lies inside [0, size). Cannot overflow.
[[nodiscard]] constexpr bool range_fits(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
    return offset <= size && length <= size - offset;
}

// True if [a, a + a_length) and [b, b + b_length) share a byte. Neither range may wrap; an empty range shares nothing.
[[nodiscard]] constexpr bool ranges_overlap(std::uint64_t a, std::uint64_t a_length, std::uint64_t b,
                                            std::uint64_t b_length) {
    return a_length != 0 && b_length != 0 && (a <= b ? b - a < a_length : a - b < b_length);
}

} // namespace aios
