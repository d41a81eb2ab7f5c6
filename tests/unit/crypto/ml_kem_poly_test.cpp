// What ML-KEM computes on polynomials, against the formulas of FIPS 203 and between the backends: the transform, every
// input of compression, encodings, sampling. Byte buffers have exactly their size, so that the address sanitizer sees
// whoever goes beyond.
#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/ml_kem/poly.hpp"
#include "tests/support/backends.hpp"

namespace aios::crypto::ml_kem {
namespace {

std::mt19937 generator(203);

std::vector<std::byte> random_bytes(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(generator());
    return bytes;
}

// Coefficients from -limit to limit.
Poly random_poly(int limit) {
    Poly poly;
    std::uniform_int_distribution<int> distribution(-limit, limit);
    for (auto& c : poly.c)
        c = static_cast<std::int16_t>(distribution(generator));
    return poly;
}

int residue(std::int64_t value) { return static_cast<int>((value % kQ + kQ) % kQ); }

int power(int base, unsigned exponent) {
    std::int64_t result = 1;
    for (unsigned i = 0; i < exponent; ++i)
        result = result * base % kQ;
    return static_cast<int>(result);
}

unsigned bit_reversed(unsigned number) {
    unsigned reversed = 0;
    for (unsigned bit = 0; bit < 7; ++bit)
        reversed |= (number >> bit & 1) << (6 - bit);
    return reversed;
}

void expect_residues(const Poly& poly, const std::vector<std::int64_t>& expected, int limit) {
    for (std::size_t i = 0; i < kN; ++i) {
        ASSERT_EQ(residue(poly.c[i]), residue(expected[i])) << "coefficient " << i;
        ASSERT_LE(std::abs(poly.c[i]), limit) << "coefficient " << i;
    }
}

// The number k of the ring's components, (4.12): f modulo X^2 - 17^(2 BitRev7(k) + 1).
TEST(MlKemPoly, TransformIsReductionModuloTheFactors) {
    test::for_each_backend([] {
        for (const int limit : {kQ, 3, 0}) {
            const Poly f = random_poly(limit);
            std::vector<std::int64_t> expected(kN);
            for (unsigned k = 0; k < 128; ++k) {
                const int root = power(17, 2 * bit_reversed(k) + 1);
                std::int64_t power_of_root = 1;
                for (std::size_t i = 0; i < kN; i += 2) {
                    expected[2 * k] += f.c[i] * power_of_root;
                    expected[2 * k + 1] += f.c[i + 1] * power_of_root;
                    power_of_root = power_of_root * root % kQ;
                }
            }
            Poly transformed = f;
            ntt(transformed);
            expect_residues(transformed, expected, 1668);
            inverse_ntt(transformed);
            std::vector<std::int64_t> times_r(kN);
            for (std::size_t i = 0; i < kN; ++i)
                times_r[i] = std::int64_t{f.c[i]} * 65536;
            expect_residues(transformed, times_r, kQ - 1);
        }
    });
}

// The extremes of the ranges that poly.hpp promises: nothing overflows.
TEST(MlKemPoly, TransformsOfExtremesAreTheSameWithEveryBackend) {
    for (int i = 0; i < 2000; ++i) {
        Poly f = random_poly(1);
        for (auto& c : f.c)
            c = static_cast<std::int16_t>(i < 2 ? (2 * i - 1) * kQ : (c == 0 ? kQ : c * kQ));
        Poly inverse[2] = {f, f};
        Poly forward[2] = {f, f};
        test::for_each_backend([&] {
            const std::size_t b = use_avx2() ? 1 : 0;
            ntt(forward[b]);
            inverse_ntt(inverse[b]);
            ASSERT_EQ(forward[b].c, forward[0].c);
            ASSERT_EQ(inverse[b].c, inverse[0].c);
            for (std::size_t k = 0; k < kN; ++k) {
                ASSERT_LE(std::abs(forward[b].c[k]), 1668);
                ASSERT_LT(std::abs(inverse[b].c[k]), kQ);
            }
        });
    }
}

TEST(MlKemPoly, SumsOfProductsAreThoseOfTheRing) {
    test::for_each_backend([] {
        for (std::size_t count = 1; count <= 4; ++count) {
            std::array<Poly, 4> a;
            std::array<Poly, 4> b;
            std::array<Poly, 4> twisted;
            std::vector<std::int64_t> expected(kN);
            for (std::size_t n = 0; n < count; ++n) {
                a[n] = random_poly(3);
                b[n] = random_poly(kQ / 2);
                for (std::size_t i = 0; i < kN; ++i) {
                    for (std::size_t j = 0; j < kN; ++j) // X^256 is -1
                        expected[(i + j) % kN] += (i + j < kN ? 1 : -1) * a[n].c[i] * b[n].c[j];
                }
                ntt(a[n]);
                ntt(b[n]);
                twist(b[n], twisted[n]);
            }
            Poly sum;
            multiply(a.data(), b.data(), twisted.data(), count, sum);
            inverse_ntt(sum);
            expect_residues(sum, expected, kQ - 1);
        }
        // The largest that may come in.
        std::array<Poly, 4> a;
        std::array<Poly, 4> twisted;
        for (auto& poly : a)
            poly.c.fill(kQ);
        for (std::size_t n = 0; n < 4; ++n)
            twist(a[n], twisted[n]);
        Poly sum;
        multiply(a.data(), a.data(), twisted.data(), 4, sum);
        expect_residues(sum, std::vector<std::int64_t>(kN), kQ);
    });
}

TEST(MlKemPoly, ScaledSum) {
    Poly poly = random_poly(kQ);
    const Poly other = random_poly(kQ);
    std::vector<std::int64_t> expected(kN);
    for (std::size_t i = 0; i < kN; ++i)
        expected[i] = std::int64_t{poly.c[i]} * 65536 + other.c[i];
    scale_and_add(poly, other);
    expect_residues(poly, expected, 2 * kQ);
}

// Bits of a byte string, as ByteDecode takes them.
unsigned field(const std::vector<std::byte>& bytes, std::size_t d, std::size_t i) {
    unsigned number = 0;
    for (std::size_t bit = 0; bit < d; ++bit) {
        const std::size_t at = d * i + bit;
        number |= (static_cast<unsigned>(bytes[at / 8]) >> (at % 8) & 1) << bit;
    }
    return number;
}

// Compress_d and Decompress_d of (4.7) and (4.8), rounded up from one half on.
unsigned compressed(int x, std::size_t d) {
    return static_cast<unsigned>(((2 * residue(x)) << d) + kQ) / (2 * kQ) % (1u << d);
}
int decompressed(unsigned y, std::size_t d) { return static_cast<int>((2 * kQ * y + (1u << d)) >> (d + 1)); }

template <std::size_t D>
void try_compression() {
    // Every coefficient that may come in.
    for (int first = -2 * kQ; first <= 2 * kQ; first += kN) {
        Poly poly;
        for (std::size_t i = 0; i < kN; ++i)
            poly.c[i] = static_cast<std::int16_t>(std::min(first + static_cast<int>(i), 2 * kQ));
        std::vector<std::byte> bytes(32 * D);
        compress<D>(poly, bytes.data());
        for (std::size_t i = 0; i < kN; ++i)
            ASSERT_EQ(field(bytes, D, i), compressed(poly.c[i], D)) << poly.c[i];
    }
    for (int round = 0; round < 100; ++round) {
        const auto bytes = random_bytes(32 * D);
        Poly poly;
        decompress<D>(bytes.data(), poly);
        for (std::size_t i = 0; i < kN; ++i)
            ASSERT_EQ(poly.c[i], decompressed(field(bytes, D, i), D));
        std::vector<std::byte> again(32 * D);
        compress<D>(poly, again.data());
        ASSERT_EQ(again, bytes);
    }
}

TEST(MlKemPoly, CompressionIsThatOfTheFormulas) {
    test::for_each_backend([] {
        try_compression<4>();
        try_compression<5>();
        try_compression<10>();
        try_compression<11>();
    });
}

TEST(MlKemPoly, MessagesAreCompressedToOneBit) {
    test::for_each_backend([] {
        for (int first = -2 * kQ; first <= 2 * kQ; first += kN) {
            Poly poly;
            for (std::size_t i = 0; i < kN; ++i)
                poly.c[i] = static_cast<std::int16_t>(first + static_cast<int>(i));
            std::vector<std::byte> message(32);
            compress_message(poly, message.data());
            for (std::size_t i = 0; i < kN; ++i)
                ASSERT_EQ(field(message, 1, i), compressed(poly.c[i], 1)) << poly.c[i];
        }
        const auto message = random_bytes(32);
        Poly poly;
        decompress_message(message.data(), poly);
        for (std::size_t i = 0; i < kN; ++i)
            ASSERT_EQ(poly.c[i], field(message, 1, i) * 1665);
    });
}

TEST(MlKemPoly, EncodingsAreCanonical) {
    test::for_each_backend([] {
        for (int first = -32768; first < 32768; first += kN) {
            Poly poly;
            for (std::size_t i = 0; i < kN; ++i)
                poly.c[i] = static_cast<std::int16_t>(first + static_cast<int>(i));
            std::vector<std::byte> bytes(kEncodedSize);
            encode(poly, bytes.data());
            Poly decoded;
            ASSERT_EQ(decode(bytes.data(), decoded), 0u);
            for (std::size_t i = 0; i < kN; ++i) {
                ASSERT_EQ(field(bytes, 12, i), static_cast<unsigned>(residue(poly.c[i])));
                ASSERT_EQ(decoded.c[i], residue(poly.c[i]));
            }
        }
        for (int round = 0; round < 100; ++round) {
            const auto bytes = random_bytes(kEncodedSize);
            Poly decoded;
            ASSERT_NE(decode(bytes.data(), decoded), 0u);
            for (std::size_t i = 0; i < kN; ++i)
                ASSERT_EQ(decoded.c[i], static_cast<int>(field(bytes, 12, i) % kQ));
        }
    });
}

template <std::size_t Eta>
void try_noise(std::size_t padding) {
    const auto bytes = random_bytes(64 * Eta + padding);
    Poly poly;
    sample_noise<Eta>(bytes.data(), poly);
    for (std::size_t i = 0; i < kN; ++i) {
        int expected = 0;
        for (std::size_t j = 0; j < Eta; ++j) {
            expected += static_cast<int>(field(bytes, 1, 2 * i * Eta + j));
            expected -= static_cast<int>(field(bytes, 1, 2 * i * Eta + Eta + j));
        }
        ASSERT_EQ(poly.c[i], expected) << i;
    }
}

TEST(MlKemPoly, NoiseIsCentredBinomial) {
    test::for_each_backend([] {
        for (int round = 0; round < 100; ++round) {
            try_noise<2>(0);
            try_noise<3>(8);
        }
    });
}

// Blocks of which all, nearly all or about a fifth is rejected, from every number of coefficients that are there.
TEST(MlKemPoly, UniformSamplingRejects) {
    test::for_each_backend([] {
        for (std::size_t have = 0; have < kN; ++have) {
            auto block = random_bytes(kPaddedBlock);
            if (have % 7 == 3) std::fill(block.begin(), block.end(), std::byte{0xff});
            if (have % 7 == 5) std::fill(block.begin(), block.begin() + 150, std::byte{0xff});
            if (have % 7 == 6) std::fill(block.begin(), block.begin() + 150, std::byte{0});
            Poly before = random_poly(kQ);
            std::vector<std::int16_t> expected(before.c.begin(), before.c.begin() + static_cast<std::ptrdiff_t>(have));
            for (std::size_t i = 0; i < 112 && expected.size() < kN; ++i) {
                if (field(block, 12, i) < kQ) expected.push_back(static_cast<std::int16_t>(field(block, 12, i)));
            }
            Poly poly = before;
            ASSERT_EQ(sample_uniform(block.data(), poly, have), expected.size());
            ASSERT_TRUE(std::equal(expected.begin(), expected.end(), poly.c.begin())) << have;
        }
    });
}

} // namespace
} // namespace aios::crypto::ml_kem
