// ML-DSA. Each repetition signs another message, because the number of rejected candidates depends on it; the median is
// that of the distribution. Signing is deterministic, so that all implementations reject the same ones.
#include <memory>

#include "bench/crypto/data.hpp"
#include "bench/crypto/operation.hpp"
#include "crypto/ml_dsa.hpp"

namespace aios::bench {

namespace {

template <typename Dsa>
struct State {
    typename Dsa::Seed seed;
    typename Dsa::PublicKey public_key;
    typename Dsa::SecretKey secret_key;
    typename Dsa::PublicKey new_public_key;
    typename Dsa::SecretKey new_secret_key;
    typename Dsa::Signature signature; // of message(0)
    typename Dsa::Signature new_signature;
    typename Dsa::GenerateWorkspace generate_workspace;
    typename Dsa::SignWorkspace sign_workspace;
    typename Dsa::VerifyWorkspace verify_workspace;

    bool sign(std::size_t repetition, typename Dsa::Signature& out) {
        const auto text = message(repetition);
        const auto signed_message = crypto::SignedMessage::pure(text);
        return signed_message && Dsa::sign(secret_key, *signed_message, nullptr, out, sign_workspace);
    }

    bool verify() {
        const auto text = message(0);
        const auto signed_message = crypto::SignedMessage::pure(text);
        return signed_message &&
               Dsa::verify(public_key, *signed_message, signature, verify_workspace) == crypto::Verdict::valid;
    }
};

template <typename Dsa>
void add(std::vector<Operation>& list, std::string name, Limits generate, Limits sign, Limits verify) {
    const auto state = std::make_shared<State<Dsa>>();
    fill(state->seed, 1);
    Dsa::generate(state->seed, state->public_key, state->secret_key, state->generate_workspace);
    state->sign(0, state->signature);
    list.push_back(
        {.algorithm = name, .operation = "keygen", .limits = generate, .ours = [state](std::size_t repetition) {
             vary(state->seed.bytes(), repetition);
             Dsa::generate(state->seed, state->new_public_key, state->new_secret_key, state->generate_workspace);
             return true;
         }});
    list.push_back({.algorithm = name, .operation = "sign", .limits = sign, .ours = [state](std::size_t repetition) {
                        return state->sign(repetition, state->new_signature);
                    }});
    list.push_back({.algorithm = name, .operation = "verify", .limits = verify, .ours = [state](std::size_t) {
                        return state->verify();
                    }});
}

} // namespace

std::vector<Operation> signature_operations() {
    std::vector<Operation> list;
    add<crypto::MlDsa44>(list, "ML-DSA-44", {}, {}, {});
    add<crypto::MlDsa65>(list, "ML-DSA-65", {.avx2 = 130e3, .portable = 400e3}, {.avx2 = 330e3, .portable = 1.2e6},
                         {.avx2 = 130e3, .portable = 400e3});
    add<crypto::MlDsa87>(list, "ML-DSA-87", {}, {}, {});
    return list;
}

} // namespace aios::bench
