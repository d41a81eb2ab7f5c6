// Reading a public key and a signature. See encoding.hpp. What comes in is anybody's bytes; of fixed length, so that no
// read leaves them.
#include "crypto/ml_dsa/encoding.hpp"
#include "crypto/ml_dsa/packing.hpp"

namespace aios::crypto::detail::ml_dsa {

void unpack_t1(Polynomial& t1_shifted, const std::byte* in) {
    unpack<10>(t1_shifted, in, [](std::int32_t value) { return value << kD; });
}

void unpack_z(const Shape& shape, Polynomial& z, const std::byte* in) {
    const std::int32_t gamma1 = shape.gamma1;
    const auto map = [gamma1](std::int32_t value) { return gamma1 - value; };
    if (use_avx2())
        unpack_z_avx2(shape, z, in);
    else if (gamma1 == kGamma1Of44)
        unpack<18>(z, in, map);
    else
        unpack<20>(z, in, map);
}

// The last k bytes say where in the first omega the positions of each polynomial end. One encoding a set of hints: ends
// ascend, positions of one polynomial ascend strictly, what is left over is zero.
bool are_hints_well_formed(const Shape& shape, Bytes hints) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < shape.k; ++i) {
        const auto end = static_cast<std::size_t>(hints[shape.omega + i]);
        if (end < at || end > shape.omega) return false;
        for (const std::size_t first = at; at < end; ++at) {
            if (at > first && hints[at - 1] >= hints[at]) return false;
        }
    }
    for (; at < shape.omega; ++at) {
        if (hints[at] != std::byte{0}) return false;
    }
    return true;
}

Bytes hints_of(const Shape& shape, Bytes hints, std::size_t i) {
    const std::size_t begin = i == 0 ? 0 : static_cast<std::size_t>(hints[shape.omega + i - 1]);
    const auto end = static_cast<std::size_t>(hints[shape.omega + i]);
    return hints.subspan(begin, end - begin);
}

} // namespace aios::crypto::detail::ml_dsa
