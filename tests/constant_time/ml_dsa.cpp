// ML-DSA with secret seeds, randomness and secret keys. rho and tr of a secret key are hashes of the public key and not
// marked; t0 is treated as a secret, as the standard does.
//
// How often signing rejects a candidate is public, so several messages are signed, to pass through the rejections.
#include <array>

#include "crypto/ml_dsa.hpp"
#include "tests/constant_time/check.hpp"

namespace aios::test {

namespace {

using namespace crypto;

constexpr std::uint8_t kMessages = 6;

template <typename Dsa>
struct Keys {
    typename Dsa::PublicKey public_key;
    typename Dsa::SecretKey secret_key;
};

// FIPS 204 algorithm 24: sk = rho || K || tr || s1 || s2 || t0, where rho and K have 32 bytes and tr has 64.
template <typename Dsa>
Bytes signing_seed(const typename Dsa::SecretKey& key) {
    return Bytes(key.bytes()).subspan(32, 32);
}
template <typename Dsa>
Bytes secret_polynomials(const typename Dsa::SecretKey& key) {
    return Bytes(key.bytes()).subspan(128);
}

template <typename Dsa>
void generate_into(Keys<Dsa>& keys, bool marked) {
    static typename Dsa::GenerateWorkspace workspace;
    typename Dsa::Seed seed;
    fill(seed.bytes(), 1);
    if (marked) classify(seed.bytes());
    Dsa::generate(seed, keys.public_key, keys.secret_key, workspace);
}

template <typename Dsa>
bool generate() {
    static Keys<Dsa> expected;
    static Keys<Dsa> keys;
    generate_into<Dsa>(expected, false);
    generate_into<Dsa>(keys, true);
    const bool marked =
        is_secret(signing_seed<Dsa>(keys.secret_key)) && is_secret(secret_polynomials<Dsa>(keys.secret_key));
    return marked && reveal_equal(keys.public_key.bytes(), expected.public_key.bytes()) &&
           reveal_equal(keys.secret_key.bytes(), expected.secret_key.bytes());
}

template <typename Dsa>
bool sign(bool hedged) {
    static Keys<Dsa> keys;
    static typename Dsa::Signature signature;
    static typename Dsa::SignWorkspace workspace;
    static typename Dsa::VerifyWorkspace verify_workspace;
    generate_into<Dsa>(keys, false);
    classify(signing_seed<Dsa>(keys.secret_key));
    classify(secret_polynomials<Dsa>(keys.secret_key));
    typename Dsa::Randomness randomness;
    for (std::uint8_t i = 0; i < kMessages; ++i) {
        std::array<std::byte, 50> text;
        fill(text, i);
        fill_secret(randomness.bytes(), i);
        const auto message = SignedMessage::pure(text);
        if (!message) return false;
        if (!Dsa::sign(keys.secret_key, *message, hedged ? &randomness : nullptr, signature, workspace)) return false;
        declassify(signature.bytes());
        if (Dsa::verify(keys.public_key, *message, signature, verify_workspace) != Verdict::valid) return false;
    }
    return is_secret(secret_polynomials<Dsa>(keys.secret_key));
}

template <typename Dsa>
bool sign_hedged() {
    return sign<Dsa>(true);
}

template <typename Dsa>
bool sign_deterministic() {
    return sign<Dsa>(false);
}

constexpr Check kChecks[] = {
    {"ml_dsa_44_generate", generate<MlDsa44>},
    {"ml_dsa_44_sign_hedged", sign_hedged<MlDsa44>},
    {"ml_dsa_44_sign_deterministic", sign_deterministic<MlDsa44>},
    {"ml_dsa_65_generate", generate<MlDsa65>},
    {"ml_dsa_65_sign_hedged", sign_hedged<MlDsa65>},
    {"ml_dsa_65_sign_deterministic", sign_deterministic<MlDsa65>},
    {"ml_dsa_87_generate", generate<MlDsa87>},
    {"ml_dsa_87_sign_hedged", sign_hedged<MlDsa87>},
    {"ml_dsa_87_sign_deterministic", sign_deterministic<MlDsa87>},
};

} // namespace

std::span<const Check> ml_dsa_checks() { return kChecks; }

} // namespace aios::test
