// The number-theoretic transform and products in it, portable. See polynomial.hpp.
#include "crypto/ml_dsa/polynomial.hpp"
#include "crypto/ml_dsa/zetas.hpp"

namespace aios::crypto::detail::ml_dsa {

namespace {

constexpr std::int32_t montgomery_multiply(std::int32_t a, std::int32_t b) {
    return montgomery_reduce(std::int64_t{a} * b);
}

} // namespace

void ntt_portable(Polynomial& a) {
    std::size_t m = 0;
    for (std::size_t length = 128; length >= 1; length /= 2) {
        for (std::size_t start = 0; start < kN; start += 2 * length) {
            const std::int32_t zeta = kZetas[++m];
            for (std::size_t j = start; j < start + length; ++j) {
                const std::int32_t t = montgomery_multiply(zeta, a[j + length]);
                a[j + length] = a[j] - t;
                a[j] += t;
            }
        }
    }
}

// Sums double in each of the eight steps: from below q they stay below 256 q, which is less than 2^31.
void inverse_ntt_portable(Polynomial& a) {
    std::size_t m = kN;
    for (std::size_t length = 1; length < kN / 2; length *= 2) {
        for (std::size_t start = 0; start < kN; start += 2 * length) {
            const std::int32_t zeta = -kZetas[--m];
            for (std::size_t j = start; j < start + length; ++j) {
                const std::int32_t t = a[j];
                a[j] = t + a[j + length];
                a[j + length] = montgomery_multiply(zeta, t - a[j + length]);
            }
        }
    }
    // The last step scales at the same time.
    constexpr std::int32_t kLast = montgomery_multiply(-kZetas[1], kInverseScale);
    for (std::size_t j = 0; j < kN / 2; ++j) {
        const std::int32_t t = a[j];
        a[j] = montgomery_multiply(kInverseScale, t + a[j + kN / 2]);
        a[j + kN / 2] = montgomery_multiply(kLast, t - a[j + kN / 2]);
    }
}

void dot_portable(Polynomial& out, const Polynomial* const* a, const Polynomial* const* b, std::size_t count) {
    for (std::size_t i = 0; i < kN; ++i) {
        std::int64_t sum = std::int64_t{(*a[0])[i]} * (*b[0])[i];
        for (std::size_t j = 1; j < count; ++j)
            sum += std::int64_t{(*a[j])[i]} * (*b[j])[i];
        out[i] = montgomery_reduce(sum);
    }
}

} // namespace aios::crypto::detail::ml_dsa
