// The tables of Keccak-f[1600] (FIPS 202 section 3.2), for its two implementations. Lane x + 5y is A[x, y].
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace aios::crypto::detail {

// Section 3.2.5.
inline constexpr std::array<std::uint64_t, 24> kKeccakRoundConstants = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

// Section 3.2.2, table 2: the offsets modulo 64.
inline constexpr std::array<int, 25> kKeccakRotations = {0,  1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
                                                         25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};

// Section 3.2.3: the lane that pi moves to `lane`, A[(x + 3y) mod 5, x].
constexpr std::size_t keccak_pi_source(std::size_t lane) {
    const std::size_t x = lane % 5;
    const std::size_t y = lane / 5;
    return (x + 3 * y) % 5 + 5 * x;
}

} // namespace aios::crypto::detail
