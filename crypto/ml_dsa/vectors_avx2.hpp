// Eight coefficients in one AVX2 register: loads, stores and what several files *_avx2.cpp compute with. Only for
// those.
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "crypto/ml_dsa/polynomial.hpp"

namespace aios::crypto::detail::ml_dsa {

inline constexpr std::size_t kLanes = 8;

[[gnu::always_inline]] inline __m256i load(const std::int32_t* from) {
    // SAFETY: polynomials and tables are aligned to 32 bytes, and callers start at multiples of eight coefficients.
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}
[[gnu::always_inline]] inline void store(std::int32_t* to, __m256i value) {
    // SAFETY: as in load().
    _mm256_store_si256(reinterpret_cast<__m256i*>(to), value);
}

[[gnu::always_inline]] inline __m256i load_unaligned(const std::byte* from) {
    // SAFETY: callers have 32 bytes there; this load needs no alignment.
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
[[gnu::always_inline]] inline void store_unaligned(std::byte* to, __m128i value) {
    // SAFETY: callers have 16 bytes there; this store needs no alignment.
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), value);
}
[[gnu::always_inline]] inline void store_unaligned(std::int32_t* to, __m256i value) {
    // SAFETY: callers have eight coefficients there; this store needs no alignment.
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value);
}

// reduce_centred() and canonical() of polynomial.hpp.
[[gnu::always_inline]] inline __m256i reduce_centred(__m256i a) {
    const __m256i times = _mm256_srai_epi32(_mm256_add_epi32(a, _mm256_set1_epi32(1 << 22)), 23);
    return _mm256_sub_epi32(a, _mm256_mullo_epi32(times, _mm256_set1_epi32(kQ)));
}
[[gnu::always_inline]] inline __m256i canonical(__m256i a) {
    return _mm256_add_epi32(a, _mm256_and_si256(_mm256_srai_epi32(a, 31), _mm256_set1_epi32(kQ)));
}

// The odd elements in the places of the even ones, which is where products are taken.
[[gnu::always_inline]] inline __m256i odd(__m256i a) { return _mm256_srli_epi64(a, 32); }

// The upper halves of products, of the even and of the odd elements.
[[gnu::always_inline]] inline __m256i upper_halves(__m256i even_products, __m256i odd_products) {
    return _mm256_blend_epi32(odd(even_products), odd_products, 0xaa);
}

} // namespace aios::crypto::detail::ml_dsa
