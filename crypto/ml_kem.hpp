// ML-KEM (FIPS 203): two parties agree on a shared secret over an open line, safe against quantum computers.
//
//   MlKem768::generate(d, z, ek, dk, workspace);                  the receiver, from 64 random bytes
//   TRY(MlKem768::encapsulate(ek, m, ciphertext, k, workspace));  the sender, from 32 random bytes
//   TRY(MlKem768::decapsulate(dk, ciphertext, k, workspace));     the receiver: the same k
//
// All functions are deterministic: the caller brings the randomness (section 3.3 wants an approved generator, as
// hmac_drbg.hpp). A ciphertext that was tampered with gives another, unpredictable k (implicit rejection), not an
// error. Times do not depend on secrets. Nothing allocates; temporaries are in the Workspace, which is wiped after each
// call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/ml_kem/workspace.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto {

// FIPS 203 section 8, table 2.
struct MlKem512Parameters {
    static constexpr std::size_t k = 2, eta1 = 3, eta2 = 2, du = 10, dv = 4;
};
struct MlKem768Parameters {
    static constexpr std::size_t k = 3, eta1 = 2, eta2 = 2, du = 10, dv = 4;
};
struct MlKem1024Parameters {
    static constexpr std::size_t k = 4, eta1 = 2, eta2 = 2, du = 11, dv = 5;
};

template <typename Parameters>
class MlKem {
public:
    static constexpr std::size_t kEncapsulationKeySize = 384 * Parameters::k + 32;
    static constexpr std::size_t kDecapsulationKeySize = 768 * Parameters::k + 96;
    static constexpr std::size_t kCiphertextSize = 32 * (Parameters::du * Parameters::k + Parameters::dv);

    using EncapsulationKey = Octets<struct EncapsulationKeyTag, kEncapsulationKeySize>;
    using DecapsulationKey = SecretOctets<struct DecapsulationKeyTag, kDecapsulationKeySize>;
    using Ciphertext = Octets<struct CiphertextTag, kCiphertextSize>;
    using SharedSecret = SecretOctets<struct SharedSecretTag, 32>;
    // 32 random bytes: d and z of key generation, m of encapsulation.
    using Randomness = SecretOctets<struct RandomnessTag, 32>;

    class Workspace;

    // ML-KEM.KeyGen_internal, algorithm 16.
    static void generate(const Randomness& d, const Randomness& z, EncapsulationKey& ek, DecapsulationKey& dk,
                         Workspace& workspace);

    // Section 7.2, the modulus check of a key from outside: every coefficient is below q. Error: bad_format.
    [[nodiscard]] static Result<> check(const EncapsulationKey& ek);
    // Section 7.3, the hash check of a stored key. Error: bad_format.
    [[nodiscard]] static Result<> check(const DecapsulationKey& dk);

    // ML-KEM.Encaps_internal, algorithm 17, after check(ek). Error: bad_format.
    [[nodiscard]] static Result<> encapsulate(const EncapsulationKey& ek, const Randomness& m, Ciphertext& ciphertext,
                                              SharedSecret& shared, Workspace& workspace);

    // ML-KEM.Decaps_internal, algorithm 18, after check(dk). Error: bad_format.
    [[nodiscard]] static Result<> decapsulate(const DecapsulationKey& dk, const Ciphertext& ciphertext,
                                              SharedSecret& shared, Workspace& workspace);
};

// Uninitialised between operations; any thread may use it, one at a time.
template <typename Parameters>
class MlKem<Parameters>::Workspace : Pinned {
    friend class MlKem;
    ml_kem::Temporaries<Parameters::k, kCiphertextSize> temporaries_;
};

using MlKem512 = MlKem<MlKem512Parameters>;
using MlKem768 = MlKem<MlKem768Parameters>;
using MlKem1024 = MlKem<MlKem1024Parameters>;

} // namespace aios::crypto
