// SLH-DSA with secret seeds and secret keys: key generation, and both variants of signing. The fast sets are enough: of
// each family and of both hash functions of SHA-2 they run the code that the others run.
#include "crypto/slh_dsa.hpp"
#include "tests/constant_time/check.hpp"

namespace aios::test {

namespace {

using namespace crypto;

// Static: signatures and workspaces are large. What the operations gave before with the same input in the open, and
// give with marks.
template <typename Set>
struct Kept {
    static inline typename Set::Workspace workspace;
    static inline typename Set::PublicKey pk;
    static inline typename Set::PublicKey expected_pk;
    static inline typename Set::SecretKey sk;
    static inline typename Set::SecretKey expected_sk;
    static inline typename Set::Signature signature;
    static inline typename Set::Signature expected_signature;
};

template <typename Set>
bool generate(typename Set::PublicKey& pk, typename Set::SecretKey& sk, bool marked) {
    typename Set::SecretSeed sk_seed;
    typename Set::PrfKey sk_prf;
    typename Set::PublicSeed pk_seed;
    fill(sk_seed.bytes(), 1);
    fill(sk_prf.bytes(), 2);
    fill(pk_seed.bytes(), 3);
    if (marked) {
        classify(sk_seed.bytes());
        classify(sk_prf.bytes());
    }
    return Set::generate(sk_seed, sk_prf, pk_seed, pk, sk, Kept<Set>::workspace).has_value();
}

template <typename Set>
bool slh_dsa_generate() {
    using K = Kept<Set>;
    if (!generate<Set>(K::expected_pk, K::expected_sk, false) || !generate<Set>(K::pk, K::sk, true)) return false;
    return is_secret(K::sk.bytes()) && !is_secret(K::pk.bytes()) &&
           reveal_equal(K::pk.bytes(), K::expected_pk.bytes()) && reveal_equal(K::sk.bytes(), K::expected_sk.bytes());
}

template <typename Set, bool Hedged>
bool slh_dsa_sign() {
    using K = Kept<Set>;
    if (!generate<Set>(K::pk, K::sk, false)) return false;
    const std::byte text[] = {std::byte{1}, std::byte{2}};
    const auto message = SignedMessage::pure(text);
    typename Set::Randomness randomness;
    fill(randomness.bytes(), 4);
    const auto* chosen = Hedged ? &randomness : nullptr;
    if (!Set::sign(K::sk, *message, chosen, K::expected_signature, K::workspace)) return false;
    classify(K::sk.bytes());
    classify(randomness.bytes());
    const auto done = Set::sign(K::sk, *message, chosen, K::signature, K::workspace);
    const bool kept = is_secret(K::sk.bytes());
    declassify(K::sk.bytes());
    declassify(randomness.bytes());
    return done && kept && !is_secret(K::signature.bytes()) &&
           reveal_equal(K::signature.bytes(), K::expected_signature.bytes());
}

} // namespace

std::span<const Check> slh_dsa_checks() {
    static constexpr Check kChecks[] = {
        {"slh_dsa_sha2_128f_generate", slh_dsa_generate<SlhDsaSha2_128f>},
        {"slh_dsa_sha2_128f_sign", slh_dsa_sign<SlhDsaSha2_128f, true>},
        {"slh_dsa_sha2_128f_sign_deterministic", slh_dsa_sign<SlhDsaSha2_128f, false>},
        {"slh_dsa_sha2_192f_generate", slh_dsa_generate<SlhDsaSha2_192f>},
        {"slh_dsa_sha2_192f_sign", slh_dsa_sign<SlhDsaSha2_192f, true>},
        {"slh_dsa_shake_128f_generate", slh_dsa_generate<SlhDsaShake_128f>},
        {"slh_dsa_shake_128f_sign", slh_dsa_sign<SlhDsaShake_128f, true>},
    };
    return kChecks;
}

} // namespace aios::test
