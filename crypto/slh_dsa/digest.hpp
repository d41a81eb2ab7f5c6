// The parts of a message digest (FIPS 205 algorithms 2, 4 and 19). All of it is public: the digest comes from the
// randomiser R, which is in the signature, the public key and the message.
#pragma once

#include "crypto/slh_dsa/core.hpp"

namespace aios::crypto::detail::slh {

// toInt, algorithm 2, of at most 8 bytes.
[[nodiscard]] inline std::uint64_t to_int(Bytes bytes) {
    std::uint64_t value = 0;
    for (const std::byte b : bytes)
        value = (value << 8) | static_cast<std::uint8_t>(b);
    return value;
}

[[nodiscard]] constexpr std::uint64_t low_bits(std::uint64_t value, std::size_t count) {
    return count == 64 ? value : value & ((std::uint64_t{1} << count) - 1);
}

// Which FORS key signs: tree and leaf of the lowest layer of the hypertree.
struct KeyIndex {
    std::uint64_t tree;
    std::uint32_t leaf;
};

// Algorithm 19, lines 6 to 10.
[[nodiscard]] inline KeyIndex key_index(const Set& set, Bytes digest) {
    const std::size_t fors_bytes = (set.k * set.a + 7) / 8;
    const std::size_t tree_bits = set.h - set.h_prime;
    const std::size_t tree_bytes = (tree_bits + 7) / 8;
    const std::size_t leaf_bytes = (set.h_prime + 7) / 8;
    return {
        low_bits(to_int(digest.subspan(fors_bytes, tree_bytes)), tree_bits),
        static_cast<std::uint32_t>(low_bits(to_int(digest.subspan(fors_bytes + tree_bytes, leaf_bytes)), set.h_prime))};
}

// Number `tree` of base_2b(md, a, k), algorithm 4.
[[nodiscard]] inline std::uint32_t fors_index(const Set& set, Bytes digest, std::size_t tree) {
    std::uint32_t index = 0;
    for (std::size_t bit = tree * set.a; bit < (tree + 1) * set.a; ++bit)
        index = (index << 1) | ((static_cast<std::uint32_t>(digest[bit / 8]) >> (7 - bit % 8)) & 1);
    return index;
}

// The lengths of WOTS+ chains for a message of n bytes, with their checksum: algorithm 7, lines 1 to 7.
inline void wots_digits(const Set& set, const std::byte* message, std::array<std::uint8_t, kMaxDigits>& digits) {
    std::uint32_t checksum = 0;
    for (std::size_t i = 0; i < 2 * set.n; ++i) {
        const auto byte = static_cast<std::uint8_t>(message[i / 2]);
        digits[i] = static_cast<std::uint8_t>(i % 2 == 0 ? byte >> 4 : byte & 15);
        checksum += kChainEnd - digits[i];
    }
    for (std::size_t i = 0; i < 3; ++i)
        digits[2 * set.n + i] = static_cast<std::uint8_t>((checksum >> (8 - 4 * i)) & 15);
}

} // namespace aios::crypto::detail::slh
