// SampleInBall: the challenge polynomial. See sampling.hpp.
#include "base/bytes.hpp"
#include "crypto/ml_dsa/sampling.hpp"

namespace aios::crypto::detail::ml_dsa {

void sample_in_ball(const Shape& shape, Polynomial& challenge, Bytes c_tilde) {
    Shake256 xof;
    xof.update(c_tilde);
    std::array<std::byte, Shake256::kBlockSize> block;
    xof.squeeze(block);
    std::uint64_t signs = load_le<std::uint64_t>(block.data());
    std::size_t at = 8;
    challenge = {};
    for (std::size_t i = kN - shape.tau; i < kN; ++i) {
        std::size_t j = kN;
        while (j > i) {
            if (at == block.size()) {
                xof.squeeze(block);
                at = 0;
            }
            j = static_cast<std::size_t>(block[at++]);
        }
        challenge[i] = challenge[j];
        challenge[j] = 1 - 2 * static_cast<std::int32_t>(signs & 1);
        signs >>= 1;
    }
}

} // namespace aios::crypto::detail::ml_dsa
