// SLH-DSA with secret seeds, randomness and secret keys: SK.seed and SK.prf are marked, PK.seed and PK.root are public.
//
// The fast sets are signed whole. The small sets make twenty times as many hashes for the same code: they are
// interrupted after kSmallPolls polls of the stop callback, which is behind the trees of few-time signatures and inside
// the first trees of the hypertree.
#include <array>

#include "crypto/slh_dsa.hpp"
#include "tests/constant_time/check.hpp"

namespace aios::test {

namespace {

using namespace crypto;

constexpr std::uint32_t kSmallPolls = 40;

struct Polls {
    std::uint32_t left;
};

bool poll(void* context) {
    Polls& polls = *static_cast<Polls*>(context);
    return polls.left-- == 0;
}

template <typename Slh>
struct Keys {
    typename Slh::PublicKey public_key;
    typename Slh::SecretKey secret_key;
};

template <typename Slh>
typename Slh::Workspace& workspace() {
    static typename Slh::Workspace space;
    return space;
}

// FIPS 205 section 9.1: the secret key is SK.seed || SK.prf || PK.seed || PK.root, n bytes each.
template <typename Slh>
Bytes secret_half(const typename Slh::SecretKey& key) {
    return Bytes(key.bytes()).first(Slh::kSecretKeySize / 2);
}

template <typename Slh>
Result<> generate_into(Keys<Slh>& keys, StopCallback stop = {}) {
    typename Slh::SecretSeed seed;
    typename Slh::PrfKey prf;
    typename Slh::PublicSeed public_seed;
    fill_secret(seed.bytes(), 1);
    fill_secret(prf.bytes(), 2);
    fill(public_seed.bytes(), 3);
    return Slh::generate(seed, prf, public_seed, keys.public_key, keys.secret_key, workspace<Slh>(), stop);
}

template <typename Slh>
bool generate() {
    static Keys<Slh> keys;
    return generate_into<Slh>(keys) && is_secret(secret_half<Slh>(keys.secret_key));
}

template <typename Slh>
Result<> sign_with(Keys<Slh>& keys, const SignedMessage& message, bool hedged, typename Slh::Signature& signature,
                   StopCallback stop = {}) {
    typename Slh::Randomness randomness;
    fill_secret(randomness.bytes(), 4);
    return Slh::sign(keys.secret_key, message, hedged ? &randomness : nullptr, signature, workspace<Slh>(), stop);
}

template <typename Slh, bool Hedged>
bool sign() {
    static Keys<Slh> keys;
    static typename Slh::Signature signature;
    std::array<std::byte, 50> text;
    fill(text, 5);
    const auto message = SignedMessage::pure(text);
    if (!message || !generate_into<Slh>(keys)) return false;
    // What a key generation publishes.
    declassify(keys.public_key.bytes());
    declassify(Bytes(keys.secret_key.bytes()).last(Slh::kSecretKeySize / 2));
    if (!sign_with<Slh>(keys, *message, Hedged, signature)) return false;
    declassify(signature.bytes());
    return is_secret(secret_half<Slh>(keys.secret_key)) &&
           Slh::verify(keys.public_key, *message, signature, workspace<Slh>()) == Verdict::valid;
}

template <typename Slh>
bool sign_hedged() {
    return sign<Slh, true>();
}

template <typename Slh>
bool sign_deterministic() {
    return sign<Slh, false>();
}

// A key that was made by nobody signs as well: PK.root only enters a hash.
template <typename Slh>
bool part_of_generate_and_sign() {
    static Keys<Slh> keys;
    static typename Slh::Signature signature;
    Polls polls{kSmallPolls};
    const StopCallback stop(poll, &polls);
    const auto generated = generate_into<Slh>(keys, stop);
    if (!generated && generated.error() != Error::interrupted) return false;
    fill(keys.secret_key.bytes(), 6);
    classify(secret_half<Slh>(keys.secret_key));
    std::array<std::byte, 50> text;
    fill(text, 5);
    const auto message = SignedMessage::pure(text);
    polls.left = kSmallPolls;
    if (!message) return false;
    const auto interrupted = sign_with<Slh>(keys, *message, true, signature, stop);
    return !interrupted && interrupted.error() == Error::interrupted;
}

constexpr Check kChecks[] = {
    {"slh_dsa_sha2_128f_generate", generate<SlhDsaSha2_128f>},
    {"slh_dsa_sha2_128f_sign_hedged", sign_hedged<SlhDsaSha2_128f>},
    {"slh_dsa_sha2_128f_sign_deterministic", sign_deterministic<SlhDsaSha2_128f>},
    {"slh_dsa_sha2_192f_sign_hedged", sign_hedged<SlhDsaSha2_192f>},
    {"slh_dsa_sha2_256f_sign_hedged", sign_hedged<SlhDsaSha2_256f>},
    {"slh_dsa_shake_128f_generate", generate<SlhDsaShake_128f>},
    {"slh_dsa_shake_128f_sign_hedged", sign_hedged<SlhDsaShake_128f>},
    {"slh_dsa_shake_128f_sign_deterministic", sign_deterministic<SlhDsaShake_128f>},
    {"slh_dsa_shake_192f_sign_hedged", sign_hedged<SlhDsaShake_192f>},
    {"slh_dsa_shake_256f_sign_hedged", sign_hedged<SlhDsaShake_256f>},
    {"slh_dsa_sha2_128s_part", part_of_generate_and_sign<SlhDsaSha2_128s>},
    {"slh_dsa_sha2_192s_part", part_of_generate_and_sign<SlhDsaSha2_192s>},
    {"slh_dsa_sha2_256s_part", part_of_generate_and_sign<SlhDsaSha2_256s>},
    {"slh_dsa_shake_128s_part", part_of_generate_and_sign<SlhDsaShake_128s>},
    {"slh_dsa_shake_192s_part", part_of_generate_and_sign<SlhDsaShake_192s>},
    {"slh_dsa_shake_256s_part", part_of_generate_and_sign<SlhDsaShake_256s>},
};

} // namespace

std::span<const Check> slh_dsa_checks() { return kChecks; }

} // namespace aios::test
