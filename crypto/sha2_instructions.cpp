// See sha2_instructions.hpp.
//
// SHA256RNDS2 does two rounds on the state as two registers, A B E F and C D G H with A and C in the highest words;
// the two words of the schedule with their constants are in the lower half of a third. After two rounds the old A B E F
// are the new C D G H, so the registers change their parts. Four words of the schedule are made at once:
//   w[t..t+3] = MSG2(MSG1(w[t-16..t-13], w[t-12..t-9]) + w[t-7..t-4], w[t-4..t-1]).
#include "crypto/sha2_instructions.hpp"

#ifndef AIOS_KERNEL

#include <immintrin.h>

#include "crypto/sha2_constants.hpp"

namespace aios::crypto::detail {

namespace {

// SAFETY (these): unaligned loads and stores of 16 bytes that the caller has.
[[gnu::target("sha,sse4.1")]] __m128i load(const void* from) {
    return _mm_loadu_si128(static_cast<const __m128i*>(from));
}
[[gnu::target("sha,sse4.1")]] void store(void* to, __m128i value) {
    _mm_storeu_si128(static_cast<__m128i*>(to), value);
}

// `count` blocks of each of Lanes messages. A round waits for the one before; those of another message do not.
template <std::size_t Lanes>
[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void
compress(std::array<std::uint32_t, 8>* const (&state)[Lanes], const std::byte* const (&data)[Lanes],
         std::size_t count) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d'0e0f'0809'0a0b, 0x0405'0607'0001'0203);
    __m128i abef[Lanes], cdgh[Lanes];
    for (std::size_t s = 0; s < Lanes; ++s) {
        const __m128i cdab = _mm_shuffle_epi32(load(&(*state[s])[0]), 0xb1);
        const __m128i efgh = _mm_shuffle_epi32(load(&(*state[s])[4]), 0x1b);
        abef[s] = _mm_alignr_epi8(cdab, efgh, 8);
        cdgh[s] = _mm_blend_epi16(efgh, cdab, 0xf0);
    }
    for (std::size_t block = 0; block < count; ++block) {
        __m128i abef_before[Lanes], cdgh_before[Lanes], w[Lanes][4];
        for (std::size_t s = 0; s < Lanes; ++s) {
            abef_before[s] = abef[s];
            cdgh_before[s] = cdgh[s];
            for (std::size_t i = 0; i < 4; ++i)
                w[s][i] = _mm_shuffle_epi8(load(data[s] + 64 * block + 16 * i), big_endian);
        }
#pragma clang loop unroll(full)
        for (std::size_t t = 0; t < 16; ++t) {
#pragma clang loop unroll(full)
            for (std::size_t s = 0; s < Lanes; ++s) {
                const __m128i keys = _mm_add_epi32(w[s][t % 4], load(&kSha256Rounds[4 * t]));
                cdgh[s] = _mm_sha256rnds2_epu32(cdgh[s], abef[s], keys);
                abef[s] = _mm_sha256rnds2_epu32(abef[s], cdgh[s], _mm_shuffle_epi32(keys, 0x0e));
                if (t >= 12) continue; // the schedule is complete
                const __m128i last = w[s][(t + 3) % 4];
                const __m128i seven_back = _mm_alignr_epi8(last, w[s][(t + 2) % 4], 4);
                const __m128i sums = _mm_add_epi32(_mm_sha256msg1_epu32(w[s][t % 4], w[s][(t + 1) % 4]), seven_back);
                w[s][t % 4] = _mm_sha256msg2_epu32(sums, last);
            }
        }
        for (std::size_t s = 0; s < Lanes; ++s) {
            abef[s] = _mm_add_epi32(abef[s], abef_before[s]);
            cdgh[s] = _mm_add_epi32(cdgh[s], cdgh_before[s]);
        }
    }
    for (std::size_t s = 0; s < Lanes; ++s) {
        const __m128i feba = _mm_shuffle_epi32(abef[s], 0x1b);
        const __m128i dchg = _mm_shuffle_epi32(cdgh[s], 0xb1);
        store(&(*state[s])[0], _mm_blend_epi16(feba, dchg, 0xf0));
        store(&(*state[s])[4], _mm_alignr_epi8(dchg, feba, 8));
    }
}

} // namespace

[[gnu::target("sha,sse4.1")]] void sha256_compress_by_instructions(std::array<std::uint32_t, 8>& state,
                                                                   const std::byte* data, std::size_t count) {
    compress<1>({&state}, {data}, count);
}

[[gnu::target("sha,sse4.1")]] void sha256_compress_two_by_instructions(std::array<std::uint32_t, 8>& first_state,
                                                                       std::array<std::uint32_t, 8>& second_state,
                                                                       const std::byte* first, const std::byte* second,
                                                                       std::size_t count) {
    compress<2>({&first_state, &second_state}, {first, second}, count);
}

} // namespace aios::crypto::detail

#endif
