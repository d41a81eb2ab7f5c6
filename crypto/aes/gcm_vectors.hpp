// The two registers that carry blocks of AES-GCM by instructions: Narrow holds one block (AES-NI, PCLMULQDQ), Wide two
// (VAES and VPCLMULQDQ on 256 bits). gcm_batch.hpp is written once over either, so that what is checked of one width
// holds for the other. Lane i of a vector is its i-th block.
//
// Included only by files that are compiled for these instructions, and in an unnamed namespace: the linker must not take
// such a function for a whole program.
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

namespace aios::crypto::detail::aes {

namespace {

struct Narrow {
    using Vector = __m128i;
    static constexpr std::size_t kBlocks = 1;

#define AIOS_VECTOR [[gnu::always_inline]] static inline
    // SAFETY: vectors may be read from and written to any bytes of their size; these accesses need no alignment.
    AIOS_VECTOR Vector load(const void* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }
    AIOS_VECTOR void store(void* to, Vector value) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), value); }
    AIOS_VECTOR Vector broadcast(__m128i block) { return block; }
    AIOS_VECTOR Vector first_only(__m128i block) { return block; }
    AIOS_VECTOR __m128i sum_of_lanes(Vector value) { return value; }
    AIOS_VECTOR Vector zero() { return _mm_setzero_si128(); }
    AIOS_VECTOR Vector add(Vector a, Vector b) { return _mm_xor_si128(a, b); }
    AIOS_VECTOR Vector count_up(Vector counter, Vector by) { return _mm_add_epi32(counter, by); }
    AIOS_VECTOR Vector shuffle(Vector value, Vector order) { return _mm_shuffle_epi8(value, order); }
    AIOS_VECTOR Vector swap_halves(Vector value) { return _mm_shuffle_epi32(value, 0x4e); }
    AIOS_VECTOR Vector low_half_up(Vector value) { return _mm_slli_si128(value, 8); }
    AIOS_VECTOR Vector high_half_down(Vector value) { return _mm_srli_si128(value, 8); }
    AIOS_VECTOR Vector encrypt_round(Vector state, Vector key) { return _mm_aesenc_si128(state, key); }
    AIOS_VECTOR Vector encrypt_last(Vector state, Vector key) { return _mm_aesenclast_si128(state, key); }
    // The product of one half of `a` and one of `b`: bit 0 of Halves picks the half of `a`, bit 4 that of `b`.
    template <int Halves>
    AIOS_VECTOR Vector multiply(Vector a, Vector b) {
        return _mm_clmulepi64_si128(a, b, Halves);
    }
    // What `lane` counts more than the first.
    AIOS_VECTOR Vector lane_numbers() { return _mm_setzero_si128(); }
};

#if defined(__VAES__) && defined(__VPCLMULQDQ__)
struct Wide {
    using Vector = __m256i;
    static constexpr std::size_t kBlocks = 2;

    // SAFETY: as above.
    AIOS_VECTOR Vector load(const void* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
    AIOS_VECTOR void store(void* to, Vector value) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value); }
    AIOS_VECTOR Vector broadcast(__m128i block) { return _mm256_broadcastsi128_si256(block); }
    AIOS_VECTOR Vector first_only(__m128i block) { return _mm256_zextsi128_si256(block); }
    AIOS_VECTOR __m128i sum_of_lanes(Vector value) {
        return _mm_xor_si128(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
    }
    AIOS_VECTOR Vector zero() { return _mm256_setzero_si256(); }
    AIOS_VECTOR Vector add(Vector a, Vector b) { return _mm256_xor_si256(a, b); }
    AIOS_VECTOR Vector count_up(Vector counter, Vector by) { return _mm256_add_epi32(counter, by); }
    AIOS_VECTOR Vector shuffle(Vector value, Vector order) { return _mm256_shuffle_epi8(value, order); }
    AIOS_VECTOR Vector swap_halves(Vector value) { return _mm256_shuffle_epi32(value, 0x4e); }
    AIOS_VECTOR Vector low_half_up(Vector value) { return _mm256_slli_si256(value, 8); }
    AIOS_VECTOR Vector high_half_down(Vector value) { return _mm256_srli_si256(value, 8); }
    AIOS_VECTOR Vector encrypt_round(Vector state, Vector key) { return _mm256_aesenc_epi128(state, key); }
    AIOS_VECTOR Vector encrypt_last(Vector state, Vector key) { return _mm256_aesenclast_epi128(state, key); }
    template <int Halves>
    AIOS_VECTOR Vector multiply(Vector a, Vector b) {
        return _mm256_clmulepi64_epi128(a, b, Halves);
    }
    AIOS_VECTOR Vector lane_numbers() { return _mm256_set_epi32(1, 0, 0, 0, 0, 0, 0, 0); }
};
#endif
#undef AIOS_VECTOR

} // namespace

} // namespace aios::crypto::detail::aes
