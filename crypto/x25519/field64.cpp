// See field64.hpp. Products are in assembler because compilers do not keep two chains of carries apart: ADCX carries in
// CF, ADOX in OF, and MULX touches neither.
#include "crypto/x25519/field64.hpp"

#ifndef AIOS_KERNEL

#include "base/bytes.hpp"

namespace aios::crypto::detail::x25519 {

namespace {

using Wide = unsigned __int128;

constexpr std::uint64_t kFold = 38; // 2^256 modulo p

// Below, z0 to z7 name the limbs of a product in registers; lo and hi take one product of two limbs.
//
// z4 to z7, times 38, come down onto z0 to z3; `zero` names the register that becomes zero. The sum is below
// 39 * 2^256, so that what stands above is at most 38: 38 times that is added. If this carries out once more, the rest
// is below 38 * 39, and the last addition cannot carry.
#define AIOS_REDUCE(zero)                                                                                              \
    "movl $38, %%edx\n\t"                                                                                              \
    "xorl %k[" zero "], %k[" zero "]\n\t"                                                                              \
    "mulxq %[z4], %[lo], %[hi]\n\t"                                                                                    \
    "adcxq %[lo], %[z0]\n\t"                                                                                           \
    "adoxq %[hi], %[z1]\n\t"                                                                                           \
    "mulxq %[z5], %[lo], %[hi]\n\t"                                                                                    \
    "adcxq %[lo], %[z1]\n\t"                                                                                           \
    "adoxq %[hi], %[z2]\n\t"                                                                                           \
    "mulxq %[z6], %[lo], %[hi]\n\t"                                                                                    \
    "adcxq %[lo], %[z2]\n\t"                                                                                           \
    "adoxq %[hi], %[z3]\n\t"                                                                                           \
    "mulxq %[z7], %[lo], %[z4]\n\t"                                                                                    \
    "adcxq %[lo], %[z3]\n\t"                                                                                           \
    "adoxq %[" zero "], %[z4]\n\t"                                                                                     \
    "adcxq %[" zero "], %[z4]\n\t"                                                                                     \
    "imulq $38, %[z4], %[z4]\n\t"                                                                                      \
    "addq %[z4], %[z0]\n\t"                                                                                            \
    "adcq $0, %[z1]\n\t"                                                                                               \
    "adcq $0, %[z2]\n\t"                                                                                               \
    "adcq $0, %[z3]\n\t"                                                                                               \
    "sbbq %[" zero "], %[" zero "]\n\t"                                                                                \
    "andl $38, %k[" zero "]\n\t"                                                                                       \
    "addq %[" zero "], %[z0]\n\t"

// One row: z[first ... first + 4] += b * a, where the highest of them is new. XOR clears both carries.
#define AIOS_ROW(offset, first, second, third, fourth, highest)                                                        \
    "movq " offset "(%[b]), %%rdx\n\t"                                                                                 \
    "xorl %k[" highest "], %k[" highest "]\n\t"                                                                        \
    "mulxq 0(%[a]), %[lo], %[hi]\n\t"                                                                                  \
    "adcxq %[lo], %[" first "]\n\t"                                                                                    \
    "adoxq %[hi], %[" second "]\n\t"                                                                                   \
    "mulxq 8(%[a]), %[lo], %[hi]\n\t"                                                                                  \
    "adcxq %[lo], %[" second "]\n\t"                                                                                   \
    "adoxq %[hi], %[" third "]\n\t"                                                                                    \
    "mulxq 16(%[a]), %[lo], %[hi]\n\t"                                                                                 \
    "adcxq %[lo], %[" third "]\n\t"                                                                                    \
    "adoxq %[hi], %[" fourth "]\n\t"                                                                                   \
    "mulxq 24(%[a]), %[lo], %[hi]\n\t"                                                                                 \
    "adcxq %[lo], %[" fourth "]\n\t"                                                                                   \
    "adoxq %[hi], %[" highest "]\n\t"                                                                                  \
    "adcq $0, %[" highest "]\n\t"

// Adds 38 where `carry` is 1, and 38 again if that carries; then nothing can carry any more.
[[gnu::always_inline]] inline void fold_carry(std::uint64_t (&x)[4], std::uint64_t carry) {
    Wide sum = Wide{x[0]} + carry * kFold;
    x[0] = static_cast<std::uint64_t>(sum);
    for (std::size_t i = 1; i < 4; ++i) {
        sum = Wide{x[i]} + static_cast<std::uint64_t>(sum >> 64);
        x[i] = static_cast<std::uint64_t>(sum);
    }
    x[0] += static_cast<std::uint64_t>(sum >> 64) * kFold;
}

} // namespace

Field64::Element Field64::from_bytes(Bytes bytes) {
    Element a;
    for (std::size_t i = 0; i < 4; ++i)
        a.limb[i] = load_le<std::uint64_t>(bytes.data() + 8 * i);
    a.limb[3] &= ~std::uint64_t{0} >> 1;
    return a;
}

void Field64::to_bytes(const Element& a, MutableBytes out) {
    constexpr std::uint64_t kLow63 = ~std::uint64_t{0} >> 1;
    std::array<std::uint64_t, 4> x = a.limb;
    // Adds `value` at the bottom and gives what then stands at 2^255 and above.
    const auto add_small = [&](std::uint64_t value) {
        for (std::uint64_t& limb : x) {
            const Wide sum = Wide{limb} + value;
            limb = static_cast<std::uint64_t>(sum);
            value = static_cast<std::uint64_t>(sum >> 64);
        }
        return x[3] >> 63;
    };
    // 2^255 is 19: below 2^256 the top bit comes down as that, and once more if that sets it again. Then x is below
    // 2^255; it is p or more if 19 more reach 2^255, and then dropping that bit takes p away.
    for (int i = 0; i < 2; ++i) {
        const std::uint64_t top = x[3] >> 63;
        x[3] &= kLow63;
        add_small(19 * top);
    }
    const std::uint64_t at_least_p = add_small(19);
    x[3] &= kLow63;
    // Where it was less, 19 go away again.
    std::uint64_t borrow = 19 * (1 - at_least_p);
    for (std::uint64_t& limb : x) {
        const Wide difference = Wide{limb} - borrow;
        limb = static_cast<std::uint64_t>(difference);
        borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
    }
    for (std::size_t i = 0; i < 4; ++i)
        store_le(out.data() + 8 * i, x[i]);
}

[[gnu::noinline]] void Field64::multiply(Element& out, const Element& a, const Element& b) {
    std::uint64_t z0, z1, z2, z3, z4, z5, z6, z7, lo, hi;
    const std::uint64_t* from = b.limb.data(); // after the last row a register to work with
    // SAFETY: reads the four limbs of `a` and of `b`; all registers that it changes are outputs or named as changed.
    asm("movq 0(%[b]), %%rdx\n\t"
        "mulxq 0(%[a]), %[z0], %[z1]\n\t"
        "mulxq 8(%[a]), %[lo], %[z2]\n\t"
        "addq %[lo], %[z1]\n\t"
        "mulxq 16(%[a]), %[lo], %[z3]\n\t"
        "adcq %[lo], %[z2]\n\t"
        "mulxq 24(%[a]), %[lo], %[z4]\n\t"
        "adcq %[lo], %[z3]\n\t"
        "adcq $0, %[z4]\n\t" // clang-format off
        AIOS_ROW("8", "z1", "z2", "z3", "z4", "z5")
        AIOS_ROW("16", "z2", "z3", "z4", "z5", "z6")
        AIOS_ROW("24", "z3", "z4", "z5", "z6", "z7")
        AIOS_REDUCE("b") // clang-format on
        : [z0] "=&r"(z0), [z1] "=&r"(z1), [z2] "=&r"(z2), [z3] "=&r"(z3), [z4] "=&r"(z4), [z5] "=&r"(z5),
          [z6] "=&r"(z6), [z7] "=&r"(z7), [lo] "=&r"(lo), [hi] "=&r"(hi), [b] "+&r"(from)
        : [a] "r"(a.limb.data()), "m"(a), "m"(b)
        : "rdx", "cc");
    out.limb = {z0, z1, z2, z3};
}

[[gnu::noinline]] void Field64::multiply(Element& out, const Element& a, std::uint32_t small) {
    Wide sum = 0;
    std::uint64_t x[4];
    for (std::size_t i = 0; i < 4; ++i) {
        sum += Wide{a.limb[i]} * small;
        x[i] = static_cast<std::uint64_t>(sum);
        sum >>= 64;
    }
    fold_carry(x, static_cast<std::uint64_t>(sum)); // below 2^32, so that times 38 it is one limb
    out.limb = {x[0], x[1], x[2], x[3]};
}

[[gnu::noinline]] void Field64::square(Element& out, const Element& a, int times) {
    const Element* from = &a;
    do {
        std::uint64_t z0, z1, z2, z3, z4, z5, z6, z7, lo, hi;
        const std::uint64_t* limbs = from->limb.data();
        // The products of two different limbs first; then they are doubled by the chain in CF, and the squares of the
        // limbs added by that in OF.
        // SAFETY: as in multiply().
        asm("movq 0(%[a]), %%rdx\n\t"
            "mulxq 8(%[a]), %[z1], %[z2]\n\t"
            "mulxq 16(%[a]), %[lo], %[z3]\n\t"
            "addq %[lo], %[z2]\n\t"
            "mulxq 24(%[a]), %[lo], %[z4]\n\t"
            "adcq %[lo], %[z3]\n\t"
            "adcq $0, %[z4]\n\t"
            "movq 8(%[a]), %%rdx\n\t"
            "xorl %k[z5], %k[z5]\n\t"
            "mulxq 16(%[a]), %[lo], %[hi]\n\t"
            "adcxq %[lo], %[z3]\n\t"
            "adoxq %[hi], %[z4]\n\t"
            "mulxq 24(%[a]), %[lo], %[hi]\n\t"
            "adcxq %[lo], %[z4]\n\t"
            "adoxq %[hi], %[z5]\n\t"
            "movq 16(%[a]), %%rdx\n\t"
            "mulxq 24(%[a]), %[lo], %[z6]\n\t"
            "adcq %[lo], %[z5]\n\t" // nothing is left in OF: z5 was new
            "adcq $0, %[z6]\n\t"
            "movq 0(%[a]), %%rdx\n\t"
            "xorl %k[z7], %k[z7]\n\t"
            "mulxq %%rdx, %[z0], %[hi]\n\t"
            "adcxq %[z1], %[z1]\n\t"
            "adoxq %[hi], %[z1]\n\t"
            "movq 8(%[a]), %%rdx\n\t"
            "mulxq %%rdx, %[lo], %[hi]\n\t"
            "adcxq %[z2], %[z2]\n\t"
            "adoxq %[lo], %[z2]\n\t"
            "adcxq %[z3], %[z3]\n\t"
            "adoxq %[hi], %[z3]\n\t"
            "movq 16(%[a]), %%rdx\n\t"
            "mulxq %%rdx, %[lo], %[hi]\n\t"
            "adcxq %[z4], %[z4]\n\t"
            "adoxq %[lo], %[z4]\n\t"
            "adcxq %[z5], %[z5]\n\t"
            "adoxq %[hi], %[z5]\n\t"
            "movq 24(%[a]), %%rdx\n\t"
            "mulxq %%rdx, %[lo], %[hi]\n\t"
            "adcxq %[z6], %[z6]\n\t"
            "adoxq %[lo], %[z6]\n\t"
            "adcxq %[z7], %[z7]\n\t"
            "adoxq %[hi], %[z7]\n\t" AIOS_REDUCE("a")
            : [z0] "=&r"(z0), [z1] "=&r"(z1), [z2] "=&r"(z2), [z3] "=&r"(z3), [z4] "=&r"(z4), [z5] "=&r"(z5),
              [z6] "=&r"(z6), [z7] "=&r"(z7), [lo] "=&r"(lo), [hi] "=&r"(hi), [a] "+&r"(limbs)
            : "m"(*from)
            : "rdx", "cc");
        out.limb = {z0, z1, z2, z3};
        from = &out;
    } while (--times > 0);
}

#undef AIOS_ROW
#undef AIOS_REDUCE

} // namespace aios::crypto::detail::x25519

#endif
