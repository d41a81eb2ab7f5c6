// ML-DSA keys as other software stores and exchanges them, in DER (RFC 9881): public keys as SubjectPublicKeyInfo
// (section 4), private keys as PKCS#8 OneAsymmetricKey (section 6, RFC 5958).
//
//   Bytes der = TRY(encode_public_key<MlDsa65>(key, buffer));
//   TRY(decode_private_key<MlDsa65>(der, seed, public_key, secret_key, workspace));
//
// A private key is written as its seed. The forms `seed` and `both` are read; of `both` the expanded key must be the
// one that the seed gives. The form with the expanded key alone is refused (unsupported): keys here are kept as seeds.
// Encodings are strict DER with nothing behind them, and the algorithm's parameters are absent.
//
// Errors of all decoders: bad_format and truncated for what is no such key; unsupported for a key of another algorithm
// or parameter set.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/der.hpp"
#include "crypto/ml_dsa.hpp"
#include "crypto/ml_dsa_set.hpp"

namespace aios::crypto {

template <typename Algorithm>
inline constexpr std::size_t kEncodedPublicKeySize = Algorithm::kPublicKeySize + 22;
inline constexpr std::size_t kEncodedPrivateKeySize = 54; // the seed form, all sets

namespace detail {

// A public key of which the bytes are still in the input.
struct ParsedPublicKey {
    MlDsaSet set;
    Bytes key; // public_key_size(set) bytes
};

struct ParsedPrivateKey {
    Bytes seed;     // 32 bytes
    Bytes expanded; // empty, or the private key of FIPS 204
    Bytes public_key;
};

// AlgorithmIdentifier of RFC 9881 section 2.
[[nodiscard]] Result<MlDsaSet> read_algorithm(der::Reader& in);
void write_algorithm(der::Writer& out, MlDsaSet set);

[[nodiscard]] Result<ParsedPublicKey> parse_public_key(der::Reader& in);
[[nodiscard]] Result<ParsedPublicKey> parse_public_key(Bytes der);
[[nodiscard]] Result<ParsedPrivateKey> parse_private_key(MlDsaSet set, Bytes der);
[[nodiscard]] Result<Bytes> write_public_key(MlDsaSet set, Bytes key, MutableBytes out);
[[nodiscard]] Result<Bytes> write_private_key(MlDsaSet set, Bytes seed, MutableBytes out);

} // namespace detail

// Which parameter set a SubjectPublicKeyInfo is for.
[[nodiscard]] Result<MlDsaSet> public_key_set(Bytes der);

// Writes kEncodedPublicKeySize bytes to the front of `out` and returns them. Error: buffer_small.
template <typename Algorithm>
[[nodiscard]] Result<Bytes> encode_public_key(const typename Algorithm::PublicKey& key, MutableBytes out) {
    return detail::write_public_key(kMlDsaSet<Algorithm>, key.bytes(), out);
}

template <typename Algorithm>
[[nodiscard]] Result<> decode_public_key(Bytes der, typename Algorithm::PublicKey& key) {
    const auto parsed = TRY(detail::parse_public_key(der));
    if (parsed.set != kMlDsaSet<Algorithm>) return fail(Error::unsupported);
    return key.assign(parsed.key);
}

// Writes kEncodedPrivateKeySize bytes to the front of `out`, which then holds a secret, and returns them.
// Error: buffer_small.
template <typename Algorithm>
[[nodiscard]] Result<Bytes> encode_private_key(const typename Algorithm::Seed& seed, MutableBytes out) {
    return detail::write_private_key(kMlDsaSet<Algorithm>, seed.bytes(), out);
}

// Reads a private key and generates the key pair from its seed. What the encoding holds besides the seed must agree
// with it, else bad_format (RFC 9881 section 8.2). On an error nothing changes, or all three keys are zeros.
template <typename Algorithm>
[[nodiscard]] Result<>
decode_private_key(Bytes der, typename Algorithm::Seed& seed, typename Algorithm::PublicKey& public_key,
                   typename Algorithm::SecretKey& secret_key, typename Algorithm::GenerateWorkspace& workspace) {
    const auto parsed = TRY(detail::parse_private_key(kMlDsaSet<Algorithm>, der));
    TRY(seed.assign(parsed.seed));
    Algorithm::generate(seed, public_key, secret_key, workspace);
    const bool agrees = (parsed.expanded.empty() || equal_in_constant_time(parsed.expanded, secret_key.bytes())) &&
                        (parsed.public_key.empty() || equal_in_constant_time(parsed.public_key, public_key.bytes()));
    if (agrees) return {};
    seed.wipe();
    secret_key.wipe();
    std::ranges::fill(public_key.bytes(), std::byte{0});
    return fail(Error::bad_format);
}

} // namespace aios::crypto
