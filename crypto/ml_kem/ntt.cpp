// The number-theoretic transform and products of transformed polynomials, portably. See poly.hpp. The loops are
// written so that compilers can make vectors of them.
#include "crypto/ml_kem/poly.hpp"

namespace aios::crypto::ml_kem {

// FIPS 203 algorithm 9. Each of the seven layers adds less than q to what a coefficient can be: below 8 q at the end,
// which fits.
void ntt_portable(Poly& poly) {
    std::int16_t* c = poly.c.data();
    for (std::size_t length = 128; length >= 2; length /= 2) {
        for (std::size_t block = 0; block < 128 / length; ++block) {
            const Factor zeta = kZetas[128 / length + block];
            std::int16_t* upper = c + 2 * length * block;
            std::int16_t* lower = upper + length;
            for (std::size_t j = 0; j < length; ++j) {
                const std::int16_t product = multiply(lower[j], zeta);
                lower[j] = static_cast<std::int16_t>(upper[j] - product);
                upper[j] = static_cast<std::int16_t>(upper[j] + product);
            }
        }
    }
    for (std::int16_t& value : poly.c)
        value = barrett_reduce(value);
}

// FIPS 203 algorithm 10. Sums double in each layer and products are below q: after three layers sums are below 8 q and
// are reduced, after two more they are below 4 q and are reduced, after the last two they are below 4 q.
void inverse_ntt_portable(Poly& poly) {
    std::int16_t* c = poly.c.data();
    for (std::size_t length = 2; length <= 128; length *= 2) {
        const bool reduces = length == 8 || length == 32;
        for (std::size_t block = 0; block < 128 / length; ++block) {
            const Factor zeta = kInverseZetas[128 / length + block];
            std::int16_t* upper = c + 2 * length * block;
            std::int16_t* lower = upper + length;
            for (std::size_t j = 0; j < length; ++j) {
                const std::int16_t difference = static_cast<std::int16_t>(lower[j] - upper[j]);
                const std::int16_t sum = static_cast<std::int16_t>(upper[j] + lower[j]);
                upper[j] = reduces ? barrett_reduce(sum) : sum;
                lower[j] = multiply(difference, zeta);
            }
        }
    }
    for (std::int16_t& value : poly.c)
        value = multiply(value, kInverseNttScale);
}

void twist_portable(const Poly& poly, Poly& twisted) {
    for (std::size_t i = 0; i < kN / 2; ++i) {
        twisted.c[2 * i] = multiply(poly.c[2 * i], kOne);
        twisted.c[2 * i + 1] = multiply(poly.c[2 * i + 1], kGammas[i]);
    }
}

// FIPS 203 algorithms 11 and 12; products are reduced once, when they are added up: 8 q^2 < q * 2^15.
void multiply_portable(const Poly* a, const Poly* b, const Poly* twisted, std::size_t count, Poly& sum) {
    for (std::size_t i = 0; i < kN; i += 2) {
        std::int32_t first = 0;
        std::int32_t second = 0;
        for (std::size_t k = 0; k < count; ++k) {
            const std::int32_t a0 = a[k].c[i];
            const std::int32_t a1 = a[k].c[i + 1];
            first += a0 * twisted[k].c[i] + a1 * twisted[k].c[i + 1];
            second += a0 * b[k].c[i + 1] + a1 * b[k].c[i];
        }
        sum.c[i] = montgomery_reduce(first);
        sum.c[i + 1] = montgomery_reduce(second);
    }
}

void scale_and_add(Poly& poly, const Poly& other) {
    for (std::size_t i = 0; i < kN; ++i)
        poly.c[i] = static_cast<std::int16_t>(multiply(poly.c[i], kMontgomery) + other.c[i]);
}

void add(Poly& poly, const Poly& other) {
    for (std::size_t i = 0; i < kN; ++i)
        poly.c[i] = static_cast<std::int16_t>(poly.c[i] + other.c[i]);
}

void subtract_from(Poly& poly, const Poly& other) {
    for (std::size_t i = 0; i < kN; ++i)
        poly.c[i] = static_cast<std::int16_t>(other.c[i] - poly.c[i]);
}

} // namespace aios::crypto::ml_kem
