// SLH-DSA, the six fast parameter sets: the small ones run the same code in the same workspaces, for longer. See
// operation.hpp.
#include "crypto/slh_dsa.hpp"
#include "tests/crypto_limits/operation.hpp"

using namespace aios;
using namespace aios::crypto;

namespace {

// Neither constructed nor ended at run time: it would be linked into every program that is measured.
template <typename Set>
struct Objects {
    [[clang::no_destroy]] static inline constinit typename Set::SecretSeed sk_seed;
    [[clang::no_destroy]] static inline constinit typename Set::PrfKey sk_prf;
    static inline constinit typename Set::PublicSeed pk_seed;
    static inline constinit typename Set::PublicKey public_key;
    [[clang::no_destroy]] static inline constinit typename Set::SecretKey secret_key;
    static inline constinit typename Set::Signature signature;
    static inline typename Set::Workspace workspace;
};

template <typename Set>
bool generate() {
    using O = Objects<Set>;
    return Set::generate(O::sk_seed, O::sk_prf, O::pk_seed, O::public_key, O::secret_key, O::workspace).has_value();
}

template <typename Set>
bool sign() {
    using O = Objects<Set>;
    const auto message = SignedMessage::formatted(test::operation_message);
    return Set::sign(O::secret_key, message, nullptr, O::signature, O::workspace).has_value();
}

template <typename Set>
bool verify() {
    using O = Objects<Set>;
    const auto message = SignedMessage::formatted(test::operation_message);
    return Set::verify(O::public_key, message, O::signature, O::workspace) == Verdict::valid;
}

} // namespace

extern "C" {

bool slh_dsa_sha2_128f_generate() { return generate<SlhDsaSha2_128f>(); }
bool slh_dsa_sha2_128f_sign() { return sign<SlhDsaSha2_128f>(); }
bool slh_dsa_sha2_128f_verify() { return verify<SlhDsaSha2_128f>(); }
bool slh_dsa_sha2_192f_generate() { return generate<SlhDsaSha2_192f>(); }
bool slh_dsa_sha2_192f_sign() { return sign<SlhDsaSha2_192f>(); }
bool slh_dsa_sha2_192f_verify() { return verify<SlhDsaSha2_192f>(); }
bool slh_dsa_sha2_256f_generate() { return generate<SlhDsaSha2_256f>(); }
bool slh_dsa_sha2_256f_sign() { return sign<SlhDsaSha2_256f>(); }
bool slh_dsa_sha2_256f_verify() { return verify<SlhDsaSha2_256f>(); }
bool slh_dsa_shake_128f_generate() { return generate<SlhDsaShake_128f>(); }
bool slh_dsa_shake_128f_sign() { return sign<SlhDsaShake_128f>(); }
bool slh_dsa_shake_128f_verify() { return verify<SlhDsaShake_128f>(); }
bool slh_dsa_shake_192f_generate() { return generate<SlhDsaShake_192f>(); }
bool slh_dsa_shake_192f_sign() { return sign<SlhDsaShake_192f>(); }
bool slh_dsa_shake_192f_verify() { return verify<SlhDsaShake_192f>(); }
bool slh_dsa_shake_256f_generate() { return generate<SlhDsaShake_256f>(); }
bool slh_dsa_shake_256f_sign() { return sign<SlhDsaShake_256f>(); }
bool slh_dsa_shake_256f_verify() { return verify<SlhDsaShake_256f>(); }

} // extern "C"

namespace aios::test {

namespace {

constexpr Operation kOperations[] = {
    {"SLH-DSA-SHA2-128f", "generate", slh_dsa_sha2_128f_generate, sizeof(SlhDsaSha2_128f::Workspace)},
    {"SLH-DSA-SHA2-128f", "sign", slh_dsa_sha2_128f_sign, sizeof(SlhDsaSha2_128f::Workspace)},
    {"SLH-DSA-SHA2-128f", "verify", slh_dsa_sha2_128f_verify, sizeof(SlhDsaSha2_128f::Workspace)},
    {"SLH-DSA-SHA2-192f", "generate", slh_dsa_sha2_192f_generate, sizeof(SlhDsaSha2_192f::Workspace)},
    {"SLH-DSA-SHA2-192f", "sign", slh_dsa_sha2_192f_sign, sizeof(SlhDsaSha2_192f::Workspace)},
    {"SLH-DSA-SHA2-192f", "verify", slh_dsa_sha2_192f_verify, sizeof(SlhDsaSha2_192f::Workspace)},
    {"SLH-DSA-SHA2-256f", "generate", slh_dsa_sha2_256f_generate, sizeof(SlhDsaSha2_256f::Workspace)},
    {"SLH-DSA-SHA2-256f", "sign", slh_dsa_sha2_256f_sign, sizeof(SlhDsaSha2_256f::Workspace)},
    {"SLH-DSA-SHA2-256f", "verify", slh_dsa_sha2_256f_verify, sizeof(SlhDsaSha2_256f::Workspace)},
    {"SLH-DSA-SHAKE-128f", "generate", slh_dsa_shake_128f_generate, sizeof(SlhDsaShake_128f::Workspace)},
    {"SLH-DSA-SHAKE-128f", "sign", slh_dsa_shake_128f_sign, sizeof(SlhDsaShake_128f::Workspace)},
    {"SLH-DSA-SHAKE-128f", "verify", slh_dsa_shake_128f_verify, sizeof(SlhDsaShake_128f::Workspace)},
    {"SLH-DSA-SHAKE-192f", "generate", slh_dsa_shake_192f_generate, sizeof(SlhDsaShake_192f::Workspace)},
    {"SLH-DSA-SHAKE-192f", "sign", slh_dsa_shake_192f_sign, sizeof(SlhDsaShake_192f::Workspace)},
    {"SLH-DSA-SHAKE-192f", "verify", slh_dsa_shake_192f_verify, sizeof(SlhDsaShake_192f::Workspace)},
    {"SLH-DSA-SHAKE-256f", "generate", slh_dsa_shake_256f_generate, sizeof(SlhDsaShake_256f::Workspace)},
    {"SLH-DSA-SHAKE-256f", "sign", slh_dsa_shake_256f_sign, sizeof(SlhDsaShake_256f::Workspace)},
    {"SLH-DSA-SHAKE-256f", "verify", slh_dsa_shake_256f_verify, sizeof(SlhDsaShake_256f::Workspace)},
};

} // namespace

std::span<const Operation> slh_dsa_operations() { return kOperations; }

} // namespace aios::test
