// Sampling of polynomials from the output of SHAKE, with AVX2. See poly.hpp.
#include "crypto/ml_kem/poly.hpp"
#include "crypto/ml_kem/vectors_avx2.hpp"

namespace aios::crypto::ml_kem {

namespace {

// For each set of accepted candidates among eight: the first bytes of the accepted ones, in order; the rest is not
// used. The index is public: it says which candidates for the matrix were rejected.
struct Compactions {
    alignas(64) std::uint8_t bytes[256][8];

    consteval Compactions() : bytes{} {
        for (std::size_t accepted = 0; accepted < 256; ++accepted) {
            std::size_t count = 0;
            for (std::size_t i = 0; i < 8; ++i)
                if ((accepted >> i & 1) != 0) bytes[accepted][count++] = static_cast<std::uint8_t>(2 * i);
        }
    }
};
constexpr Compactions kCompactions;

// Moves the accepted ones of eight candidates to the front.
[[gnu::always_inline]] inline __m128i compact(__m128i candidates, std::uint32_t accepted) {
    // SAFETY: vector types may alias anything; a row of the table has 8 bytes.
    const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kCompactions.bytes[accepted]));
    const __m128i second = _mm_add_epi8(first, _mm_set1_epi8(1));
    return _mm_shuffle_epi8(candidates, _mm_unpacklo_epi8(first, second));
}

[[gnu::always_inline]] inline __m256i load_bytes(const std::byte* from) {
    // SAFETY: vector types may alias anything; callers have 32 bytes there.
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

} // namespace

// FIPS 203 algorithm 8 with eta = 2: nibble by nibble, the sum of two bits minus the sum of the two others, plus 3;
// then bytes, then coefficients.
template <>
void sample_noise_avx2<2>(const std::byte* in, Poly& poly) {
    const __m256i odd = _mm256_set1_epi8(0x55);
    const __m256i pair = _mm256_set1_epi8(0x33);
    const __m256i nibble = _mm256_set1_epi8(0x0f);
    const __m256i three = _mm256_set1_epi8(3);
    for (std::size_t i = 0; i < 4; ++i) {
        const __m256i bits = load_bytes(in + 32 * i);
        const __m256i sums =
            _mm256_add_epi8(_mm256_and_si256(bits, odd), _mm256_and_si256(_mm256_srli_epi16(bits, 1), odd));
        const __m256i plus = _mm256_add_epi8(_mm256_and_si256(sums, pair), pair);
        const __m256i both = _mm256_sub_epi8(plus, _mm256_and_si256(_mm256_srli_epi16(sums, 2), pair));
        const __m256i even = _mm256_sub_epi8(_mm256_and_si256(both, nibble), three);
        const __m256i uneven = _mm256_sub_epi8(_mm256_and_si256(_mm256_srli_epi16(both, 4), nibble), three);
        const __m256i first = _mm256_unpacklo_epi8(even, uneven); // of bytes 0 to 7 and 16 to 23
        const __m256i second = _mm256_unpackhi_epi8(even, uneven);
        std::int16_t* const out = &poly.c[64 * i];
        store(out, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(first)));
        store(out + 16, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(second)));
        store(out + 32, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(first, 1)));
        store(out + 48, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(second, 1)));
    }
}

// With eta = 3: three bytes are a lane of 32 bits and four coefficients. The last load reads eight bytes more than the
// 192; hash_batch.hpp has them.
template <>
void sample_noise_avx2<3>(const std::byte* in, Poly& poly) {
    const __m256i spread = _mm256_set_epi8(-1, 15, 14, 13, -1, 12, 11, 10, -1, 9, 8, 7, -1, 6, 5, 4, //
                                           -1, 11, 10, 9, -1, 8, 7, 6, -1, 5, 4, 3, -1, 2, 1, 0);
    const __m256i third = _mm256_set1_epi32(0x249249);
    const __m256i triple = _mm256_set1_epi32(0x1c71c7);
    const __m256i threes = _mm256_set1_epi32(0x0c30c3);
    const __m256i lower = _mm256_set1_epi32(0x3f);
    const __m256i upper = _mm256_set1_epi32(0x3f0000);
    const __m256i three = _mm256_set1_epi16(3);
    for (std::size_t i = 0; i < 8; ++i) {
        // Bytes 0 to 15 and 8 to 23 of the 24.
        const __m256i loaded = _mm256_permute4x64_epi64(load_bytes(in + 24 * i), _MM_SHUFFLE(2, 1, 1, 0));
        const __m256i bits = _mm256_shuffle_epi8(loaded, spread);
        const __m256i sums = _mm256_add_epi32(_mm256_and_si256(bits, third),
                                              _mm256_add_epi32(_mm256_and_si256(_mm256_srli_epi32(bits, 1), third),
                                                               _mm256_and_si256(_mm256_srli_epi32(bits, 2), third)));
        const __m256i plus = _mm256_add_epi32(_mm256_and_si256(sums, triple), threes);
        const __m256i fields = _mm256_sub_epi32(plus, _mm256_and_si256(_mm256_srli_epi32(sums, 3), triple));
        const __m256i first =
            _mm256_or_si256(_mm256_and_si256(fields, lower), _mm256_and_si256(_mm256_slli_epi32(fields, 10), upper));
        const __m256i second = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi32(fields, 12), lower),
                                               _mm256_and_si256(_mm256_srli_epi32(fields, 2), upper));
        const __m256i a = _mm256_sub_epi16(_mm256_unpacklo_epi32(first, second), three);
        const __m256i b = _mm256_sub_epi16(_mm256_unpackhi_epi32(first, second), three);
        store(&poly.c[32 * i], _mm256_permute2x128_si256(a, b, 0x20));
        store(&poly.c[32 * i + 16], _mm256_permute2x128_si256(a, b, 0x31));
    }
}

// FIPS 203 algorithm 7, lines 5 to 16: sixteen candidates a time from 24 bytes, while there is room for all of them;
// then one by one. The last load reads eight bytes more than the block.
std::size_t sample_uniform_avx2(const std::byte* block, Poly& poly, std::size_t have) {
    const __m256i spread = _mm256_set_epi8(15, 14, 14, 13, 12, 11, 11, 10, 9, 8, 8, 7, 6, 5, 5, 4, //
                                           11, 10, 10, 9, 8, 7, 7, 6, 5, 4, 4, 3, 2, 1, 1, 0);
    const __m256i mask = _mm256_set1_epi16(0xfff);
    const __m256i q = _mm256_set1_epi16(kQ);
    std::int16_t* const out = poly.c.data();
    std::size_t at = 0;
    for (; at < 168 && have + 16 <= kN; at += 24) {
        // Bytes 0 to 15 and 8 to 23 of the 24; then each element has the two bytes that hold its candidate.
        const __m256i loaded = _mm256_permute4x64_epi64(load_bytes(block + at), _MM_SHUFFLE(2, 1, 1, 0));
        const __m256i pairs = _mm256_shuffle_epi8(loaded, spread);
        const __m256i candidates = _mm256_and_si256(_mm256_blend_epi16(pairs, _mm256_srli_epi16(pairs, 4), 0xaa), mask);
        const __m256i below = _mm256_cmpgt_epi16(q, candidates);
        const auto accepted =
            static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_packs_epi16(below, _mm256_setzero_si256())));
        const std::uint32_t first = accepted & 0xff;
        const std::uint32_t second = accepted >> 16;
        // SAFETY: vector types may alias anything; there is room for 16 coefficients.
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + have), compact(_mm256_castsi256_si128(candidates), first));
        have += static_cast<std::size_t>(__builtin_popcount(first));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + have), // SAFETY: as above
                         compact(_mm256_extracti128_si256(candidates, 1), second));
        have += static_cast<std::size_t>(__builtin_popcount(second));
    }
    for (; at < 168 && have < kN; at += 3) {
        const std::uint32_t bits = static_cast<std::uint32_t>(block[at]) |
                                   static_cast<std::uint32_t>(block[at + 1]) << 8 |
                                   static_cast<std::uint32_t>(block[at + 2]) << 16;
        out[have] = static_cast<std::int16_t>(bits & 0xfff);
        have += (bits & 0xfff) < kQ ? 1 : 0;
        if (have == kN) break;
        out[have] = static_cast<std::int16_t>(bits >> 12);
        have += bits >> 12 < kQ ? 1 : 0;
    }
    return have;
}

} // namespace aios::crypto::ml_kem
