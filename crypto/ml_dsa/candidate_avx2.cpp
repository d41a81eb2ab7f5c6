// The comparisons and hints of signing with AVX2: the computations of candidate.cpp, eight coefficients at a time.
#include "crypto/ml_dsa/rounding.hpp"
#include "crypto/ml_dsa/vectors_avx2.hpp"

#include "crypto/constant_time.hpp"

namespace aios::crypto::detail::ml_dsa {

namespace {

template <typename Change>
[[gnu::always_inline]] inline std::uint32_t change_and_compare(Polynomial& a, std::int32_t bound, Change change) {
    const __m256i largest = _mm256_set1_epi32(bound - 1);
    __m256i any = _mm256_setzero_si256();
    for (std::size_t i = 0; i < kN; i += kLanes) {
        const __m256i value = reduce_centred(change(load(&a[i]), i));
        store(&a[i], value);
        any = _mm256_or_si256(any, _mm256_sub_epi32(largest, _mm256_abs_epi32(value)));
    }
    const auto signs = static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(any)));
    return mask_if_nonzero(signs);
}

} // namespace

std::uint32_t add_and_compare_avx2(Polynomial& a, const Polynomial& b, std::int32_t bound) {
    return change_and_compare(a, bound,
                              [&](__m256i value, std::size_t i) { return _mm256_add_epi32(value, load(&b[i])); });
}

std::uint32_t subtract_and_compare_avx2(Polynomial& a, const Polynomial& b, std::int32_t bound) {
    return change_and_compare(a, bound,
                              [&](__m256i value, std::size_t i) { return _mm256_sub_epi32(value, load(&b[i])); });
}

std::uint32_t reduce_and_compare_avx2(Polynomial& a, std::int32_t bound) {
    return change_and_compare(a, bound, [](__m256i value, std::size_t) { return value; });
}

std::uint32_t make_hint_avx2(std::int32_t gamma2, const Polynomial& low, const Polynomial& change, Polynomial& high) {
    const __m256i edge = _mm256_set1_epi32(gamma2);
    const __m256i zero = _mm256_setzero_si256();
    __m256i ones = zero;
    for (std::size_t i = 0; i < kN; i += kLanes) {
        const __m256i sum = _mm256_add_epi32(load(&low[i]), load(&change[i]));
        const __m256i outside = _mm256_cmpgt_epi32(_mm256_abs_epi32(sum), edge);
        const __m256i at_edge = _mm256_cmpeq_epi32(_mm256_add_epi32(sum, edge), zero);
        const __m256i from_zero = _mm256_cmpeq_epi32(load(&high[i]), zero);
        const __m256i hint = _mm256_srli_epi32(_mm256_or_si256(outside, _mm256_andnot_si256(from_zero, at_edge)), 31);
        store(&high[i], hint);
        ones = _mm256_add_epi32(ones, hint);
    }
    __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(ones), _mm256_extracti128_si256(ones, 1));
    sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0x4e));
    sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0xb1));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(sums));
}

} // namespace aios::crypto::detail::ml_dsa
