// Shortest floats for CBOR, by integer arithmetic alone: the kernel has no floating-point registers to use.
// Formats are IEEE 754 binary16, binary32 and binary64, given by their exponent and fraction widths.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

namespace aios::cbor::detail {

inline constexpr std::uint64_t kCanonicalNan64 = 0x7ff8'0000'0000'0000;
inline constexpr std::uint64_t kCanonicalNan16 = 0x7e00;

[[nodiscard]] constexpr bool is_nan64(std::uint64_t bits) {
    return (bits & ~(std::uint64_t{1} << 63)) > 0x7ff0'0000'0000'0000;
}

struct FloatFormat {
    int exponent_bits;
    int fraction_bits;

    [[nodiscard]] constexpr int bias() const { return (1 << (exponent_bits - 1)) - 1; }
    [[nodiscard]] constexpr std::uint64_t max_exponent() const { return (std::uint64_t{1} << exponent_bits) - 1; }
    [[nodiscard]] constexpr std::uint64_t fraction_mask() const { return (std::uint64_t{1} << fraction_bits) - 1; }
};

inline constexpr FloatFormat kBinary16{5, 10};
inline constexpr FloatFormat kBinary32{8, 23};
inline constexpr FloatFormat kBinary64{11, 52};

// The bits of the same value in the narrower format, if it has that value exactly. Not for NaN.
[[nodiscard]] constexpr std::optional<std::uint64_t> narrow_float(std::uint64_t bits, FloatFormat to) {
    const std::uint64_t sign = (bits >> 63) << (to.exponent_bits + to.fraction_bits);
    const std::uint64_t exponent = (bits >> 52) & 0x7ff;
    const std::uint64_t fraction = bits & kBinary64.fraction_mask();
    if (exponent == 0x7ff) return sign | (to.max_exponent() << to.fraction_bits); // infinity
    if (exponent == 0) return fraction == 0 ? std::optional(sign) : std::nullopt; // zero; a subnormal is too small
    const int power = static_cast<int>(exponent) - 1023;                          // value = 1.fraction * 2^power
    if (power > to.bias()) return std::nullopt;

    const int smallest = 1 - to.bias(); // power of the smallest normal number
    const bool subnormal = power < smallest;
    const int drop = 52 - to.fraction_bits + (subnormal ? smallest - power : 0);
    if (drop > 52) return std::nullopt;
    const std::uint64_t significand = (std::uint64_t{1} << 52) | fraction;
    if ((significand & ((std::uint64_t{1} << drop) - 1)) != 0) return std::nullopt;
    const std::uint64_t kept = significand >> drop;
    if (subnormal) return sign | kept;
    return sign | (static_cast<std::uint64_t>(power + to.bias()) << to.fraction_bits) | (kept & to.fraction_mask());
}

// The binary64 bits of a value of the narrower format. Not for NaN.
[[nodiscard]] constexpr std::uint64_t widen_float(std::uint64_t bits, FloatFormat from) {
    const std::uint64_t sign = (bits >> (from.exponent_bits + from.fraction_bits)) << 63;
    const std::uint64_t exponent = (bits >> from.fraction_bits) & from.max_exponent();
    const std::uint64_t fraction = bits & from.fraction_mask();
    if (exponent == from.max_exponent()) return sign | (std::uint64_t{0x7ff} << 52);
    if (exponent != 0) {
        const auto wide = static_cast<std::uint64_t>(static_cast<int>(exponent) - from.bias() + 1023);
        return sign | (wide << 52) | (fraction << (52 - from.fraction_bits));
    }
    if (fraction == 0) return sign;
    // A subnormal: its highest bit becomes the hidden one.
    const int top = std::bit_width(fraction) - 1;
    const int power = 1 - from.bias() - from.fraction_bits + top;
    return sign | (static_cast<std::uint64_t>(power + 1023) << 52) |
           ((fraction << (52 - top)) & kBinary64.fraction_mask());
}

} // namespace aios::cbor::detail
