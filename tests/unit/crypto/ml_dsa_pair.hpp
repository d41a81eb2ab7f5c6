// A key pair of ML-DSA with the workspaces to use it, for tests: large, so it belongs on the heap.
#pragma once

#include <gtest/gtest.h>

#include "crypto/ml_dsa.hpp"

namespace aios::test {

template <typename Algorithm>
struct MlDsaPair {
    explicit MlDsaPair(Bytes seed_bytes) {
        EXPECT_TRUE(seed.assign(seed_bytes));
        Algorithm::generate(seed, public_key, secret_key, generate);
    }

    typename Algorithm::Seed seed;
    typename Algorithm::PublicKey public_key;
    typename Algorithm::SecretKey secret_key;
    typename Algorithm::GenerateWorkspace generate;
};

} // namespace aios::test
