// ML-DSA (FIPS 204): signatures that stay safe against quantum computers. What AIOS signs at its borders with.
//
//   TRY(MlDsa65::generate(seed, public_key, secret_key, workspace));
//   auto message = TRY(SignedMessage::pure(text, context));
//   TRY(MlDsa65::sign(secret_key, message, &randomness, signature, workspace));
//   if (MlDsa65::verify(public_key, message, signature, workspace) == Verdict::valid) ...
//
// The caller brings the randomness. Times depend on secrets only in what the standard makes public: how often signing
// rejected a candidate. Nothing allocates; temporaries are in the workspaces, wiped after each call that had a secret
// in them. Each operation can be linked alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/ml_dsa/operations.hpp"
#include "crypto/secret.hpp"
#include "crypto/signed_message.hpp"
#include "crypto/stop.hpp"

namespace aios::crypto {

// FIPS 204 section 4, tables 1 and 2. c_bytes is lambda / 4.
struct MlDsa44Parameters {
    static constexpr std::size_t k = 4, l = 4, tau = 39, c_bytes = 32, omega = 80;
    static constexpr std::uint32_t eta = 2, gamma1 = 1U << 17, gamma2 = (8380417 - 1) / 88;
};
struct MlDsa65Parameters {
    static constexpr std::size_t k = 6, l = 5, tau = 49, c_bytes = 48, omega = 55;
    static constexpr std::uint32_t eta = 4, gamma1 = 1U << 19, gamma2 = (8380417 - 1) / 32;
};
struct MlDsa87Parameters {
    static constexpr std::size_t k = 8, l = 7, tau = 60, c_bytes = 64, omega = 75;
    static constexpr std::uint32_t eta = 2, gamma1 = 1U << 19, gamma2 = (8380417 - 1) / 32;
};

template <typename Parameters>
class MlDsa {
public:
    static constexpr std::size_t kPublicKeySize = 32 + 320 * Parameters::k;
    static constexpr std::size_t kSecretKeySize =
        128 + 32 * ((Parameters::k + Parameters::l) * (Parameters::eta == 2 ? 3 : 4) + 13 * Parameters::k);
    static constexpr std::size_t kSignatureSize = Parameters::c_bytes +
                                                  Parameters::l * 32 * (Parameters::gamma1 == 1U << 17 ? 18 : 20) +
                                                  Parameters::omega + Parameters::k;

    using Seed = SecretOctets<struct SeedTag, 32>;
    using PublicKey = Octets<struct PublicKeyTag, kPublicKeySize>;
    // The expanded form, as the standard encodes it (algorithm 24). Keep the seed instead: it is shorter and always
    // well formed.
    using SecretKey = SecretOctets<struct SecretKeyTag, kSecretKeySize>;
    using Signature = Octets<struct SignatureTag, kSignatureSize>;
    using Randomness = SecretOctets<struct RandomnessTag, 32>;

    class GenerateWorkspace;
    class SignWorkspace;
    class VerifyWorkspace;

    // ML-DSA.KeyGen_internal, algorithm 6.
    static void generate(const Seed& seed, PublicKey& public_key, SecretKey& secret_key, GenerateWorkspace& workspace);

    // ML-DSA.Sign and HashML-DSA.Sign, algorithms 2, 4 and 7. With `randomness` the hedged variant (what to use), with
    // nullptr the deterministic one. `stop` is asked before each candidate. Errors: bad_format for a secret key whose
    // encoding is out of range, and for a crafted one with which a thousand candidates were all rejected; interrupted.
    // On an error the signature is all zeros.
    [[nodiscard]] static Result<> sign(const SecretKey& secret_key, const SignedMessage& message,
                                       const Randomness* randomness, Signature& signature, SignWorkspace& workspace,
                                       StopCallback stop = {});

    // ML-DSA.Verify and HashML-DSA.Verify, algorithms 3, 5 and 8.
    [[nodiscard]] static Verdict verify(const PublicKey& public_key, const SignedMessage& message,
                                        const Signature& signature, VerifyWorkspace& workspace);
};

// The workspaces. Of VerifyWorkspace nothing is secret; of the others the struct Secrets is wiped after each call.
template <typename Parameters>
class MlDsa<Parameters>::GenerateWorkspace : Pinned {
    friend class MlDsa;
    struct Secrets {
        std::array<detail::ml_dsa::Polynomial, detail::ml_dsa::secret_polynomials(Parameters::k, Parameters::l)>
            vectors;
        detail::ml_dsa::GenerateSecrets common;
    };

    Secrets secrets_;
    std::array<detail::ml_dsa::Polynomial, Parameters::l + 3> ring_;
    detail::ml_dsa::MatrixScratch matrix_scratch_;
};

template <typename Parameters>
class MlDsa<Parameters>::SignWorkspace : Pinned {
    friend class MlDsa;
    struct Secrets {
        std::array<detail::ml_dsa::Polynomial, Parameters::l> s1, y_hat;
        std::array<detail::ml_dsa::Polynomial, Parameters::l + 3> y;
        std::array<detail::ml_dsa::Polynomial, Parameters::k> s2, t0, low, high;
        detail::ml_dsa::SignSecrets common;
    };

    Secrets secrets_;
    std::array<detail::ml_dsa::Polynomial, Parameters::k * Parameters::l> matrix_;
    detail::ml_dsa::SignPublics publics_;
};

template <typename Parameters>
class MlDsa<Parameters>::VerifyWorkspace : Pinned {
    friend class MlDsa;

    std::array<detail::ml_dsa::Polynomial, Parameters::l> z_;
    std::array<detail::ml_dsa::Polynomial, Parameters::l + 3> ring_;
    detail::ml_dsa::VerifyCommon common_;
};

using MlDsa44 = MlDsa<MlDsa44Parameters>;
using MlDsa65 = MlDsa<MlDsa65Parameters>;
using MlDsa87 = MlDsa<MlDsa87Parameters>;

} // namespace aios::crypto
