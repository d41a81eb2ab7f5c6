// Polynomials of the ring Z_q[X]/(X^256 + 1) of ML-DSA (FIPS 204 section 2.3), and their arithmetic, portable and with
// AVX2. Both give the same bits.
//
// A coefficient is a signed representative, not always the canonical one: each function says which range it takes and
// leaves. Products are Montgomery products with R = 2^32: multiply() gives a b / R, and inverse_ntt() brings the R
// back. So inverse_ntt(multiply(ntt(a), ntt(b))) is the product of a and b. Nothing here branches on a coefficient.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/backend.hpp"

namespace aios::crypto::detail::ml_dsa {

inline constexpr std::size_t kN = 256;
inline constexpr std::int32_t kQ = 8380417;
inline constexpr std::int32_t kQInverse = 58728449; // q^-1 modulo 2^32
inline constexpr unsigned kD = 13;                  // bits that t drops (section 4, table 1)

struct alignas(32) Polynomial {
    std::array<std::int32_t, kN> coefficients;

    std::int32_t& operator[](std::size_t i) { return coefficients[i]; }
    const std::int32_t& operator[](std::size_t i) const { return coefficients[i]; }
};

// MontgomeryReduce, algorithm 49: a / R modulo q. For |a| < 2^31 q the result is within (-q, q).
[[nodiscard]] constexpr std::int32_t montgomery_reduce(std::int64_t a) {
    const auto quotient =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(a) * static_cast<std::uint32_t>(kQInverse));
    return static_cast<std::int32_t>((a - std::int64_t{quotient} * kQ) >> 32);
}

// A representative of `a` within [-6283009, 6283008]. One that is not the centred one is larger than 2^21: for a bound
// below that, comparing with this one says the same.
[[nodiscard]] constexpr std::int32_t reduce_centred(std::int32_t a) { return a - ((a + (1 << 22)) >> 23) * kQ; }

// From (-q, q) to [0, q).
[[nodiscard]] constexpr std::int32_t canonical(std::int32_t a) { return a + ((a >> 31) & kQ); }

void ntt_portable(Polynomial& a);
void ntt_avx2(Polynomial& a);
void inverse_ntt_portable(Polynomial& a);
void inverse_ntt_avx2(Polynomial& a);
void dot_portable(Polynomial& out, const Polynomial* const* a, const Polynomial* const* b, std::size_t count);
void dot_avx2(Polynomial& out, const Polynomial* const* a, const Polynomial* const* b, std::size_t count);

// NTT, algorithm 41. Takes coefficients within (-q, q) and leaves them within (-9q, 9q).
inline void ntt(Polynomial& a) {
    if (use_avx2())
        ntt_avx2(a);
    else
        ntt_portable(a);
}

// NTT^-1, algorithm 42, times R. Takes and leaves coefficients within (-q, q).
inline void inverse_ntt(Polynomial& a) {
    if (use_avx2())
        inverse_ntt_avx2(a);
    else
        inverse_ntt_portable(a);
}

// The sum of `count` products (algorithms 45 and 46; one row of algorithm 48), each divided by R. The sum of |a b| over
// all products has to be below 2^31 q: that is so for seven products of a coefficient of A with one out of ntt(),
// and one product of two out of ntt(). Leaves coefficients within (-q, q).
inline void dot(Polynomial& out, const Polynomial* const* a, const Polynomial* const* b, std::size_t count) {
    if (use_avx2())
        dot_avx2(out, a, b, count);
    else
        dot_portable(out, a, b, count);
}

inline void multiply(Polynomial& out, const Polynomial& a, const Polynomial& b) {
    const Polynomial* const first = &a;
    const Polynomial* const second = &b;
    dot(out, &first, &second, 1);
}

} // namespace aios::crypto::detail::ml_dsa
