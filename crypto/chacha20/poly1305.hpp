// The authenticator Poly1305 (RFC 8439 section 2.5): a polynomial in r over the integers modulo 2^130 - 5, plus s. A
// key serves one message.
//
// The state is wiped by whoever made it. No branch and no index depends on it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"

namespace aios::crypto::detail::chacha20 {

struct Poly1305 {
    std::array<std::uint64_t, 3> sum; // below 2^130 plus a little: the top word is at most 7
    std::array<std::uint64_t, 2> r;   // clamped
    std::array<std::uint64_t, 2> s;
};

using Poly1305Tag = std::array<std::byte, 16>;

// 32 bytes of key: r, s.
void poly1305_begin(Poly1305& mac, Bytes key);

// `count` whole blocks of 16 bytes.
void poly1305_blocks(Poly1305& mac, const std::byte* data, std::size_t count);

// The same with AVX2: faster for runs of 512 bytes and more.
void poly1305_blocks_avx2(Poly1305& mac, const std::byte* data, std::size_t count);

// The last block of a message whose length is no multiple of 16: 1 to 15 bytes.
void poly1305_last(Poly1305& mac, Bytes rest);

[[nodiscard]] Poly1305Tag poly1305_end(const Poly1305& mac);

} // namespace aios::crypto::detail::chacha20
