// The encoding of a secret key's polynomials. See encoding.hpp. All of it is secret: no branch on a coefficient.
#include "crypto/constant_time.hpp"
#include "crypto/ml_dsa/encoding.hpp"
#include "crypto/ml_dsa/packing.hpp"

namespace aios::crypto::detail::ml_dsa {

void pack_eta(const Shape& shape, std::byte* out, const Polynomial& s) {
    if (shape.eta == 2)
        pack<3>(out, s, [](std::int32_t value) { return 2 - value; });
    else
        pack<4>(out, s, [](std::int32_t value) { return 4 - value; });
}

std::uint32_t unpack_eta(const Shape& shape, Polynomial& s, const std::byte* in) {
    const std::int32_t eta = shape.eta;
    std::int32_t any = 0; // negative if a value was above 2 eta
    const auto map = [&](std::int32_t value) {
        any |= 2 * eta - value;
        return eta - value;
    };
    if (eta == 2)
        unpack<3>(s, in, map);
    else
        unpack<4>(s, in, map);
    return mask_from_bit(static_cast<std::uint32_t>(any) >> 31);
}

void unpack_t0(Polynomial& t0, const std::byte* in) {
    unpack<13>(t0, in, [](std::int32_t value) { return (1 << (kD - 1)) - value; });
}

} // namespace aios::crypto::detail::ml_dsa
