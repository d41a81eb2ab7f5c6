// SHA-256 of eight messages at once: one 256-bit register holds one word of all eight (FIPS 180-4 section 6.2). See
// sha2_lanes.hpp.
#include <cstring>

#include <immintrin.h>

#include "crypto/sha2_lanes_avx2.hpp"
#include "crypto/slh_dsa/sha2_lanes.hpp"

namespace aios::crypto::detail::slh {

namespace {

using Lanes8 = Sha2Lanes<std::uint32_t>;

// The compression function on 16 words, which are overwritten. `out` may be `in`.
[[gnu::noinline]] void compress(const __m256i* in, __m256i* w, __m256i* out) {
    __m256i v[8];
    for (std::size_t i = 0; i < 8; ++i)
        v[i] = in[i];
    Lanes8::rounds(v, w);
    for (std::size_t i = 0; i < 8; ++i)
        out[i] = _mm256_add_epi32(in[i], v[i]);
}

// Eight runs of 32 bytes, `stride` bytes apart, as big-endian words.
[[gnu::always_inline]] inline void load_words(const std::byte* from, std::size_t stride, __m256i (&words)[8]) {
    for (std::size_t s = 0; s < 8; ++s) // SAFETY: the caller's buffers have 32 bytes there; the load needs no alignment
        words[s] = swap_bytes_32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + s * stride)));
    transpose_8x8(words);
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
    transpose_8x8(value);
    for (std::size_t s = 0; s < kLanes; ++s) // SAFETY: each lane is 32 aligned bytes
        _mm256_store_si256(reinterpret_cast<__m256i*>(lanes.values[s].data()), swap_bytes_32(value[s]));
}

} // namespace aios::crypto::detail::slh
