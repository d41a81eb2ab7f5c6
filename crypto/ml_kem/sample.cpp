// Sampling of polynomials from the output of SHAKE, portably. See poly.hpp.
#include "crypto/ml_kem/poly.hpp"

#include "base/bytes.hpp"

namespace aios::crypto::ml_kem {

// FIPS 203 algorithm 8 with eta = 2, on eight coefficients at once: each has four bits, the sum of the first two minus
// the sum of the last two.
template <>
void sample_noise_portable<2>(const std::byte* in, Poly& poly) {
    for (std::size_t i = 0; i < kN / 8; ++i) {
        const auto bits = load_le<std::uint32_t>(in + 4 * i);
        const std::uint32_t sums = (bits & 0x55555555) + (bits >> 1 & 0x55555555);
        for (std::size_t j = 0; j < 8; ++j) {
            const std::uint32_t a = sums >> (4 * j) & 3;
            const std::uint32_t b = sums >> (4 * j + 2) & 3;
            poly.c[8 * i + j] = static_cast<std::int16_t>(a - b);
        }
    }
}

// With eta = 3: six bits a coefficient, four coefficients at once.
template <>
void sample_noise_portable<3>(const std::byte* in, Poly& poly) {
    for (std::size_t i = 0; i < kN / 4; ++i) {
        const std::uint32_t bits = static_cast<std::uint32_t>(in[3 * i]) |
                                   static_cast<std::uint32_t>(in[3 * i + 1]) << 8 |
                                   static_cast<std::uint32_t>(in[3 * i + 2]) << 16;
        const std::uint32_t sums = (bits & 0x249249) + (bits >> 1 & 0x249249) + (bits >> 2 & 0x249249);
        for (std::size_t j = 0; j < 4; ++j) {
            const std::uint32_t a = sums >> (6 * j) & 7;
            const std::uint32_t b = sums >> (6 * j + 3) & 7;
            poly.c[4 * i + j] = static_cast<std::int16_t>(a - b);
        }
    }
}

// FIPS 203 algorithm 7, lines 5 to 16. A block of 168 bytes holds 112 candidates.
std::size_t sample_uniform_portable(const std::byte* block, Poly& poly, std::size_t have) {
    for (std::size_t at = 0; at < 168 && have < kN; at += 3) {
        const std::uint32_t bits = static_cast<std::uint32_t>(block[at]) |
                                   static_cast<std::uint32_t>(block[at + 1]) << 8 |
                                   static_cast<std::uint32_t>(block[at + 2]) << 16;
        const std::uint32_t first = bits & 0xfff;
        const std::uint32_t second = bits >> 12;
        // Stored always, counted only if accepted: a branch here would be mispredicted often.
        poly.c[have] = static_cast<std::int16_t>(first);
        have += first < kQ ? 1 : 0;
        if (have == kN) break;
        poly.c[have] = static_cast<std::int16_t>(second);
        have += second < kQ ? 1 : 0;
    }
    return have;
}

} // namespace aios::crypto::ml_kem
