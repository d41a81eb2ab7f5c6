// The temporaries of ML-KEM's operations. They are the caller's, because kernel stacks are small. What is secret is
// apart from what is public and is wiped at the end of each operation.
#pragma once

#include <array>
#include <cstddef>

#include "crypto/ml_kem/hash_batch.hpp"
#include "crypto/ml_kem/poly.hpp"

namespace aios::crypto::ml_kem {

template <std::size_t K, std::size_t CiphertextSize>
struct Temporaries {
    struct Secrets {
        std::array<Poly, K> vector; // what the matrix is multiplied with: s, y; or u' of a ciphertext
        std::array<Poly, K> twisted;
        std::array<Poly, K> noise; // e, e1; or s of a stored key
        Poly noise2;               // e2
        Poly sum;
        std::array<std::byte, 32> message;
        std::array<std::byte, 64> seeds;    // G's output: rho and sigma, or K and r
        std::array<std::byte, 32> rejected; // the shared secret of a ciphertext that is not accepted
        std::array<std::byte, CiphertextSize> ciphertext;
        HashBatch hashes;
    };

    std::array<Poly, K * K> matrix; // by rows; transposed for encryption
    std::array<Poly, K> key;        // t of the encapsulation key
    std::array<std::byte, 32> key_hash;
    Secrets secrets;
};

} // namespace aios::crypto::ml_kem
