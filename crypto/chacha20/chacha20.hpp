// The stream cipher ChaCha20 (RFC 8439 section 2.4) inside, in two engines that give the same bits: Portable, one block
// at a time, and Avx2, sixteen or eight. An operation takes one of them and keeps it to its end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "crypto/chacha20/poly1305.hpp"

namespace aios::crypto::detail::chacha20 {

inline constexpr std::size_t kBlockSize = 64;
inline constexpr unsigned kDoubleRounds = 10;

// Section 2.3: constants, key, block counter, nonce.
struct State {
    alignas(32) std::array<std::uint32_t, 16> words;
};

// 32 bytes of key, 12 bytes of nonce.
void set_up(State& state, Bytes key, Bytes nonce, std::uint32_t counter);

struct Portable {
    static constexpr std::size_t kBatchSize = kBlockSize;
    static constexpr std::size_t kWorkSize = kBatchSize;
    // The next batch of key stream. The counter goes up by the number of blocks, here and below.
    static void keystream(State& state, std::byte* out);
    // Whole batches: `out` is `in` plus the key stream. `work`: kWorkSize bytes, aligned to 32, that are overwritten and
    // hold what the key gives away; the caller wipes them.
    static void apply(State& state, std::byte* work, const std::byte* in, std::byte* out, std::size_t batches);
    // Whole blocks of 16 bytes into the authenticator.
    static void authenticate(Poly1305& mac, const std::byte* data, std::size_t blocks) {
        poly1305_blocks(mac, data, blocks);
    }
    // apply(), and authenticate() of the blocks of 16 bytes in front of `out`, `before` in number, and of as much of the
    // output as can be done beside it. Returns how many blocks that are together.
    static std::size_t seal(State& state, Poly1305& mac, std::byte* work, std::size_t before, const std::byte* in,
                            std::byte* out, std::size_t batches) {
        apply(state, work, in, out, batches);
        authenticate(mac, out - 16 * before, before + batches * (kBatchSize / 16));
        return before + batches * (kBatchSize / 16);
    }
};

struct Avx2 {
    static constexpr std::size_t kBatchSize = 8 * kBlockSize;
    static constexpr std::size_t kWorkSize = 2 * kBatchSize;
    static void keystream(State& state, std::byte* out);
    static void apply(State& state, std::byte* work, const std::byte* in, std::byte* out, std::size_t batches);
    static void authenticate(Poly1305& mac, const std::byte* data, std::size_t blocks) {
        constexpr std::size_t kWorthIt = 32;
        blocks < kWorthIt ? poly1305_blocks(mac, data, blocks) : poly1305_blocks_avx2(mac, data, blocks);
    }
    static std::size_t seal(State& state, Poly1305& mac, std::byte* work, std::size_t before, const std::byte* in,
                            std::byte* out, std::size_t batches);
};

// ChaCha20 as section 2.4.1 has it, by the backend in force. For tests. `out` is as long as `in`, and the same or
// apart.
void encrypt(Bytes key, Bytes nonce, std::uint32_t counter, Bytes in, MutableBytes out);

} // namespace aios::crypto::detail::chacha20
