// ML-DSA. See operation.hpp.
#include "crypto/ml_dsa.hpp"
#include "tests/crypto_limits/message_object.hpp"
#include "tests/crypto_limits/operation.hpp"

using namespace aios;
using namespace aios::crypto;
using aios::test::message_object;

namespace {

template <typename Dsa>
struct Run {
    // Not ended at run time: that would be linked into every program that is measured.
    [[clang::no_destroy]] static inline constinit typename Dsa::Seed seed;
    [[clang::no_destroy]] static inline constinit typename Dsa::Randomness random;
    [[clang::no_destroy]] static inline constinit typename Dsa::SecretKey secret_key;
    [[clang::no_destroy]] static inline typename Dsa::GenerateWorkspace generate_workspace;
    [[clang::no_destroy]] static inline typename Dsa::SignWorkspace sign_workspace;
    [[clang::no_destroy]] static inline typename Dsa::VerifyWorkspace verify_workspace;
    static inline constinit typename Dsa::PublicKey public_key;
    static inline constinit typename Dsa::Signature signature;

    static bool generate() {
        Dsa::generate(seed, public_key, secret_key, generate_workspace);
        return true;
    }
    static bool sign() {
        return Dsa::sign(secret_key, message_object(), &random, signature, sign_workspace).has_value();
    }
    static bool verify() {
        return Dsa::verify(public_key, message_object(), signature, verify_workspace) == Verdict::valid;
    }
};

} // namespace

extern "C" {

bool signed_message_pure() { return aios::test::make_message(); }
bool ml_dsa_44_generate() { return Run<MlDsa44>::generate(); }
bool ml_dsa_44_sign() { return Run<MlDsa44>::sign(); }
bool ml_dsa_44_verify() { return Run<MlDsa44>::verify(); }
bool ml_dsa_65_generate() { return Run<MlDsa65>::generate(); }
bool ml_dsa_65_sign() { return Run<MlDsa65>::sign(); }
bool ml_dsa_65_verify() { return Run<MlDsa65>::verify(); }
bool ml_dsa_87_generate() { return Run<MlDsa87>::generate(); }
bool ml_dsa_87_sign() { return Run<MlDsa87>::sign(); }
bool ml_dsa_87_verify() { return Run<MlDsa87>::verify(); }

} // extern "C"

namespace aios::test {

namespace {

template <typename Dsa>
constexpr std::size_t kGenerate = sizeof(typename Dsa::GenerateWorkspace);
template <typename Dsa>
constexpr std::size_t kSign = sizeof(typename Dsa::SignWorkspace);
template <typename Dsa>
constexpr std::size_t kVerify = sizeof(typename Dsa::VerifyWorkspace);

constexpr Operation kOperations[] = {
    {"SignedMessage", "pure", signed_message_pure},
    {"ML-DSA-44", "generate", ml_dsa_44_generate, kGenerate<MlDsa44>},
    {"ML-DSA-44", "sign", ml_dsa_44_sign, kSign<MlDsa44>},
    {"ML-DSA-44", "verify", ml_dsa_44_verify, kVerify<MlDsa44>},
    {"ML-DSA-65", "generate", ml_dsa_65_generate, kGenerate<MlDsa65>},
    {"ML-DSA-65", "sign", ml_dsa_65_sign, kSign<MlDsa65>},
    {"ML-DSA-65", "verify", ml_dsa_65_verify, kVerify<MlDsa65>},
    {"ML-DSA-87", "generate", ml_dsa_87_generate, kGenerate<MlDsa87>},
    {"ML-DSA-87", "sign", ml_dsa_87_sign, kSign<MlDsa87>},
    {"ML-DSA-87", "verify", ml_dsa_87_verify, kVerify<MlDsa87>},
};

} // namespace

std::span<const Operation> ml_dsa_operations() { return kOperations; }

} // namespace aios::test
