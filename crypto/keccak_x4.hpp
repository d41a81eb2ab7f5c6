// Four SHAKE computations side by side (FIPS 202), for the lattice and hash-based algorithms, which need many short
// ones. With AVX2 all four cost about what one does.
//
//   Shake128x4 xof;  xof.absorb(a, b, c, d);  xof.squeeze_blocks({out0, out1, out2, out3}, 3);
//
// Four inputs of one length are absorbed in one call; then whole blocks come out. Objects are plain values of 800
// bytes; whoever gives them a secret wipes them (secure_wipe_object).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"

namespace aios::crypto {

namespace detail {

// Lane i of state s is lanes[i][s].
struct KeccakX4 {
    alignas(32) std::array<std::array<std::uint64_t, 4>, 25> lanes{};
};

// Keccak-f[1600] (section 3.3) on all four, by the backend in force.
void keccak_f1600_x4(KeccakX4& state);
void keccak_f1600_x4_avx2(KeccakX4& state);

} // namespace detail

template <std::size_t Rate>
class ShakeX4 {
public:
    static constexpr std::size_t kBlockSize = Rate;

    // The whole of four inputs, all of one length (asserted), and the padding. A second call starts anew.
    void absorb(Bytes first, Bytes second, Bytes third, Bytes fourth);

    // The next `blocks` * kBlockSize bytes of each output.
    void squeeze_blocks(const std::array<std::byte*, 4>& out, std::size_t blocks);

private:
    detail::KeccakX4 state_;
};

using Shake128x4 = ShakeX4<168>;
using Shake256x4 = ShakeX4<136>;

} // namespace aios::crypto
