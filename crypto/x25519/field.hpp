// The integers modulo p = 2^255 - 19, for X25519 (RFC 7748 section 4.1): five limbs of 51 bits, in plain C++.
// field64.hpp has the same for processors with instructions for two chains of carries; the ladder takes either.
//
// Limbs may be larger than 51 bits. Products and squares give "tight" elements, all limbs below 2^51 + 2^14; sums of
// two tight elements have limbs below 2^52 + 2^15, differences below 2^53. Products take limbs up to 2^54. No branch
// and no index depends on a value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"

namespace aios::crypto::detail::x25519 {

struct Field51 {
    struct Element {
        std::array<std::uint64_t, 5> limb;
    };

    static constexpr std::uint64_t kLimbMask = (std::uint64_t{1} << 51) - 1;
    static constexpr Element kZero = {};
    static constexpr Element kOne = {{1, 0, 0, 0, 0}};

    // From 32 bytes, little-endian; the top bit is ignored, values from p on are allowed.
    [[nodiscard]] static Element from_bytes(Bytes bytes);

    // To 32 bytes, fully reduced. `a` is tight.
    static void to_bytes(const Element& a, MutableBytes out);

    // Results go where the caller says, also onto an argument: returned values would be copied, by vectors that wait
    // for the limbs' stores.
    [[gnu::always_inline]] static void add(Element& out, const Element& a, const Element& b) {
        for (std::size_t i = 0; i < 5; ++i)
            out.limb[i] = a.limb[i] + b.limb[i];
    }

    // Of tight elements. 2p is added first, so that no limb gets below zero.
    [[gnu::always_inline]] static void subtract(Element& out, const Element& a, const Element& b) {
        for (std::size_t i = 0; i < 5; ++i)
            out.limb[i] = a.limb[i] + 2 * (i == 0 ? kLimbMask - 18 : kLimbMask) - b.limb[i];
    }

    static void multiply(Element& out, const Element& a, const Element& b);

    // a * small.
    static void multiply(Element& out, const Element& a, std::uint32_t small);

    // a squared `times` times, at least once.
    static void square(Element& out, const Element& a, int times = 1);

    // `a` becomes `b` where the mask is ones.
    [[gnu::always_inline]] static void select(std::uint64_t mask, Element& a, const Element& b) {
        for (std::size_t i = 0; i < 5; ++i)
            a.limb[i] ^= mask & (a.limb[i] ^ b.limb[i]);
    }
};

} // namespace aios::crypto::detail::x25519
