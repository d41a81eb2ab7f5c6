// XMSS trees of WOTS+ keys, made from SK.seed (FIPS 205 sections 5 and 6): what key generation and signing share.
#pragma once

#include "crypto/slh_dsa/digest.hpp"
#include "crypto/slh_dsa/tree.hpp"

namespace aios::crypto::detail::slh {

// Eight leaves from `first` on, into core.nodes: wots_pkGen, algorithm 6, a lane a leaf. If `signature` is not null,
// the leaf `signer` signs core.digits on the way: wots_sign, algorithm 7, which only keeps values that its chains pass.
// The digits are public (digest.hpp); so is which leaf signs.
template <typename Hash>
[[nodiscard]] Result<> wots_leaves(Core<Hash>& core, const Address& tree, std::uint32_t first, std::uint32_t signer,
                                   std::byte* signature) {
    const std::size_t n = core.set.n;
    const std::size_t key_size = core.set.len * n;
    core.set_addresses(tree);
    Inputs in{};
    Outputs out{};
    for (std::size_t s = 0; s < kLanes; ++s) {
        core.addresses[s].key_pair = first + static_cast<std::uint32_t>(s);
        in[s] = core.sk_seed.data();
        out[s] = core.lanes.values[s].data();
    }
    const auto for_lanes = [&](AddressType type, std::size_t chain) {
        for (Address& address : core.addresses) {
            address.type = type;
            address.chain = static_cast<std::uint32_t>(chain);
        }
    };
    const bool signs = signature != nullptr && signer - first < kLanes;
    constexpr Starts kFromStart{};
    for (std::size_t i = 0; i < core.set.len; ++i) {
        for_lanes(AddressType::wots_prf, i);
        core.hash.hash_x8(core.addresses, in, n, out, kLanes);
        for_lanes(AddressType::wots_hash, i);
        std::uint32_t done = 0;
        if (signs) {
            done = core.digits[i];
            core.hash.chain_x8(core.addresses, kFromStart, 0, done, core.lanes, kLanes);
            std::copy_n(core.lanes.values[signer - first].begin(), n, signature + i * n);
        }
        core.hash.chain_x8(core.addresses, kFromStart, done, kChainEnd, core.lanes, kLanes);
        for (std::size_t s = 0; s < kLanes; ++s)
            std::copy_n(core.lanes.values[s].begin(), n, &core.chains[s * key_size + i * n]);
        TRY(core.poll.after(kLanes * (kChainEnd + 1)));
    }
    for_lanes(AddressType::wots_pk, 0);
    for (std::size_t s = 0; s < kLanes; ++s) {
        in[s] = &core.chains[s * key_size];
        out[s] = &core.nodes[s * n];
    }
    core.hash.hash_x8(core.addresses, in, key_size, out, kLanes);
    return {};
}

// The root of tree `index` in `layer` into core.root: xmss_node, algorithm 9. If `signature` is not null, leaf `signer`
// signs core.root's old value: xmss_sign, algorithm 10.
template <typename Hash>
[[nodiscard]] Result<> xmss_tree(Core<Hash>& core, std::size_t layer, std::uint64_t index, std::uint32_t signer,
                                 std::byte* signature) {
    const std::size_t wots_size = core.set.len * core.set.n;
    Tree tree = {{.tree = index, .layer = static_cast<std::uint32_t>(layer), .type = AddressType::tree},
                 core.set.h_prime,
                 signer,
                 signature == nullptr ? nullptr : signature + wots_size};
    if (signature != nullptr) wots_digits(core.set, core.root.data(), core.digits);
    for (std::uint32_t first = 0; first < 1U << core.set.h_prime; first += kLanes) {
        TRY(wots_leaves(core, tree.address, first, signer, signature));
        add_block(core, tree, first, kLanes);
    }
    return {};
}

} // namespace aios::crypto::detail::slh
