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

} // namespace

[[gnu::target("sha,sse4.1")]] void sha256_compress_by_instructions(std::array<std::uint32_t, 8>& state,
                                                                   const std::byte* data, std::size_t count) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d'0e0f'0809'0a0b, 0x0405'0607'0001'0203);
    const __m128i cdab = _mm_shuffle_epi32(load(&state[0]), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(load(&state[4]), 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (; count != 0; --count, data += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];
        for (std::size_t i = 0; i < 4; ++i)
            w[i] = _mm_shuffle_epi8(load(data + 16 * i), big_endian);
#pragma clang loop unroll(full)
        for (std::size_t t = 0; t < 16; ++t) {
            const __m128i keys = _mm_add_epi32(w[t % 4], load(&kSha256Rounds[4 * t]));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, keys);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(keys, 0x0e));
            if (t >= 12) continue; // the schedule is complete
            const __m128i last = w[(t + 3) % 4];
            const __m128i seven_back = _mm_alignr_epi8(last, w[(t + 2) % 4], 4);
            const __m128i sums = _mm_add_epi32(_mm_sha256msg1_epu32(w[t % 4], w[(t + 1) % 4]), seven_back);
            w[t % 4] = _mm_sha256msg2_epu32(sums, last);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    store(&state[0], _mm_blend_epi16(feba, dchg, 0xf0));
    store(&state[4], _mm_alignr_epi8(dchg, feba, 8));
}

} // namespace aios::crypto::detail

#endif
