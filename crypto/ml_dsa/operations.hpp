// The three operations of ML-DSA for any parameter set, and the memory that each needs: what does not depend on the set
// is a struct here; what does are arrays in the workspaces of ml_dsa.hpp, named by a view. Each operation is one file,
// and none of them needs another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/ml_dsa/polynomial.hpp"
#include "crypto/ml_dsa/sampling.hpp"
#include "crypto/ml_dsa/shape.hpp"
#include "crypto/secret.hpp"
#include "crypto/signed_message.hpp"
#include "crypto/stop.hpp"

namespace aios::crypto::detail::ml_dsa {

// The most polynomials that one sum of products has: a row of A, and one more in verification.
inline constexpr std::size_t kMaxTerms = 8;
inline constexpr std::size_t kMaxK = 8;

// Polynomials that expand_secret(), four at a time, writes for s1 and s2.
constexpr std::size_t secret_polynomials(std::size_t k, std::size_t l) { return (k + l + 3) / 4 * 4; }

struct GenerateSecrets {
    Polynomial t; // one polynomial of it
    SecretScratch scratch;
    std::array<std::byte, 128> seeds; // rho, rho' and K
};
struct GenerateView {
    Polynomial* secrets; // secret_polynomials(k, l): s1, then s2
    Polynomial* ring;    // l + 3, of A
    GenerateSecrets& common;
    MatrixScratch& matrix_scratch;
};
void generate(const Shape& shape, std::span<const std::byte, 32> seed, MutableBytes public_key, MutableBytes secret_key,
              const GenerateView& memory);

struct SignSecrets {
    Polynomial product; // of the challenge and one polynomial of s1, s2 or t0
    SecretScratch scratch;
    Shake256 xof;                            // over mu and w1
    std::array<std::byte, 64> rho_second;    // rho''
    std::array<std::byte, kW1Buffer> packed; // one polynomial of w1
};
struct SignPublics {
    Polynomial challenge;
    MatrixScratch scratch;
    std::array<std::byte, 64> mu;
};
struct SignView {
    Polynomial* matrix; // k * l
    Polynomial* s1;     // l, transformed, as s2 and t0
    Polynomial* s2;     // k
    Polynomial* t0;     // k
    Polynomial* y;      // a ring of l + 3; becomes z
    Polynomial* y_hat;  // l: y, transformed
    Polynomial* low;    // k: LowBits(w), later minus c s2
    Polynomial* high;   // k: HighBits(w), later the hints
    SignSecrets& secrets;
    SignPublics& publics;
};
[[nodiscard]] Result<> sign(const Shape& shape, Bytes secret_key, const SignedMessage& message, Bytes randomness,
                            MutableBytes signature, const SignView& memory, StopCallback stop);

struct VerifyCommon {
    Polynomial challenge; // transformed, and negated
    Polynomial t1;        // one polynomial of t1
    Polynomial low;       // one polynomial of w, then its low bits
    Polynomial high;
    MatrixScratch scratch;
    Shake256 xof; // over mu and w1
    std::array<std::byte, 64> tr;
    std::array<std::byte, 64> mu;
    std::array<std::byte, kW1Buffer> packed;
};
struct VerifyView {
    Polynomial* z;    // l
    Polynomial* ring; // l + 3, of A
    VerifyCommon& common;
};
[[nodiscard]] Verdict verify(const Shape& shape, Bytes public_key, const SignedMessage& message, Bytes signature,
                             const VerifyView& memory);

} // namespace aios::crypto::detail::ml_dsa
