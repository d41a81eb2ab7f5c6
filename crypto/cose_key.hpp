// COSE_Key (RFC 9052 section 7) of type AKP for ML-DSA (RFC 9964 sections 3 and 4): public keys, and private keys as
// their seed.
//
//   Bytes encoded = TRY(encode_cose_key<MlDsa65>(public_key, key_id, buffer));
//   const CoseKey key = TRY(parse_cose_key(encoded));
//   TRY(public_key.assign(key.public_key));
//
// As in cose.hpp: deterministic CBOR only, no tag, nothing allocates, a parsed key points into its input. Labels that
// are not known here are passed over.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/ml_dsa.hpp"
#include "crypto/ml_dsa_set.hpp"

namespace aios::crypto {

struct CoseKey {
    MlDsaSet set;
    Bytes public_key;          // public_key_size(set) bytes
    std::optional<Bytes> seed; // of a private key: 32 secret bytes
    std::optional<Bytes> key_id;
    // What key_ops allows (section 7.1, table 5); everything, if it is absent.
    bool may_sign = true;
    bool may_verify = true;
};

// Errors: bad_format, truncated; unsupported for another key type or algorithm.
[[nodiscard]] Result<CoseKey> parse_cose_key(Bytes encoded);

namespace detail {
[[nodiscard]] Result<Bytes> write_cose_key(MlDsaSet set, Bytes public_key, std::optional<Bytes> seed,
                                           std::optional<Bytes> key_id, MutableBytes out);
} // namespace detail

// What an encoded key needs at most besides its public key, seed and key id.
inline constexpr std::size_t kCoseKeyOverhead = 32;

// Write a key to the front of `out` and return its encoding. Error: buffer_small. With a seed, `out` then holds a
// secret; it must be the one that the public key was generated from.
template <typename Algorithm>
[[nodiscard]] Result<Bytes> encode_cose_key(const typename Algorithm::PublicKey& public_key,
                                            std::optional<Bytes> key_id, MutableBytes out) {
    return detail::write_cose_key(kMlDsaSet<Algorithm>, public_key.bytes(), std::nullopt, key_id, out);
}
template <typename Algorithm>
[[nodiscard]] Result<Bytes> encode_cose_private_key(const typename Algorithm::Seed& seed,
                                                    const typename Algorithm::PublicKey& public_key,
                                                    std::optional<Bytes> key_id, MutableBytes out) {
    return detail::write_cose_key(kMlDsaSet<Algorithm>, public_key.bytes(), Bytes(seed.bytes()), key_id, out);
}

// Generates the key pair of a parsed private key. The public key that came with the seed must be its own (RFC 9964
// section 7.4). Errors: bad_argument for a public key or one that may not sign; unsupported for another parameter set;
// bad_format for a public key that does not belong to the seed: all three keys are then zeros.
template <typename Algorithm>
[[nodiscard]] Result<>
load_cose_private_key(const CoseKey& key, typename Algorithm::Seed& seed, typename Algorithm::PublicKey& public_key,
                      typename Algorithm::SecretKey& secret_key, typename Algorithm::GenerateWorkspace& workspace) {
    if (key.set != kMlDsaSet<Algorithm>) return fail(Error::unsupported);
    if (!key.seed || !key.may_sign) return fail(Error::bad_argument);
    TRY(seed.assign(*key.seed));
    Algorithm::generate(seed, public_key, secret_key, workspace);
    if (std::ranges::equal(public_key.bytes(), key.public_key)) return {};
    seed.wipe();
    secret_key.wipe();
    std::ranges::fill(public_key.bytes(), std::byte{0});
    return fail(Error::bad_format);
}

} // namespace aios::crypto
