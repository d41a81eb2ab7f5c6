// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of frames on the host channel. It finds damage, not malice.
// Slice-by-8: eight table look-ups for eight bytes. The tables (8 KiB) are made at compile time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/types.hpp"

namespace aios {

namespace detail {

using Crc32Tables = std::array<std::array<std::uint32_t, 256>, 8>;

consteval Crc32Tables make_crc32c_tables() {
    Crc32Tables tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f6'3b78u : 0u);
        tables[0][i] = crc;
    }
    for (std::size_t slice = 1; slice < 8; ++slice) {
        for (std::size_t i = 0; i < 256; ++i) {
            const std::uint32_t previous = tables[slice - 1][i];
            tables[slice][i] = (previous >> 8) ^ tables[0][previous & 0xff];
        }
    }
    return tables;
}

inline constexpr Crc32Tables kCrc32cTables = make_crc32c_tables();

} // namespace detail

// The CRC of `data`, or of what gave `previous` followed by `data`.
[[nodiscard]] constexpr std::uint32_t crc32c(Bytes data, std::uint32_t previous = 0) {
    const auto& t = detail::kCrc32cTables;
    std::uint32_t crc = ~previous;
    const std::byte* at = data.data();
    std::size_t left = data.size();
    for (; left >= 8; left -= 8, at += 8) {
        const std::uint32_t low = crc ^ load_le<std::uint32_t>(at);
        const std::uint32_t high = load_le<std::uint32_t>(at + 4);
        crc = t[7][low & 0xff] ^ t[6][(low >> 8) & 0xff] ^ t[5][(low >> 16) & 0xff] ^ t[4][low >> 24] ^
              t[3][high & 0xff] ^ t[2][(high >> 8) & 0xff] ^ t[1][(high >> 16) & 0xff] ^ t[0][high >> 24];
    }
    for (; left != 0; --left, ++at)
        crc = (crc >> 8) ^ t[0][(crc ^ static_cast<std::uint32_t>(*at)) & 0xff];
    return ~crc;
}

} // namespace aios
