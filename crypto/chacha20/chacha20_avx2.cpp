// ChaCha20 with AVX2, eight blocks at a time: a register holds one word of the state of all eight. See chacha20.hpp.
//
// Each step of a quarter round waits for the one before, and eight blocks are too little work to fill that time. So long
// runs take two times eight: while the steps of one half wait, those of the other run. Both do not fit into the
// registers; the half whose turn it is not stands in memory. What still is idle, the units for integers, authenticates
// the blocks before.
//
// Constant time: no branch and no address depends on more than lengths.
#include <utility>

#include <immintrin.h>

#include "base/bytes.hpp"
#include "crypto/chacha20/chacha20.hpp"
#include "crypto/chacha20/poly1305_block.hpp"
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
template <std::size_t Shift>
[[gnu::always_inline]] inline void four_quarter_rounds(__m256i (&x)[16], const ByteOrders& orders) {
    const auto each = [&](auto step) __attribute__((always_inline)) {
        [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
            (step(x[I], x[4 + (I + Shift) % 4], x[8 + (I + 2 * Shift) % 4], x[12 + (I + 3 * Shift) % 4]), ...);
        }(std::make_index_sequence<4>());
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

// The state before the rounds, for eight counters from that of `state` + `ahead` on.
[[gnu::always_inline]] inline __m256i initial(const State& state, std::size_t word, std::uint32_t ahead) {
    const __m256i all = _mm256_set1_epi32(static_cast<int>(state.words[word] + (word == 12 ? ahead : 0)));
    return word == 12 ? _mm256_add_epi32(all, _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0)) : all;
}

// After the rounds. Then x[i] is the first half of block i, x[8 + i] the second.
[[gnu::always_inline]] inline void finish(const State& state, std::uint32_t ahead, __m256i (&x)[16]) {
    for (std::size_t i = 0; i < 16; ++i)
        x[i] = _mm256_add_epi32(x[i], initial(state, i, ahead));
    transpose(x);
    transpose(x + 8);
}

[[gnu::always_inline]] inline void add_blocks(const __m256i (&x)[16], const std::byte* in, std::byte* out) {
    for (std::size_t i = 0; i < 8; ++i) {
        const std::size_t at = kBlockSize * i;
        store(out + at, _mm256_xor_si256(x[i], load(in + at)));
        store(out + at + 32, _mm256_xor_si256(x[8 + i], load(in + at + 32)));
    }
}

// The block function of section 2.3 for eight counters.
[[gnu::always_inline]] inline void next_blocks(State& state, __m256i (&x)[16]) {
    const ByteOrders orders = byte_orders();
    for (std::size_t i = 0; i < 16; ++i)
        x[i] = initial(state, i, 0);
    for (unsigned i = 0; i < kDoubleRounds; ++i) {
        four_quarter_rounds<0>(x, orders);
        four_quarter_rounds<1>(x, orders);
    }
    finish(state, 0, x);
    state.words[12] += 8;
}

// Half a double round on eight blocks of two times eight, from memory to memory. The compiler may not mix it with that of
// the other half: it would have to move single registers out of the way again and again.
template <std::size_t Shift>
[[gnu::always_inline]] inline void half_round(__m256i* half, const ByteOrders& orders) {
    __m256i x[16];
    for (std::size_t i = 0; i < 16; ++i)
        x[i] = half[i];
    four_quarter_rounds<Shift>(x, orders);
    for (std::size_t i = 0; i < 16; ++i)
        half[i] = x[i];
    __atomic_signal_fence(__ATOMIC_SEQ_CST); // for the compiler alone: no instruction
}

// The two batches that `in` holds. `between()` runs 40 times.
template <typename Between>
[[gnu::always_inline]] inline void apply_two(State& state, std::byte* work, const std::byte* in, std::byte* out,
                                             const Between& between) {
    constexpr std::size_t kBatch = Avx2::kBatchSize;
    const ByteOrders orders = byte_orders();
    // SAFETY: 1,024 bytes, aligned to 32; __m256i may alias them.
    __m256i* const half[2] = {reinterpret_cast<__m256i*>(work), reinterpret_cast<__m256i*>(work + kBatch)};
    for (std::uint32_t h = 0; h < 2; ++h)
        for (std::size_t i = 0; i < 16; ++i)
            half[h][i] = initial(state, i, 8 * h);
    for (unsigned i = 0; i < kDoubleRounds; ++i) {
        half_round<0>(half[0], orders);
        between();
        half_round<0>(half[1], orders);
        between();
        half_round<1>(half[0], orders);
        between();
        half_round<1>(half[1], orders);
        between();
    }
    for (std::uint32_t h = 0; h < 2; ++h) {
        __m256i x[16];
        for (std::size_t i = 0; i < 16; ++i)
            x[i] = half[h][i];
        finish(state, 8 * h, x);
        add_blocks(x, in + kBatch * h, out + kBatch * h);
    }
    state.words[12] += 16;
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

void Avx2::apply(State& state, std::byte* work, const std::byte* in, std::byte* out, std::size_t batches) {
    for (; batches >= 2; batches -= 2, in += 2 * kBatchSize, out += 2 * kBatchSize)
        apply_two(state, work, in, out, []() __attribute__((always_inline)) {});
    if (batches == 0) return;
    __m256i x[16];
    next_blocks(state, x);
    add_blocks(x, in, out);
}

std::size_t Avx2::seal(State& state, Poly1305& mac, std::byte* work, std::size_t before, const std::byte* in,
                       std::byte* out, std::size_t batches) {
    // Output that is not authenticated yet: `waiting` blocks of 16 bytes that end where `out` begins.
    const std::byte* const first = out - 16 * before;
    const std::byte* from = first;
    std::size_t waiting = before;
    Poly1305 now = mac;
    for (; batches >= 2; batches -= 2, in += 2 * kBatchSize, out += 2 * kBatchSize) {
        apply_two(state, work, in, out, [&]() __attribute__((always_inline)) {
            if (waiting < 2) return;
            add_block(now, load_le<std::uint64_t>(from), load_le<std::uint64_t>(from + 8), 1);
            add_block(now, load_le<std::uint64_t>(from + 16), load_le<std::uint64_t>(from + 24), 1);
            from += 32;
            waiting -= 2;
        });
        waiting += 2 * kBatchSize / 16;
    }
    mac.sum = now.sum;
    apply(state, work, in, out, batches);
    return static_cast<std::size_t>(from - first) / 16;
}

} // namespace aios::crypto::detail::chacha20
