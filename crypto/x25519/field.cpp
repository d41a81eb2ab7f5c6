// Arithmetic modulo 2^255 - 19. See field.hpp.
#include "crypto/x25519/field.hpp"

#include "base/bytes.hpp"

namespace aios::crypto::detail::x25519 {

namespace {

using Wide = unsigned __int128;

using Element = Field51::Element;
constexpr std::uint64_t kLimbMask = Field51::kLimbMask;

std::uint64_t low(Wide value) { return static_cast<std::uint64_t>(value) & kLimbMask; }
std::uint64_t carry_of(Wide value) { return static_cast<std::uint64_t>(value >> 51); }

// Carries five sums of products, each below 2^114.7, to a tight element. 2^255 is 19.
[[gnu::always_inline]] inline Element carried(Wide (&sum)[5]) {
    for (std::size_t i = 0; i < 4; ++i)
        sum[i + 1] += carry_of(sum[i]);
    // Only sum[0] has all its products folded down by 19; sum[4] has none, so its carry is below 2^59.5.
    const std::uint64_t first = low(sum[0]) + 19 * carry_of(sum[4]);
    return {{first & kLimbMask, low(sum[1]) + (first >> 51), low(sum[2]), low(sum[3]), low(sum[4])}};
}

} // namespace

Field51::Element Field51::from_bytes(Bytes bytes) {
    const auto at = [&](std::size_t offset) { return load_le<std::uint64_t>(bytes.data() + offset); };
    return {{at(0) & kLimbMask, at(6) >> 3 & kLimbMask, at(12) >> 6 & kLimbMask, at(19) >> 1 & kLimbMask,
             at(24) >> 12 & kLimbMask}};
}

void Field51::to_bytes(const Element& a, MutableBytes out) {
    // Twice around makes all limbs 51 bits: the value is below 2^255.
    std::array<std::uint64_t, 5> x = a.limb;
    for (int i = 0; i < 2; ++i) {
        for (std::size_t j = 0; j < 5; ++j) {
            const std::uint64_t carry = x[j] >> 51;
            x[j] &= kLimbMask;
            x[(j + 1) % 5] += j == 4 ? 19 * carry : carry;
        }
    }
    // Whether it is p or more: then adding 19 carries out at the top, and that carry, dropped, takes p away.
    std::uint64_t carry = 19;
    for (const std::uint64_t limb : x)
        carry = (limb + carry) >> 51;
    carry *= 19;
    for (std::uint64_t& limb : x) {
        limb += carry;
        carry = limb >> 51;
        limb &= kLimbMask;
    }
    store_le(out.data(), x[0] | x[1] << 51);
    store_le(out.data() + 8, x[1] >> 13 | x[2] << 38);
    store_le(out.data() + 16, x[2] >> 26 | x[3] << 25);
    store_le(out.data() + 24, x[3] >> 39 | x[4] << 12);
}

void Field51::multiply(Element& out, const Element& a, const Element& b) {
    const auto& x = a.limb;
    const auto& y = b.limb;
    const std::uint64_t y1 = 19 * y[1];
    const std::uint64_t y2 = 19 * y[2];
    const std::uint64_t y3 = 19 * y[3];
    const std::uint64_t y4 = 19 * y[4];
    Wide sum[5] = {
        Wide{x[0]} * y[0] + Wide{x[1]} * y4 + Wide{x[2]} * y3 + Wide{x[3]} * y2 + Wide{x[4]} * y1,
        Wide{x[0]} * y[1] + Wide{x[1]} * y[0] + Wide{x[2]} * y4 + Wide{x[3]} * y3 + Wide{x[4]} * y2,
        Wide{x[0]} * y[2] + Wide{x[1]} * y[1] + Wide{x[2]} * y[0] + Wide{x[3]} * y4 + Wide{x[4]} * y3,
        Wide{x[0]} * y[3] + Wide{x[1]} * y[2] + Wide{x[2]} * y[1] + Wide{x[3]} * y[0] + Wide{x[4]} * y4,
        Wide{x[0]} * y[4] + Wide{x[1]} * y[3] + Wide{x[2]} * y[2] + Wide{x[3]} * y[1] + Wide{x[4]} * y[0],
    };
    out = carried(sum);
}

void Field51::multiply(Element& out, const Element& a, std::uint32_t small) {
    Wide sum[5];
    for (std::size_t i = 0; i < 5; ++i)
        sum[i] = Wide{a.limb[i]} * small;
    out = carried(sum);
}

void Field51::square(Element& out, const Element& a, int times) {
    Element result = a;
    for (int i = 0; i < times; ++i) {
        const auto& x = result.limb;
        const std::uint64_t x0 = 2 * x[0];
        const std::uint64_t x1 = 2 * x[1];
        const std::uint64_t x2 = 2 * x[2];
        const std::uint64_t x3 = 19 * x[3];
        const std::uint64_t x4 = 19 * x[4];
        Wide sum[5] = {
            Wide{x[0]} * x[0] + Wide{x1} * x4 + Wide{x2} * x3,
            Wide{x0} * x[1] + Wide{x2} * x4 + Wide{x[3]} * x3,
            Wide{x0} * x[2] + Wide{x[1]} * x[1] + Wide{2 * x[3]} * x4,
            Wide{x0} * x[3] + Wide{x1} * x[2] + Wide{x[4]} * x4,
            Wide{x0} * x[4] + Wide{x1} * x[3] + Wide{x[2]} * x[2],
        };
        result = carried(sum);
    }
    out = result;
}

} // namespace aios::crypto::detail::x25519
