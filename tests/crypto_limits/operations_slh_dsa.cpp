// SLH-DSA. See operation.hpp. Of the small sets, signing takes seconds: it is interrupted, behind the trees of few-time
// signatures. The fast sets go the whole way, in the same code.
#include "crypto/slh_dsa.hpp"
#include "tests/crypto_limits/message_object.hpp"
#include "tests/crypto_limits/operation.hpp"

using namespace aios;
using namespace aios::crypto;
using aios::test::message_object;

namespace {

constexpr std::uint32_t kPolls = 100;

bool poll(void* context) {
    std::uint32_t& left = *static_cast<std::uint32_t*>(context);
    return left-- == 0;
}

template <typename Slh>
struct Run {
    // Not ended at run time: that would be linked into every program that is measured.
    [[clang::no_destroy]] static inline constinit typename Slh::SecretSeed seed;
    [[clang::no_destroy]] static inline constinit typename Slh::PrfKey prf;
    [[clang::no_destroy]] static inline constinit typename Slh::Randomness random;
    [[clang::no_destroy]] static inline constinit typename Slh::SecretKey secret_key;
    [[clang::no_destroy]] static inline typename Slh::Workspace workspace;
    static inline constinit typename Slh::PublicSeed public_seed;
    static inline constinit typename Slh::PublicKey public_key;
    static inline constinit typename Slh::Signature signature;
    static inline constinit std::uint32_t polls_left = 0;

    static bool generate() {
        return Slh::generate(seed, prf, public_seed, public_key, secret_key, workspace).has_value();
    }
    static bool sign() { return Slh::sign(secret_key, message_object(), &random, signature, workspace).has_value(); }
    static bool verify() { return Slh::verify(public_key, message_object(), signature, workspace) == Verdict::valid; }

    static bool sign_part() {
        polls_left = kPolls;
        const auto signed_or_not =
            Slh::sign(secret_key, message_object(), &random, signature, workspace, StopCallback(poll, &polls_left));
        return !signed_or_not && signed_or_not.error() == Error::interrupted;
    }
    // Of no signature at all: every step is taken before the answer.
    static bool verify_nothing() {
        return Slh::verify(public_key, message_object(), signature, workspace) == Verdict::invalid;
    }
};

} // namespace

// The operations of one set, by the C name of the set.
#define AIOS_FAST_SET(name, Set)                                                                                       \
    bool name##_generate() { return Run<Set>::generate(); }                                                            \
    bool name##_sign() { return Run<Set>::sign(); }                                                                    \
    bool name##_verify() { return Run<Set>::verify(); }
#define AIOS_SMALL_SET(name, Set)                                                                                      \
    bool name##_generate() { return Run<Set>::generate(); }                                                            \
    bool name##_sign() { return Run<Set>::sign_part(); }                                                               \
    bool name##_verify() { return Run<Set>::verify_nothing(); }

extern "C" {

AIOS_SMALL_SET(slh_dsa_sha2_128s, SlhDsaSha2_128s)
AIOS_FAST_SET(slh_dsa_sha2_128f, SlhDsaSha2_128f)
AIOS_SMALL_SET(slh_dsa_sha2_192s, SlhDsaSha2_192s)
AIOS_FAST_SET(slh_dsa_sha2_192f, SlhDsaSha2_192f)
AIOS_SMALL_SET(slh_dsa_sha2_256s, SlhDsaSha2_256s)
AIOS_FAST_SET(slh_dsa_sha2_256f, SlhDsaSha2_256f)
AIOS_SMALL_SET(slh_dsa_shake_128s, SlhDsaShake_128s)
AIOS_FAST_SET(slh_dsa_shake_128f, SlhDsaShake_128f)
AIOS_SMALL_SET(slh_dsa_shake_192s, SlhDsaShake_192s)
AIOS_FAST_SET(slh_dsa_shake_192f, SlhDsaShake_192f)
AIOS_SMALL_SET(slh_dsa_shake_256s, SlhDsaShake_256s)
AIOS_FAST_SET(slh_dsa_shake_256f, SlhDsaShake_256f)

} // extern "C"

namespace aios::test {

namespace {

#define AIOS_ROWS(name, Set, text)                                                                                     \
    {text, "generate", name##_generate, sizeof(Set::Workspace)}, {text, "sign", name##_sign, sizeof(Set::Workspace)},  \
    {                                                                                                                  \
        text, "verify", name##_verify, sizeof(Set::Workspace)                                                          \
    }

constexpr Operation kOperations[] = {
    AIOS_ROWS(slh_dsa_sha2_128s, SlhDsaSha2_128s, "SLH-DSA-SHA2-128s"),
    AIOS_ROWS(slh_dsa_sha2_128f, SlhDsaSha2_128f, "SLH-DSA-SHA2-128f"),
    AIOS_ROWS(slh_dsa_sha2_192s, SlhDsaSha2_192s, "SLH-DSA-SHA2-192s"),
    AIOS_ROWS(slh_dsa_sha2_192f, SlhDsaSha2_192f, "SLH-DSA-SHA2-192f"),
    AIOS_ROWS(slh_dsa_sha2_256s, SlhDsaSha2_256s, "SLH-DSA-SHA2-256s"),
    AIOS_ROWS(slh_dsa_sha2_256f, SlhDsaSha2_256f, "SLH-DSA-SHA2-256f"),
    AIOS_ROWS(slh_dsa_shake_128s, SlhDsaShake_128s, "SLH-DSA-SHAKE-128s"),
    AIOS_ROWS(slh_dsa_shake_128f, SlhDsaShake_128f, "SLH-DSA-SHAKE-128f"),
    AIOS_ROWS(slh_dsa_shake_192s, SlhDsaShake_192s, "SLH-DSA-SHAKE-192s"),
    AIOS_ROWS(slh_dsa_shake_192f, SlhDsaShake_192f, "SLH-DSA-SHAKE-192f"),
    AIOS_ROWS(slh_dsa_shake_256s, SlhDsaShake_256s, "SLH-DSA-SHAKE-256s"),
    AIOS_ROWS(slh_dsa_shake_256f, SlhDsaShake_256f, "SLH-DSA-SHAKE-256f"),
};

} // namespace

std::span<const Operation> slh_dsa_operations() { return kOperations; }

} // namespace aios::test
