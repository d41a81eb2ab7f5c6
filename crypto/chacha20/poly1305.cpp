// Poly1305 on words of 64 bits. See poly1305.hpp.
#include "crypto/chacha20/poly1305.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "crypto/chacha20/poly1305_block.hpp"
#include "crypto/constant_time.hpp"

namespace aios::crypto::detail::chacha20 {

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
