// What signing does to a candidate signature: the comparisons that reject it, and its hints; portable. See
// rounding.hpp.
#include "crypto/ml_dsa/rounding.hpp"

#include "crypto/constant_time.hpp"

namespace aios::crypto::detail::ml_dsa {

namespace {

// Its sign bit is set if |a| is `bound` or more.
constexpr std::uint32_t exceeds(std::int32_t a, std::int32_t bound) {
    const std::int32_t sign = a >> 31;
    return static_cast<std::uint32_t>((bound - 1) - ((a ^ sign) - sign));
}

template <typename Change>
std::uint32_t change_and_compare(Polynomial& a, std::int32_t bound, Change change) {
    std::uint32_t any = 0;
    for (std::size_t i = 0; i < kN; ++i) {
        a[i] = reduce_centred(change(a[i], i));
        any |= exceeds(a[i], bound);
    }
    return mask_from_bit(any >> 31);
}

} // namespace

std::uint32_t add_and_compare(Polynomial& a, const Polynomial& b, std::int32_t bound) {
    if (use_avx2()) return add_and_compare_avx2(a, b, bound);
    return change_and_compare(a, bound, [&](std::int32_t value, std::size_t i) { return value + b[i]; });
}

std::uint32_t subtract_and_compare(Polynomial& a, const Polynomial& b, std::int32_t bound) {
    if (use_avx2()) return subtract_and_compare_avx2(a, b, bound);
    return change_and_compare(a, bound, [&](std::int32_t value, std::size_t i) { return value - b[i]; });
}

std::uint32_t reduce_and_compare(Polynomial& a, std::int32_t bound) {
    if (use_avx2()) return reduce_and_compare_avx2(a, bound);
    return change_and_compare(a, bound, [](std::int32_t value, std::size_t) { return value; });
}

// HighBits changes where the sum leaves [-gamma2, gamma2]; at -gamma2 itself it changes too, except from 0, since
// Decompose counts q - gamma2 to the high bits 0.
std::uint32_t make_hint(std::int32_t gamma2, const Polynomial& low, const Polynomial& change, Polynomial& high) {
    if (use_avx2()) return make_hint_avx2(gamma2, low, change, high);
    const auto never_known = opaque(std::uint32_t{0});
    std::uint32_t ones = 0;
    for (std::size_t i = 0; i < kN; ++i) {
        const std::int32_t sum = low[i] + change[i];
        const std::int32_t above = gamma2 - sum;        // negative if above
        const std::int32_t below = gamma2 + sum;        // negative if below, zero at the edge
        const std::int32_t at_edge = ~(below | -below); // negative if zero
        const std::int32_t not_zero = -high[i];         // negative if not zero
        const auto bits = static_cast<std::uint32_t>(above | below | (at_edge & not_zero)) ^ never_known;
        high[i] = static_cast<std::int32_t>(bits >> 31);
        ones += bits >> 31;
    }
    return ones;
}

} // namespace aios::crypto::detail::ml_dsa
