// Signing. See core.hpp.
//
// What decides control flow here is public: the randomiser, the digest, which trees and leaves sign, and the roots of
// all trees can be computed from the signature. SK.seed, SK.prf and everything derived is secret until it is in the
// signature.
#pragma once

#include "crypto/constant_time.hpp"
#include "crypto/slh_dsa/xmss.hpp"

namespace aios::crypto::detail::slh {

// fors_sign and fors_node, algorithms 15 and 16; then the public key of algorithm 17, lines 21 to 24, into core.root.
template <typename Hash>
[[nodiscard]] Result<> fors_sign(Core<Hash>& core, const KeyIndex& key, std::byte* signature) {
    const std::size_t n = core.set.n;
    const Address address = {.tree = key.tree, .type = AddressType::fors_tree, .key_pair = key.leaf};
    Inputs from_seed{};
    from_seed.fill(core.sk_seed.data());
    Inputs secrets{};
    Outputs secrets_out{};
    for (std::size_t s = 0; s < kLanes; ++s)
        secrets[s] = secrets_out[s] = core.lanes.values[s].data();

    for (std::size_t i = 0; i < core.set.k; ++i, signature += (core.set.a + 1) * n) {
        const auto start = static_cast<std::uint32_t>(i << core.set.a);
        const std::uint32_t target = start + fors_index(core.set, core.digest, i);
        const Tree tree = {address, core.set.a, target, signature + n};
        for (std::uint32_t first = start; first < start + (1U << core.set.a); first += kBlockLeaves) {
            for (std::uint32_t leaf = first; leaf < first + kBlockLeaves; leaf += kLanes) {
                core.set_addresses(address);
                Outputs leaves{};
                for (std::size_t s = 0; s < kLanes; ++s) {
                    core.addresses[s].type = AddressType::fors_prf; // fors_skGen, algorithm 14
                    core.addresses[s].hash = leaf + static_cast<std::uint32_t>(s);
                    leaves[s] = &core.nodes[(leaf - first + s) * n];
                }
                core.hash.hash_x8(core.addresses, from_seed, n, secrets_out, kLanes);
                if (target - leaf < kLanes) std::copy_n(secrets[target - leaf], n, signature);
                for (Address& at : core.addresses)
                    at.type = AddressType::fors_tree;
                core.hash.hash_x8(core.addresses, secrets, n, leaves, kLanes);
            }
            add_block(core, tree, first, kBlockLeaves);
            TRY(core.poll.after(3 * kBlockLeaves));
        }
        std::copy_n(core.root.begin(), n, &core.chains[i * n]);
    }
    const Address roots = {.tree = key.tree, .type = AddressType::fors_roots, .key_pair = key.leaf};
    core.hash.hash(roots, core.chains.data(), core.set.k * n, core.root.data());
    return {};
}

// slh_sign_internal, algorithm 19, with ht_sign, algorithm 12.
template <typename Hash>
[[nodiscard]] Result<> sign_internal(Core<Hash>& core, Bytes secret_key, const SignedMessage& message, Bytes randomness,
                                     MutableBytes signature) {
    const Set& set = core.set;
    const std::size_t n = set.n;
    const Bytes pk_seed = secret_key.subspan(2 * n, n);
    TRY(core.poll.now());
    std::copy_n(secret_key.begin(), n, core.sk_seed.begin());
    core.hash.bind(pk_seed);

    const MutableBytes r = signature.first(n);
    Hash::randomizer(secret_key.subspan(n, n), randomness.empty() ? pk_seed : randomness, message, r);
    declassify(r); // part of the signature
    const MutableBytes digest = MutableBytes(core.digest).first(set.m);
    Hash::digest(r, secret_key.subspan(2 * n, 2 * n), message, digest);
    declassify(digest); // as the comment above says
    KeyIndex key = key_index(set, digest);

    std::byte* at = &signature[n];
    TRY(fors_sign(core, key, at));
    at += set.fors_size();
    for (std::size_t layer = 0; layer < set.d; ++layer) {
        declassify(core.root.data(), n); // FORS' public key, or the root of the tree below
        TRY(xmss_tree(core, layer, key.tree, key.leaf, at));
        at += set.xmss_size();
        key.leaf = static_cast<std::uint32_t>(low_bits(key.tree, set.h_prime));
        key.tree >>= set.h_prime;
    }
    declassify(signature);
    return {};
}

template <typename Hash>
Result<> sign(const Set& set, Bytes secret_key, const SignedMessage& message, Bytes randomness, MutableBytes signature,
              Core<Hash>& core, MutableBytes chains, StopCallback stop) {
    core.set = set;
    core.poll = Poll(stop);
    core.chains = chains;
    const Result<> result =
        message.is_mu() ? fail(Error::bad_argument) : sign_internal(core, secret_key, message, randomness, signature);
    // A signature that is not finished could hold secrets that the finished one would not publish.
    if (!result) secure_wipe(signature);
    secure_wipe(chains);
    secure_wipe_object(core);
    return result;
}

} // namespace aios::crypto::detail::slh
