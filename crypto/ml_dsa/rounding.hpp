// High and low bits of coefficients (FIPS 204 section 7.4), whole polynomials at a time, and the comparisons with the
// bounds. Portable and with AVX2; nothing branches on a coefficient.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/ml_dsa/polynomial.hpp"
#include "crypto/ml_dsa/shape.hpp"

namespace aios::crypto::detail::ml_dsa {

// Power2Round, algorithm 35, of t within (-q, q), and the encoding of both halves: t1 as 320 bytes (SimpleBitPack), t0
// as 416 bytes (BitPack).
void power2round(const Polynomial& t, std::byte* t1, std::byte* t0);

// Decompose, algorithm 36, of `low`, within (-q, q): `low` becomes LowBits, `high` HighBits (algorithms 37 and 38).
void decompose(std::int32_t gamma2, Polynomial& low, Polynomial& high);

// One polynomial of w1Encode, algorithm 28: 192 or 128 bytes. Up to four bytes past them may be written.
void encode_w1(std::int32_t gamma2, std::byte* out, const Polynomial& w1);

// a = a + b or a - b, for |a| < 2^30 and b within (-q, q), reduced (reduce_centred). All ones if a coefficient of the
// result is `bound` or larger in absolute value, else zero. `bound` is below 2^21.
[[nodiscard]] std::uint32_t add_and_compare(Polynomial& a, const Polynomial& b, std::int32_t bound);
[[nodiscard]] std::uint32_t subtract_and_compare(Polynomial& a, const Polynomial& b, std::int32_t bound);

// Reduces `a` (reduce_centred) and compares it with `bound` in the same way.
[[nodiscard]] std::uint32_t reduce_and_compare(Polynomial& a, std::int32_t bound);

// MakeHint, algorithm 39, for all coefficients: `low` is LowBits(w) - c s2, `change` c t0, `high` HighBits(w), which
// becomes the hint. Returns the number of ones.
[[nodiscard]] std::uint32_t make_hint(std::int32_t gamma2, const Polynomial& low, const Polynomial& change,
                                      Polynomial& high);

// UseHint, algorithm 40, for one coefficient whose hint is 1. Public.
[[nodiscard]] std::int32_t use_hint(std::int32_t gamma2, std::int32_t low, std::int32_t high);

void decompose_avx2(std::int32_t gamma2, Polynomial& low, Polynomial& high);
void encode_w1_avx2(std::int32_t gamma2, std::byte* out, const Polynomial& w1);
std::uint32_t add_and_compare_avx2(Polynomial& a, const Polynomial& b, std::int32_t bound);
std::uint32_t subtract_and_compare_avx2(Polynomial& a, const Polynomial& b, std::int32_t bound);
std::uint32_t reduce_and_compare_avx2(Polynomial& a, std::int32_t bound);
std::uint32_t make_hint_avx2(std::int32_t gamma2, const Polynomial& low, const Polynomial& change, Polynomial& high);

} // namespace aios::crypto::detail::ml_dsa
