// Key agreement: ML-KEM and X25519.
#include <memory>

#include "bench/crypto/data.hpp"
#include "bench/crypto/operation.hpp"
#include "crypto/ml_kem.hpp"
#include "crypto/x25519.hpp"

namespace aios::bench {

namespace {

template <typename Kem>
struct KemState {
    typename Kem::Randomness d;
    typename Kem::Randomness z;
    typename Kem::Randomness m;
    typename Kem::EncapsulationKey ek;
    typename Kem::DecapsulationKey dk;
    typename Kem::EncapsulationKey new_ek;
    typename Kem::DecapsulationKey new_dk;
    typename Kem::Ciphertext ciphertext;
    typename Kem::SharedSecret shared;
    typename Kem::Workspace workspace;

    KemState() {
        fill(d, 1);
        fill(z, 2);
        fill(m, 3);
        Kem::generate(d, z, ek, dk, workspace);
    }
};

template <typename Kem>
void add_kem(std::vector<Operation>& list, std::string name, Limits generate, Limits encapsulate, Limits decapsulate) {
    const auto state = std::make_shared<KemState<Kem>>();
    list.push_back(
        {.algorithm = name, .operation = "keygen", .limits = generate, .ours = [state](std::size_t repetition) {
             vary(state->d.bytes(), repetition);
             Kem::generate(state->d, state->z, state->new_ek, state->new_dk, state->workspace);
             return true;
         }});
    const auto encaps = [state](std::size_t repetition) {
        vary(state->m.bytes(), repetition);
        return Kem::encapsulate(state->ek, state->m, state->ciphertext, state->shared, state->workspace).has_value();
    };
    list.push_back({.algorithm = name, .operation = "encaps", .limits = encapsulate, .ours = encaps});
    encaps(0); // the ciphertext that decapsulation takes
    list.push_back(
        {.algorithm = name, .operation = "decaps", .limits = decapsulate, .ours = [state](std::size_t) {
             return Kem::decapsulate(state->dk, state->ciphertext, state->shared, state->workspace).has_value();
         }});
}

struct X25519State {
    crypto::X25519::Secret secret;
    crypto::X25519::PublicKey theirs;
    crypto::X25519::SharedSecret shared;

    X25519State() {
        crypto::X25519::Secret other;
        fill(secret, 4);
        fill(other, 5);
        crypto::X25519::public_key(other, theirs);
    }
};

} // namespace

std::vector<Operation> kem_operations() {
    std::vector<Operation> list;
    add_kem<crypto::MlKem512>(list, "ML-KEM-512", {}, {}, {});
    add_kem<crypto::MlKem768>(list, "ML-KEM-768", {.avx2 = 45e3, .portable = 130e3}, {.avx2 = 48e3, .portable = 145e3},
                              {.avx2 = 60e3, .portable = 180e3});
    add_kem<crypto::MlKem1024>(list, "ML-KEM-1024", {}, {}, {});
    const auto state = std::make_shared<X25519State>();
    list.push_back(
        {.algorithm = "X25519", .operation = "derive", .limits = {.least_ratio = 1.0}, .ours = [state](std::size_t) {
             return crypto::X25519::derive(state->secret, state->theirs, state->shared).has_value();
         }});
    return list;
}

} // namespace aios::bench
