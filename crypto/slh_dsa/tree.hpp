// Computing Merkle trees from their leaves (FIPS 205 algorithms 9 and 15): the root, and the authentication path of one
// leaf (algorithms 10 and 16). Leaves come in blocks of a power of two; a block is paired up with all lanes, and a
// stack of one node a level joins the blocks.
#pragma once

#include <algorithm>

#include "crypto/slh_dsa/core.hpp"

namespace aios::crypto::detail::slh {

// Indexes count from the left end of a row of trees: a FORS tree does not start at 0.
struct Tree {
    Address address; // type, and where the tree lies
    std::size_t height;
    std::uint32_t target; // the leaf whose path is wanted
    std::byte* path;      // height * n bytes, or nullptr
};

// Keeps `node` if it lies on the path.
inline void keep_path(const Tree& tree, std::size_t n, std::size_t level, std::uint32_t index, const std::byte* node) {
    if (tree.path == nullptr || level >= tree.height || index != ((tree.target >> level) ^ 1)) return;
    std::copy_n(node, n, tree.path + level * n);
}

// Adds `count` leaves, which are in core.nodes; the first has index `first`. With the last block, core.root is the
// root.
template <typename Hash>
void add_block(Core<Hash>& core, const Tree& tree, std::uint32_t first, std::size_t count) {
    const std::size_t n = core.set.n;
    std::byte* const nodes = core.nodes.data();
    core.set_addresses(tree.address);
    std::size_t level = 0;
    for (; count > 1; count /= 2, first /= 2, ++level) {
        for (std::size_t i = 0; i < count; ++i)
            keep_path(tree, n, level, first + static_cast<std::uint32_t>(i), nodes + i * n);
        for (std::size_t done = 0; done < count / 2; done += kLanes) {
            const std::size_t here = std::min(kLanes, count / 2 - done);
            Inputs in{};
            Outputs out{};
            for (std::size_t s = 0; s < here; ++s) {
                core.addresses[s].chain = static_cast<std::uint32_t>(level + 1);
                core.addresses[s].hash = first / 2 + static_cast<std::uint32_t>(done + s);
                in[s] = nodes + 2 * (done + s) * n;
                out[s] = nodes + (done + s) * n;
            }
            core.hash.hash_x8(core.addresses, in, 2 * n, out, here);
        }
    }
    Address address = tree.address;
    for (;; first /= 2, ++level) {
        keep_path(tree, n, level, first, nodes);
        if (level == tree.height) {
            std::copy_n(nodes, n, core.root.begin());
            return;
        }
        std::byte* const pair = &core.stack[level * 2 * kMaxN];
        if (first % 2 == 0) {
            std::copy_n(nodes, n, pair);
            return;
        }
        std::copy_n(nodes, n, pair + n);
        address.chain = static_cast<std::uint32_t>(level + 1);
        address.hash = first / 2;
        core.hash.hash(address, pair, 2 * n, nodes);
    }
}

} // namespace aios::crypto::detail::slh
