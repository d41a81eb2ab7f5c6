// What the tests of ML-DSA share: workspaces, keys and messages by name of the parameter set, and pre-hashes by name.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/ml_dsa.hpp"

namespace aios::crypto::test_ml_dsa {

using Octet = std::vector<std::byte>;

inline Octet random_bytes(std::mt19937_64& random, std::size_t size) {
    Octet bytes(size);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(random());
    return bytes;
}

// One parameter set with its workspaces, which are large, on the heap.
template <typename Algorithm>
struct Set {
    typename Algorithm::PublicKey public_key;
    typename Algorithm::SecretKey secret_key;
    typename Algorithm::Signature signature;
    typename Algorithm::GenerateWorkspace generate_workspace;
    typename Algorithm::SignWorkspace sign_workspace;
    typename Algorithm::VerifyWorkspace verify_workspace;

    void generate(Bytes seed_bytes) {
        typename Algorithm::Seed seed;
        ASSERT_TRUE(seed.assign(seed_bytes));
        Algorithm::generate(seed, public_key, secret_key, generate_workspace);
    }
    [[nodiscard]] Result<> sign(const SignedMessage& message, Bytes randomness = {}, StopCallback stop = {}) {
        typename Algorithm::Randomness given;
        if (!randomness.empty()) TRY(given.assign(randomness));
        return Algorithm::sign(secret_key, message, randomness.empty() ? nullptr : &given, signature, sign_workspace,
                               stop);
    }
    [[nodiscard]] Verdict verify(const SignedMessage& message) {
        return Algorithm::verify(public_key, message, signature, verify_workspace);
    }
};

// Calls body with a Set of each parameter set.
template <typename Body>
void for_each_set(const Body& body) {
    body(*std::make_unique<Set<MlDsa44>>(), "ML-DSA-44");
    body(*std::make_unique<Set<MlDsa65>>(), "ML-DSA-65");
    body(*std::make_unique<Set<MlDsa87>>(), "ML-DSA-87");
}

} // namespace aios::crypto::test_ml_dsa
