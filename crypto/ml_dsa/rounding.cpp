// Decompose, w1Encode and UseHint, which signing and verification share, portable. See rounding.hpp.
#include "crypto/ml_dsa/rounding.hpp"

#include "crypto/constant_time.hpp"
#include "crypto/ml_dsa/packing.hpp"

namespace aios::crypto::detail::ml_dsa {

namespace {

// r / (2 gamma2) to the nearest, for canonical r, by multiplication: first r / 128 rounded up, then the rest of the
// divisor as a fixed-point factor. Exact for all r < q (the unit test tries them all). `zero` is 0, of which the
// compiler must not know: it would branch on the sign.
template <std::uint32_t Gamma2>
constexpr std::int32_t high_bits(std::int32_t r, std::int32_t zero) {
    const std::int32_t scaled = (r + 127) >> 7;
    if constexpr (Gamma2 == kGamma2Of65) {
        return ((scaled * 1025 + (1 << 21)) >> 22) & 15; // 16 wraps around to 0
    } else {
        const std::int32_t high = (scaled * 11275 + (1 << 23)) >> 24;
        return high & ~(((43 - high) >> 31) ^ zero); // 44 wraps around to 0
    }
}

template <std::uint32_t Gamma2>
void decompose_portable(Polynomial& low, Polynomial& high) {
    const auto zero = static_cast<std::int32_t>(opaque(std::uint32_t{0}));
    for (std::size_t i = 0; i < kN; ++i) {
        const std::int32_t r = canonical(low[i]);
        const std::int32_t r1 = high_bits<Gamma2>(r, zero);
        const std::int32_t r0 = r - r1 * static_cast<std::int32_t>(2 * Gamma2);
        high[i] = r1;
        low[i] = r0 - (((((kQ - 1) / 2 - r0) >> 31) ^ zero) & kQ);
    }
}

} // namespace

void decompose(std::int32_t gamma2, Polynomial& low, Polynomial& high) {
    if (use_avx2())
        decompose_avx2(gamma2, low, high);
    else if (gamma2 == kGamma2Of44)
        decompose_portable<kGamma2Of44>(low, high);
    else
        decompose_portable<kGamma2Of65>(low, high);
}

void encode_w1(std::int32_t gamma2, std::byte* out, const Polynomial& w1) {
    const auto same = [](std::int32_t value) { return value; };
    if (use_avx2())
        encode_w1_avx2(gamma2, out, w1);
    else if (gamma2 == kGamma2Of44)
        pack<6>(out, w1, same);
    else
        pack<4>(out, w1, same);
}

std::int32_t use_hint(std::int32_t gamma2, std::int32_t low, std::int32_t high) {
    const std::int32_t last = (kQ - 1) / (2 * gamma2) - 1;
    if (low > 0) return high == last ? 0 : high + 1;
    return high == 0 ? last : high - 1;
}

} // namespace aios::crypto::detail::ml_dsa
