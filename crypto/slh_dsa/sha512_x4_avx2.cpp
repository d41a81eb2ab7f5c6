// SHA-512 of four messages at once: one 256-bit register holds one word of all four (FIPS 180-4 section 6.4). See
// sha2_lanes.hpp.
#include <utility>

#include <immintrin.h>

#include "crypto/sha2_constants.hpp"
#include "crypto/slh_dsa/sha2_lanes.hpp"

namespace aios::crypto::detail::slh {

namespace {

template <int By>
[[gnu::always_inline]] inline __m256i rotate(__m256i x) {
    return _mm256_or_si256(_mm256_srli_epi64(x, By), _mm256_slli_epi64(x, 64 - By));
}

[[gnu::always_inline]] inline __m256i xor_all(__m256i a, __m256i b, __m256i c) {
    return _mm256_xor_si256(_mm256_xor_si256(a, b), c);
}

// Section 4.1.3.
[[gnu::always_inline]] inline __m256i big_sigma0(__m256i x) {
    return xor_all(rotate<28>(x), rotate<34>(x), rotate<39>(x));
}
[[gnu::always_inline]] inline __m256i big_sigma1(__m256i x) {
    return xor_all(rotate<14>(x), rotate<18>(x), rotate<41>(x));
}
[[gnu::always_inline]] inline __m256i small_sigma0(__m256i x) {
    return xor_all(rotate<1>(x), rotate<8>(x), _mm256_srli_epi64(x, 7));
}
[[gnu::always_inline]] inline __m256i small_sigma1(__m256i x) {
    return xor_all(rotate<19>(x), rotate<61>(x), _mm256_srli_epi64(x, 6));
}

// As in sha256_x8_avx2.cpp.
template <std::size_t T>
[[gnu::always_inline]] inline void round(__m256i (&v)[8], __m256i& b_xor_c, std::uint64_t constant, __m256i word) {
    const __m256i a = v[(16 - T) % 8];
    const __m256i b = v[(17 - T) % 8];
    __m256i& d = v[(19 - T) % 8];
    const __m256i e = v[(20 - T) % 8];
    const __m256i f = v[(21 - T) % 8];
    const __m256i g = v[(22 - T) % 8];
    __m256i& h = v[(23 - T) % 8];

    const __m256i key = _mm256_add_epi64(word, _mm256_set1_epi64x(static_cast<long long>(constant)));
    const __m256i choice = _mm256_xor_si256(_mm256_and_si256(_mm256_xor_si256(f, g), e), g);
    h = _mm256_add_epi64(_mm256_add_epi64(h, key), _mm256_add_epi64(choice, big_sigma1(e)));
    d = _mm256_add_epi64(d, h);
    const __m256i a_xor_b = _mm256_xor_si256(a, b);
    const __m256i majority = _mm256_xor_si256(_mm256_and_si256(a_xor_b, b_xor_c), b);
    h = _mm256_add_epi64(h, _mm256_add_epi64(majority, big_sigma0(a)));
    b_xor_c = a_xor_b;
}

// Four words of four messages, from `from` on in each block, as big-endian words with rows made columns.
[[gnu::always_inline]] inline void load_words(const std::byte* from, __m256i* words) {
    const __m256i order =
        _mm256_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607, 0x08090a0b0c0d0e0f, 0x0001020304050607);
    __m256i r[4];
    for (std::size_t s = 0; s < 4; ++s) // SAFETY: the blocks have 32 bytes there, aligned to 32
        r[s] = _mm256_shuffle_epi8(_mm256_load_si256(reinterpret_cast<const __m256i*>(from + s * 128)), order);
    const __m256i t[4] = {_mm256_unpacklo_epi64(r[0], r[1]), _mm256_unpackhi_epi64(r[0], r[1]),
                          _mm256_unpacklo_epi64(r[2], r[3]), _mm256_unpackhi_epi64(r[2], r[3])};
    words[0] = _mm256_permute2x128_si256(t[0], t[2], 0x20);
    words[1] = _mm256_permute2x128_si256(t[1], t[3], 0x20);
    words[2] = _mm256_permute2x128_si256(t[0], t[2], 0x31);
    words[3] = _mm256_permute2x128_si256(t[1], t[3], 0x31);
}

} // namespace

void sha512_compress_x4_avx2(Sha512x4& state, const std::byte* blocks, LaneMemory& memory) {
    // SAFETY: sixteen aligned rows, as large as the vectors; __m256i may alias them.
    auto* const w = reinterpret_cast<__m256i*>(memory.words.data());
    for (std::size_t i = 0; i < 16; i += 4)
        load_words(blocks + 8 * i, &w[i]);
    __m256i v[8];
    for (std::size_t i = 0; i < 8; ++i) // SAFETY: each row of the state is 32 aligned bytes
        v[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(state.words[i].data()));
    __m256i b_xor_c = _mm256_xor_si256(v[1], v[2]);
    [&]<std::size_t... T>(std::index_sequence<T...>) {
        (round<T>(v, b_xor_c, kSha512Rounds[T], w[T]), ...);
    }(std::make_index_sequence<16>());
    for (std::size_t first = 16; first != 80; first += 16) {
        [&]<std::size_t... T>(std::index_sequence<T...>) {
            ((w[T] = _mm256_add_epi64(_mm256_add_epi64(w[T], small_sigma0(w[(T + 1) % 16])),
                                      _mm256_add_epi64(w[(T + 9) % 16], small_sigma1(w[(T + 14) % 16]))),
              round<T>(v, b_xor_c, kSha512Rounds[first + T], w[T])),
             ...);
        }(std::make_index_sequence<16>());
    }
    for (std::size_t i = 0; i < 8; ++i) {
        // SAFETY: each row of the state is 32 aligned bytes.
        auto* row = reinterpret_cast<__m256i*>(state.words[i].data());
        _mm256_store_si256(row, _mm256_add_epi64(_mm256_load_si256(row), v[i]));
    }
}

} // namespace aios::crypto::detail::slh
