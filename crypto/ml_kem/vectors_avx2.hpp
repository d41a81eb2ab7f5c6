// What the AVX2 files of ML-KEM share: sixteen coefficients in a register, and the reductions of field.hpp on them.
// Included by files *_avx2.cpp only.
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "crypto/ml_kem/field.hpp"

namespace aios::crypto::ml_kem {

inline constexpr std::size_t kVectors = kN / 16; // of a polynomial

// Sixteen factors, one for each coefficient of a register.
struct FactorVector {
    alignas(32) std::int16_t value[16];
    alignas(32) std::int16_t low[16];
};

struct FactorRegisters {
    __m256i value;
    __m256i low;
};

// SAFETY: both take coefficients of polynomials and tables, aligned to 32 bytes, 16 at a time; vector types may alias
// anything.
[[gnu::always_inline]] inline __m256i load(const std::int16_t* from) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}
[[gnu::always_inline]] inline void store(std::int16_t* to, __m256i vector) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(to), vector);
}
[[gnu::always_inline]] inline FactorRegisters load(const FactorVector& factors) {
    return {load(factors.value), load(factors.low)};
}

[[gnu::always_inline]] inline FactorRegisters broadcast(Factor factor) {
    return {_mm256_set1_epi16(factor.value), _mm256_set1_epi16(factor.low)};
}

[[gnu::always_inline]] inline __m256i multiply(__m256i a, FactorRegisters f) {
    const __m256i q = _mm256_set1_epi16(kQ);
    return _mm256_sub_epi16(_mm256_mulhi_epi16(a, f.value), _mm256_mulhi_epi16(_mm256_mullo_epi16(a, f.low), q));
}

[[gnu::always_inline]] inline __m256i barrett_reduce(__m256i a) {
    const __m256i high = _mm256_mulhi_epi16(a, _mm256_set1_epi16(20159));
    const __m256i quotient = _mm256_mulhrs_epi16(high, _mm256_set1_epi16(32)); // (high + 512) >> 10
    return _mm256_sub_epi16(a, _mm256_mullo_epi16(quotient, _mm256_set1_epi16(kQ)));
}

[[gnu::always_inline]] inline __m256i canonical(__m256i a) {
    const __m256i reduced = barrett_reduce(a);
    return _mm256_add_epi16(reduced, _mm256_and_si256(_mm256_srai_epi16(reduced, 15), _mm256_set1_epi16(kQ)));
}

} // namespace aios::crypto::ml_kem
