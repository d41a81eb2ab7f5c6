// One step of Poly1305 on words of 64 bits, inlined where it runs between other things. See poly1305.hpp.
#pragma once

#include <cstdint>

#include "crypto/chacha20/poly1305.hpp"

namespace aios::crypto::detail::chacha20 {

using Wide = unsigned __int128;

[[gnu::always_inline]] inline std::uint64_t upper(Wide value) { return static_cast<std::uint64_t>(value >> 64); }

// sum = (sum + block) * r, where `above` is the bit that stands above the block's 128.
[[gnu::always_inline]] inline void add_block(Poly1305& mac, std::uint64_t low, std::uint64_t high,
                                             std::uint64_t above) {
    auto& h = mac.sum;
    const std::uint64_t r0 = mac.r[0];
    const std::uint64_t r1 = mac.r[1];
    // 2^128 * r1 = 2^130 * (r1 / 4), and 2^130 is 5; clamping made r1 a multiple of 4.
    const std::uint64_t r1_folded = r1 + (r1 >> 2);

    Wide carry = Wide{h[0]} + low;
    h[0] = static_cast<std::uint64_t>(carry);
    carry = Wide{h[1]} + high + upper(carry);
    h[1] = static_cast<std::uint64_t>(carry);
    h[2] += above + upper(carry);

    // Clamping keeps r0 and r1 below 2^60: no sum of these products leaves 128 bits.
    const Wide d0 = Wide{h[0]} * r0 + Wide{h[1]} * r1_folded;
    const Wide d1 = Wide{h[0]} * r1 + Wide{h[1]} * r0 + h[2] * r1_folded + upper(d0);
    const std::uint64_t d2 = h[2] * r0 + upper(d1);

    // What stands at 2^130 and above comes down five times.
    const std::uint64_t folded = (d2 >> 2) + (d2 & ~std::uint64_t{3});
    carry = Wide{static_cast<std::uint64_t>(d0)} + folded;
    h[0] = static_cast<std::uint64_t>(carry);
    carry = Wide{static_cast<std::uint64_t>(d1)} + upper(carry);
    h[1] = static_cast<std::uint64_t>(carry);
    h[2] = (d2 & 3) + upper(carry);
}

} // namespace aios::crypto::detail::chacha20
