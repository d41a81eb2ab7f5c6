// The Montgomery ladder of X25519 (RFC 7748 section 5) over either form of the field: field.hpp, field64.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "crypto/constant_time.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto::detail::x25519 {

inline constexpr std::uint32_t kA24 = 121665; // (486662 - 2) / 4

// Fermat: a^(p - 2), p - 2 = 2^255 - 21 = (2^250 - 1) * 2^5 + 11. `ones_n` is a^(2^n - 1).
template <typename Field>
void invert(typename Field::Element& out, const typename Field::Element& a) {
    using Element = typename Field::Element;
    Element a11, ones_5, ones_10, ones_50, ones, t;
    Field::square(a11, a);
    Field::square(t, a11, 2);
    Field::multiply(t, t, a); // a^9
    Field::multiply(a11, a11, t);
    Field::square(ones_5, a11);
    Field::multiply(ones_5, ones_5, t);
    // ones_(m + n) from ones_m and ones_n.
    const auto append = [&](Element& to, const Element& ones_m, int n, const Element& ones_n) {
        Field::square(t, ones_m, n);
        Field::multiply(to, t, ones_n);
    };
    append(ones_10, ones_5, 5, ones_5);
    append(ones, ones_10, 10, ones_10); // 20
    append(ones, ones, 20, ones);       // 40
    append(ones_50, ones, 10, ones_10);
    append(ones, ones_50, 50, ones_50); // 100
    append(ones, ones, 100, ones);      // 200
    append(ones, ones, 50, ones_50);    // 250
    append(out, ones, 5, a11);
}

// Two points of the ladder by their u-coordinates x / z, which differ by the input point; the scalar's bytes; what is
// computed in a step. One object, so that all of it is wiped.
template <typename Field>
struct Ladder {
    using Element = typename Field::Element;
    std::array<std::uint8_t, 32> scalar;
    Element x1, x2, z2, x3, z3;
    Element sum, difference, other_sum, other_difference, t;

    // Makes point 3 the sum of both points, and point 2 twice itself or, where the mask is ones, twice point 3: what the
    // standard does by exchanging the points first. The sum is the same in either order, since an exchange only changes
    // the sign of DA - CB, which is squared; so the mask chooses what is doubled and nothing is exchanged. Names in
    // comments are the standard's. What waits for nothing stands between what waits for each other, so that the
    // processor works on several products at once.
    void step(std::uint64_t mask) {
        Field::add(sum, x2, z2);                    // A
        Field::subtract(difference, x2, z2);        // B
        Field::subtract(other_difference, x3, z3);  // D
        Field::add(other_sum, x3, z3);              // C
        Field::multiply(z3, other_difference, sum); // DA
        Field::multiply(t, other_sum, difference);  // CB
        Field::select(mask, sum, other_sum);
        Field::select(mask, difference, other_difference);
        Field::square(sum, sum);               // AA
        Field::square(difference, difference); // BB
        Field::add(x3, z3, t);
        Field::subtract(z3, z3, t);
        Field::square(z3, z3);
        Field::multiply(x2, sum, difference);
        Field::subtract(difference, sum, difference); // E
        Field::multiply(t, difference, kA24);
        Field::square(x3, x3);
        Field::multiply(z3, z3, x1);
        Field::add(t, sum, t);
        Field::multiply(z2, difference, t);
    }
};

// All arguments have 32 bytes.
template <typename Field>
void scalar_multiply(Bytes scalar, Bytes point, MutableBytes out) {
    Ladder<Field> l;
    const WipeAtEnd wipe(l);
    for (std::size_t i = 0; i < 32; ++i)
        l.scalar[i] = static_cast<std::uint8_t>(scalar[i]);
    // decodeScalar25519.
    l.scalar[0] &= 248;
    l.scalar[31] = static_cast<std::uint8_t>((l.scalar[31] & 127) | 64);
    l.x1 = Field::from_bytes(point);
    l.x2 = Field::kOne;
    l.z2 = Field::kZero;
    l.x3 = l.x1;
    l.z3 = Field::kOne;
    std::uint64_t swapped = 0;
    for (std::size_t t = 255; t-- > 0;) {
        const std::uint64_t bit = std::uint64_t{l.scalar[t / 8]} >> (t % 8) & 1;
        l.step(mask_from_bit(swapped ^ bit));
        swapped = bit;
    }
    const std::uint64_t mask = mask_from_bit(swapped);
    Field::select(mask, l.x2, l.x3);
    Field::select(mask, l.z2, l.z3);
    invert<Field>(l.t, l.z2);
    Field::multiply(l.x2, l.x2, l.t);
    Field::to_bytes(l.x2, out);
}

} // namespace aios::crypto::detail::x25519
