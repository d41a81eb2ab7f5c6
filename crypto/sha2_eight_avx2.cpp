// Eight messages at once. See sha2_batch.hpp. The kernel links this file, with its vector instructions, beside files that
// may have none: nothing here is shared with another file, so that no copy of it is taken from here.
#include "crypto/sha2_batch.hpp"

#include "crypto/sha2_lanes_avx2.hpp"

namespace aios::crypto {

namespace {

constexpr std::size_t kBlock = 64;

// Eight big-endian words of each message, from byte `at` of its block on.
[[gnu::always_inline]] inline void load_words(const std::byte* const* from, std::size_t at, __m256i* to) {
    __m256i row[8];
    for (std::size_t s = 0; s < 8; ++s) // SAFETY: each lane has 32 bytes there; the load needs no alignment
        row[s] = detail::swap_bytes_32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from[s] + at)));
    detail::transpose_8x8(row);
    for (std::size_t i = 0; i < 8; ++i)
        to[i] = row[i];
}

} // namespace

void sha256_compress_eight_avx2(Sha256LaneWords& words, const std::byte* const (&from)[8], std::size_t count) {
    // SAFETY: the words are aligned, and row i of the eight is at i * 32 bytes.
    auto* const state = reinterpret_cast<__m256i*>(&words);
    for (std::size_t block = 0; block < count; ++block) {
        __m256i w[16];
        load_words(from, kBlock * block, w);
        load_words(from, kBlock * block + 32, w + 8);
        __m256i v[8];
        for (std::size_t i = 0; i < 8; ++i)
            v[i] = _mm256_load_si256(state + i);
        detail::Sha2Lanes<std::uint32_t>::rounds(v, w);
        for (std::size_t i = 0; i < 8; ++i)
            _mm256_store_si256(state + i, _mm256_add_epi32(_mm256_load_si256(state + i), v[i]));
    }
}

} // namespace aios::crypto
