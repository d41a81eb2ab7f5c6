// The encoding of z with AVX2. See encoding.hpp.
#include "crypto/ml_dsa/encoding.hpp"
#include "crypto/ml_dsa/vectors_avx2.hpp"

namespace aios::crypto::detail::ml_dsa {

// Eight coefficients are 18 or 20 bytes. Each lane of the shuffle gathers four, each in three bytes; the upper lane
// starts at byte 8.
void unpack_z_avx2(const Shape& shape, Polynomial& z, const std::byte* in) {
    const bool short_form = shape.gamma1 == kGamma1Of44;
    const __m256i order_of_18 = _mm256_setr_epi8(0, 1, 2, -1, 2, 3, 4, -1, 4, 5, 6, -1, 6, 7, 8, -1, //
                                                 1, 2, 3, -1, 3, 4, 5, -1, 5, 6, 7, -1, 7, 8, 9, -1);
    const __m256i order_of_20 = _mm256_setr_epi8(0, 1, 2, -1, 2, 3, 4, -1, 5, 6, 7, -1, 7, 8, 9, -1, //
                                                 2, 3, 4, -1, 4, 5, 6, -1, 7, 8, 9, -1, 9, 10, 11, -1);
    const __m256i order = short_form ? order_of_18 : order_of_20;
    const __m256i shifts =
        short_form ? _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6) : _mm256_setr_epi32(0, 4, 0, 4, 0, 4, 0, 4);
    const __m256i bits = _mm256_set1_epi32(2 * shape.gamma1 - 1);
    const __m256i gamma1 = _mm256_set1_epi32(shape.gamma1);
    const std::size_t step = short_form ? 18 : 20;
    for (std::size_t i = 0; i < kN; i += kLanes, in += step) {
        const __m256i spread = _mm256_permute4x64_epi64(load_unaligned(in), 0x94);
        const __m256i values = _mm256_and_si256(_mm256_srlv_epi32(_mm256_shuffle_epi8(spread, order), shifts), bits);
        store(&z[i], _mm256_sub_epi32(gamma1, values));
    }
}

namespace {

// Pairs of coefficients of `Bits` bits side by side in each 64 bits.
template <int Bits>
__m256i pairs(const Polynomial& z, std::size_t i, __m256i gamma1) {
    const __m256i values = _mm256_sub_epi32(gamma1, load(&z[i]));
    const __m256i left = _mm256_setr_epi32(32 - Bits, 0, 32 - Bits, 0, 32 - Bits, 0, 32 - Bits, 0);
    return _mm256_srli_epi64(_mm256_sllv_epi32(values, left), 32 - Bits);
}

} // namespace

// Each lane gives 9 or 10 bytes and stores 16: what is too much is overwritten by the next.
void pack_z_avx2(const Shape& shape, std::byte* out, const Polynomial& z) {
    const __m256i gamma1 = _mm256_set1_epi32(shape.gamma1);
    if (shape.gamma1 == kGamma1Of44) {
        // 36 bits and 36 bits: the second run starts with the upper half of byte 4.
        const __m256i left = _mm256_setr_epi64x(0, 4, 0, 4);
        const __m256i first =
            _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 3, 4, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
        const __m256i second =
            _mm256_broadcastsi128_si256(_mm_setr_epi8(-1, -1, -1, -1, 8, 9, 10, 11, 12, -1, -1, -1, -1, -1, -1, -1));
        for (std::size_t i = 0; i < kN; i += kLanes, out += 18) {
            const __m256i runs = _mm256_sllv_epi64(pairs<18>(z, i, gamma1), left);
            const __m256i bytes = _mm256_or_si256(_mm256_shuffle_epi8(runs, first), _mm256_shuffle_epi8(runs, second));
            store_unaligned(out, _mm256_castsi256_si128(bytes));
            store_unaligned(out + 9, _mm256_extracti128_si256(bytes, 1));
        }
    } else {
        const __m256i order =
            _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 3, 4, 8, 9, 10, 11, 12, -1, -1, -1, -1, -1, -1));
        for (std::size_t i = 0; i < kN; i += kLanes, out += 20) {
            const __m256i bytes = _mm256_shuffle_epi8(pairs<20>(z, i, gamma1), order);
            store_unaligned(out, _mm256_castsi256_si128(bytes));
            store_unaligned(out + 10, _mm256_extracti128_si256(bytes, 1));
        }
    }
}

} // namespace aios::crypto::detail::ml_dsa
