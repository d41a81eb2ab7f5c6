// SHA-512 of four messages at once: one 256-bit register holds one word of all four (FIPS 180-4 section 6.4). See
// sha2_lanes.hpp.
#include <immintrin.h>

#include "crypto/sha2_lanes_avx2.hpp"
#include "crypto/slh_dsa/sha2_lanes.hpp"

namespace aios::crypto::detail::slh {

namespace {

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
    Sha2Lanes<std::uint64_t>::rounds(v, w);
    for (std::size_t i = 0; i < 8; ++i) {
        // SAFETY: each row of the state is 32 aligned bytes.
        auto* row = reinterpret_cast<__m256i*>(state.words[i].data());
        _mm256_store_si256(row, _mm256_add_epi64(_mm256_load_si256(row), v[i]));
    }
}

} // namespace aios::crypto::detail::slh
