// Data of the benchmark: the same octets in every run, and messages by number, that both implementations get.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/types.hpp"
#include "crypto/sha3.hpp"

namespace aios::bench {

// `size` octets that depend on `label` alone.
inline std::vector<std::byte> octets(std::size_t size, std::uint8_t label) {
    std::vector<std::byte> out(size);
    crypto::Shake128 xof;
    xof.update(std::array{std::byte{label}});
    xof.squeeze(out);
    return out;
}

// The message of a repetition, 32 octets.
inline std::array<std::byte, 32> message(std::size_t repetition) {
    std::array<std::byte, 32> out{};
    for (std::size_t i = 0; i < 8; ++i)
        out[i] = static_cast<std::byte>(repetition >> (8 * i));
    return out;
}

// Makes a seed or other randomness that of a repetition: what is rejected while sampling then differs each time, and no
// branch predictor learns it.
inline void vary(MutableBytes seed, std::size_t repetition) {
    for (std::size_t i = 0; i < 8; ++i)
        seed[i] = static_cast<std::byte>(repetition >> (8 * i));
}

// Octets of a fixed-size type from the same source.
template <typename Octets>
void fill(Octets& octets_of_key, std::uint8_t label) {
    const auto source = octets(octets_of_key.bytes().size(), label);
    std::copy(source.begin(), source.end(), octets_of_key.bytes().begin());
}

} // namespace aios::bench
