// ExpandMask: the masks y. See sampling.hpp. No candidate is ever rejected here: a mask is a run of bits.
#include <algorithm>

#include "crypto/ml_dsa/encoding.hpp"
#include "crypto/ml_dsa/sampling.hpp"

namespace aios::crypto::detail::ml_dsa {

void expand_mask(const Shape& shape, std::span<const std::byte, 64> rho_second, std::size_t first, Polynomial* into,
                 std::size_t ring, SecretScratch& scratch) {
    for (std::size_t i = 0; i < 4; ++i) {
        auto& input = scratch.input[i];
        std::copy(rho_second.begin(), rho_second.end(), input.begin());
        input[64] = static_cast<std::byte>((first + i) & 0xff);
        input[65] = static_cast<std::byte>((first + i) >> 8);
    }
    scratch.absorb();
    scratch.squeeze(SecretScratch::kBlocks);
    static_assert(SecretScratch::kBlocks * Shake256x4::kBlockSize >= 640);
    for (std::size_t i = 0; i < 4; ++i)
        unpack_z(shape, into[(first + i) % ring], scratch.out[i].data());
}

} // namespace aios::crypto::detail::ml_dsa
