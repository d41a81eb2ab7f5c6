// Polynomials as bytes, and their compression, with AVX2. See poly.hpp.
//
// Sixteen coefficients are one register; eight numbers of D bits are D bytes. Nothing here reads or writes beyond a
// polynomial's bytes.
#include "crypto/ml_kem/poly.hpp"
#include "crypto/ml_kem/vectors_avx2.hpp"

namespace aios::crypto::ml_kem {

namespace {

// ByteEncode (FIPS 203 algorithm 5) of sixteen numbers: neighbours are joined to 2 D bits, to 4 D, to 8 D.
template <std::size_t D>
[[gnu::always_inline]] inline void pack(__m256i numbers, std::byte* out) {
    const __m256i twos = _mm256_madd_epi16(numbers, _mm256_set1_epi32(1 + (1 << (16 + D))));
    constexpr int kGap = 32 - 2 * D;
    const __m256i fours = _mm256_srli_epi64(_mm256_sllv_epi32(twos, _mm256_set1_epi64x(kGap)), kGap);
    // The upper 64 bits go behind the lower ones, and what does not fit there stays in the upper ones.
    const __m256i upper = _mm256_slli_epi64(_mm256_bsrli_epi128(fours, 8), 4 * D);
    const __m256i rest = _mm256_srlv_epi64(fours, _mm256_set_epi64x(64 - 4 * D, 0, 64 - 4 * D, 0));
    const __m256i eights = _mm256_or_si256(rest, upper);
    const __m128i halves[2] = {_mm256_castsi256_si128(eights), _mm256_extracti128_si256(eights, 1)};
    __builtin_memcpy(out, &halves[0], D);
    __builtin_memcpy(out + D, &halves[1], D);
}

// Where number i of eight begins: in which byte of the D, and with how many bits of that byte left out. A lane of 32
// bits takes its number's three bytes. Skipped is where the D bytes begin in the 16 that are loaded.
template <std::size_t D, std::size_t Skipped>
struct Fields {
    alignas(32) std::uint8_t bytes[32];
    alignas(32) std::uint32_t bits[8];

    consteval Fields() : bytes{}, bits{} {
        for (std::size_t i = 0; i < 8; ++i) {
            for (std::size_t j = 0; j < 4; ++j) {
                const std::size_t from = Skipped + i * D / 8 + j;
                bytes[4 * i + j] = static_cast<std::uint8_t>(j < 3 && from < 16 ? from : 0x80);
            }
            bits[i] = static_cast<std::uint32_t>(i * D % 8);
        }
    }
};

// ByteDecode (algorithm 6) of eight numbers from D bytes, as lanes of 32 bits. The 16 bytes that are loaded begin
// Skipped bytes before them.
template <std::size_t D, std::size_t Skipped>
[[gnu::always_inline]] inline __m256i unpack_eight(const std::byte* in) {
    static constexpr Fields<D, Skipped> kFields;
    // SAFETY: vector types may alias anything; the tables are 32 bytes, aligned.
    const __m256i bytes = _mm256_load_si256(reinterpret_cast<const __m256i*>(kFields.bytes));
    const __m256i bits = _mm256_load_si256(reinterpret_cast<const __m256i*>(kFields.bits));
    const __m128i loaded = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in - Skipped)); // SAFETY: as above
    const __m256i spread = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(loaded), bytes);
    return _mm256_and_si256(_mm256_srlv_epi32(spread, bits), _mm256_set1_epi32((1 << D) - 1));
}

// Calls take(v, numbers) for the sixteen numbers of each register.
template <std::size_t D, typename Take>
[[gnu::always_inline]] inline void unpack(const std::byte* in, const Take& take) {
    constexpr std::size_t kBefore = 16 - D;
    const auto join = [](__m256i a, __m256i b) {
        return _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), _MM_SHUFFLE(3, 1, 2, 0));
    };
    // The last two from the 16 bytes that end with theirs: those that begin with them may go beyond the polynomial's.
    constexpr std::size_t kFromBegin = kVectors - 2;
    static_assert(2 * D * (kFromBegin - 1) + D + 16 <= 2 * D * kVectors);
    for (std::size_t v = 0; v < kFromBegin; ++v)
        take(v, join(unpack_eight<D, 0>(in + 2 * D * v), unpack_eight<D, 0>(in + 2 * D * v + D)));
    for (std::size_t v = kFromBegin; v < kVectors; ++v)
        take(v, join(unpack_eight<D, kBefore>(in + 2 * D * v), unpack_eight<D, kBefore>(in + 2 * D * v + D)));
}

// Compress_d (4.7): the rounded product with 2^D / q, here with a factor of 16 bits, is wrong by one at most; the
// remainder x * 2^D - y * q tells, and is small enough to be exact in 16 bits. A negative x gives a number
// that is right modulo 2^D.
template <std::size_t D>
[[gnu::always_inline]] inline __m256i compressed(__m256i x) {
    constexpr std::int16_t kFactor = ((1 << (15 + D)) + kQ / 2) / kQ;
    const __m256i y = _mm256_mulhrs_epi16(x, _mm256_set1_epi16(kFactor));
    const __m256i remainder = _mm256_sub_epi16(_mm256_slli_epi16(x, D), _mm256_mullo_epi16(y, _mm256_set1_epi16(kQ)));
    const __m256i up = _mm256_cmpgt_epi16(remainder, _mm256_set1_epi16(kQ / 2));
    const __m256i down = _mm256_cmpgt_epi16(_mm256_set1_epi16(-kQ / 2), remainder);
    const __m256i corrected = _mm256_add_epi16(_mm256_sub_epi16(y, up), down);
    return _mm256_and_si256(corrected, _mm256_set1_epi16((1 << D) - 1));
}

template <std::size_t D>
[[gnu::always_inline]] inline void compress_all(const Poly& poly, std::byte* out) {
    for (std::size_t v = 0; v < kVectors; ++v)
        pack<D>(compressed<D>(load(&poly.c[16 * v])), out + 2 * D * v);
}

// Decompress_d (4.8): the instruction rounds as the standard does, (y * 2^(15 - D) * q + 2^14) >> 15.
template <std::size_t D>
[[gnu::always_inline]] inline void decompress_all(const std::byte* in, Poly& poly) {
    const __m256i q = _mm256_set1_epi16(kQ);
    unpack<D>(in, [&](std::size_t v, __m256i numbers) {
        store(&poly.c[16 * v], _mm256_mulhrs_epi16(_mm256_slli_epi16(numbers, 15 - D), q));
    });
}

} // namespace

void encode_avx2(const Poly& poly, std::byte* out) {
    for (std::size_t v = 0; v < kVectors; ++v)
        pack<12>(canonical(load(&poly.c[16 * v])), out + 24 * v);
}

std::uint32_t decode_avx2(const std::byte* in, Poly& poly) {
    const __m256i q = _mm256_set1_epi16(kQ);
    __m256i below = _mm256_set1_epi16(-1);
    unpack<12>(in, [&](std::size_t v, __m256i numbers) {
        const __m256i is_below = _mm256_cmpgt_epi16(q, numbers);
        below = _mm256_and_si256(below, is_below);
        store(&poly.c[16 * v], _mm256_sub_epi16(numbers, _mm256_andnot_si256(is_below, q)));
    });
    return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(below));
}

// Specialisations, not instantiations: those would be shared functions, which the linker may take for others' use.
template <>
void compress_avx2<4>(const Poly& poly, std::byte* out) {
    compress_all<4>(poly, out);
}
template <>
void compress_avx2<5>(const Poly& poly, std::byte* out) {
    compress_all<5>(poly, out);
}
template <>
void compress_avx2<10>(const Poly& poly, std::byte* out) {
    compress_all<10>(poly, out);
}
template <>
void compress_avx2<11>(const Poly& poly, std::byte* out) {
    compress_all<11>(poly, out);
}
template <>
void decompress_avx2<4>(const std::byte* in, Poly& poly) {
    decompress_all<4>(in, poly);
}
template <>
void decompress_avx2<5>(const std::byte* in, Poly& poly) {
    decompress_all<5>(in, poly);
}
template <>
void decompress_avx2<10>(const std::byte* in, Poly& poly) {
    decompress_all<10>(in, poly);
}
template <>
void decompress_avx2<11>(const std::byte* in, Poly& poly) {
    decompress_all<11>(in, poly);
}

// A bit is 1 if the coefficient is nearer to q / 2 than to 0: if its absolute residue is 833 or more.
void compress_message_avx2(const Poly& poly, std::byte* message) {
    const auto far = [&](std::size_t v) {
        const __m256i residue = _mm256_abs_epi16(barrett_reduce(load(&poly.c[16 * v])));
        return _mm256_cmpgt_epi16(residue, _mm256_set1_epi16(832));
    };
    for (std::size_t v = 0; v < kVectors; v += 2) {
        const __m256i joined =
            _mm256_permute4x64_epi64(_mm256_packs_epi16(far(v), far(v + 1)), _MM_SHUFFLE(3, 1, 2, 0));
        const int bits = _mm256_movemask_epi8(joined);
        __builtin_memcpy(message + 2 * v, &bits, 4);
    }
}

void decompress_message_avx2(const std::byte* message, Poly& poly) {
    const __m256i bit = _mm256_set_epi16(-0x8000, 0x4000, 0x2000, 0x1000, 0x800, 0x400, 0x200, 0x100, //
                                         0x80, 0x40, 0x20, 0x10, 8, 4, 2, 1);
    for (std::size_t v = 0; v < kVectors; ++v) {
        std::int16_t bits;
        __builtin_memcpy(&bits, message + 2 * v, 2);
        const __m256i mask = _mm256_cmpeq_epi16(_mm256_and_si256(_mm256_set1_epi16(bits), bit), bit);
        store(&poly.c[16 * v], _mm256_and_si256(mask, _mm256_set1_epi16((kQ + 1) / 2)));
    }
}

} // namespace aios::crypto::ml_kem
