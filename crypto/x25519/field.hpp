// The integers modulo p = 2^255 - 19, for X25519 (RFC 7748 section 4.1): five limbs of 51 bits.
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

struct Element {
    std::array<std::uint64_t, 5> limb;
};

inline constexpr std::uint64_t kLimbMask = (std::uint64_t{1} << 51) - 1;

// From 32 bytes, little-endian; the top bit is ignored, values from p on are allowed.
[[nodiscard]] Element from_bytes(Bytes bytes);

// To 32 bytes, fully reduced. `a` is tight.
void to_bytes(const Element& a, MutableBytes out);

[[gnu::always_inline]] inline Element operator+(const Element& a, const Element& b) {
    Element sum;
    for (std::size_t i = 0; i < 5; ++i)
        sum.limb[i] = a.limb[i] + b.limb[i];
    return sum;
}

// Of tight elements. 2p is added first, so that no limb gets below zero.
[[gnu::always_inline]] inline Element operator-(const Element& a, const Element& b) {
    Element difference;
    for (std::size_t i = 0; i < 5; ++i)
        difference.limb[i] = a.limb[i] + 2 * (i == 0 ? kLimbMask - 18 : kLimbMask) - b.limb[i];
    return difference;
}

// Results go where the caller says, also onto an argument: returned values would be copied, by vectors that wait for
// the limbs' stores.
void multiply(Element& out, const Element& a, const Element& b);

// a * small.
void multiply(Element& out, const Element& a, std::uint32_t small);

// a squared `times` times, at least once.
void square(Element& out, const Element& a, int times = 1);

// 1 / a; 0 for 0. `a` is tight.
void invert(Element& out, const Element& a);

// Exchanges `a` and `b` where the mask is ones.
inline void swap_if(std::uint64_t mask, Element& a, Element& b) {
    for (std::size_t i = 0; i < 5; ++i) {
        const std::uint64_t difference = mask & (a.limb[i] ^ b.limb[i]);
        a.limb[i] ^= difference;
        b.limb[i] ^= difference;
    }
}

} // namespace aios::crypto::detail::x25519
