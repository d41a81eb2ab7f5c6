// The hash functions of the SHA-2 parameter sets (FIPS 205 section 11.2), bound to one PK.seed. PK.seed fills a block
// with zeros behind it, so that the state after it is computed once, and F and PRF cost one compression each. F and PRF
// use SHA-256; H and T_l use SHA-256 for n = 16 (section 11.2.1), SHA-512 for n = 24 and 32 (section 11.2.2).
//
// All working memory is in the object, which lies in the caller's workspace and is wiped with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "crypto/signed_message.hpp"
#include "crypto/slh_dsa/address.hpp"
#include "crypto/slh_dsa/sha2_lanes.hpp"

namespace aios::crypto::detail::slh {

class Sha2Hash {
public:
    // PK.seed has n bytes.
    void bind(Bytes pk_seed);

    // F, H, T_l and PRF: n bytes from an address and `size` bytes, which are SK.seed for PRF. `out` may lie in `in`.
    void hash(const Address& address, const std::byte* in, std::size_t size, std::byte* out);

    // The same in the first `count` lanes. A lane's output may lie in inputs of its own and of lanes before it.
    void hash_x8(const Addresses& addresses, const Inputs& in, std::size_t size, const Outputs& out, std::size_t count);

    // Steps first..last-1 of chains (algorithm 5); each lane takes those from its start on. The addresses' step is
    // ignored.
    void chain_x8(const Addresses& addresses, const Starts& starts, std::uint32_t first, std::uint32_t last,
                  Lanes& lanes, std::size_t count);

    // H_msg: R, PK.seed, PK.root have n bytes each; the public key is both of the latter.
    static void digest(Bytes r, Bytes public_key, const SignedMessage& message, MutableBytes out);

    // PRF_msg: the randomiser R, `out.size()` = n bytes.
    static void randomizer(Bytes sk_prf, Bytes opt_rand, const SignedMessage& message, MutableBytes out);

private:
    template <typename Word>
    void hash_one(const Address& address, const std::byte* in, std::size_t size, std::byte* out);
    void hash_x8_sha256(const Addresses& addresses, const Inputs& in, std::size_t size, const Outputs& out,
                        std::size_t count);
    void hash_x4_sha512(const Address* addresses, const std::byte* const* in, std::size_t size, std::byte* const* out,
                        std::size_t count);
    void chain_one(const Address& address, std::uint32_t first, std::uint32_t last, std::byte* value);

    template <typename Word>
    [[nodiscard]] std::array<Word, 8>& midstate() {
        if constexpr (sizeof(Word) == 4)
            return midstate256_;
        else
            return midstate512_;
    }

    std::size_t n_ = 0;
    std::array<std::uint32_t, 8> midstate256_;
    std::array<std::uint64_t, 8> midstate512_;
    alignas(32) std::array<std::byte, 8 * 64> blocks_; // 8 of SHA-256 or 4 of SHA-512
    Sha256x8 state256_;
    LaneMemory memory_;
    Sha512x4 state512_;
    std::array<std::uint32_t, 8> one256_;
    std::array<std::uint64_t, 8> one512_;
};

} // namespace aios::crypto::detail::slh
