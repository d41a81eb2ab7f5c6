// The number-theoretic transform and products in it with AVX2. See polynomial.hpp.
//
// A polynomial is 32 registers. Steps of a distance of 8 or more coefficients combine whole registers; for the last
// three a block of 64 coefficients is transposed, so that they do too, with a factor of its own for each lane.
#include "crypto/ml_dsa/vectors_avx2.hpp"
#include "crypto/ml_dsa/zetas.hpp"

namespace aios::crypto::detail::ml_dsa {

namespace {

constexpr std::int32_t times_q_inverse(std::int32_t a) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) * static_cast<std::uint32_t>(kQInverse));
}

// Factors, each with its product by q^-1, which saves one multiplication in each Montgomery product.
struct Factors {
    alignas(32) std::int32_t factor[256];
    alignas(32) std::int32_t scaled[256];
};

constexpr std::int32_t inverse_zeta(std::size_t level_start, std::size_t block) {
    return -kZetas[2 * level_start - 1 - block];
}

// Factor number m of the first five steps, in the order of kZetas.
constexpr Factors make_uniform(bool inverse) {
    Factors result{};
    for (std::size_t start = 1; start < 32; start *= 2) {
        for (std::size_t block = 0; block < start; ++block) {
            std::int32_t factor = inverse ? inverse_zeta(start, block) : kZetas[start + block];
            // The last step of the inverse scales at the same time.
            if (inverse && start == 1) factor = montgomery_reduce(std::int64_t{factor} * kInverseScale);
            result.factor[start + block] = factor;
            result.scaled[start + block] = times_q_inverse(factor);
        }
    }
    result.factor[0] = kInverseScale;
    result.scaled[0] = times_q_inverse(kInverseScale);
    return result;
}

// For each block of 64 coefficients seven vectors, one value for each lane: one of the step with distance 4, two of
// distance 2, four of distance 1.
constexpr Factors make_lanes(bool inverse) {
    Factors result{};
    for (std::size_t c = 0; c < 4; ++c) {
        for (std::size_t v = 0; v < 7; ++v) {
            const std::size_t each = v == 0 ? 1 : v < 3 ? 2 : 4;
            for (std::size_t lane = 0; lane < kLanes; ++lane) {
                const std::size_t start = 32 * each;
                const std::size_t block = 8 * each * c + each * lane + (v + 1 - each);
                const std::int32_t factor = inverse ? inverse_zeta(start, block) : kZetas[start + block];
                result.factor[(8 * c + v) * kLanes + lane] = factor;
                result.scaled[(8 * c + v) * kLanes + lane] = times_q_inverse(factor);
            }
        }
    }
    return result;
}

constexpr Factors kForward = make_uniform(false);
constexpr Factors kInverse = make_uniform(true);
constexpr Factors kForwardLanes = make_lanes(false);
constexpr Factors kInverseLanes = make_lanes(true);

// One factor for the even elements and one for the odd ones.
struct Multiplier {
    __m256i even;
    __m256i even_scaled;
    __m256i odd;
    __m256i odd_scaled;
};

[[gnu::always_inline]] inline Multiplier uniform(const Factors& factors, std::size_t m) {
    const __m256i factor = _mm256_set1_epi32(factors.factor[m]);
    const __m256i scaled = _mm256_set1_epi32(factors.scaled[m]);
    return {factor, scaled, factor, scaled};
}

[[gnu::always_inline]] inline Multiplier lanes(const Factors& factors, std::size_t c, std::size_t v) {
    const __m256i factor = load(&factors.factor[(8 * c + v) * kLanes]);
    const __m256i scaled = load(&factors.scaled[(8 * c + v) * kLanes]);
    return {factor, scaled, odd(factor), odd(scaled)};
}

// a m / R.
[[gnu::always_inline]] inline __m256i montgomery_multiply(__m256i a, const Multiplier& m) {
    const __m256i q = _mm256_set1_epi32(kQ);
    const __m256i a_odd = odd(a);
    const __m256i even_quotient = _mm256_mul_epi32(a, m.even_scaled);
    const __m256i odd_quotient = _mm256_mul_epi32(a_odd, m.odd_scaled);
    const __m256i even_product = _mm256_mul_epi32(a, m.even);
    const __m256i odd_product = _mm256_mul_epi32(a_odd, m.odd);
    return upper_halves(_mm256_sub_epi64(even_product, _mm256_mul_epi32(even_quotient, q)),
                        _mm256_sub_epi64(odd_product, _mm256_mul_epi32(odd_quotient, q)));
}

[[gnu::always_inline]] inline void butterfly(__m256i& a, __m256i& b, const Multiplier& m) {
    const __m256i t = montgomery_multiply(b, m);
    b = _mm256_sub_epi32(a, t);
    a = _mm256_add_epi32(a, t);
}

[[gnu::always_inline]] inline void inverse_butterfly(__m256i& a, __m256i& b, const Multiplier& m) {
    const __m256i difference = _mm256_sub_epi32(a, b);
    a = _mm256_add_epi32(a, b);
    b = montgomery_multiply(difference, m);
}

// Element j of register i becomes element i of register j.
[[gnu::always_inline]] inline void transpose(__m256i (&r)[8]) {
    __m256i a[8];
    for (std::size_t i = 0; i < 8; i += 2) {
        a[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        a[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    __m256i b[8];
    for (std::size_t i = 0; i < 8; i += 4) {
        b[i] = _mm256_unpacklo_epi64(a[i], a[i + 2]);
        b[i + 1] = _mm256_unpackhi_epi64(a[i], a[i + 2]);
        b[i + 2] = _mm256_unpacklo_epi64(a[i + 1], a[i + 3]);
        b[i + 3] = _mm256_unpackhi_epi64(a[i + 1], a[i + 3]);
    }
    for (std::size_t i = 0; i < 4; ++i) {
        r[i] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x20);
        r[i + 4] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x31);
    }
}

} // namespace

void ntt_avx2(Polynomial& a) {
    std::int32_t* const at = a.coefficients.data();
    __m256i r[8];
    // Distances 128, 64 and 32.
    for (std::size_t o = 0; o < 32; o += kLanes) {
        for (std::size_t i = 0; i < 8; ++i)
            r[i] = load(at + o + 32 * i);
        for (std::size_t i = 0; i < 4; ++i)
            butterfly(r[i], r[i + 4], uniform(kForward, 1));
        for (std::size_t i = 0; i < 2; ++i) {
            butterfly(r[i], r[i + 2], uniform(kForward, 2));
            butterfly(r[i + 4], r[i + 6], uniform(kForward, 3));
        }
        for (std::size_t i = 0; i < 4; ++i)
            butterfly(r[2 * i], r[2 * i + 1], uniform(kForward, 4 + i));
        for (std::size_t i = 0; i < 8; ++i)
            store(at + o + 32 * i, r[i]);
    }
    // Distances 16 and 8; and, transposed, 4, 2 and 1.
    for (std::size_t c = 0; c < 4; ++c) {
        for (std::size_t i = 0; i < 8; ++i)
            r[i] = load(at + 64 * c + kLanes * i);
        for (std::size_t i = 0; i < 2; ++i) {
            butterfly(r[i], r[i + 2], uniform(kForward, 8 + 2 * c));
            butterfly(r[i + 4], r[i + 6], uniform(kForward, 9 + 2 * c));
        }
        for (std::size_t i = 0; i < 4; ++i)
            butterfly(r[2 * i], r[2 * i + 1], uniform(kForward, 16 + 4 * c + i));
        transpose(r);
        for (std::size_t i = 0; i < 4; ++i)
            butterfly(r[i], r[i + 4], lanes(kForwardLanes, c, 0));
        for (std::size_t i = 0; i < 2; ++i) {
            butterfly(r[i], r[i + 2], lanes(kForwardLanes, c, 1));
            butterfly(r[i + 4], r[i + 6], lanes(kForwardLanes, c, 2));
        }
        for (std::size_t i = 0; i < 4; ++i)
            butterfly(r[2 * i], r[2 * i + 1], lanes(kForwardLanes, c, 3 + i));
        transpose(r);
        for (std::size_t i = 0; i < 8; ++i)
            store(at + 64 * c + kLanes * i, r[i]);
    }
}

void inverse_ntt_avx2(Polynomial& a) {
    std::int32_t* const at = a.coefficients.data();
    __m256i r[8];
    for (std::size_t c = 0; c < 4; ++c) {
        for (std::size_t i = 0; i < 8; ++i)
            r[i] = load(at + 64 * c + kLanes * i);
        transpose(r);
        for (std::size_t i = 0; i < 4; ++i)
            inverse_butterfly(r[2 * i], r[2 * i + 1], lanes(kInverseLanes, c, 3 + i));
        for (std::size_t i = 0; i < 2; ++i) {
            inverse_butterfly(r[i], r[i + 2], lanes(kInverseLanes, c, 1));
            inverse_butterfly(r[i + 4], r[i + 6], lanes(kInverseLanes, c, 2));
        }
        for (std::size_t i = 0; i < 4; ++i)
            inverse_butterfly(r[i], r[i + 4], lanes(kInverseLanes, c, 0));
        transpose(r);
        for (std::size_t i = 0; i < 4; ++i)
            inverse_butterfly(r[2 * i], r[2 * i + 1], uniform(kInverse, 16 + 4 * c + i));
        for (std::size_t i = 0; i < 2; ++i) {
            inverse_butterfly(r[i], r[i + 2], uniform(kInverse, 8 + 2 * c));
            inverse_butterfly(r[i + 4], r[i + 6], uniform(kInverse, 9 + 2 * c));
        }
        for (std::size_t i = 0; i < 8; ++i)
            store(at + 64 * c + kLanes * i, r[i]);
    }
    for (std::size_t o = 0; o < 32; o += kLanes) {
        for (std::size_t i = 0; i < 8; ++i)
            r[i] = load(at + o + 32 * i);
        for (std::size_t i = 0; i < 4; ++i)
            inverse_butterfly(r[2 * i], r[2 * i + 1], uniform(kInverse, 4 + i));
        for (std::size_t i = 0; i < 2; ++i) {
            inverse_butterfly(r[i], r[i + 2], uniform(kInverse, 2));
            inverse_butterfly(r[i + 4], r[i + 6], uniform(kInverse, 3));
        }
        for (std::size_t i = 0; i < 4; ++i) {
            inverse_butterfly(r[i], r[i + 4], uniform(kInverse, 1));
            r[i] = montgomery_multiply(r[i], uniform(kInverse, 0));
        }
        for (std::size_t i = 0; i < 8; ++i)
            store(at + o + 32 * i, r[i]);
    }
}

void dot_avx2(Polynomial& out, const Polynomial* const* a, const Polynomial* const* b, std::size_t count) {
    const __m256i q = _mm256_set1_epi32(kQ);
    const __m256i q_inverse = _mm256_set1_epi32(kQInverse);
    const auto reduce = [&](__m256i sum) {
        return _mm256_sub_epi64(sum, _mm256_mul_epi32(_mm256_mul_epi32(sum, q_inverse), q));
    };
    for (std::size_t i = 0; i < kN; i += 2 * kLanes) {
        __m256i sums[4] = {};
        for (std::size_t j = 0; j < count; ++j) {
            for (std::size_t part = 0; part < 2; ++part) {
                const __m256i x = load(&(*a[j])[i + part * kLanes]);
                const __m256i y = load(&(*b[j])[i + part * kLanes]);
                sums[2 * part] = _mm256_add_epi64(sums[2 * part], _mm256_mul_epi32(x, y));
                sums[2 * part + 1] = _mm256_add_epi64(sums[2 * part + 1], _mm256_mul_epi32(odd(x), odd(y)));
            }
        }
        store(&out[i], upper_halves(reduce(sums[0]), reduce(sums[1])));
        store(&out[i + kLanes], upper_halves(reduce(sums[2]), reduce(sums[3])));
    }
}

} // namespace aios::crypto::detail::ml_dsa
