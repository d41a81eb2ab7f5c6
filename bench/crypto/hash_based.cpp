// SLH-DSA: one small and one fast parameter set of SHA-2, one small one of SHAKE.
#include <memory>

#include "bench/crypto/data.hpp"
#include "bench/crypto/operation.hpp"
#include "crypto/slh_dsa.hpp"

namespace aios::bench {

namespace {

template <typename Dsa>
struct State {
    typename Dsa::SecretSeed secret_seed;
    typename Dsa::PrfKey prf_key;
    typename Dsa::PublicSeed public_seed;
    typename Dsa::PublicKey public_key;
    typename Dsa::SecretKey secret_key;
    typename Dsa::PublicKey new_public_key;
    typename Dsa::SecretKey new_secret_key;
    typename Dsa::Signature signature;
    bool has_signature = false;
    typename Dsa::Workspace workspace;

    bool generate(typename Dsa::PublicKey& pk, typename Dsa::SecretKey& sk) {
        return Dsa::generate(secret_seed, prf_key, public_seed, pk, sk, workspace).has_value();
    }

    bool sign() {
        const auto text = message(0);
        const auto signed_message = crypto::SignedMessage::pure(text);
        has_signature = signed_message && Dsa::sign(secret_key, *signed_message, nullptr, signature, workspace);
        return has_signature;
    }

    bool verify() {
        const auto text = message(0);
        const auto signed_message = crypto::SignedMessage::pure(text);
        if (!has_signature && !sign()) return false;
        return signed_message &&
               Dsa::verify(public_key, *signed_message, signature, workspace) == crypto::Verdict::valid;
    }
};

struct SetLimits {
    Limits sign;
    Limits verify;
};

// `slow`: signing takes a second or so, and is left out of the quick run if the limits do not name it.
template <typename Dsa>
void add(std::vector<Operation>& list, std::string name, bool slow, bool in_quick, SetLimits limits) {
    const auto state = std::make_shared<State<Dsa>>();
    // Three consecutive parts of one string: what OpenSSL takes as its seed.
    const std::size_t n = state->public_seed.bytes().size();
    const auto seed = octets(3 * n, 1);
    const Bytes all(seed);
    (void)state->secret_seed.assign(all.first(n));
    (void)state->prf_key.assign(all.subspan(n, n));
    (void)state->public_seed.assign(all.last(n));
    state->generate(state->public_key, state->secret_key);
    const Weight weight = slow ? Weight::heavy : Weight::long_one;
    list.push_back(
        {.algorithm = name,
         .operation = "keygen",
         .weight = weight,
         .in_quick = in_quick,
         .ours = [state](std::size_t) { return state->generate(state->new_public_key, state->new_secret_key); }});
    list.push_back({.algorithm = name,
                    .operation = "sign",
                    .weight = weight,
                    .in_quick = in_quick,
                    .limits = limits.sign,
                    .ours = [state](std::size_t) { return state->sign(); }});
    list.push_back({.algorithm = name, .operation = "verify", .limits = limits.verify, .ours = [state](std::size_t) {
                        return state->verify();
                    }});
}

} // namespace

std::vector<Operation> hash_based_operations() {
    std::vector<Operation> list;
    add<crypto::SlhDsaSha2_128s>(
        list, "SLH-DSA-SHA2-128s", true, true,
        {.sign = {.avx2 = 1.3e9, .portable = 3.5e9}, .verify = {.avx2 = 1.2e6, .portable = 2.5e6}});
    add<crypto::SlhDsaSha2_128f>(list, "SLH-DSA-SHA2-128f", false, true, {});
    add<crypto::SlhDsaShake_128s>(list, "SLH-DSA-SHAKE-128s", true, false, {});
    add<crypto::SlhDsaShake_128f>(list, "SLH-DSA-SHAKE-128f", false, false, {});
    return list;
}

} // namespace aios::bench
