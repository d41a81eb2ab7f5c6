// Decompose and w1Encode with AVX2: the computations of rounding.cpp, eight coefficients at a time.
#include "crypto/ml_dsa/rounding.hpp"
#include "crypto/ml_dsa/vectors_avx2.hpp"

namespace aios::crypto::detail::ml_dsa {

namespace {

template <std::uint32_t Gamma2>
[[gnu::always_inline]] inline __m256i high_bits(__m256i r) {
    const __m256i scaled = _mm256_srli_epi32(_mm256_add_epi32(r, _mm256_set1_epi32(127)), 7);
    if constexpr (Gamma2 == kGamma2Of65) {
        const __m256i product = _mm256_mullo_epi32(scaled, _mm256_set1_epi32(1025));
        return _mm256_and_si256(_mm256_srli_epi32(_mm256_add_epi32(product, _mm256_set1_epi32(1 << 21)), 22),
                                _mm256_set1_epi32(15));
    } else {
        const __m256i product = _mm256_mullo_epi32(scaled, _mm256_set1_epi32(11275));
        const __m256i high = _mm256_srli_epi32(_mm256_add_epi32(product, _mm256_set1_epi32(1 << 23)), 24);
        return _mm256_andnot_si256(_mm256_cmpgt_epi32(high, _mm256_set1_epi32(43)), high);
    }
}

template <std::uint32_t Gamma2>
void decompose_all(Polynomial& low, Polynomial& high) {
    const __m256i half = _mm256_set1_epi32((kQ - 1) / 2);
    const __m256i q = _mm256_set1_epi32(kQ);
    for (std::size_t i = 0; i < kN; i += kLanes) {
        const __m256i r = canonical(load(&low[i]));
        const __m256i r1 = high_bits<Gamma2>(r);
        const __m256i r0 =
            _mm256_sub_epi32(r, _mm256_mullo_epi32(r1, _mm256_set1_epi32(static_cast<std::int32_t>(2 * Gamma2))));
        store(&high[i], r1);
        store(&low[i], _mm256_sub_epi32(r0, _mm256_and_si256(_mm256_cmpgt_epi32(r0, half), q)));
    }
}

// 32 coefficients below 64 as bytes: the lower halves of four registers in one lane, the upper halves in the other.
[[gnu::always_inline]] inline __m256i bytes_of(const std::int32_t* from) {
    const __m256i first = _mm256_packus_epi32(load(from), load(from + kLanes));
    const __m256i second = _mm256_packus_epi32(load(from + 2 * kLanes), load(from + 3 * kLanes));
    return _mm256_packus_epi16(first, second);
}

} // namespace

void decompose_avx2(std::int32_t gamma2, Polynomial& low, Polynomial& high) {
    if (gamma2 == kGamma2Of44)
        decompose_all<kGamma2Of44>(low, high);
    else
        decompose_all<kGamma2Of65>(low, high);
}

void encode_w1_avx2(std::int32_t gamma2, std::byte* out, const Polynomial& w1) {
    if (gamma2 == kGamma2Of44) {
        // Four coefficients are 24 bits; 12 bytes a lane, and the store of 16 is overwritten by the next.
        const __m256i interleave = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        const __m256i order =
            _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
        for (std::size_t i = 0; i < kN; i += 4 * kLanes, out += 24) {
            const __m256i twos = _mm256_maddubs_epi16(bytes_of(&w1[i]), _mm256_set1_epi16(1 | 64 << 8));
            const __m256i fours = _mm256_madd_epi16(twos, _mm256_set1_epi32(1 | 4096 << 16));
            const __m256i bytes = _mm256_shuffle_epi8(_mm256_permutevar8x32_epi32(fours, interleave), order);
            store_unaligned(out, _mm256_castsi256_si128(bytes));
            store_unaligned(out + 12, _mm256_extracti128_si256(bytes, 1));
        }
    } else {
        for (std::size_t i = 0; i < kN; i += 4 * kLanes, out += 16) {
            const __m256i twos = _mm256_maddubs_epi16(bytes_of(&w1[i]), _mm256_set1_epi16(1 | 16 << 8));
            const __m256i bytes = _mm256_packus_epi16(twos, twos);
            store_unaligned(out, _mm_unpacklo_epi16(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1)));
        }
    }
}

} // namespace aios::crypto::detail::ml_dsa
