// SLH-DSA (FIPS 205): signatures that rest on a hash function alone. Slow to make and large; for keys that have to be
// trusted for decades.
//
//   TRY(SlhDsaSha2_128s::generate(sk_seed, sk_prf, pk_seed, public_key, secret_key, workspace));
//   auto message = TRY(SignedMessage::pure(text, context));
//   TRY(SlhDsaSha2_128s::sign(secret_key, message, &randomness, signature, workspace, stop));
//   if (SlhDsaSha2_128s::verify(public_key, message, signature, workspace) == Verdict::valid) ...
//
// The caller brings the randomness. Times do not depend on secrets. Nothing allocates; temporaries are in the
// Workspace, wiped after each call that had a secret in it. Key generation and signing take up to seconds and poll
// `stop`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/secret.hpp"
#include "crypto/signed_message.hpp"
#include "crypto/slh_dsa/core.hpp"
#include "crypto/stop.hpp"

namespace aios::crypto {

enum class SlhDsaHash : std::uint8_t { sha2, shake };

// FIPS 205 section 11, table 2. lg(w) is 4 in all sets, so that a WOTS+ key has len = 2n + 3 chains.
template <SlhDsaHash Hash, std::size_t N, std::size_t H, std::size_t D, std::size_t A, std::size_t K, std::size_t M>
struct SlhDsaParameters {
    static constexpr SlhDsaHash hash = Hash;
    static constexpr std::size_t n = N, h = H, d = D, h_prime = H / D, a = A, k = K, m = M;
    static constexpr std::size_t len = 2 * N + 3;
};

template <typename Parameters>
class SlhDsa {
    using Hash =
        std::conditional_t<Parameters::hash == SlhDsaHash::sha2, detail::slh::Sha2Hash, detail::slh::ShakeHash>;

public:
    static constexpr std::size_t kPublicKeySize = 2 * Parameters::n;
    static constexpr std::size_t kSecretKeySize = 4 * Parameters::n;
    static constexpr std::size_t kSignatureSize =
        (1 + Parameters::k * (1 + Parameters::a) + Parameters::h + Parameters::d * Parameters::len) * Parameters::n;

    using SecretSeed = SecretOctets<struct SecretSeedTag, Parameters::n>;
    using PrfKey = SecretOctets<struct PrfKeyTag, Parameters::n>;
    using PublicSeed = Octets<struct PublicSeedTag, Parameters::n>;
    using PublicKey = Octets<struct PublicKeyTag, kPublicKeySize>;
    using SecretKey = SecretOctets<struct SecretKeyTag, kSecretKeySize>;
    using Signature = Octets<struct SignatureTag, kSignatureSize>; // 7,856 to 49,856 bytes
    using Randomness = SecretOctets<struct RandomnessTag, Parameters::n>;

    // Working memory of one call at a time; about 9 to 24 KB.
    class Workspace : Pinned {
        friend class SlhDsa;
        detail::slh::Core<Hash> core_;
        alignas(32) std::array<std::byte, 8 * Parameters::len * Parameters::n> chains_;
    };

    // slh_keygen_internal, algorithm 18. Error: interrupted; both keys are then all zeros.
    [[nodiscard]] static Result<> generate(const SecretSeed& sk_seed, const PrfKey& sk_prf, const PublicSeed& pk_seed,
                                           PublicKey& public_key, SecretKey& secret_key, Workspace& workspace,
                                           StopCallback stop = {}) {
        return detail::slh::generate(kSet, sk_seed.bytes(), sk_prf.bytes(), pk_seed.bytes(), public_key.bytes(),
                                     secret_key.bytes(), workspace.core_, workspace.chains_, stop);
    }

    // slh_sign and hash_slh_sign, algorithms 19, 22 and 23. With `randomness` the hedged variant (what to use), with
    // nullptr the deterministic one. Errors: bad_argument for an external mu; interrupted. On an error the signature is
    // all zeros.
    [[nodiscard]] static Result<> sign(const SecretKey& secret_key, const SignedMessage& message,
                                       const Randomness* randomness, Signature& signature, Workspace& workspace,
                                       StopCallback stop = {}) {
        return detail::slh::sign(kSet, secret_key.bytes(), message,
                                 randomness == nullptr ? Bytes() : Bytes(randomness->bytes()), signature.bytes(),
                                 workspace.core_, workspace.chains_, stop);
    }

    // slh_verify and hash_slh_verify, algorithms 20, 24 and 25. An external mu is invalid.
    [[nodiscard]] static Verdict verify(const PublicKey& public_key, const SignedMessage& message,
                                        const Signature& signature, Workspace& workspace) {
        return detail::slh::verify(kSet, public_key.bytes(), message, signature.bytes(), workspace.core_,
                                   workspace.chains_);
    }

private:
    static constexpr detail::slh::Set kSet = {Parameters::n, Parameters::h, Parameters::d, Parameters::h_prime,
                                              Parameters::a, Parameters::k, Parameters::m, Parameters::len};
};

using SlhDsaSha2_128s = SlhDsa<SlhDsaParameters<SlhDsaHash::sha2, 16, 63, 7, 12, 14, 30>>;
using SlhDsaSha2_128f = SlhDsa<SlhDsaParameters<SlhDsaHash::sha2, 16, 66, 22, 6, 33, 34>>;
using SlhDsaSha2_192s = SlhDsa<SlhDsaParameters<SlhDsaHash::sha2, 24, 63, 7, 14, 17, 39>>;
using SlhDsaSha2_192f = SlhDsa<SlhDsaParameters<SlhDsaHash::sha2, 24, 66, 22, 8, 33, 42>>;
using SlhDsaSha2_256s = SlhDsa<SlhDsaParameters<SlhDsaHash::sha2, 32, 64, 8, 14, 22, 47>>;
using SlhDsaSha2_256f = SlhDsa<SlhDsaParameters<SlhDsaHash::sha2, 32, 68, 17, 9, 35, 49>>;
using SlhDsaShake_128s = SlhDsa<SlhDsaParameters<SlhDsaHash::shake, 16, 63, 7, 12, 14, 30>>;
using SlhDsaShake_128f = SlhDsa<SlhDsaParameters<SlhDsaHash::shake, 16, 66, 22, 6, 33, 34>>;
using SlhDsaShake_192s = SlhDsa<SlhDsaParameters<SlhDsaHash::shake, 24, 63, 7, 14, 17, 39>>;
using SlhDsaShake_192f = SlhDsa<SlhDsaParameters<SlhDsaHash::shake, 24, 66, 22, 8, 33, 42>>;
using SlhDsaShake_256s = SlhDsa<SlhDsaParameters<SlhDsaHash::shake, 32, 64, 8, 14, 22, 47>>;
using SlhDsaShake_256f = SlhDsa<SlhDsaParameters<SlhDsaHash::shake, 32, 68, 17, 9, 35, 49>>;

} // namespace aios::crypto
