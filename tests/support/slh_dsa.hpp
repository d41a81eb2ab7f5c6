// For tests of SLH-DSA: the parameter sets by name, and the objects of one set on the heap, because they are large.
#pragma once

#include <memory>
#include <string_view>
#include <type_traits>

#include "crypto/slh_dsa.hpp"
#include "tests/support/hex.hpp"

namespace aios::test {

// Calls body(std::type_identity<Set>()) for all twelve sets, with their names.
template <typename Body>
void for_each_slh_set(const Body& body) {
    using namespace crypto;
    body("SLH-DSA-SHA2-128s", std::type_identity<SlhDsaSha2_128s>());
    body("SLH-DSA-SHA2-128f", std::type_identity<SlhDsaSha2_128f>());
    body("SLH-DSA-SHA2-192s", std::type_identity<SlhDsaSha2_192s>());
    body("SLH-DSA-SHA2-192f", std::type_identity<SlhDsaSha2_192f>());
    body("SLH-DSA-SHA2-256s", std::type_identity<SlhDsaSha2_256s>());
    body("SLH-DSA-SHA2-256f", std::type_identity<SlhDsaSha2_256f>());
    body("SLH-DSA-SHAKE-128s", std::type_identity<SlhDsaShake_128s>());
    body("SLH-DSA-SHAKE-128f", std::type_identity<SlhDsaShake_128f>());
    body("SLH-DSA-SHAKE-192s", std::type_identity<SlhDsaShake_192s>());
    body("SLH-DSA-SHAKE-192f", std::type_identity<SlhDsaShake_192f>());
    body("SLH-DSA-SHAKE-256s", std::type_identity<SlhDsaShake_256s>());
    body("SLH-DSA-SHAKE-256f", std::type_identity<SlhDsaShake_256f>());
}

// The same for the set of one name. False if there is none.
template <typename Body>
bool with_slh_set(std::string_view name, const Body& body) {
    bool found = false;
    for_each_slh_set([&](std::string_view candidate, auto set) {
        if (candidate != name) return;
        found = true;
        body(set);
    });
    return found;
}

// Keys, a signature and working memory of one set.
template <typename Set>
struct SlhObjects {
    typename Set::SecretSeed sk_seed;
    typename Set::PrfKey sk_prf;
    typename Set::PublicSeed pk_seed;
    typename Set::PublicKey public_key;
    typename Set::SecretKey secret_key;
    typename Set::Randomness randomness;
    typename Set::Signature signature;
    typename Set::Workspace workspace;
};

template <typename Set>
std::unique_ptr<SlhObjects<Set>> make_slh(std::type_identity<Set>) {
    return std::make_unique<SlhObjects<Set>>();
}

} // namespace aios::test
