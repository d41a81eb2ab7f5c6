// The powers of the root of unity 1753 that the NTT of ML-DSA multiplies with, computed when it is compiled.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/ml_dsa/polynomial.hpp"

namespace aios::crypto::detail::ml_dsa {

// The representative nearest to zero.
constexpr std::int32_t centred(std::int64_t a) {
    a %= kQ;
    if (a > kQ / 2) a -= kQ;
    if (a < -(kQ / 2)) a += kQ;
    return static_cast<std::int32_t>(a);
}

constexpr std::int64_t power_of_root(unsigned exponent) {
    std::int64_t result = 1;
    for (unsigned i = 0; i < exponent; ++i)
        result = result * 1753 % kQ;
    return result;
}

// BitRev8, algorithm 43.
constexpr unsigned reverse_bits(unsigned a) {
    unsigned result = 0;
    for (unsigned bit = 0; bit < 8; ++bit)
        result |= (a >> bit & 1) << (7 - bit);
    return result;
}

// Entry m is R * 1753^BitRev8(m), centred: the zetas of appendix B in Montgomery form.
inline constexpr std::array<std::int32_t, 256> kZetas = [] {
    constexpr std::int64_t kR = (std::int64_t{1} << 32) % kQ;
    std::array<std::int32_t, 256> powers{};
    std::int64_t power = kR;
    for (unsigned i = 0; i < 256; ++i, power = power * 1753 % kQ)
        powers[reverse_bits(i)] = centred(power);
    return powers;
}();
static_assert(power_of_root(256) == kQ - 1);

// What the inverse transform multiplies with at its end: 1/256, an R for the product and an R that multiply() took.
inline constexpr std::int32_t kInverseScale = [] {
    constexpr std::int64_t kR = (std::int64_t{1} << 32) % kQ;
    constexpr std::int64_t kInverse256 = 8347681;
    static_assert(256 * kInverse256 % kQ == 1);
    return centred(kR * kR % kQ * kInverse256);
}();

} // namespace aios::crypto::detail::ml_dsa
