// Powers of two and alignment. Alignments are powers of two; results must fit the type (checked_align_up reports
// instead).
#pragma once

#include <bit>
#include <concepts>
#include <type_traits>

namespace aios {

template <std::unsigned_integral T>
[[nodiscard]] constexpr bool is_power_of_two(T value) {
    return std::has_single_bit(value);
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr T align_down(T value, std::type_identity_t<T> alignment) {
    return static_cast<T>(value & ~(alignment - 1));
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr T align_up(T value, std::type_identity_t<T> alignment) {
    return static_cast<T>((value + (alignment - 1)) & ~(alignment - 1));
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr bool is_aligned(T value, std::type_identity_t<T> alignment) {
    return (value & (alignment - 1)) == 0;
}

// The largest n with 2^n <= value. `value` must not be 0.
template <std::unsigned_integral T>
[[nodiscard]] constexpr unsigned log2_floor(T value) {
    return static_cast<unsigned>(std::bit_width(value)) - 1;
}

// The smallest n with 2^n >= value; 0 for 0 and 1.
template <std::unsigned_integral T>
[[nodiscard]] constexpr unsigned log2_ceil(T value) {
    return value <= 1 ? 0 : static_cast<unsigned>(std::bit_width(static_cast<T>(value - 1)));
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr T div_ceil(T value, std::type_identity_t<T> divisor) {
    return static_cast<T>(value / divisor + (value % divisor != 0));
}

// The `count` bits of `value` from bit `first` upwards.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T bit_field(T value, unsigned first, unsigned count) {
    const T shifted = static_cast<T>(value >> first);
    return count >= sizeof(T) * 8 ? shifted : static_cast<T>(shifted & ((T{1} << count) - 1));
}

} // namespace aios
