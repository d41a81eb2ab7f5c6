// Writing a signature. See encoding.hpp.
#include <algorithm>

#include "crypto/ml_dsa/encoding.hpp"
#include "crypto/ml_dsa/packing.hpp"

namespace aios::crypto::detail::ml_dsa {

void pack_z(const Shape& shape, std::byte* out, const Polynomial& z) {
    const std::int32_t gamma1 = shape.gamma1;
    const auto map = [gamma1](std::int32_t value) { return gamma1 - value; };
    if (use_avx2())
        pack_z_avx2(shape, out, z);
    else if (gamma1 == kGamma1Of44)
        pack<18>(out, z, map);
    else
        pack<20>(out, z, map);
}

void pack_hints(const Shape& shape, std::byte* out, const Polynomial* hints) {
    std::fill_n(out, shape.omega + shape.k, std::byte{0});
    std::size_t at = 0;
    for (std::size_t i = 0; i < shape.k; ++i) {
        for (std::size_t j = 0; j < kN; ++j) {
            if (hints[i][j] != 0) out[at++] = static_cast<std::byte>(j);
        }
        out[shape.omega + i] = static_cast<std::byte>(at);
    }
}

} // namespace aios::crypto::detail::ml_dsa
