// The hash functions of the SHAKE parameter sets (FIPS 205 section 11.1), bound to one PK.seed: SHAKE256 of PK.seed,
// ADRS and the input. Each part is a whole number of Keccak lanes. The functions are those of Sha2Hash.
//
// All working memory is in the object, which lies in the caller's workspace and is wiped with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "crypto/keccak_x4.hpp"
#include "crypto/signed_message.hpp"
#include "crypto/slh_dsa/address.hpp"

namespace aios::crypto::detail::slh {

class ShakeHash {
public:
    void bind(Bytes pk_seed);
    void hash(const Address& address, const std::byte* in, std::size_t size, std::byte* out);
    void hash_x8(const Addresses& addresses, const Inputs& in, std::size_t size, const Outputs& out, std::size_t count);
    void chain_x8(const Addresses& addresses, const Starts& starts, std::uint32_t first, std::uint32_t last,
                  Lanes& lanes, std::size_t count);
    static void digest(Bytes r, Bytes public_key, const SignedMessage& message, MutableBytes out);
    static void randomizer(Bytes sk_prf, Bytes opt_rand, const SignedMessage& message, MutableBytes out);

private:
    void hash_x4(const Address* addresses, const std::byte* const* in, std::size_t size, std::byte* const* out,
                 std::size_t count);
    void chain_x4(const Address* addresses, const std::uint32_t* starts, std::uint32_t first, std::uint32_t last,
                  std::array<std::byte, kMaxN>* values, std::size_t count);
    void chain_one(const Address& address, std::uint32_t first, std::uint32_t last, std::byte* value);

    std::size_t words_ = 0; // n / 8
    std::array<std::uint64_t, 4> seed_;
    std::array<std::uint64_t, 25> one_;
    KeccakX4 four_;
    std::array<std::array<std::uint64_t, 4>, 4> values_; // of four chains, in lanes
};

} // namespace aios::crypto::detail::slh
