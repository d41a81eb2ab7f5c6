// Absorbing and squeezing of four sponges, and the portable permutation of four. See keccak_x4.hpp.
#include "crypto/keccak_x4.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "crypto/backend.hpp"
#include "crypto/sha3.hpp"

namespace aios::crypto {

namespace detail {

void keccak_f1600_x4(KeccakX4& state) {
    if (use_avx2()) {
        keccak_f1600_x4_avx2(state);
        return;
    }
    for (std::size_t s = 0; s < 4; ++s) {
        std::array<std::uint64_t, 25> lanes;
        for (std::size_t i = 0; i < 25; ++i)
            lanes[i] = state.lanes[i][s];
        keccak_f1600(lanes);
        for (std::size_t i = 0; i < 25; ++i)
            state.lanes[i][s] = lanes[i];
    }
}

} // namespace detail

template <std::size_t Rate>
void ShakeX4<Rate>::absorb(Bytes first, Bytes second, Bytes third, Bytes fourth) {
    const std::array<Bytes, 4> inputs = {first, second, third, fourth};
    AIOS_ASSERT(second.size() == first.size() && third.size() == first.size() && fourth.size() == first.size());
    state_ = {};
    std::size_t at = 0;
    for (; first.size() - at >= Rate; at += Rate) {
        for (std::size_t s = 0; s < 4; ++s)
            for (std::size_t i = 0; i < Rate / 8; ++i)
                state_.lanes[i][s] ^= load_le<std::uint64_t>(&inputs[s][at + 8 * i]);
        detail::keccak_f1600_x4(state_);
    }
    const std::size_t left = first.size() - at;
    for (std::size_t s = 0; s < 4; ++s) {
        std::size_t i = 0;
        for (; i + 8 <= left; i += 8)
            state_.lanes[i / 8][s] ^= load_le<std::uint64_t>(&inputs[s][at + i]);
        std::uint64_t last = std::uint64_t{0x1f} << (8 * (left % 8)); // section 6.2, and the first bit of the padding
        for (; i < left; ++i)
            last |= std::uint64_t{static_cast<std::uint8_t>(inputs[s][at + i])} << (8 * (i % 8));
        state_.lanes[left / 8][s] ^= last;
        state_.lanes[Rate / 8 - 1][s] ^= std::uint64_t{0x80} << 56;
    }
}

template <std::size_t Rate>
void ShakeX4<Rate>::squeeze_blocks(const std::array<std::byte*, 4>& out, std::size_t blocks) {
    for (std::size_t block = 0; block < blocks; ++block) {
        detail::keccak_f1600_x4(state_);
        for (std::size_t s = 0; s < 4; ++s)
            for (std::size_t i = 0; i < Rate / 8; ++i)
                store_le(out[s] + block * Rate + 8 * i, state_.lanes[i][s]);
    }
}

template class ShakeX4<168>;
template class ShakeX4<136>;

} // namespace aios::crypto
