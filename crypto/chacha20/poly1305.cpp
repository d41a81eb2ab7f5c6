// Poly1305 on words of 64 bits. See poly1305.hpp.
#include "crypto/chacha20/poly1305.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "crypto/constant_time.hpp"

namespace aios::crypto::detail::chacha20 {

namespace {

using Wide = unsigned __int128;

std::uint64_t upper(Wide value) { return static_cast<std::uint64_t>(value >> 64); }

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

} // namespace

void poly1305_begin(Poly1305& mac, Bytes key) {
    mac.sum = {};
    // Clamping, section 2.5.
    mac.r[0] = load_le<std::uint64_t>(key.data()) & 0x0ffffffc0fffffff;
    mac.r[1] = load_le<std::uint64_t>(key.data() + 8) & 0x0ffffffc0ffffffc;
    mac.s[0] = load_le<std::uint64_t>(key.data() + 16);
    mac.s[1] = load_le<std::uint64_t>(key.data() + 24);
}

void poly1305_blocks(Poly1305& mac, const std::byte* data, std::size_t count) {
    Poly1305 state = mac;
    for (; count > 0; --count, data += 16)
        add_block(state, load_le<std::uint64_t>(data), load_le<std::uint64_t>(data + 8), 1);
    mac.sum = state.sum;
}

void poly1305_last(Poly1305& mac, Bytes rest) {
    std::array<std::byte, 16> block{};
    std::copy(rest.begin(), rest.end(), block.begin());
    block[rest.size()] = std::byte{1};
    add_block(mac, load_le<std::uint64_t>(block.data()), load_le<std::uint64_t>(block.data() + 8), 0);
}

Poly1305Tag poly1305_end(const Poly1305& mac) {
    const auto& h = mac.sum;
    // The sum minus 2^130 - 5, if it is not below it: h[2] is at most 4 here, so that one subtraction is enough.
    Wide carry = Wide{h[0]} + 5;
    const std::uint64_t reduced0 = static_cast<std::uint64_t>(carry);
    carry = Wide{h[1]} + upper(carry);
    const std::uint64_t reduced1 = static_cast<std::uint64_t>(carry);
    const std::uint64_t mask = mask_if_nonzero((h[2] + upper(carry)) >> 2);
    carry = Wide{select(mask, reduced0, h[0])} + mac.s[0];
    Poly1305Tag tag;
    store_le(tag.data(), static_cast<std::uint64_t>(carry));
    store_le(tag.data() + 8, select(mask, reduced1, h[1]) + mac.s[1] + upper(carry));
    return tag;
}

} // namespace aios::crypto::detail::chacha20
