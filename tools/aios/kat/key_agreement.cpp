// X25519 (RFC 7748) and HKDF (RFC 5869).
#include <vector>

#include "crypto/hkdf.hpp"
#include "crypto/sha2.hpp"
#include "crypto/sha3.hpp"
#include "crypto/x25519.hpp"
#include "tools/aios/kat/row.hpp"

namespace aios::host::kat {

namespace {

// Without pk: the public key that belongs to sk, which is X25519 of the base point.
Answer agree(const Request& request) {
    using crypto::X25519;
    X25519::Secret secret;
    HOST_TRY(take(request, "sk", secret));
    X25519::PublicKey theirs;
    if (!request.has("pk")) {
        X25519::public_key(secret, theirs);
        return ok({{"k", theirs.bytes()}});
    }
    if (!fits(request, "pk", theirs)) return invalid();
    X25519::SharedSecret shared;
    const auto done = X25519::derive(secret, theirs, shared);
    if (!done) return refused(done.error());
    return ok({{"k", shared.bytes()}});
}

template <typename Hash>
Answer derive(const Request& request) {
    std::vector<std::byte> key(HOST_TRY(request.count("len", kMaxOutput)));
    const auto done =
        crypto::Hkdf<Hash>::derive(request.bytes("salt"), request.bytes("ikm"), request.bytes("info"), key);
    if (!done) return refused(done.error());
    return ok({{"okm", key}});
}

constexpr Row kAgreementRows[] = {{"X25519", "derive", "sk", "pk", agree}};

constexpr Row kDerivationRows[] = {
    {"HKDF-SHA2-224", "derive", "ikm len", "salt info", derive<crypto::Sha224>},
    {"HKDF-SHA2-256", "derive", "ikm len", "salt info", derive<crypto::Sha256>},
    {"HKDF-SHA2-384", "derive", "ikm len", "salt info", derive<crypto::Sha384>},
    {"HKDF-SHA2-512", "derive", "ikm len", "salt info", derive<crypto::Sha512>},
    {"HKDF-SHA2-512/224", "derive", "ikm len", "salt info", derive<crypto::Sha512_224>},
    {"HKDF-SHA2-512/256", "derive", "ikm len", "salt info", derive<crypto::Sha512_256>},
    {"HKDF-SHA3-224", "derive", "ikm len", "salt info", derive<crypto::Sha3_224>},
    {"HKDF-SHA3-256", "derive", "ikm len", "salt info", derive<crypto::Sha3_256>},
    {"HKDF-SHA3-384", "derive", "ikm len", "salt info", derive<crypto::Sha3_384>},
    {"HKDF-SHA3-512", "derive", "ikm len", "salt info", derive<crypto::Sha3_512>},
};

} // namespace

std::span<const Row> x25519_rows() { return kAgreementRows; }
std::span<const Row> key_derivation_rows() { return kDerivationRows; }

} // namespace aios::host::kat
