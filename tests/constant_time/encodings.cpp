// Encodings of private ML-DSA keys with secret seeds, and COSE signing with a secret key. What DER and CBOR put around
// a secret is public, its length too.
#include <array>

#include "crypto/cose.hpp"
#include "crypto/cose_key.hpp"
#include "crypto/ml_dsa_keys.hpp"
#include "tests/constant_time/check.hpp"

namespace aios::test {

namespace {

using namespace crypto;
using Dsa = MlDsa65;

// Static: keys and workspaces are large.
struct Kept {
    static inline Dsa::GenerateWorkspace workspace;
    static inline Dsa::Seed seed;
    static inline Dsa::Seed read_seed;
    static inline Dsa::PublicKey public_key;
    static inline Dsa::PublicKey read_public_key;
    static inline Dsa::SecretKey secret_key;
    static inline Dsa::SecretKey read_secret_key;
    static inline std::array<std::byte, 4000> buffer;
};

// The key pair in the open; then the seed is marked.
void make_keys() {
    fill(Kept::seed.bytes(), 1);
    Dsa::generate(Kept::seed, Kept::public_key, Kept::secret_key, Kept::workspace);
    classify(Kept::seed.bytes());
}

bool read_is_right() {
    return is_secret(Kept::read_seed.bytes()) && is_secret(Kept::read_secret_key.bytes()) &&
           reveal_equal(Kept::read_seed.bytes(), Kept::seed.bytes()) &&
           reveal_equal(Kept::read_public_key.bytes(), Kept::public_key.bytes()) &&
           reveal_equal(Kept::read_secret_key.bytes(), Kept::secret_key.bytes());
}

bool private_key() {
    make_keys();
    const auto encoded = encode_private_key<Dsa>(Kept::seed, Kept::buffer);
    return encoded && is_secret(*encoded) &&
           decode_private_key<Dsa>(*encoded, Kept::read_seed, Kept::read_public_key, Kept::read_secret_key,
                                   Kept::workspace) &&
           read_is_right();
}

bool cose_private_key() {
    make_keys();
    const auto encoded = encode_cose_private_key<Dsa>(Kept::seed, Kept::public_key, {}, Kept::buffer);
    if (!encoded || !is_secret(*encoded)) return false;
    const auto parsed = parse_cose_key(*encoded);
    return parsed &&
           load_cose_private_key<Dsa>(*parsed, Kept::read_seed, Kept::read_public_key, Kept::read_secret_key,
                                      Kept::workspace) &&
           read_is_right();
}

// FIPS 204 algorithm 24: behind rho, K is secret; behind tr, the polynomials are.
bool cose_message() {
    static CoseSignWorkspace<Dsa> sign_workspace;
    static CoseVerifyWorkspace<Dsa> verify_workspace;
    make_keys();
    Dsa::Randomness randomness;
    fill_secret(randomness.bytes(), 2);
    classify(Bytes(Kept::secret_key.bytes()).subspan(32, 32));
    classify(Bytes(Kept::secret_key.bytes()).subspan(128));
    std::array<std::byte, 50> text;
    fill(text, 3);
    const auto message =
        cose_sign1<Dsa>(Kept::secret_key, {.payload = text}, &randomness, Kept::buffer, sign_workspace);
    const bool kept = is_secret(Kept::secret_key.bytes());
    declassify(Kept::secret_key.bytes());
    if (!message || !kept || is_secret(*message)) return false;
    const auto parsed = parse_cose_sign1(*message);
    return parsed && cose_verify<Dsa>(Kept::public_key, *parsed, {}, verify_workspace) == Verdict::valid;
}

} // namespace

std::span<const Check> encoding_checks() {
    static constexpr Check kChecks[] = {
        {"ml_dsa_65_pkcs8", private_key},
        {"ml_dsa_65_cose_key", cose_private_key},
        {"ml_dsa_65_cose_sign1", cose_message},
    };
    return kChecks;
}

} // namespace aios::test
