// Power2Round and the encodings of its halves, of which key generation alone has need. See rounding.hpp.
#include "crypto/ml_dsa/packing.hpp"
#include "crypto/ml_dsa/rounding.hpp"

namespace aios::crypto::detail::ml_dsa {

namespace {

// r1, such that r = r1 2^d + r0 with r0 within (-2^(d-1), 2^(d-1)].
constexpr std::int32_t high_half(std::int32_t r) { return (r + (1 << (kD - 1)) - 1) >> kD; }

} // namespace

void power2round(const Polynomial& t, std::byte* t1, std::byte* t0) {
    pack<10>(t1, t, [](std::int32_t value) { return high_half(canonical(value)); });
    pack<13>(t0, t, [](std::int32_t value) {
        const std::int32_t r = canonical(value);
        return (1 << (kD - 1)) - (r - (high_half(r) << kD));
    });
}

} // namespace aios::crypto::detail::ml_dsa
