// SHA-256 of eight messages at once: one 256-bit register holds one word of all eight (FIPS 180-4 section 6.2). See
// sha2_lanes.hpp.
#include <cstring>
#include <utility>

#include <immintrin.h>

#include "crypto/sha2_constants.hpp"
#include "crypto/slh_dsa/sha2_lanes.hpp"

namespace aios::crypto::detail::slh {

namespace {

template <int By>
[[gnu::always_inline]] inline __m256i rotate(__m256i x) {
    return _mm256_or_si256(_mm256_srli_epi32(x, By), _mm256_slli_epi32(x, 32 - By));
}

[[gnu::always_inline]] inline __m256i xor_all(__m256i a, __m256i b, __m256i c) {
    return _mm256_xor_si256(_mm256_xor_si256(a, b), c);
}

// Section 4.1.2.
[[gnu::always_inline]] inline __m256i big_sigma0(__m256i x) {
    return xor_all(rotate<2>(x), rotate<13>(x), rotate<22>(x));
}
[[gnu::always_inline]] inline __m256i big_sigma1(__m256i x) {
    return xor_all(rotate<6>(x), rotate<11>(x), rotate<25>(x));
}
[[gnu::always_inline]] inline __m256i small_sigma0(__m256i x) {
    return xor_all(rotate<7>(x), rotate<18>(x), _mm256_srli_epi32(x, 3));
}
[[gnu::always_inline]] inline __m256i small_sigma1(__m256i x) {
    return xor_all(rotate<17>(x), rotate<19>(x), _mm256_srli_epi32(x, 10));
}

// Round T of 16 with the working variables renamed instead of moved: a is v[(16 - T) % 8], and so on. `b_xor_c` is
// a ^ b of the round before, with which Maj(a, b, c) = ((a ^ b) & (b ^ c)) ^ b.
template <std::size_t T>
[[gnu::always_inline]] inline void round(__m256i (&v)[8], __m256i& b_xor_c, std::uint32_t constant, __m256i word) {
    const __m256i a = v[(16 - T) % 8];
    const __m256i b = v[(17 - T) % 8];
    __m256i& d = v[(19 - T) % 8];
    const __m256i e = v[(20 - T) % 8];
    const __m256i f = v[(21 - T) % 8];
    const __m256i g = v[(22 - T) % 8];
    __m256i& h = v[(23 - T) % 8];

    const __m256i key = _mm256_add_epi32(word, _mm256_set1_epi32(static_cast<int>(constant)));
    const __m256i choice = _mm256_xor_si256(_mm256_and_si256(_mm256_xor_si256(f, g), e), g);
    h = _mm256_add_epi32(_mm256_add_epi32(h, key), _mm256_add_epi32(choice, big_sigma1(e)));
    d = _mm256_add_epi32(d, h);
    const __m256i a_xor_b = _mm256_xor_si256(a, b);
    const __m256i majority = _mm256_xor_si256(_mm256_and_si256(a_xor_b, b_xor_c), b);
    h = _mm256_add_epi32(h, _mm256_add_epi32(majority, big_sigma0(a)));
    b_xor_c = a_xor_b;
}

// The compression function on 16 words, which are overwritten. `out` may be `in`.
[[gnu::noinline]] void compress(const __m256i* in, __m256i* w, __m256i* out) {
    __m256i v[8];
    for (std::size_t i = 0; i < 8; ++i)
        v[i] = in[i];
    __m256i b_xor_c = _mm256_xor_si256(v[1], v[2]);
    [&]<std::size_t... T>(std::index_sequence<T...>) {
        (round<T>(v, b_xor_c, kSha256Rounds[T], w[T]), ...);
    }(std::make_index_sequence<16>());
    for (std::size_t first = 16; first != 64; first += 16) {
        [&]<std::size_t... T>(std::index_sequence<T...>) {
            ((w[T] = _mm256_add_epi32(_mm256_add_epi32(w[T], small_sigma0(w[(T + 1) % 16])),
                                      _mm256_add_epi32(w[(T + 9) % 16], small_sigma1(w[(T + 14) % 16]))),
              round<T>(v, b_xor_c, kSha256Rounds[first + T], w[T])),
             ...);
        }(std::make_index_sequence<16>());
    }
    for (std::size_t i = 0; i < 8; ++i)
        out[i] = _mm256_add_epi32(in[i], v[i]);
}

// Rows become columns: word i of row s becomes word s of row i.
[[gnu::always_inline]] inline void transpose(__m256i (&r)[8]) {
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

[[gnu::always_inline]] inline __m256i swap_bytes(__m256i words) {
    const __m256i order =
        _mm256_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203, 0x0c0d0e0f08090a0b, 0x0405060700010203);
    return _mm256_shuffle_epi8(words, order);
}

// Eight runs of 32 bytes, `stride` bytes apart, as big-endian words.
[[gnu::always_inline]] inline void load_words(const std::byte* from, std::size_t stride, __m256i (&words)[8]) {
    for (std::size_t s = 0; s < 8; ++s) // SAFETY: the caller's buffers have 32 bytes there; the load needs no alignment
        words[s] = swap_bytes(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + s * stride)));
    transpose(words);
}

} // namespace

void sha256_compress_x8_avx2(Sha256x8& state, std::byte* blocks) {
    // The words take the blocks' place.
    __m256i low[8];
    __m256i high[8];
    load_words(blocks, 64, low);
    load_words(blocks + 32, 64, high);
    // SAFETY: 512 aligned bytes; __m256i may alias what was there.
    auto* const w = reinterpret_cast<__m256i*>(blocks);
    for (std::size_t i = 0; i < 8; ++i) {
        w[i] = low[i];
        w[8 + i] = high[i];
    }
    __m256i v[8];
    // SAFETY: each row of the state is 32 aligned bytes.
    for (std::size_t i = 0; i < 8; ++i)
        v[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(state.words[i].data()));
    compress(v, w, v);
    for (std::size_t i = 0; i < 8; ++i) // SAFETY: as above
        _mm256_store_si256(reinterpret_cast<__m256i*>(state.words[i].data()), v[i]);
}

void sha256_chain_x8_avx2(const std::array<std::uint32_t, 8>& midstate, const Addresses& addresses, std::size_t n,
                          const Starts& starts, std::uint32_t first, std::uint32_t last, Lanes& lanes,
                          LaneMemory& memory) {
    // SAFETY: the rows are as large as the vectors and aligned like them; __m256i may alias them.
    auto* const w = reinterpret_cast<__m256i*>(memory.words.data());
    auto* const in = reinterpret_cast<__m256i*>(memory.initial.data());
    auto* const next = reinterpret_cast<__m256i*>(memory.next.data());
    auto* const kept = reinterpret_cast<__m256i*>(memory.values.data());
    auto* const address = reinterpret_cast<__m256i*>(memory.address.data());
    bool together = true; // all lanes take all steps
    for (std::size_t s = 0; s < kLanes; ++s) {
        Address at = addresses[s];
        at.hash = 0;
        const auto words = compressed(at);
        for (std::size_t i = 0; i < 5; ++i)
            memory.address[i][s] = words[i];
        together = together && starts[s] <= first;
    }
    for (std::size_t i = 0; i < 8; ++i)
        in[i] = _mm256_set1_epi32(static_cast<int>(midstate[i]));
    __m256i value[8];
    load_words(lanes.values[0].data(), kMaxN, value);
    for (std::size_t i = 0; i < 8; ++i)
        kept[i] = value[i];

    const std::size_t count = n / 4;
    for (std::uint32_t step = first; step < last; ++step) {
        // ADRSc ends in the middle of a word: the value stands shifted by 16 bits.
        for (std::size_t i = 0; i < 5; ++i)
            w[i] = address[i];
        __m256i before = _mm256_set1_epi32(static_cast<int>(step));
        for (std::size_t i = 0; i < count; ++i) {
            w[5 + i] = _mm256_or_si256(_mm256_slli_epi32(before, 16), _mm256_srli_epi32(kept[i], 16));
            before = kept[i];
        }
        w[5 + count] = _mm256_or_si256(_mm256_slli_epi32(before, 16), _mm256_set1_epi32(0x8000));
        for (std::size_t i = 6 + count; i < 15; ++i)
            w[i] = _mm256_setzero_si256();
        w[15] = _mm256_set1_epi32(static_cast<int>(8 * (64 + kCompressedSize + n)));
        if (together) {
            compress(in, w, kept);
            continue;
        }
        compress(in, w, next);
        // SAFETY: eight words; the load needs no alignment.
        const __m256i start = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(starts.data()));
        const __m256i waits = _mm256_cmpgt_epi32(start, _mm256_set1_epi32(static_cast<int>(step)));
        for (std::size_t i = 0; i < 8; ++i)
            kept[i] = _mm256_blendv_epi8(next[i], kept[i], waits);
    }

    for (std::size_t i = 0; i < 8; ++i)
        value[i] = kept[i];
    transpose(value);
    for (std::size_t s = 0; s < kLanes; ++s) // SAFETY: each lane is 32 aligned bytes
        _mm256_store_si256(reinterpret_cast<__m256i*>(lanes.values[s].data()), swap_bytes(value[s]));
}

} // namespace aios::crypto::detail::slh
