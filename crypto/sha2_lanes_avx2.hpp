// SHA-2 of several messages side by side with AVX2: a 256-bit register holds one word of all of them, eight of SHA-256
// or four of SHA-512 (FIPS 180-4 section 6). Written once for both; `Word` says which.
//
// Included only by files that are compiled for AVX2, and in an unnamed namespace: the linker must not take such a
// function for a whole program. No branch and no address depends on a value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <immintrin.h>

#include "crypto/sha2_constants.hpp"

namespace aios::crypto::detail {

namespace {

// The rotations, and the shift that ends the small ones, of sections 4.1.2 and 4.1.3.
struct Rotations {
    int a;
    int b;
    int c;
};

template <typename Word>
struct Sha2Vector;

#define AIOS_LANES [[gnu::always_inline]] static inline
template <>
struct Sha2Vector<std::uint32_t> {
    static constexpr auto kRounds = kSha256Rounds; // a copy: what is shared would be taken from any of these files
    static constexpr Rotations kBigSigma0 = {2, 13, 22};
    static constexpr Rotations kBigSigma1 = {6, 11, 25};
    static constexpr Rotations kSmallSigma0 = {7, 18, 3};
    static constexpr Rotations kSmallSigma1 = {17, 19, 10};
    AIOS_LANES __m256i add(__m256i a, __m256i b) { return _mm256_add_epi32(a, b); }
    AIOS_LANES __m256i all(std::uint32_t word) { return _mm256_set1_epi32(static_cast<int>(word)); }
    template <int By>
    AIOS_LANES __m256i right(__m256i x) {
        return _mm256_srli_epi32(x, By);
    }
    template <int By>
    AIOS_LANES __m256i left(__m256i x) {
        return _mm256_slli_epi32(x, By);
    }
};

template <>
struct Sha2Vector<std::uint64_t> {
    static constexpr auto kRounds = kSha512Rounds;
    static constexpr Rotations kBigSigma0 = {28, 34, 39};
    static constexpr Rotations kBigSigma1 = {14, 18, 41};
    static constexpr Rotations kSmallSigma0 = {1, 8, 7};
    static constexpr Rotations kSmallSigma1 = {19, 61, 6};
    AIOS_LANES __m256i add(__m256i a, __m256i b) { return _mm256_add_epi64(a, b); }
    AIOS_LANES __m256i all(std::uint64_t word) { return _mm256_set1_epi64x(static_cast<long long>(word)); }
    template <int By>
    AIOS_LANES __m256i right(__m256i x) {
        return _mm256_srli_epi64(x, By);
    }
    template <int By>
    AIOS_LANES __m256i left(__m256i x) {
        return _mm256_slli_epi64(x, By);
    }
};

template <typename Word>
struct Sha2Lanes : Sha2Vector<Word> {
    using V = Sha2Vector<Word>;
    static constexpr std::size_t kLanes = 32 / sizeof(Word);

    // Rounds on the working variables `v`, which begin as the chaining state. The 16 words of `w` are overwritten.
    AIOS_LANES void rounds(__m256i (&v)[8], __m256i* w) {
        __m256i b_xor_c = _mm256_xor_si256(v[1], v[2]);
        [&]<std::size_t... T>(std::index_sequence<T...>) {
            (round<T>(v, b_xor_c, V::kRounds[T], w[T]), ...);
        }(std::make_index_sequence<16>());
        for (std::size_t first = 16; first != V::kRounds.size(); first += 16) {
            [&]<std::size_t... T>(std::index_sequence<T...>) {
                ((w[T] = V::add(V::add(w[T], small_sigma<V::kSmallSigma0>(w[(T + 1) % 16])),
                                V::add(w[(T + 9) % 16], small_sigma<V::kSmallSigma1>(w[(T + 14) % 16]))),
                  round<T>(v, b_xor_c, V::kRounds[first + T], w[T])),
                 ...);
            }(std::make_index_sequence<16>());
        }
    }

private:
    template <int By>
    AIOS_LANES __m256i rotate(__m256i x) {
        return _mm256_or_si256(V::template right<By>(x), V::template left<8 * static_cast<int>(sizeof(Word)) - By>(x));
    }
    AIOS_LANES __m256i xor_all(__m256i a, __m256i b, __m256i c) { return _mm256_xor_si256(_mm256_xor_si256(a, b), c); }
    template <Rotations By>
    AIOS_LANES __m256i big_sigma(__m256i x) {
        return xor_all(rotate<By.a>(x), rotate<By.b>(x), rotate<By.c>(x));
    }
    template <Rotations By>
    AIOS_LANES __m256i small_sigma(__m256i x) {
        return xor_all(rotate<By.a>(x), rotate<By.b>(x), V::template right<By.c>(x));
    }

    // Round T of 16 with the working variables renamed instead of moved: a is v[(16 - T) % 8], and so on. `b_xor_c` is
    // a ^ b of the round before, with which Maj(a, b, c) = ((a ^ b) & (b ^ c)) ^ b.
    template <std::size_t T>
    AIOS_LANES void round(__m256i (&v)[8], __m256i& b_xor_c, Word constant, __m256i word) {
        const __m256i a = v[(16 - T) % 8];
        const __m256i b = v[(17 - T) % 8];
        __m256i& d = v[(19 - T) % 8];
        const __m256i e = v[(20 - T) % 8];
        const __m256i f = v[(21 - T) % 8];
        const __m256i g = v[(22 - T) % 8];
        __m256i& h = v[(23 - T) % 8];

        const __m256i key = V::add(word, V::all(constant));
        const __m256i choice = _mm256_xor_si256(_mm256_and_si256(_mm256_xor_si256(f, g), e), g);
        h = V::add(V::add(h, key), V::add(choice, big_sigma<V::kBigSigma1>(e)));
        d = V::add(d, h);
        const __m256i a_xor_b = _mm256_xor_si256(a, b);
        const __m256i majority = _mm256_xor_si256(_mm256_and_si256(a_xor_b, b_xor_c), b);
        h = V::add(h, V::add(majority, big_sigma<V::kBigSigma0>(a)));
        b_xor_c = a_xor_b;
    }
};

// For SHA-256: rows become columns, word i of row s becomes word s of row i.
[[gnu::always_inline]] inline void transpose_8x8(__m256i (&r)[8]) {
    __m256i t[8];
    for (std::size_t i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    __m256i u[8];
    for (std::size_t i = 0; i < 8; i += 4) {
        u[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        u[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        u[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        u[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (std::size_t i = 0; i < 4; ++i) {
        r[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);
        r[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);
    }
}

// The bytes of each 32-bit word the other way round.
[[gnu::always_inline]] inline __m256i swap_bytes_32(__m256i words) {
    const __m256i order =
        _mm256_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203, 0x0c0d0e0f08090a0b, 0x0405060700010203);
    return _mm256_shuffle_epi8(words, order);
}
#undef AIOS_LANES

} // namespace

} // namespace aios::crypto::detail
