// The address of a hash computation (FIPS 205 section 4.2) and the eight lanes in which hashes are computed side by
// side. Addresses are public.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace aios::crypto::detail::slh {

// Figures 3 to 9.
enum class AddressType : std::uint32_t {
    wots_hash = 0,
    wots_pk = 1,
    tree = 2,
    fors_tree = 3,
    fors_roots = 4,
    wots_prf = 5,
    fors_prf = 6,
};

// Kept as numbers; encoded where it is hashed. The tree address has 12 bytes in the standard, but no parameter set
// needs more than 8 of them.
struct Address {
    std::uint64_t tree = 0;
    std::uint32_t layer = 0;
    AddressType type{};
    std::uint32_t key_pair = 0; // zero in a tree address
    std::uint32_t chain = 0;    // or the height in a tree
    std::uint32_t hash = 0;     // the step of a chain, or the index in a tree
};

// ADRSc, section 11.2: 22 bytes, here as five words and the upper half of a sixth.
inline constexpr std::size_t kCompressedSize = 22;

[[nodiscard]] constexpr std::array<std::uint32_t, 6> compressed(const Address& a) {
    const auto type = static_cast<std::uint32_t>(a.type);
    return {(a.layer << 24) | static_cast<std::uint32_t>(a.tree >> 40),
            static_cast<std::uint32_t>(a.tree >> 8),
            (static_cast<std::uint32_t>(a.tree) << 24) | (type << 16) | (a.key_pair >> 16),
            (a.key_pair << 16) | (a.chain >> 16),
            (a.chain << 16) | (a.hash >> 16),
            a.hash << 16};
}

// ADRS, section 4.2: 32 bytes, here as four little-endian lanes of Keccak.
[[nodiscard]] constexpr std::array<std::uint64_t, 4> full(const Address& a) {
    const auto type = static_cast<std::uint32_t>(a.type);
    return {std::byteswap(std::uint64_t{a.layer} << 32), std::byteswap(a.tree),
            std::byteswap((std::uint64_t{type} << 32) | a.key_pair),
            std::byteswap((std::uint64_t{a.chain} << 32) | a.hash)};
}

inline constexpr std::size_t kLanes = 8;
inline constexpr std::size_t kMaxN = 32;
inline constexpr std::uint32_t kChainEnd = 15; // w - 1: a chain's last value (section 5)

// One value of n bytes a lane.
struct Lanes {
    alignas(32) std::array<std::array<std::byte, kMaxN>, kLanes> values;
};

using Addresses = std::array<Address, kLanes>;
using Inputs = std::array<const std::byte*, kLanes>;
using Outputs = std::array<std::byte*, kLanes>;
// The step from which a lane's chain goes on; until then its value stays.
using Starts = std::array<std::uint32_t, kLanes>;

} // namespace aios::crypto::detail::slh
