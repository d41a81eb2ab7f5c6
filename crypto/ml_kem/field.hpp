// The field of ML-KEM: integers modulo q = 3329 (FIPS 203 section 2.4), the roots of unity of its number-theoretic
// transform, and the reductions that both backends use.
//
// Numbers are signed 16-bit integers that stand for their residue; each function says what range it takes and gives.
// Products are reduced after Montgomery, with R = 2^16: a constant factor is stored as factor * R mod q, together with
// that number times q^-1 mod R, so that one reduced product takes three multiplications and no division.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace aios::crypto::ml_kem {

inline constexpr std::size_t kN = 256;
inline constexpr int kQ = 3329;
inline constexpr std::int16_t kQInverse = -3327; // q^-1 mod R
static_assert(static_cast<std::int16_t>(kQ * kQInverse) == 1);

// A constant factor f: `value` is f * R mod q, between -q/2 and q/2; `low` is value * q^-1 mod R.
struct Factor {
    std::int16_t value;
    std::int16_t low;
};

// For constants only: this divides.
consteval Factor factor_of(std::int64_t f) {
    std::int64_t value = (f % kQ) * 65536 % kQ;
    if (value < 0) value += kQ;
    if (value > kQ / 2) value -= kQ;
    return {static_cast<std::int16_t>(value), static_cast<std::int16_t>(value * kQInverse)};
}

// 17 is the primitive 256th root of unity (section 4.3).
consteval std::int64_t power_of_17(std::size_t exponent) {
    std::int64_t power = 1;
    for (std::size_t i = 0; i < exponent; ++i)
        power = power * 17 % kQ;
    return power;
}

// BitRev7 of section 4.3.
consteval std::size_t reversed7(std::size_t number) {
    std::size_t reversed = 0;
    for (std::size_t bit = 0; bit < 7; ++bit)
        reversed |= (number >> bit & 1) << (6 - bit);
    return reversed;
}

consteval std::array<Factor, 128> make_zetas() {
    std::array<Factor, 128> zetas{};
    for (std::size_t i = 0; i < 128; ++i)
        zetas[i] = factor_of(power_of_17(reversed7(i)));
    return zetas;
}

// In the layer of butterflies with distance `length`, block b has the factor number 128 / length + b.
inline constexpr std::array<Factor, 128> kZetas = make_zetas();

// The same for the inverse transform, which algorithm 10 walks through backwards.
consteval std::array<Factor, 128> make_inverse_zetas() {
    std::array<Factor, 128> zetas{};
    for (std::size_t blocks = 1; blocks < 128; blocks *= 2)
        for (std::size_t b = 0; b < blocks; ++b)
            zetas[blocks + b] = kZetas[2 * blocks - 1 - b];
    return zetas;
}
inline constexpr std::array<Factor, 128> kInverseZetas = make_inverse_zetas();

// What the second halves of products of pairs are multiplied with (section 4.3.1, algorithm 11):
// 17^(2 BitRev7(i) + 1).
consteval std::array<Factor, 128> make_gammas() {
    std::array<Factor, 128> gammas{};
    for (std::size_t i = 0; i < 128; ++i)
        gammas[i] = factor_of(power_of_17(2 * reversed7(i) + 1));
    return gammas;
}
inline constexpr std::array<Factor, 128> kGammas = make_gammas();

inline constexpr Factor kOne = factor_of(1);
// Takes away the R^-1 that a product of two variables has (poly.hpp, multiply).
inline constexpr Factor kMontgomery = factor_of(65536);
// The same, and divides by 128: 3303 of algorithm 10, line 14.
inline constexpr Factor kInverseNttScale = factor_of(std::int64_t{3303} * 65536);

// The upper half of a product; compilers know it as one instruction, for vectors too.
constexpr std::int16_t high(std::int16_t a, std::int16_t b) {
    return static_cast<std::int16_t>((std::int32_t{a} * b) >> 16);
}
constexpr std::int16_t low(std::int16_t a, std::int16_t b) {
    return static_cast<std::int16_t>(static_cast<std::uint32_t>(std::int32_t{a} * b));
}

// a * f. For every a; the result is between -q and q.
constexpr std::int16_t multiply(std::int16_t a, Factor f) {
    return static_cast<std::int16_t>(high(a, f.value) - high(low(a, f.low), kQ));
}

// a * R^-1, for |a| < q * 2^15; the result is between -q and q.
constexpr std::int16_t montgomery_reduce(std::int32_t a) {
    const auto quotient = static_cast<std::int16_t>(static_cast<std::uint32_t>(a) * std::uint16_t(kQInverse));
    return static_cast<std::int16_t>((a >> 16) - high(quotient, kQ));
}

// Barrett's reduction, for every a; the result is between -1668 and 1668. 20159 is 2^26 / q, rounded.
constexpr std::int16_t barrett_reduce(std::int16_t a) {
    const auto quotient = static_cast<std::int16_t>((high(a, 20159) + 512) >> 10);
    return static_cast<std::int16_t>(a - low(quotient, kQ));
}

// The residue from 0 to q - 1, for every a.
constexpr std::int16_t canonical(std::int16_t a) {
    const std::int16_t reduced = barrett_reduce(a);
    return static_cast<std::int16_t>(reduced + ((reduced >> 15) & kQ));
}

} // namespace aios::crypto::ml_kem
