// ChaCha20 with AVX2, eight blocks at a time: a register holds one word of the state of all eight. See chacha20.hpp.
#include <immintrin.h>

#include "crypto/chacha20/chacha20.hpp"
#include "crypto/constant_time.hpp"

namespace aios::crypto::detail::chacha20 {

namespace {

// SAFETY: vectors may be read from and written to any 32 bytes; these accesses need no alignment.
__m256i load(const std::byte* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
void store(std::byte* to, __m256i value) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value); }

// Orders of bytes that rotate each 32-bit word by 16 and by 8. The compiler must not know them: it would take two
// instructions in place of one shuffle.
struct ByteOrders {
    __m256i by16;
    __m256i by8;
};

ByteOrders byte_orders() {
    const __m256i unknown = _mm256_set1_epi8(static_cast<char>(opaque(std::uint8_t{0})));
    return {_mm256_xor_si256(unknown, _mm256_set_epi64x(0x0d0c0f0e09080b0a, 0x0504070601000302, 0x0d0c0f0e09080b0a,
                                                        0x0504070601000302)),
            _mm256_xor_si256(unknown, _mm256_set_epi64x(0x0e0d0c0f0a09080b, 0x0605040702010003, 0x0e0d0c0f0a09080b,
                                                        0x0605040702010003))};
}

template <int By>
[[gnu::always_inline]] inline __m256i rotate(__m256i x) {
    return _mm256_or_si256(_mm256_slli_epi32(x, By), _mm256_srli_epi32(x, 32 - By));
}

// Section 2.1, in eight blocks; four of them side by side keep the processor busy.
[[gnu::always_inline]] inline void four_quarter_rounds(__m256i (&x)[16], const ByteOrders& orders, std::size_t shift) {
    const auto each = [&](auto step) __attribute__((always_inline)) {
        for (std::size_t i = 0; i < 4; ++i)
            step(x[i], x[4 + (i + shift) % 4], x[8 + (i + 2 * shift) % 4], x[12 + (i + 3 * shift) % 4]);
    };
    each([&](__m256i& a, __m256i& b, __m256i&, __m256i& d) {
        a = _mm256_add_epi32(a, b);
        d = _mm256_shuffle_epi8(_mm256_xor_si256(d, a), orders.by16);
    });
    each([](__m256i&, __m256i& b, __m256i& c, __m256i& d) {
        c = _mm256_add_epi32(c, d);
        b = rotate<12>(_mm256_xor_si256(b, c));
    });
    each([&](__m256i& a, __m256i& b, __m256i&, __m256i& d) {
        a = _mm256_add_epi32(a, b);
        d = _mm256_shuffle_epi8(_mm256_xor_si256(d, a), orders.by8);
    });
    each([](__m256i&, __m256i& b, __m256i& c, __m256i& d) {
        c = _mm256_add_epi32(c, d);
        b = rotate<7>(_mm256_xor_si256(b, c));
    });
}

// Eight words of eight blocks: before, x[i] is word i of all blocks; after, x[i] is all words of block i.
[[gnu::always_inline]] inline void transpose(__m256i* x) {
    __m256i pair[8];
    for (std::size_t i = 0; i < 8; i += 2) {
        pair[i] = _mm256_unpacklo_epi32(x[i], x[i + 1]);
        pair[i + 1] = _mm256_unpackhi_epi32(x[i], x[i + 1]);
    }
    __m256i quad[8]; // quad[4h + b]: words 4h to 4h+3 of block b in the lower half, of block b + 4 in the upper
    for (std::size_t h = 0; h < 8; h += 4) {
        quad[h] = _mm256_unpacklo_epi64(pair[h], pair[h + 2]);
        quad[h + 1] = _mm256_unpackhi_epi64(pair[h], pair[h + 2]);
        quad[h + 2] = _mm256_unpacklo_epi64(pair[h + 1], pair[h + 3]);
        quad[h + 3] = _mm256_unpackhi_epi64(pair[h + 1], pair[h + 3]);
    }
    for (std::size_t b = 0; b < 4; ++b) {
        x[b] = _mm256_permute2x128_si256(quad[b], quad[b + 4], 0x20);
        x[b + 4] = _mm256_permute2x128_si256(quad[b], quad[b + 4], 0x31);
    }
}

// The block function of section 2.3 for eight counters. Then x[i] is the first half of block i, x[8 + i] the second.
[[gnu::always_inline]] inline void next_blocks(State& state, __m256i (&x)[16]) {
    const ByteOrders orders = byte_orders();
    const __m256i counters = _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(state.words[12])),
                                              _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
    for (std::size_t i = 0; i < 16; ++i)
        x[i] = i == 12 ? counters : _mm256_set1_epi32(static_cast<int>(state.words[i]));
    for (unsigned i = 0; i < kDoubleRounds; ++i) {
        four_quarter_rounds(x, orders, 0);
        four_quarter_rounds(x, orders, 1);
    }
    for (std::size_t i = 0; i < 16; ++i)
        x[i] = _mm256_add_epi32(x[i], i == 12 ? counters : _mm256_set1_epi32(static_cast<int>(state.words[i])));
    transpose(x);
    transpose(x + 8);
    state.words[12] += 8;
}

} // namespace

void Avx2::keystream(State& state, std::byte* out) {
    __m256i x[16];
    next_blocks(state, x);
    for (std::size_t i = 0; i < 8; ++i) {
        store(out + kBlockSize * i, x[i]);
        store(out + kBlockSize * i + 32, x[8 + i]);
    }
}

void Avx2::apply(State& state, const std::byte* in, std::byte* out, std::size_t batches) {
    for (; batches > 0; --batches, in += kBatchSize, out += kBatchSize) {
        __m256i x[16];
        next_blocks(state, x);
        for (std::size_t i = 0; i < 8; ++i) {
            const std::size_t at = kBlockSize * i;
            store(out + at, _mm256_xor_si256(x[i], load(in + at)));
            store(out + at + 32, _mm256_xor_si256(x[8 + i], load(in + at + 32)));
        }
    }
}

} // namespace aios::crypto::detail::chacha20
