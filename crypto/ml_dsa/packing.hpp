// SimpleBitPack, BitPack and their inverses (FIPS 204 algorithms 16 to 19): coefficients as strings of bits, eight
// coefficients at a time, which are always whole bytes. Every loop has a constant count; nothing depends on the values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "crypto/ml_dsa/polynomial.hpp"

namespace aios::crypto::detail::ml_dsa {

// Writes 32 * Bits bytes: of each coefficient, map(coefficient), which is below 2^Bits.
template <unsigned Bits, typename Map>
inline void pack(std::byte* out, const Polynomial& from, Map map) {
    for (std::size_t i = 0; i < kN; i += 8, out += Bits) {
        std::uint64_t words[3] = {};
        for (unsigned j = 0; j < 8; ++j) {
            const std::uint64_t value = static_cast<std::uint32_t>(map(from[i + j]));
            const unsigned at = j * Bits;
            words[at / 64] |= value << (at % 64);
            if (at % 64 + Bits > 64) words[at / 64 + 1] |= value >> (64 - at % 64);
        }
        unsigned byte = 0;
        for (; byte + 8 <= Bits; byte += 8)
            store_le(out + byte, words[byte / 8]);
        if (Bits % 8 >= 4) {
            store_le(out + byte, static_cast<std::uint32_t>(words[byte / 8]));
            byte += 4;
        }
        for (; byte < Bits; ++byte)
            out[byte] = static_cast<std::byte>(words[byte / 8] >> (8 * (byte % 8)));
    }
}

// Reads 32 * Bits bytes: each coefficient becomes map(value), value below 2^Bits.
template <unsigned Bits, typename Map>
inline void unpack(Polynomial& to, const std::byte* in, Map map) {
    for (std::size_t i = 0; i < kN; i += 8, in += Bits) {
        std::uint64_t words[3] = {};
        unsigned byte = 0;
        for (; byte + 8 <= Bits; byte += 8)
            words[byte / 8] = load_le<std::uint64_t>(in + byte);
        if (Bits % 8 >= 4) {
            words[byte / 8] = load_le<std::uint32_t>(in + byte);
            byte += 4;
        }
        for (; byte < Bits; ++byte)
            words[byte / 8] |= static_cast<std::uint64_t>(in[byte]) << (8 * (byte % 8));
        for (unsigned j = 0; j < 8; ++j) {
            const unsigned at = j * Bits;
            std::uint64_t value = words[at / 64] >> (at % 64);
            if (at % 64 + Bits > 64) value |= words[at / 64 + 1] << (64 - at % 64);
            to[i + j] = map(static_cast<std::int32_t>(value & ((1U << Bits) - 1)));
        }
    }
}

} // namespace aios::crypto::detail::ml_dsa
