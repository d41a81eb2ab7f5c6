// The field of GHASH (SP 800-38D section 6.3) as both engines see it.
//
// The standard's first bit is the coefficient of x^0; a block read big-endian is therefore the polynomial with its bits
// reversed, x^0 at the top. The product of two reversed 128-bit polynomials is the reversed product of 255 bits, which
// is one place too low. So H is kept divided by x, and the product of a block with it is right as a number of 256 bits.
#pragma once

#include <cstdint>

#include "crypto/constant_time.hpp"

namespace aios::crypto::detail::aes {

// A block, read big-endian.
struct FieldElement {
    std::uint64_t high;
    std::uint64_t low;
};

// x^128 = x^7 + x^2 + x + 1, without the 1, reversed.
inline constexpr std::uint64_t kReduction = 0xc200000000000000;

// Division by x: one place up; what falls out, x^-1, is x^127 + x^6 + x + 1.
inline FieldElement divide_by_x(FieldElement value) {
    const std::uint64_t mask = mask_from_bit(value.high >> 63);
    return {(value.high << 1 | value.low >> 63) ^ (mask & kReduction), value.low << 1 ^ (mask & 1)};
}

} // namespace aios::crypto::detail::aes
