// Keccak-f[1600] on four states at once with AVX2: one 256-bit register holds one lane of all four (FIPS 202
// section 3.3).
#include "crypto/keccak_x4.hpp"

#include <utility>

#include <immintrin.h>

#include "crypto/keccak_constants.hpp"

namespace aios::crypto::detail {

namespace {

template <int By>
[[gnu::always_inline]] inline __m256i rotate(__m256i lane) {
    if constexpr (By == 0) {
        return lane;
    } else if constexpr (By == 8) {
        const __m256i order =
            _mm256_set_epi64x(0x0e0d0c0b0a09080f, 0x0605040302010007, 0x0e0d0c0b0a09080f, 0x0605040302010007);
        return _mm256_shuffle_epi8(lane, order);
    } else if constexpr (By == 56) {
        const __m256i order =
            _mm256_set_epi64x(0x080f0e0d0c0b0a09, 0x0007060504030201, 0x080f0e0d0c0b0a09, 0x0007060504030201);
        return _mm256_shuffle_epi8(lane, order);
    } else {
        return _mm256_or_si256(_mm256_slli_epi64(lane, By), _mm256_srli_epi64(lane, 64 - By));
    }
}

// One row of the result: rotated lanes that pi brings together, and chi over them. All indexes are constants, so that
// lanes live in registers and fixed stack slots; row by row, so that only five rotated lanes are alive at a time.
template <std::size_t Y, std::size_t... X>
[[gnu::always_inline]] inline void row(const __m256i (&a)[25], const __m256i (&d)[5], __m256i (&b)[25],
                                       std::index_sequence<X...>) {
    const __m256i r[5] = {rotate<kKeccakRotations[keccak_pi_source(X + 5 * Y)]>(
        _mm256_xor_si256(a[keccak_pi_source(X + 5 * Y)], d[keccak_pi_source(X + 5 * Y) % 5]))...};
    ((b[X + 5 * Y] = _mm256_xor_si256(r[X], _mm256_andnot_si256(r[(X + 1) % 5], r[(X + 2) % 5]))), ...);
}

// One round from `a` to `b`.
template <std::size_t... X>
[[gnu::always_inline]] inline void round(const __m256i (&a)[25], __m256i (&b)[25], std::uint64_t constant,
                                         std::index_sequence<X...> five) {
    const __m256i c[5] = {_mm256_xor_si256(_mm256_xor_si256(a[X], a[X + 5]),
                                           _mm256_xor_si256(_mm256_xor_si256(a[X + 10], a[X + 15]), a[X + 20]))...};
    const __m256i d[5] = {_mm256_xor_si256(c[(X + 4) % 5], rotate<1>(c[(X + 1) % 5]))...};
    (row<X>(a, d, b, five), ...);
    b[0] = _mm256_xor_si256(b[0], _mm256_set1_epi64x(static_cast<long long>(constant)));
}

} // namespace

void keccak_f1600_x4_avx2(KeccakX4& state) {
    __m256i a[25];
    __m256i b[25];
    for (std::size_t i = 0; i < 25; ++i)
        a[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(state.lanes[i].data())); // SAFETY: 32 aligned bytes
    for (std::size_t r = 0; r < 24; r += 2) {
        round(a, b, kKeccakRoundConstants[r], std::make_index_sequence<5>());
        round(b, a, kKeccakRoundConstants[r + 1], std::make_index_sequence<5>());
    }
    for (std::size_t i = 0; i < 25; ++i)
        _mm256_store_si256(reinterpret_cast<__m256i*>(state.lanes[i].data()), a[i]); // SAFETY: 32 aligned bytes
}

} // namespace aios::crypto::detail
