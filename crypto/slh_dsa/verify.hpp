// Verification. See core.hpp. Everything here is public.
#pragma once

#include "crypto/slh_dsa/digest.hpp"
#include "crypto/slh_dsa/tree.hpp"

namespace aios::crypto::detail::slh {

// wots_pkFromSig, algorithm 8: core.root becomes the public key that would have signed core.root. Chains of similar
// length share the lanes.
template <typename Hash>
void wots_key_from_signature(Core<Hash>& core, const Address& tree, std::uint32_t leaf, const std::byte* signature) {
    const std::size_t n = core.set.n;
    wots_digits(core.set, core.root.data(), core.digits);
    std::array<std::uint8_t, kMaxDigits> order; // the longest first
    std::size_t sorted = 0;
    for (std::uint32_t digit = 0; digit <= kChainEnd; ++digit) {
        for (std::size_t i = 0; i < core.set.len; ++i)
            if (core.digits[i] == digit) order[sorted++] = static_cast<std::uint8_t>(i);
    }

    core.set_addresses(tree);
    for (Address& address : core.addresses) {
        address.type = AddressType::wots_hash;
        address.key_pair = leaf;
    }
    for (std::size_t done = 0; done < core.set.len; done += kLanes) {
        const std::size_t here = std::min(kLanes, core.set.len - done);
        Starts starts;
        starts.fill(kChainEnd);
        for (std::size_t s = 0; s < here; ++s) {
            const std::size_t chain = order[done + s];
            core.addresses[s].chain = static_cast<std::uint32_t>(chain);
            starts[s] = core.digits[chain];
            std::copy_n(signature + chain * n, n, core.lanes.values[s].begin());
        }
        core.hash.chain_x8(core.addresses, starts, starts[0], kChainEnd, core.lanes, here);
        for (std::size_t s = 0; s < here; ++s)
            std::copy_n(core.lanes.values[s].begin(), n, &core.chains[order[done + s] * n]);
    }
    Address key = tree;
    key.type = AddressType::wots_pk;
    key.key_pair = leaf;
    core.hash.hash(key, core.chains.data(), core.set.len * n, core.root.data());
}

// xmss_pkFromSig, algorithm 11: core.root becomes the root of the tree that would have signed it.
template <typename Hash>
void xmss_root_from_signature(Core<Hash>& core, std::size_t layer, const KeyIndex& key, const std::byte* signature) {
    const std::size_t n = core.set.n;
    Address address = {.tree = key.tree, .layer = static_cast<std::uint32_t>(layer), .type = AddressType::tree};
    wots_key_from_signature(core, address, key.leaf, signature);
    const std::byte* path = signature + core.set.len * n;
    std::byte* const pair = core.nodes.data();
    for (std::size_t level = 0; level < core.set.h_prime; ++level, path += n) {
        const bool is_right = ((key.leaf >> level) & 1) != 0;
        std::copy_n(core.root.begin(), n, pair + n * is_right);
        std::copy_n(path, n, pair + n * !is_right);
        address.chain = static_cast<std::uint32_t>(level + 1);
        address.hash = key.leaf >> (level + 1);
        core.hash.hash(address, pair, 2 * n, core.root.data());
    }
}

// fors_pkFromSig, algorithm 17, into core.root; a lane a tree.
template <typename Hash>
void fors_key_from_signature(Core<Hash>& core, const KeyIndex& key, const std::byte* signature) {
    const std::size_t n = core.set.n;
    const std::size_t tree_size = (core.set.a + 1) * n;
    core.set_addresses({.tree = key.tree, .type = AddressType::fors_tree, .key_pair = key.leaf});
    for (std::size_t done = 0; done < core.set.k; done += kLanes) {
        const std::size_t here = std::min(kLanes, core.set.k - done);
        std::array<std::uint32_t, kLanes> leaf{};
        Inputs in{};
        Outputs out{};
        for (std::size_t s = 0; s < here; ++s) {
            const std::size_t tree = done + s;
            leaf[s] = static_cast<std::uint32_t>(tree << core.set.a) + fors_index(core.set, core.digest, tree);
            core.addresses[s].chain = 0;
            core.addresses[s].hash = leaf[s];
            in[s] = signature + tree * tree_size;
            out[s] = &core.chains[tree * n];
        }
        core.hash.hash_x8(core.addresses, in, n, out, here);
        for (std::size_t level = 0; level < core.set.a; ++level) {
            for (std::size_t s = 0; s < here; ++s) {
                const bool is_right = ((leaf[s] >> level) & 1) != 0;
                std::byte* const pair = &core.nodes[s * 2 * n];
                std::copy_n(out[s], n, pair + n * is_right);
                std::copy_n(signature + (done + s) * tree_size + (level + 1) * n, n, pair + n * !is_right);
                core.addresses[s].chain = static_cast<std::uint32_t>(level + 1);
                core.addresses[s].hash = leaf[s] >> (level + 1);
                in[s] = pair;
            }
            core.hash.hash_x8(core.addresses, in, 2 * n, out, here);
        }
    }
    const Address roots = {.tree = key.tree, .type = AddressType::fors_roots, .key_pair = key.leaf};
    core.hash.hash(roots, core.chains.data(), core.set.k * n, core.root.data());
}

// slh_verify_internal, algorithm 20, with ht_verify, algorithm 13.
template <typename Hash>
Verdict verify(const Set& set, Bytes public_key, const SignedMessage& message, Bytes signature, Core<Hash>& core,
               MutableBytes chains) {
    if (message.is_mu()) return Verdict::invalid;
    const std::size_t n = set.n;
    core.set = set;
    core.chains = chains;
    core.hash.bind(public_key.first(n));
    const MutableBytes digest = MutableBytes(core.digest).first(set.m);
    Hash::digest(signature.first(n), public_key, message, digest);
    KeyIndex key = key_index(set, digest);

    const std::byte* at = &signature[n];
    fors_key_from_signature(core, key, at);
    at += set.fors_size();
    for (std::size_t layer = 0; layer < set.d; ++layer) {
        xmss_root_from_signature(core, layer, key, at);
        at += set.xmss_size();
        key.leaf = static_cast<std::uint32_t>(low_bits(key.tree, set.h_prime));
        key.tree >>= set.h_prime;
    }
    const bool is_root =
        std::equal(public_key.begin() + static_cast<std::ptrdiff_t>(n), public_key.end(), core.root.begin());
    return is_root ? Verdict::valid : Verdict::invalid;
}

} // namespace aios::crypto::detail::slh
