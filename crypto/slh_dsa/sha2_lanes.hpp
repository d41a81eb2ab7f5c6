// SHA-2 of several messages side by side with AVX2: eight of SHA-256, four of SHA-512 (FIPS 180-4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/slh_dsa/address.hpp"

namespace aios::crypto::detail::slh {

// Word i of message s is words[i][s].
struct Sha256x8 {
    alignas(32) std::array<std::array<std::uint32_t, 8>, 8> words;
};
struct Sha512x4 {
    alignas(32) std::array<std::array<std::uint64_t, 4>, 8> words;
};

// Vectors that the functions below work on, kept by the caller because they are too much for the stack.
struct LaneMemory {
    using Row = std::array<std::uint32_t, 8>;
    alignas(32) std::array<Row, 16> words;
    alignas(32) std::array<Row, 8> initial;
    alignas(32) std::array<Row, 8> values;
    alignas(32) std::array<Row, 8> next;
    alignas(32) std::array<Row, 5> address;
};

// Adds one block to each chaining state. `blocks` holds the messages' blocks one behind the other, aligned to 32 bytes;
// those of SHA-256 are overwritten.
void sha256_compress_x8_avx2(Sha256x8& state, std::byte* blocks);
void sha512_compress_x4_avx2(Sha512x4& state, const std::byte* blocks, LaneMemory& memory);

// Steps first..last-1 of eight WOTS+ chains (FIPS 205 algorithm 5, F of section 11.2): a lane takes those from its
// start on. `midstate` is SHA-256 after PK.seed's block; of an address, `hash` is replaced by the step. `scratch` has
// 512 bytes, aligned to 32.
void sha256_chain_x8_avx2(const std::array<std::uint32_t, 8>& midstate, const Addresses& addresses, std::size_t n,
                          const Starts& starts, std::uint32_t first, std::uint32_t last, Lanes& lanes,
                          LaneMemory& memory);

} // namespace aios::crypto::detail::slh
