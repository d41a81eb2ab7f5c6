// The arithmetic inside ML-DSA against its definitions in FIPS 204, with both backends: products against the schoolbook
// method, rounding for every residue, encodings and sampling against plain loops.
#include <algorithm>
#include <memory>

#include "crypto/ml_dsa/encoding.hpp"
#include "crypto/ml_dsa/rounding.hpp"
#include "crypto/ml_dsa/sampling.hpp"
#include "tests/support/backends.hpp"
#include "tests/unit/crypto/ml_dsa_support.hpp"

namespace aios::crypto::detail::ml_dsa {
namespace {

using test_ml_dsa::Octet;
using test_ml_dsa::random_bytes;

constexpr Shape kShapes[] = {kShape<MlDsa44Parameters>, kShape<MlDsa65Parameters>, kShape<MlDsa87Parameters>};

std::int32_t residue(std::int64_t a) { return static_cast<std::int32_t>(((a % kQ) + kQ) % kQ); }

Polynomial random_polynomial(std::mt19937_64& random, std::int32_t bound) {
    Polynomial a;
    for (std::int32_t& coefficient : a.coefficients)
        coefficient = static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(2 * bound - 1)) - (bound - 1);
    return a;
}

// The product modulo X^256 + 1.
std::vector<std::int32_t> schoolbook(const Polynomial& a, const Polynomial& b) {
    std::vector<std::int64_t> sums(kN);
    for (std::size_t i = 0; i < kN; ++i)
        for (std::size_t j = 0; j < kN; ++j) {
            const std::int64_t product = std::int64_t{a[i]} * b[j] % kQ;
            sums[(i + j) % kN] += i + j < kN ? product : -product;
        }
    std::vector<std::int32_t> result(kN);
    std::ranges::transform(sums, result.begin(), residue);
    return result;
}

TEST(MlDsaArithmetic, ProductsAreThoseOfTheRing) {
    test::for_each_backend([] {
        std::mt19937_64 random(1);
        for (int round = 0; round < 10; ++round) {
            Polynomial a = random_polynomial(random, kQ);
            Polynomial b = random_polynomial(random, kQ);
            // The largest values that are allowed.
            if (round == 0) a.coefficients.fill(kQ - 1);
            if (round <= 1) b.coefficients.fill(1 - kQ);
            const auto expected = schoolbook(a, b);
            ntt(a);
            ntt(b);
            Polynomial product;
            multiply(product, a, b);
            inverse_ntt(product);
            for (std::size_t i = 0; i < kN; ++i) {
                ASSERT_LT(std::abs(product[i]), kQ);
                ASSERT_EQ(residue(product[i]), expected[i]) << i;
            }
        }
    });
}

// Seven terms of the largest values that A and a transformed vector have, and one of two transformed ones.
TEST(MlDsaArithmetic, SumsOfProductsDoNotOverflow) {
    test::for_each_backend([] {
        std::mt19937_64 random(2);
        for (int round = 0; round < 8; ++round) {
            std::vector<Polynomial> a(8);
            std::vector<Polynomial> b(8);
            const Polynomial* rows[8];
            const Polynomial* columns[8];
            for (std::size_t j = 0; j < 8; ++j) {
                a[j] = random_polynomial(random, j == 7 ? 9 * kQ : kQ);
                b[j] = random_polynomial(random, 9 * kQ);
                if (round == 0) a[j].coefficients.fill((j == 7 ? 9 * kQ : kQ) - 1);
                if (round <= 1) b[j].coefficients.fill(1 - 9 * kQ);
                rows[j] = &a[j];
                columns[j] = &b[j];
            }
            Polynomial out;
            dot(out, rows, columns, 8);
            for (std::size_t i = 0; i < kN; ++i) {
                std::int64_t expected = 0;
                for (std::size_t j = 0; j < 8; ++j)
                    expected += std::int64_t{a[j][i]} * b[j][i] % kQ;
                ASSERT_LT(std::abs(out[i]), kQ);
                ASSERT_EQ(residue(std::int64_t{residue(out[i])} * ((std::int64_t{1} << 32) % kQ)), residue(expected));
            }
        }
    });
}

TEST(MlDsaArithmetic, BackendsTransformAlike) {
    if (!is_supported(Backend::avx2)) GTEST_SKIP() << "this processor has no AVX2";
    std::mt19937_64 random(3);
    for (int round = 0; round < 50; ++round) {
        const Polynomial a = random_polynomial(random, kQ);
        Polynomial one = a;
        Polynomial other = a;
        ntt_portable(one);
        ntt_avx2(other);
        ASSERT_EQ(one.coefficients, other.coefficients);
        one = other = a;
        inverse_ntt_portable(one);
        inverse_ntt_avx2(other);
        ASSERT_EQ(one.coefficients, other.coefficients);
    }
}

// Algorithm 36 as it is written, for all residues, in both representatives.
TEST(MlDsaArithmetic, DecomposesEveryResidue) {
    test::for_each_backend([] {
        for (const std::int32_t gamma2 : {(kQ - 1) / 88, (kQ - 1) / 32}) {
            for (std::int32_t first = 0; first < kQ; first += 256) {
                Polynomial low;
                Polynomial high;
                for (std::int32_t i = 0; i < 256; ++i) {
                    const std::int32_t r = std::min(first + i, kQ - 1);
                    low[static_cast<std::size_t>(i)] = i % 2 != 0 && r != 0 ? r - kQ : r;
                }
                decompose(gamma2, low, high);
                bool right = true;
                for (std::int32_t i = 0; i < 256; ++i) {
                    const std::int32_t r = std::min(first + i, kQ - 1);
                    std::int32_t r0 = r % (2 * gamma2);
                    if (r0 > gamma2) r0 -= 2 * gamma2;
                    std::int32_t r1 = (r - r0) / (2 * gamma2);
                    if (r - r0 == kQ - 1) {
                        r1 = 0;
                        --r0;
                    }
                    right = right && low[static_cast<std::size_t>(i)] == r0 && high[static_cast<std::size_t>(i)] == r1;
                }
                ASSERT_TRUE(right) << gamma2 << ' ' << first;
            }
        }
    });
}

// The hint that signing makes is what verification needs: UseHint(MakeHint(-c, r + c), r + c) = HighBits(r); and there
// is one exactly where the high bits differ (algorithms 39 and 40).
TEST(MlDsaArithmetic, HintsRecoverTheHighBits) {
    test::for_each_backend([] {
        std::mt19937_64 random(4);
        for (const std::int32_t gamma2 : {(kQ - 1) / 88, (kQ - 1) / 32}) {
            for (int round = 0; round < 300; ++round) {
                Polynomial r = random_polynomial(random, kQ);
                const Polynomial change = random_polynomial(random, gamma2);
                Polynomial sum;
                Polynomial low = r;
                Polynomial high;
                decompose(gamma2, low, high);
                for (std::size_t i = 0; i < kN; ++i) {
                    // Cases at the very edges, too.
                    if (round % 3 == 0 && i % 4 == 0)
                        r[i] =
                            residue(std::int64_t{high[i]} * 2 * gamma2 - change[i] + (i % 8 == 0 ? gamma2 : -gamma2));
                }
                low = r;
                decompose(gamma2, low, high);
                for (std::size_t i = 0; i < kN; ++i)
                    sum[i] = residue(std::int64_t{r[i]} + change[i]);
                Polynomial sum_high;
                decompose(gamma2, sum, sum_high);
                Polynomial hint = high;
                const std::uint32_t ones = make_hint(gamma2, low, change, hint);
                std::uint32_t expected_ones = 0;
                for (std::size_t i = 0; i < kN; ++i) {
                    const bool differs = sum_high[i] != high[i];
                    expected_ones += differs ? 1 : 0;
                    ASSERT_EQ(hint[i], differs ? 1 : 0);
                    ASSERT_EQ(differs ? use_hint(gamma2, sum[i], sum_high[i]) : sum_high[i], high[i]);
                }
                ASSERT_EQ(ones, expected_ones);
            }
        }
    });
}

TEST(MlDsaArithmetic, ComparisonsSeeEachCoefficient) {
    test::for_each_backend([] {
        constexpr std::int32_t kBound = 261888 - 196;
        const Polynomial zero{};
        for (std::size_t i = 0; i < kN; ++i) {
            for (const std::int32_t value : {kBound - 1, kBound, kQ / 2}) {
                for (const std::int32_t sign : {1, -1}) {
                    for (const std::int32_t shift : {0, kQ, -kQ}) { // another representative of the same residue
                        const bool exceeds = value >= kBound;
                        Polynomial a{};
                        a[i] = sign * value + shift;
                        EXPECT_EQ(reduce_and_compare(a, kBound), exceeds ? ~0U : 0U);
                        Polynomial b{};
                        b[i] = sign * value;
                        a = zero;
                        EXPECT_EQ(add_and_compare(a, b, kBound), exceeds ? ~0U : 0U);
                        a = zero;
                        EXPECT_EQ(subtract_and_compare(a, b, kBound), exceeds ? ~0U : 0U);
                    }
                }
            }
        }
    });
}

TEST(MlDsaArithmetic, EncodingsComeBack) {
    test::for_each_backend([] {
        std::mt19937_64 random(5);
        for (const Shape& shape : kShapes) {
            for (int round = 0; round < 20; ++round) {
                const Octet bits = random_bytes(random, 1024);
                Polynomial a;
                Octet out(1024);
                unpack_z(shape, a, bits.data());
                EXPECT_LE(std::ranges::max(a.coefficients), shape.gamma1);
                EXPECT_GT(std::ranges::min(a.coefficients), -shape.gamma1);
                pack_z(shape, out.data(), a);
                EXPECT_TRUE(
                    std::equal(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(shape.z_bytes()), bits.begin()));
                // Algorithm 19, bit by bit.
                const unsigned width = shape.gamma1 == 1 << 17 ? 18 : 20;
                for (std::size_t i = 0; i < kN; ++i) {
                    std::int32_t value = 0;
                    for (unsigned bit = 0; bit < width; ++bit) {
                        const std::size_t at = i * width + bit;
                        value |= static_cast<std::int32_t>(bits[at / 8] >> (at % 8) & std::byte{1}) << bit;
                    }
                    ASSERT_EQ(a[i], shape.gamma1 - value);
                }

                const Polynomial s = random_polynomial(random, shape.eta + 1);
                pack_eta(shape, out.data(), s);
                EXPECT_EQ(unpack_eta(shape, a, out.data()), 0U);
                EXPECT_EQ(a.coefficients, s.coefficients);

                // w1Encode against algorithm 16, bit by bit.
                const std::int32_t largest = (kQ - 1) / (2 * shape.gamma2) - 1;
                for (std::int32_t& coefficient : a.coefficients)
                    coefficient = static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(largest + 1));
                encode_w1(shape.gamma2, out.data(), a);
                const std::size_t w1_width = shape.w1_bytes() / 32;
                for (std::size_t at = 0; at < 8 * shape.w1_bytes(); ++at) {
                    const auto bit = static_cast<std::int32_t>(out[at / 8] >> (at % 8) & std::byte{1});
                    ASSERT_EQ(bit, a[at / w1_width] >> (at % w1_width) & 1);
                }
            }
        }
    });
}

// Algorithm 35 for all residues; t1 and t0 as they come back from their encodings.
TEST(MlDsaArithmetic, RoundsEveryResidueToAPowerOfTwo) {
    test::for_each_backend([] {
        Octet t1(kT1Bytes);
        Octet t0(kT0Bytes);
        for (std::int32_t first = 0; first < kQ; first += 256) {
            Polynomial t;
            for (std::int32_t i = 0; i < 256; ++i)
                t[static_cast<std::size_t>(i)] = std::min(first + i, kQ - 1) - (i % 3 == 0 && first != 0 ? kQ : 0);
            power2round(t, t1.data(), t0.data());
            Polynomial high;
            Polynomial low;
            unpack_t1(high, t1.data());
            unpack_t0(low, t0.data());
            bool right = true;
            for (std::size_t i = 0; i < kN; ++i) {
                right = right && high[i] + low[i] == residue(t[i]) && low[i] > -(1 << 12) && low[i] <= 1 << 12;
            }
            ASSERT_TRUE(right) << first;
        }
    });
}

// Bytes that are rejected often, at all lengths: both paths stop at the same place.
TEST(MlDsaArithmetic, RejectionSamplingIsTheSameInBothPaths) {
    if (!is_supported(Backend::avx2)) GTEST_SKIP() << "this processor has no AVX2";
    std::mt19937_64 random(6);
    for (int round = 0; round < 300; ++round) {
        Octet bytes = random_bytes(random, 840 + 32);
        const std::size_t often = random() % 4;
        for (std::size_t i = 0; i < bytes.size(); ++i)
            if (often != 0 && random() % 4 < often) bytes[i] = std::byte{255};
        const std::size_t have = random() % 257;
        const std::size_t size = 24 * (random() % 36);
        Polynomial one{};
        Polynomial other{};
        const std::size_t count = reject_uniform_portable(one, have, bytes.data(), size);
        ASSERT_EQ(reject_uniform_avx2(other, have, bytes.data(), size), count);
        ASSERT_LE(count, kN);
        ASSERT_TRUE(std::equal(&one[have], &one[0] + count, &other[have]));
        for (const std::int32_t eta : {2, 4}) {
            const std::size_t bounded = reject_bounded_portable(eta, one, have, bytes.data(), size);
            ASSERT_EQ(reject_bounded_avx2(eta, other, have, bytes.data(), size), bounded);
            ASSERT_LE(bounded, kN);
            ASSERT_TRUE(std::equal(&one[have], &one[0] + bounded, &other[have]));
        }
    }
}

} // namespace
} // namespace aios::crypto::detail::ml_dsa
