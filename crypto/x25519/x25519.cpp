// The function X25519 by the Montgomery ladder (RFC 7748 section 5). See x25519.hpp.
#include "crypto/x25519.hpp"

#include <algorithm>
#include <array>

#include "crypto/constant_time.hpp"
#include "crypto/x25519/field.hpp"

namespace aios::crypto {

namespace {

using detail::x25519::Element;
using detail::x25519::from_bytes;
using detail::x25519::invert;
using detail::x25519::multiply;
using detail::x25519::square;
using detail::x25519::swap_if;
using detail::x25519::to_bytes;

constexpr std::uint32_t kA24 = 121665; // (486662 - 2) / 4

// Two points of the ladder by their u-coordinates x / z, which differ by the input point; the scalar's bytes; what is
// computed in a step. One object, so that all of it is wiped.
struct Ladder {
    std::array<std::uint8_t, 32> scalar;
    Element x1, x2, z2, x3, z3;
    Element sum, difference, t;
};

// One doubling of point 2 and one differential addition. Names in comments are the standard's.
void step(Ladder& l) {
    l.sum = l.x2 + l.z2;                // A
    l.difference = l.x2 - l.z2;         // B
    l.t = l.x3 - l.z3;                  // D
    l.x3 = l.x3 + l.z3;                 // C
    multiply(l.t, l.t, l.sum);          // DA
    multiply(l.x3, l.x3, l.difference); // CB
    l.z3 = l.t - l.x3;
    l.x3 = l.t + l.x3;
    square(l.x3, l.x3);
    square(l.z3, l.z3);
    multiply(l.z3, l.z3, l.x1);
    square(l.sum, l.sum);               // AA
    square(l.difference, l.difference); // BB
    multiply(l.x2, l.sum, l.difference);
    l.difference = l.sum - l.difference; // E
    multiply(l.t, l.difference, kA24);
    l.t = l.sum + l.t;
    multiply(l.z2, l.difference, l.t);
}

void scalar_multiply(Bytes scalar, Bytes point, MutableBytes out) {
    Ladder l;
    const WipeAtEnd wipe(l);
    for (std::size_t i = 0; i < 32; ++i)
        l.scalar[i] = static_cast<std::uint8_t>(scalar[i]);
    // decodeScalar25519.
    l.scalar[0] &= 248;
    l.scalar[31] = static_cast<std::uint8_t>((l.scalar[31] & 127) | 64);
    l.x1 = from_bytes(point);
    l.x2 = {{1}};
    l.z2 = {};
    l.x3 = l.x1;
    l.z3 = {{1}};
    std::uint64_t swapped = 0;
    for (std::size_t t = 255; t-- > 0;) {
        const std::uint64_t bit = std::uint64_t{l.scalar[t / 8]} >> (t % 8) & 1;
        const std::uint64_t mask = mask_from_bit(swapped ^ bit);
        swapped = bit;
        swap_if(mask, l.x2, l.x3);
        swap_if(mask, l.z2, l.z3);
        step(l);
    }
    const std::uint64_t mask = mask_from_bit(swapped);
    swap_if(mask, l.x2, l.x3);
    swap_if(mask, l.z2, l.z3);
    invert(l.t, l.z2);
    multiply(l.x2, l.x2, l.t);
    to_bytes(l.x2, out);
}

} // namespace

void X25519::public_key(const Secret& secret, PublicKey& out) {
    std::array<std::byte, 32> base_point{std::byte{9}};
    scalar_multiply(secret.bytes(), base_point, out.bytes());
}

Result<> X25519::derive(const Secret& secret, const PublicKey& theirs, SharedSecret& out) {
    scalar_multiply(secret.bytes(), theirs.bytes(), out.bytes());
    // Section 6.1: all zeros or not is a property of the public point alone.
    constexpr std::array<std::byte, 32> kZeros{};
    if (equal_in_constant_time(out.bytes(), kZeros)) return fail(Error::bad_format);
    return {};
}

} // namespace aios::crypto
