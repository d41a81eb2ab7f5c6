// Poly1305 with AVX2: four blocks side by side in limbs of 26 bits, eight blocks a step. See poly1305.hpp.
//
// Each of four lanes evaluates a polynomial in r^4 over every fourth block; lane by lane the last step multiplies by
// r^4, r^3, r^2 or r instead, and then the lanes add up to the polynomial in r. A step takes two blocks in each lane,
// sum = (sum + first) * r^8 + second * r^4, so that one reduction serves both and half of the products wait for none.
//
// Constant time: no branch and no address depends on more than the number of blocks.

#include <array>
#include <cstdint>
#include <utility>

#include <immintrin.h>

#include "crypto/chacha20/poly1305_block.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto::detail::chacha20 {

namespace {

constexpr std::size_t kLimbs = 5;
constexpr std::size_t kLanes = 4;
constexpr std::size_t kStep = 2 * kLanes; // blocks
constexpr unsigned kBits = 26;
constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;

// The block that a lane holds of four; interleaving two registers puts them in this order.
constexpr std::array<std::size_t, kLanes> kBlockOfLane = {0, 2, 1, 3};

using Limbs = std::array<std::uint64_t, kLimbs>;

using Row = std::array<std::uint64_t, kLanes>; // a word of every lane

// What every lane multiplies by: limbs of a power of r, and five times all but the first, for what wraps around.
struct Multiplier {
    alignas(32) std::array<Row, kLimbs> limb;
    alignas(32) std::array<Row, kLimbs - 1> wrapped;
};

// Of a number below 2^131.
Limbs to_limbs(const std::array<std::uint64_t, 3>& h) {
    return {h[0] & kMask, h[0] >> 26 & kMask, (h[0] >> 52 | h[1] << 12) & kMask, h[1] >> 14 & kMask,
            h[1] >> 40 | h[2] << 24};
}

void set_lane(Multiplier& multiplier, std::size_t lane, const Limbs& power) {
    for (std::size_t i = 0; i < kLimbs; ++i)
        multiplier.limb[i][lane] = power[i];
    for (std::size_t i = 1; i < kLimbs; ++i)
        multiplier.wrapped[i - 1][lane] = 5 * power[i];
}

// SAFETY: 32 bytes that are there; the loads need no alignment.
[[gnu::always_inline]] inline __m256i load(const void* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

// Limbs of four blocks, with the bit that stands above each.
[[gnu::always_inline]] inline void load_blocks(const std::byte* from, __m256i (&limb)[kLimbs]) {
    const __m256i mask = _mm256_set1_epi64x(static_cast<long long>(kMask));
    const __m256i a = load(from);
    const __m256i b = load(from + 32);
    const __m256i low = _mm256_unpacklo_epi64(a, b);
    const __m256i high = _mm256_unpackhi_epi64(a, b);
    limb[0] = _mm256_and_si256(low, mask);
    limb[1] = _mm256_and_si256(_mm256_srli_epi64(low, 26), mask);
    limb[2] = _mm256_and_si256(_mm256_or_si256(_mm256_srli_epi64(low, 52), _mm256_slli_epi64(high, 12)), mask);
    limb[3] = _mm256_and_si256(_mm256_srli_epi64(high, 14), mask);
    limb[4] = _mm256_or_si256(_mm256_srli_epi64(high, 40), _mm256_set1_epi64x(1 << 24));
}

// The product of limb I of `a` and limb J of `by`.
template <std::size_t J, std::size_t I>
[[gnu::always_inline]] inline void add_limb_product(__m256i (&sum)[kLimbs], const __m256i (&a)[kLimbs],
                                                    const Multiplier& by) {
    const __m256i factor = load(I + J < kLimbs ? by.limb[J].data() : by.wrapped[J - 1].data());
    sum[(I + J) % kLimbs] = _mm256_add_epi64(sum[(I + J) % kLimbs], _mm256_mul_epu32(a[I], factor));
}

// sum += a * by. Limbs of `a` are below 2^28, those of `by` below 2^27: ten products and more stay below 2^62.
[[gnu::always_inline]] inline void add_product(__m256i (&sum)[kLimbs], const __m256i (&a)[kLimbs],
                                               const Multiplier& by) {
    // Unrolled by hand: compilers keep a loop this large, and then the sums in memory.
    [&]<std::size_t... K>(std::index_sequence<K...>) __attribute__((always_inline)) {
        (add_limb_product<K / kLimbs, K % kLimbs>(sum, a, by), ...);
    }(std::make_index_sequence<kLimbs * kLimbs>());
}

// Carries: all limbs are below 2^26 and a little then.
[[gnu::always_inline]] inline void reduce(__m256i (&d)[kLimbs]) {
    const __m256i mask = _mm256_set1_epi64x(static_cast<long long>(kMask));
    const auto carry = [&](std::size_t from, std::size_t to) __attribute__((always_inline)) {
        const __m256i above = _mm256_srli_epi64(d[from], kBits);
        d[from] = _mm256_and_si256(d[from], mask);
        d[to] = _mm256_add_epi64(d[to], above);
        if (to == 0) d[to] = _mm256_add_epi64(d[to], _mm256_slli_epi64(above, 2)); // 2^130 is 5
    };
    carry(0, 1);
    carry(3, 4);
    carry(1, 2);
    carry(4, 0);
    carry(2, 3);
    carry(0, 1);
    carry(3, 4);
}

// A run under way. Made from the key: whoever has one wipes it.
struct Poly1305Lanes {
    Multiplier first;  // r^8
    Multiplier second; // r^4
    alignas(32) std::array<Row, kLimbs> sum;
    Poly1305 power;

    void begin(const Poly1305& mac) {
        sum = {};
        const Limbs before = to_limbs(mac.sum);
        for (std::size_t i = 0; i < kLimbs; ++i)
            sum[i][0] = before[i];
        each_power(mac, [&](std::size_t exponent, const Limbs& limbs) {
            for (std::size_t lane = 0; lane < kLanes && exponent % kLanes == 0; ++lane)
                set_lane(exponent == kStep ? first : second, lane, limbs);
        });
    }

    // Eight blocks, of a run that has more. Not inlined twice: its vectors would be on the stack of both places.
    [[gnu::noinline]] void step(const std::byte* data) {
        __m256i block[kLimbs];
        __m256i before[kLimbs];
        load_blocks(data, block);
        for (std::size_t i = 0; i < kLimbs; ++i)
            before[i] = _mm256_add_epi64(load(sum[i].data()), block[i]);
        __m256i product[kLimbs] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                                   _mm256_setzero_si256(), _mm256_setzero_si256()};
        load_blocks(data + 64, block);
        add_product(product, block, second);
        add_product(product, before, first);
        reduce(product);
        for (std::size_t i = 0; i < kLimbs; ++i) // SAFETY: a row is as large as a vector and aligned like it
            _mm256_store_si256(reinterpret_cast<__m256i*>(sum[i].data()), product[i]);
    }

    // The last eight blocks, and the sum into `mac`.
    void end(Poly1305& mac, const std::byte* data) {
        each_power(mac, [&](std::size_t exponent, const Limbs& limbs) {
            for (std::size_t lane = 0; lane < kLanes; ++lane) {
                if (exponent == kStep - kBlockOfLane[lane]) set_lane(first, lane, limbs);
                if (exponent == kLanes - kBlockOfLane[lane]) set_lane(second, lane, limbs);
            }
        });
        step(data);
        // The lanes' sum, with limbs below 2^29, back in words.
        Limbs total{};
        for (std::size_t i = 0; i < kLimbs; ++i)
            for (const std::uint64_t lane : sum[i])
                total[i] += lane;
        Wide carry = Wide{total[0]} + (Wide{total[1]} << 26) + (Wide{total[2]} << 52);
        mac.sum[0] = static_cast<std::uint64_t>(carry);
        carry = (carry >> 64) + (Wide{total[3]} << 14) + (Wide{total[4]} << 40);
        mac.sum[1] = static_cast<std::uint64_t>(carry);
        // What stands at 2^130 and above comes down five times, as in add_block().
        const std::uint64_t top = upper(carry);
        carry = Wide{mac.sum[0]} + 5 * (top >> 2);
        mac.sum[0] = static_cast<std::uint64_t>(carry);
        carry = Wide{mac.sum[1]} + upper(carry);
        mac.sum[1] = static_cast<std::uint64_t>(carry);
        mac.sum[2] = (top & 3) + upper(carry);
    }

private:
    // r, r^2, ... r^8 with their exponents.
    template <typename Body>
    [[gnu::always_inline]] void each_power(const Poly1305& mac, const Body& body) {
        power = mac;
        power.sum = {mac.r[0], mac.r[1], 0};
        for (std::size_t exponent = 1; exponent <= kStep; ++exponent) {
            body(exponent, to_limbs(power.sum));
            add_block(power, 0, 0, 0);
        }
    }
};

} // namespace

void poly1305_blocks_avx2(Poly1305& mac, const std::byte* data, std::size_t count) {
    if (count >= kStep) {
        Poly1305Lanes lanes;
        lanes.begin(mac);
        for (; count >= 2 * kStep; count -= kStep, data += 16 * kStep)
            lanes.step(data);
        lanes.end(mac, data);
        secure_wipe_object(lanes);
        count -= kStep;
        data += 16 * kStep;
    }
    poly1305_blocks(mac, data, count);
}

} // namespace aios::crypto::detail::chacha20
