// Arithmetic of the scores. The logarithm is our own, from IEEE additions and multiplications alone: the C library's
// differs in the last bit between processors, and a ranking must be the same everywhere.
#pragma once

#include <bit>
#include <cstdint>

namespace aios::memory {

// The natural logarithm of a positive, finite, normal number; relative error below 1e-15.
[[nodiscard]] constexpr double natural_log(double x) {
    // x = mantissa * 2^exponent with the mantissa near 1; then ln m = 2 atanh((m - 1) / (m + 1)) as a series.
    const auto bits = std::bit_cast<std::uint64_t>(x);
    int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1023;
    double mantissa = std::bit_cast<double>((bits & 0x000f'ffff'ffff'ffff) | 0x3ff0'0000'0000'0000);
    if (mantissa > 1.4142135623730951) {
        mantissa *= 0.5;
        ++exponent;
    }
    const double z = (mantissa - 1) / (mantissa + 1);
    const double zz = z * z;
    double sum = 0;
    for (int k = 25; k >= 1; k -= 2)
        sum = sum * zz + 1.0 / k;
    return exponent * 0.6931471805599453 + 2 * z * sum;
}

// BM25 (Robertson and Zaragoza 2009, section 3.5). k1 says how fast repetition saturates, b how much length counts.
// Both are the values of the literature's middle, not fitted to a collection.
inline constexpr double kBm25K1 = 1.6;
inline constexpr double kBm25B = 0.75;

// The weight of a term that `holders` of `total` units hold: the logarithm is of the form that stays positive.
[[nodiscard]] constexpr double inverse_frequency(std::uint32_t total, std::uint32_t holders) {
    if (holders > total) holders = total;
    return natural_log(1 + (total - holders + 0.5) / (holders + 0.5));
}

// What one term adds to a unit's score, before the term's weight: `count` occurrences in a unit whose length is
// `length`, where units have `average` tokens.
[[nodiscard]] constexpr double saturation(double count, double length, double average) {
    return count * (kBm25K1 + 1) / (count + kBm25K1 * (1 - kBm25B + kBm25B * length / average));
}

} // namespace aios::memory
