// What all twelve parameter sets of SLH-DSA share: their numbers at run time, the working memory, and the three
// operations, compiled once for each of the two families of hash functions. slh_dsa.hpp puts types around them.
//
// Sizes of keys and signatures are the caller's promise here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/secret.hpp"
#include "crypto/signed_message.hpp"
#include "crypto/slh_dsa/address.hpp"
#include "crypto/slh_dsa/sha2_hash.hpp"
#include "crypto/slh_dsa/shake_hash.hpp"
#include "crypto/stop.hpp"

namespace aios::crypto::detail::slh {

// FIPS 205 section 11, table 2.
struct Set {
    std::size_t n, h, d, h_prime, a, k, m, len;

    [[nodiscard]] constexpr std::size_t fors_size() const { return k * (a + 1) * n; }
    [[nodiscard]] constexpr std::size_t xmss_size() const { return (len + h_prime) * n; }
};

// Asks for a stop after every few thousand hash computations.
class Poll {
public:
    explicit Poll(StopCallback stop = {}) : stop_(stop) {}

    // `hashes` were computed since the last call.
    [[nodiscard]] Result<> after(std::size_t hashes) {
        hashes_ += hashes;
        return hashes_ < kInterval ? Result<>() : now();
    }
    [[nodiscard]] Result<> now() {
        hashes_ = 0;
        if (stop_.wants_stop()) return fail(Error::interrupted);
        return {};
    }

private:
    static constexpr std::size_t kInterval = 2048; // about a millisecond of portable code

    StopCallback stop_;
    std::size_t hashes_ = 0;
};

// Leaves are made and paired in blocks of this size or smaller: all lanes are busy in the lower levels.
inline constexpr std::size_t kBlockLeaves = 64;
inline constexpr std::size_t kMaxHeight = 14;
inline constexpr std::size_t kMaxDigits = 67;
inline constexpr std::size_t kMaxDigest = 49;

// Working memory. Secrets are in it until it is wiped.
template <typename Hash>
struct Core {
    Set set;
    Hash hash;
    Poll poll;
    Addresses addresses; // of the lanes
    Lanes lanes;
    std::array<std::byte, kMaxN> sk_seed;
    std::array<std::byte, kBlockLeaves * kMaxN> nodes; // of one level of a block, packed
    std::array<std::byte, kMaxHeight * 2 * kMaxN> stack;
    std::array<std::byte, kMaxN> root; // of the tree last computed, or what is signed with WOTS+
    std::array<std::byte, kMaxDigest> digest;
    std::array<std::uint8_t, kMaxDigits> digits;
    MutableBytes chains; // 8 * len * n bytes: the WOTS+ public keys of 8 leaves, or the FORS roots

    void set_addresses(const Address& address) { addresses.fill(address); }
};

// Algorithm 18.
template <typename Hash>
[[nodiscard]] Result<> generate(const Set& set, Bytes sk_seed, Bytes sk_prf, Bytes pk_seed, MutableBytes public_key,
                                MutableBytes secret_key, Core<Hash>& core, MutableBytes chains, StopCallback stop);
// Algorithm 19. `randomness` is empty in the deterministic variant.
template <typename Hash>
[[nodiscard]] Result<> sign(const Set& set, Bytes secret_key, const SignedMessage& message, Bytes randomness,
                            MutableBytes signature, Core<Hash>& core, MutableBytes chains, StopCallback stop);
// Algorithm 20.
template <typename Hash>
[[nodiscard]] Verdict verify(const Set& set, Bytes public_key, const SignedMessage& message, Bytes signature,
                             Core<Hash>& core, MutableBytes chains);

} // namespace aios::crypto::detail::slh
