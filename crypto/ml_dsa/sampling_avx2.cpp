// Rejection sampling with AVX2: eight candidates are compared at once, and a table that the mask of the answers selects
// moves the accepted ones together. See sampling.hpp.
#include <array>
#include <bit>

#include "crypto/constant_time.hpp"
#include "crypto/ml_dsa/sampling.hpp"
#include "crypto/ml_dsa/vectors_avx2.hpp"

namespace aios::crypto::detail::ml_dsa {

namespace {

// Entry m lists the positions of the ones in m; what follows them is never used.
constexpr std::array<std::array<std::uint8_t, 8>, 256> kPositions = [] {
    std::array<std::array<std::uint8_t, 8>, 256> table{};
    for (std::size_t mask = 0; mask < 256; ++mask) {
        std::size_t count = 0;
        for (std::uint8_t bit = 0; bit < 8; ++bit)
            if ((mask >> bit & 1) != 0) table[mask][count++] = bit;
    }
    return table;
}();

__m128i positions(std::uint32_t mask) {
    // SAFETY: an entry has the eight bytes that are loaded; this load needs no alignment.
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kPositions[mask].data()));
}

} // namespace

std::size_t reject_uniform_avx2(Polynomial& to, std::size_t have, const std::byte* from, std::size_t size) {
    // Each lane of the shuffle sees 12 of the 24 bytes: the upper one starts at byte 8.
    const __m256i order = _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1, //
                                           4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1);
    const __m256i bits = _mm256_set1_epi32(0x7fffff);
    const __m256i q = _mm256_set1_epi32(kQ);
    const std::byte* const end = from + size;
    for (; from != end && have <= kN - kLanes; from += 24) {
        const __m256i spread = _mm256_permute4x64_epi64(load_unaligned(from), 0x94);
        const __m256i candidates = _mm256_and_si256(_mm256_shuffle_epi8(spread, order), bits);
        const auto accepted =
            static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_sub_epi32(candidates, q))));
        const __m256i moves = _mm256_cvtepu8_epi32(positions(accepted));
        store_unaligned(&to[have], _mm256_permutevar8x32_epi32(candidates, moves));
        have += static_cast<std::size_t>(std::popcount(accepted));
    }
    return reject_uniform_portable(to, have, from, static_cast<std::size_t>(end - from));
}

std::size_t reject_bounded_avx2(std::int32_t eta, Polynomial& to, std::size_t have, const std::byte* from,
                                std::size_t size) {
    // Values by half byte; the register is the table, so that nothing secret is an address.
    const __m128i of_two = _mm_setr_epi8(2, 1, 0, -1, -2, 2, 1, 0, -1, -2, 2, 1, 0, -1, -2, 0);
    const __m128i of_four = _mm_setr_epi8(4, 3, 2, 1, 0, -1, -2, -3, -4, 0, 0, 0, 0, 0, 0, 0);
    const __m128i values = eta == 2 ? of_two : of_four;
    const __m128i limit = _mm_set1_epi8(eta == 2 ? 15 : 9);
    const std::byte* const end = from + size;
    for (; from != end && have <= kN - 2 * kLanes; from += 8) {
        // SAFETY: size is a multiple of 8, so that eight bytes are left; this load needs no alignment.
        const __m128i bytes = _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
        const __m128i halves = _mm_and_si128(_mm_or_si128(bytes, _mm_slli_epi16(bytes, 4)), _mm_set1_epi8(15));
        __m128i selected = _mm_shuffle_epi8(values, halves);
        // Which half bytes were rejected says nothing about the values of those that were not.
        const std::uint32_t accepted =
            declassified(static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpgt_epi8(limit, halves))));
        const std::uint32_t first = accepted & 0xff;
        const std::uint32_t second = accepted >> 8;
        store_unaligned(&to[have], _mm256_cvtepi8_epi32(_mm_shuffle_epi8(selected, positions(first))));
        have += static_cast<std::size_t>(std::popcount(first));
        selected = _mm_srli_si128(selected, 8);
        store_unaligned(&to[have], _mm256_cvtepi8_epi32(_mm_shuffle_epi8(selected, positions(second))));
        have += static_cast<std::size_t>(std::popcount(second));
    }
    return reject_bounded_portable(eta, to, have, from, static_cast<std::size_t>(end - from));
}

} // namespace aios::crypto::detail::ml_dsa
