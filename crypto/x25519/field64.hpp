// The integers modulo p = 2^255 - 19 in four limbs of 64 bits, for processors with MULX, ADCX and ADOX (BMI2 and ADX:
// use_carry_instructions() says so). Not in the kernel. See field.hpp for the other form; both serve the one ladder.
//
// An element is any number below 2^256: a value has two or three forms. 2^256 is 38 modulo p, so what is carried out at
// the top comes in again as 38. to_bytes() reduces fully.
//
// Constant time: no branch and no address depends on a value, and none of the instructions takes its time from its
// operands.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"

namespace aios::crypto::detail::x25519 {

struct Field64 {
    struct Element {
        std::array<std::uint64_t, 4> limb;
    };

    static constexpr Element kZero = {};
    static constexpr Element kOne = {{1, 0, 0, 0}};

    // From 32 bytes, little-endian; the top bit is ignored, values from p on are allowed.
    [[nodiscard]] static Element from_bytes(Bytes bytes);
    // To 32 bytes, fully reduced.
    static void to_bytes(const Element& a, MutableBytes out);

    // `out` may be an argument, here and below.
    [[gnu::always_inline]] static void add(Element& out, const Element& a, const Element& b) {
        std::uint64_t z0 = a.limb[0];
        std::uint64_t z1 = a.limb[1];
        std::uint64_t z2 = a.limb[2];
        std::uint64_t z3 = a.limb[3];
        std::uint64_t carry;
        // SAFETY: reads the four limbs of `b`; all registers that it changes are outputs. Two carries out, each folded.
        asm("addq 0(%[b]), %[z0]\n\t"
            "adcq 8(%[b]), %[z1]\n\t"
            "adcq 16(%[b]), %[z2]\n\t"
            "adcq 24(%[b]), %[z3]\n\t"
            "sbbq %[carry], %[carry]\n\t"
            "andl $38, %k[carry]\n\t"
            "addq %[carry], %[z0]\n\t"
            "adcq $0, %[z1]\n\t"
            "adcq $0, %[z2]\n\t"
            "adcq $0, %[z3]\n\t"
            "sbbq %[carry], %[carry]\n\t"
            "andl $38, %k[carry]\n\t"
            "addq %[carry], %[z0]\n\t"
            : [z0] "+&r"(z0), [z1] "+&r"(z1), [z2] "+&r"(z2), [z3] "+&r"(z3), [carry] "=&r"(carry)
            : [b] "r"(b.limb.data()), "m"(b)
            : "cc");
        out.limb = {z0, z1, z2, z3};
    }

    [[gnu::always_inline]] static void subtract(Element& out, const Element& a, const Element& b) {
        std::uint64_t z0 = a.limb[0];
        std::uint64_t z1 = a.limb[1];
        std::uint64_t z2 = a.limb[2];
        std::uint64_t z3 = a.limb[3];
        std::uint64_t borrow;
        // SAFETY: as in add(). A borrow is -2^256, which is -38.
        asm("subq 0(%[b]), %[z0]\n\t"
            "sbbq 8(%[b]), %[z1]\n\t"
            "sbbq 16(%[b]), %[z2]\n\t"
            "sbbq 24(%[b]), %[z3]\n\t"
            "sbbq %[borrow], %[borrow]\n\t"
            "andl $38, %k[borrow]\n\t"
            "subq %[borrow], %[z0]\n\t"
            "sbbq $0, %[z1]\n\t"
            "sbbq $0, %[z2]\n\t"
            "sbbq $0, %[z3]\n\t"
            "sbbq %[borrow], %[borrow]\n\t"
            "andl $38, %k[borrow]\n\t"
            "subq %[borrow], %[z0]\n\t"
            : [z0] "+&r"(z0), [z1] "+&r"(z1), [z2] "+&r"(z2), [z3] "+&r"(z3), [borrow] "=&r"(borrow)
            : [b] "r"(b.limb.data()), "m"(b)
            : "cc");
        out.limb = {z0, z1, z2, z3};
    }

    static void multiply(Element& out, const Element& a, const Element& b);
    // a * small.
    static void multiply(Element& out, const Element& a, std::uint32_t small);
    // a squared `times` times, at least once.
    static void square(Element& out, const Element& a, int times = 1);

    // `a` becomes `b` where the mask is ones.
    [[gnu::always_inline]] static void select(std::uint64_t mask, Element& a, const Element& b) {
        for (std::size_t i = 0; i < 4; ++i)
            a.limb[i] ^= mask & (a.limb[i] ^ b.limb[i]);
    }
};

} // namespace aios::crypto::detail::x25519
