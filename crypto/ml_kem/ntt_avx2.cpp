// The number-theoretic transform and products of transformed polynomials with AVX2. See poly.hpp; the ranges of
// numbers are those that ntt.cpp explains.
//
// The layers with distances from 128 to 16 work on whole registers. For the last three, the halves of two registers'
// blocks are brought together in one register each, so that a butterfly again takes two registers. The order of
// coefficients in memory stays the standard's.
#include "crypto/ml_kem/poly.hpp"
#include "crypto/ml_kem/vectors_avx2.hpp"

namespace aios::crypto::ml_kem {

namespace {

// The factors of a layer inside of registers: element e of pair p belongs to block (32 p + 2 e) / (2 length).
struct Layer {
    FactorVector pairs[kVectors / 2];
};

consteval Layer make_layer(const std::array<Factor, 128>& zetas, std::size_t length) {
    Layer layer{};
    for (std::size_t pair = 0; pair < kVectors / 2; ++pair) {
        for (std::size_t e = 0; e < 16; ++e) {
            const Factor zeta = zetas[128 / length + (32 * pair + 2 * e) / (2 * length)];
            layer.pairs[pair].value[e] = zeta.value;
            layer.pairs[pair].low[e] = zeta.low;
        }
    }
    return layer;
}

constexpr Layer kLayer8 = make_layer(kZetas, 8);
constexpr Layer kLayer4 = make_layer(kZetas, 4);
constexpr Layer kLayer2 = make_layer(kZetas, 2);
constexpr Layer kInverseLayer8 = make_layer(kInverseZetas, 8);
constexpr Layer kInverseLayer4 = make_layer(kInverseZetas, 4);
constexpr Layer kInverseLayer2 = make_layer(kInverseZetas, 2);

struct TwistFactors {
    FactorVector vectors[kVectors];
};

consteval TwistFactors make_twist_factors() {
    TwistFactors factors{};
    for (std::size_t i = 0; i < kN; ++i) {
        const Factor factor = i % 2 == 0 ? kOne : kGammas[i / 2];
        factors.vectors[i / 16].value[i % 16] = factor.value;
        factors.vectors[i / 16].low[i % 16] = factor.low;
    }
    return factors;
}
constexpr TwistFactors kTwistFactors = make_twist_factors();

struct Pair {
    __m256i a;
    __m256i b;
};

// Butterflies of Cooley and Tukey (algorithm 9, lines 8 to 10), and of Gentleman and Sande (algorithm 10).
[[gnu::always_inline]] inline void forward(__m256i& a, __m256i& b, FactorRegisters zeta) {
    const __m256i product = multiply(b, zeta);
    b = _mm256_sub_epi16(a, product);
    a = _mm256_add_epi16(a, product);
}
[[gnu::always_inline]] inline void backward(__m256i& a, __m256i& b, FactorRegisters zeta) {
    const __m256i difference = _mm256_sub_epi16(b, a);
    a = _mm256_add_epi16(a, b);
    b = multiply(difference, zeta);
}

// Each exchanges the second half of every block of `a` with the first half of every block of `b`: blocks of 16, 8 and 4
// coefficients. Twice is nothing.
[[gnu::always_inline]] inline Pair exchange8(__m256i a, __m256i b) {
    return {_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31)};
}
[[gnu::always_inline]] inline Pair exchange4(__m256i a, __m256i b) {
    return {_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b)};
}
[[gnu::always_inline]] inline Pair exchange2(__m256i a, __m256i b) {
    return {_mm256_blend_epi32(a, _mm256_slli_epi64(b, 32), 0xaa),
            _mm256_blend_epi32(_mm256_srli_epi64(a, 32), b, 0xaa)};
}

// Layers 8, 4 and 2 on the 32 coefficients of a pair of registers.
[[gnu::always_inline]] inline void forward_inside(__m256i& a, __m256i& b, std::size_t pair) {
    Pair p = exchange8(a, b);
    forward(p.a, p.b, load(kLayer8.pairs[pair]));
    p = exchange4(p.a, p.b);
    forward(p.a, p.b, load(kLayer4.pairs[pair]));
    p = exchange2(p.a, p.b);
    forward(p.a, p.b, load(kLayer2.pairs[pair]));
    p = exchange2(p.a, p.b);
    p = exchange4(p.a, p.b);
    p = exchange8(p.a, p.b);
    a = barrett_reduce(p.a);
    b = barrett_reduce(p.b);
}
[[gnu::always_inline]] inline void backward_inside(__m256i& a, __m256i& b, std::size_t pair) {
    Pair p = exchange8(a, b);
    p = exchange4(p.a, p.b);
    p = exchange2(p.a, p.b);
    backward(p.a, p.b, load(kInverseLayer2.pairs[pair]));
    p = exchange2(p.a, p.b);
    backward(p.a, p.b, load(kInverseLayer4.pairs[pair]));
    p = exchange4(p.a, p.b);
    backward(p.a, p.b, load(kInverseLayer8.pairs[pair]));
    p = exchange8(barrett_reduce(p.a), p.b);
    a = p.a;
    b = p.b;
}

} // namespace

// FIPS 203 algorithm 9.
void ntt_avx2(Poly& poly) {
    std::int16_t* const c = poly.c.data();
    const FactorRegisters zeta1 = broadcast(kZetas[1]);
    const FactorRegisters zeta2 = broadcast(kZetas[2]);
    const FactorRegisters zeta3 = broadcast(kZetas[3]);
    for (std::size_t at = 0; at < 64; at += 16) {
        __m256i v[4] = {load(c + at), load(c + at + 64), load(c + at + 128), load(c + at + 192)};
        forward(v[0], v[2], zeta1);
        forward(v[1], v[3], zeta1);
        forward(v[0], v[1], zeta2);
        forward(v[2], v[3], zeta3);
        for (std::size_t i = 0; i < 4; ++i)
            store(c + at + 64 * i, v[i]);
    }
    for (std::size_t block = 0; block < 4; ++block) {
        std::int16_t* const at = c + 64 * block;
        __m256i v[4] = {load(at), load(at + 16), load(at + 32), load(at + 48)};
        const FactorRegisters zeta = broadcast(kZetas[4 + block]);
        forward(v[0], v[2], zeta);
        forward(v[1], v[3], zeta);
        forward(v[0], v[1], broadcast(kZetas[8 + 2 * block]));
        forward(v[2], v[3], broadcast(kZetas[9 + 2 * block]));
        forward_inside(v[0], v[1], 2 * block);
        forward_inside(v[2], v[3], 2 * block + 1);
        for (std::size_t i = 0; i < 4; ++i)
            store(at + 16 * i, v[i]);
    }
}

// FIPS 203 algorithm 10.
void inverse_ntt_avx2(Poly& poly) {
    std::int16_t* const c = poly.c.data();
    for (std::size_t block = 0; block < 4; ++block) {
        std::int16_t* const at = c + 64 * block;
        __m256i v[4] = {load(at), load(at + 16), load(at + 32), load(at + 48)};
        backward_inside(v[0], v[1], 2 * block);
        backward_inside(v[2], v[3], 2 * block + 1);
        backward(v[0], v[1], broadcast(kInverseZetas[8 + 2 * block]));
        backward(v[2], v[3], broadcast(kInverseZetas[9 + 2 * block]));
        const FactorRegisters zeta = broadcast(kInverseZetas[4 + block]);
        backward(v[0], v[2], zeta);
        backward(v[1], v[3], zeta);
        store(at, barrett_reduce(v[0]));
        store(at + 16, barrett_reduce(v[1]));
        store(at + 32, v[2]);
        store(at + 48, v[3]);
    }
    const FactorRegisters zeta1 = broadcast(kInverseZetas[1]);
    const FactorRegisters zeta2 = broadcast(kInverseZetas[2]);
    const FactorRegisters zeta3 = broadcast(kInverseZetas[3]);
    const FactorRegisters scale = broadcast(kInverseNttScale);
    for (std::size_t at = 0; at < 64; at += 16) {
        __m256i v[4] = {load(c + at), load(c + at + 64), load(c + at + 128), load(c + at + 192)};
        backward(v[0], v[1], zeta2);
        backward(v[2], v[3], zeta3);
        backward(v[0], v[2], zeta1);
        backward(v[1], v[3], zeta1);
        for (std::size_t i = 0; i < 4; ++i)
            store(c + at + 64 * i, multiply(v[i], scale));
    }
}

void twist_avx2(const Poly& poly, Poly& twisted) {
    for (std::size_t v = 0; v < kVectors; ++v)
        store(&twisted.c[16 * v], multiply(load(&poly.c[16 * v]), load(kTwistFactors.vectors[v])));
}

// FIPS 203 algorithms 11 and 12. A pair of coefficients is a lane of 32 bits, in which one instruction multiplies and
// adds; both sums are reduced together.
void multiply_avx2(const Poly* a, const Poly* b, const Poly* twisted, std::size_t count, Poly& sum) {
    const __m256i q = _mm256_set1_epi16(kQ);
    const __m256i q_inverse = _mm256_set1_epi16(kQInverse);
    const __m256i swap = _mm256_set_epi8(13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2, //
                                         13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2);
    for (std::size_t at = 0; at < kN; at += 16) {
        __m256i first = _mm256_setzero_si256();
        __m256i second = _mm256_setzero_si256();
        for (std::size_t k = 0; k < count; ++k) {
            const __m256i x = load(&a[k].c[at]);
            const __m256i swapped = _mm256_shuffle_epi8(load(&b[k].c[at]), swap);
            first = _mm256_add_epi32(first, _mm256_madd_epi16(x, load(&twisted[k].c[at])));
            second = _mm256_add_epi32(second, _mm256_madd_epi16(x, swapped));
        }
        const __m256i low = _mm256_blend_epi16(first, _mm256_slli_epi32(second, 16), 0xaa);
        const __m256i high = _mm256_blend_epi16(_mm256_srli_epi32(first, 16), second, 0xaa);
        const __m256i quotient = _mm256_mullo_epi16(low, q_inverse);
        store(&sum.c[at], _mm256_sub_epi16(high, _mm256_mulhi_epi16(quotient, q)));
    }
}

} // namespace aios::crypto::ml_kem
