// SHA-256 by the SHA instructions of the processor (Intel SDM volume 2: SHA256RNDS2, SHA256MSG1, SHA256MSG2), for
// sha2.cpp, which asks use_sha_instructions() first. Not in the kernel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace aios::crypto::detail {

// As sha2_compress().
void sha256_compress_by_instructions(std::array<std::uint32_t, 8>& state, const std::byte* data, std::size_t count);

// The same for two messages at once, `count` blocks of each: nearly twice as fast.
void sha256_compress_two_by_instructions(std::array<std::uint32_t, 8>& first_state,
                                         std::array<std::uint32_t, 8>& second_state, const std::byte* first,
                                         const std::byte* second, std::size_t count);

} // namespace aios::crypto::detail
