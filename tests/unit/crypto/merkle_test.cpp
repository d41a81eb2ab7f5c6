// The Merkle tree against the recursive definitions of RFC 9162 section 2.1, for all sizes to 70; every proof is
// accepted and every changed proof refused.
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "crypto/merkle.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto {
namespace {

using Leaves = std::span<const MerkleHash>;
using Proof = std::vector<MerkleHash>;
using test::from_hex;
using test::to_hex;

constexpr std::size_t kSizes = 70;

std::size_t naive_split(std::size_t n) {
    std::size_t k = 1;
    while (2 * k < n)
        k *= 2;
    return k;
}

// MTH of section 2.1.1.
MerkleHash naive_root(Leaves leaves) {
    if (leaves.empty()) return Sha256::hash({});
    if (leaves.size() == 1) return leaves[0];
    const std::size_t k = naive_split(leaves.size());
    return merkle_node(naive_root(leaves.first(k)), naive_root(leaves.subspan(k)));
}

// PATH of section 2.1.3.1.
Proof naive_path(std::size_t m, Leaves leaves) {
    if (leaves.size() == 1) return {};
    const std::size_t k = naive_split(leaves.size());
    Proof proof = m < k ? naive_path(m, leaves.first(k)) : naive_path(m - k, leaves.subspan(k));
    proof.push_back(naive_root(m < k ? leaves.subspan(k) : leaves.first(k)));
    return proof;
}

// SUBPROOF of section 2.1.4.1.
Proof naive_subproof(std::size_t m, Leaves leaves, bool known) {
    if (m == leaves.size()) return known ? Proof() : Proof{naive_root(leaves)};
    const std::size_t k = naive_split(leaves.size());
    Proof proof = m <= k ? naive_subproof(m, leaves.first(k), known) : naive_subproof(m - k, leaves.subspan(k), false);
    proof.push_back(naive_root(m <= k ? leaves.subspan(k) : leaves.first(k)));
    return proof;
}

std::vector<MerkleHash> make_leaves(std::size_t count) {
    std::vector<MerkleHash> leaves;
    for (std::size_t i = 0; i < count; ++i)
        leaves.push_back(merkle_leaf(as_bytes("record " + std::to_string(i))));
    return leaves;
}

MerkleHash flipped(MerkleHash hash, unsigned seed) {
    hash[seed % 32] ^= std::byte{1} << (seed / 32 % 8);
    return hash;
}

// The test data of the first Certificate Transparency implementations.
TEST(Merkle, KnownRoots) {
    const char* data[] = {
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
    const char* roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                           "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                           "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                           "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                           "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                           "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                           "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                           "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    MerkleFrontier frontier;
    EXPECT_EQ(to_hex(frontier.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (std::size_t i = 0; i < 8; ++i) {
        frontier.append(merkle_leaf(from_hex(data[i])));
        EXPECT_EQ(to_hex(frontier.root()), roots[i]);
    }
}

// Rows of any length, on top of any tree, by batches: the tree is that of one leaf after the other.
TEST(Merkle, RowsAreLeavesOneAfterTheOther) {
    Sha256BatchWorkspace workspace;
    const BatchHasher hash{sha256_batch, workspace};
    const auto leaves = make_leaves(300);
    for (std::size_t before = 0; before <= 70; ++before) {
        for (const std::size_t count : {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 130}) {
            MerkleFrontier one_by_one, by_row;
            for (std::size_t i = 0; i < before; ++i) {
                one_by_one.append(leaves[i]);
                by_row.append(leaves[i]);
            }
            std::vector<MerkleHash> row(1);
            for (std::size_t i = before; i < before + count; ++i) {
                one_by_one.append(leaves[i]);
                row.push_back(leaves[i]);
            }
            by_row.append_row(row, hash);
            ASSERT_EQ(by_row.size(), before + count);
            ASSERT_EQ(by_row.root(), one_by_one.root()) << before << " and " << count;
            by_row.append(leaves[299]);
            one_by_one.append(leaves[299]);
            ASSERT_EQ(by_row.root(), one_by_one.root()) << before << ", " << count << " and one";
        }
    }
    for (std::size_t count = 0; count <= leaves.size(); ++count)
        ASSERT_EQ(merkle_root_by(hash, Leaves(leaves).first(count)), merkle_root(Leaves(leaves).first(count))) << count;
}

// The example of RFC 9162 section 2.1.5, with its names of nodes.
TEST(Merkle, ExampleOfRfc9162) {
    const auto d = make_leaves(7);
    const MerkleHash a = d[0], b = d[1], c = d[2], e = d[4], f = d[5], j = d[6];
    const MerkleHash g = merkle_node(a, b), h = merkle_node(c, d[3]), i = merkle_node(e, f);
    const MerkleHash k = merkle_node(g, h), l = merkle_node(i, j);
    std::array<MerkleHash, kMaxMerkleProof> out;
    const auto inclusion = [&](std::size_t index) {
        const std::size_t length = merkle_inclusion_proof(d, index, out).value();
        return Proof(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(length));
    };
    EXPECT_EQ(inclusion(0), (Proof{b, h, l}));
    EXPECT_EQ(inclusion(3), (Proof{c, g, l}));
    EXPECT_EQ(inclusion(4), (Proof{f, j, k}));
    EXPECT_EQ(inclusion(6), (Proof{i, k}));
    const auto consistency = [&](std::size_t old_size) {
        const std::size_t length = merkle_consistency_proof(d, old_size, out).value();
        return Proof(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(length));
    };
    EXPECT_EQ(consistency(3), (Proof{c, d[3], g, l}));
    EXPECT_EQ(consistency(4), (Proof{l}));
    EXPECT_EQ(consistency(6), (Proof{i, j, k}));
}

TEST(Merkle, RootsAgreeWithTheDefinition) {
    const auto leaves = make_leaves(kSizes);
    MerkleFrontier frontier;
    for (std::size_t size = 0; size <= kSizes; ++size) {
        const Leaves part = Leaves(leaves).first(size);
        EXPECT_EQ(frontier.root(), naive_root(part)) << size;
        EXPECT_EQ(merkle_root(part), naive_root(part)) << size;
        EXPECT_EQ(frontier.size(), size);
        if (size < kSizes) frontier.append(leaves[size]);
    }
}

TEST(Merkle, InclusionProofs) {
    const auto leaves = make_leaves(kSizes);
    std::array<MerkleHash, kMaxMerkleProof> out;
    for (std::size_t size = 1; size <= kSizes; ++size) {
        const Leaves part = Leaves(leaves).first(size);
        const MerkleHash root = naive_root(part);
        for (std::size_t index = 0; index < size; ++index) {
            const std::size_t length = merkle_inclusion_proof(part, index, out).value();
            Proof proof(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(length));
            ASSERT_EQ(proof, naive_path(index, part)) << index << " of " << size;
            const MerkleHash& leaf = leaves[index];
            ASSERT_TRUE(merkle_verify_inclusion(leaf, index, size, proof, root)) << index << " of " << size;

            // Every change is refused.
            const auto seed = static_cast<unsigned>(index * 71 + size);
            const auto refused = [&](const MerkleHash& l, std::size_t i, std::size_t n, const Proof& p,
                                     const MerkleHash& r) {
                const auto result = merkle_verify_inclusion(l, i, n, p, r);
                return !result && result.error() == Error::integrity;
            };
            EXPECT_TRUE(refused(flipped(leaf, seed), index, size, proof, root));
            EXPECT_TRUE(refused(leaf, index, size, proof, flipped(root, seed)));
            for (std::size_t i = 0; i < proof.size(); ++i) {
                Proof changed = proof;
                changed[i] = flipped(changed[i], seed);
                EXPECT_TRUE(refused(leaf, index, size, changed, root));
                Proof shorter = proof;
                shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
                EXPECT_TRUE(refused(leaf, index, size, shorter, root));
                Proof longer = proof;
                longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(i), proof[i]);
                EXPECT_TRUE(refused(leaf, index, size, longer, root));
                if (i > 0) {
                    Proof swapped = proof;
                    std::swap(swapped[i], swapped[i - 1]);
                    EXPECT_TRUE(refused(leaf, index, size, swapped, root));
                }
            }
            Proof appended = proof;
            appended.push_back(root);
            EXPECT_TRUE(refused(leaf, index, size, appended, root));
            // Also where the root is the one that the longer proof leads to.
            EXPECT_TRUE(refused(leaf, index, size, appended, merkle_node(root, root)));
            for (std::size_t other = 0; other <= size; ++other) {
                const bool near = other + 2 >= index && other <= index + 2;
                if (other != index && (near || size <= 32)) EXPECT_TRUE(refused(leaf, other, size, proof, root));
            }
        }
        EXPECT_EQ(merkle_inclusion_proof(part, size, out).error(), Error::bad_argument);
    }
}

TEST(Merkle, ConsistencyProofs) {
    const auto leaves = make_leaves(kSizes);
    std::array<MerkleHash, kMaxMerkleProof> out;
    for (std::size_t size = 1; size <= kSizes; ++size) {
        const Leaves part = Leaves(leaves).first(size);
        const MerkleHash root = naive_root(part);
        for (std::size_t old_size = 1; old_size <= size; ++old_size) {
            const MerkleHash old_root = naive_root(part.first(old_size));
            const std::size_t length = merkle_consistency_proof(part, old_size, out).value();
            Proof proof(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(length));
            ASSERT_EQ(proof, naive_subproof(old_size, part, true)) << old_size << " in " << size;
            ASSERT_TRUE(merkle_verify_consistency(old_size, size, old_root, root, proof)) << old_size << " in " << size;

            const auto seed = static_cast<unsigned>(old_size * 73 + size);
            const auto refused = [&](std::size_t m, std::size_t n, const MerkleHash& o, const MerkleHash& r,
                                     const Proof& p) {
                const auto result = merkle_verify_consistency(m, n, o, r, p);
                return !result && result.error() == Error::integrity;
            };
            EXPECT_TRUE(refused(old_size, size, flipped(old_root, seed), root, proof));
            EXPECT_TRUE(refused(old_size, size, old_root, flipped(root, seed), proof));
            EXPECT_TRUE(refused(0, size, old_root, root, proof));
            EXPECT_TRUE(refused(size + 1, size, old_root, root, proof));
            for (std::size_t i = 0; i < proof.size(); ++i) {
                Proof changed = proof;
                changed[i] = flipped(changed[i], seed);
                EXPECT_TRUE(refused(old_size, size, old_root, root, changed));
                Proof shorter = proof;
                shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
                EXPECT_TRUE(refused(old_size, size, old_root, root, shorter));
                Proof longer = proof;
                longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(i), proof[i]);
                EXPECT_TRUE(refused(old_size, size, old_root, root, longer));
            }
            Proof appended = proof;
            appended.push_back(root);
            EXPECT_TRUE(refused(old_size, size, old_root, root, appended));
            const MerkleHash above = merkle_node(root, root);
            EXPECT_TRUE(refused(old_size, size, old_root, above, appended));
            EXPECT_TRUE(refused(old_size, size, merkle_node(root, old_root), above, appended));
        }
        EXPECT_EQ(merkle_consistency_proof(part, 0, out).error(), Error::bad_argument);
        EXPECT_EQ(merkle_consistency_proof(part, size + 1, out).error(), Error::bad_argument);
    }
}

TEST(Merkle, ProofsNeedRoom) {
    const auto leaves = make_leaves(7);
    std::array<MerkleHash, 2> small;
    EXPECT_EQ(merkle_inclusion_proof(leaves, 0, small).error(), Error::no_space);
    EXPECT_EQ(merkle_inclusion_proof(leaves, 6, small).value(), 2u);
    EXPECT_EQ(merkle_consistency_proof(leaves, 3, small).error(), Error::no_space);
}

// Sizes near 2^64 end, and are refused.
TEST(Merkle, HugeSizesEnd) {
    const auto leaves = make_leaves(2);
    const Proof proof(64, leaves[1]);
    EXPECT_FALSE(merkle_verify_inclusion(leaves[0], ~0ull - 1, ~0ull, proof, leaves[1]));
    EXPECT_FALSE(merkle_verify_inclusion(leaves[0], ~0ull, ~0ull, proof, leaves[1]));
    EXPECT_FALSE(merkle_verify_consistency(~0ull - 1, ~0ull, leaves[0], leaves[1], proof));
    EXPECT_FALSE(merkle_verify_consistency(1ull << 63, ~0ull, leaves[0], leaves[1], proof));
}

TEST(PageTree, PadsTheLastPage) {
    std::vector<std::byte> entry(3 * kTreePageSize, std::byte{0});
    for (std::size_t i = 0; i < 2 * kTreePageSize + 5; ++i)
        entry[i] = static_cast<std::byte>(i % 251 + 1);
    std::vector<MerkleHash> leaves;
    for (std::size_t page = 0; page < 3; ++page) {
        leaves.push_back(merkle_leaf(Bytes(entry).subspan(page * kTreePageSize, kTreePageSize)));
    }
    EXPECT_EQ(page_tree_root(Bytes(entry).first(2 * kTreePageSize + 5)), naive_root(leaves));
    EXPECT_EQ(page_tree_leaf(Bytes(entry).subspan(2 * kTreePageSize, 5)), leaves[2]);
    EXPECT_EQ(page_tree_root(entry), naive_root(leaves));
    EXPECT_EQ(page_tree_root({}), merkle_empty_root());
    EXPECT_EQ(page_tree_root(Bytes(entry).first(1)), page_tree_leaf(Bytes(entry).first(1)));
    EXPECT_EQ(page_tree_leaves(0), 0u);
    EXPECT_EQ(page_tree_leaves(1), 1u);
    EXPECT_EQ(page_tree_leaves(kTreePageSize), 1u);
    EXPECT_EQ(page_tree_leaves(kTreePageSize + 1), 2u);
    EXPECT_EQ(page_tree_leaves(~0ull), (1ull << 52));
}

} // namespace
} // namespace aios::crypto
