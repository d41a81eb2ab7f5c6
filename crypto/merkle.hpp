// The Merkle tree of RFC 9162 section 2.1 over SHA-256: the audit log's head, proofs that a record is in it and that a
// later log continues an earlier one, and the tree over the pages of a bundle entry.
//
// The head of no leaf is SHA-256 of nothing; a leaf's hash is SHA-256(00 || data), a node's SHA-256(01 || left ||
// right); a tree of n > 1 leaves splits at the largest power of two below n. Nothing allocates or recurses. No locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/sha2.hpp"
#include "crypto/sha2_batch.hpp"

namespace aios::crypto {

using MerkleHash = Digest256;

// A proof never has more hashes than this.
inline constexpr std::size_t kMaxMerkleProof = 64;

[[nodiscard]] MerkleHash merkle_empty_root();
[[nodiscard]] MerkleHash merkle_leaf(Bytes data);
[[nodiscard]] MerkleHash merkle_node(const MerkleHash& left, const MerkleHash& right);

// What hashes many messages in one call: sha256_batch(), or the kernel's own, with its workspace.
struct BatchHasher {
    void (*run)(std::span<const Sha256Job> jobs, Sha256BatchWorkspace& workspace);
    Sha256BatchWorkspace& workspace;
    void operator()(std::span<const Sha256Job> jobs) const { run(jobs, workspace); }
};

// What stands before a leaf's data.
inline constexpr std::array<std::byte, 1> kMerkleLeafPrefix{std::byte{0}};

// The head of a growing tree: keeps one hash for each complete subtree, one a level, so that a leaf costs two node
// hashes on average. Copyable: a copy continues on its own. Fewer than 2^Levels leaves.
template <std::size_t Levels>
class MerkleFrontierOf {
public:
    void append(const MerkleHash& leaf);

    // The same for `count` leaves, level by level: the nodes of a level are one batch. `row` has room for one more, in
    // front: the leaves are row[1] to row[count]. What it holds afterwards is of no use.
    void append_row(std::span<MerkleHash> row, BatchHasher hash);

    // The head over all leaves so far, in at most 63 node hashes.
    [[nodiscard]] MerkleHash root() const;

    [[nodiscard]] std::uint64_t size() const { return size_; }

private:
    // subtrees_[i] is the head of a complete subtree of 2^i leaves, and in use if bit i of size_ is set.
    std::array<MerkleHash, Levels> subtrees_{};
    std::uint64_t size_ = 0;
};
using MerkleFrontier = MerkleFrontierOf<64>;

// The head over `leaves`, which are leaf hashes.
[[nodiscard]] MerkleHash merkle_root(std::span<const MerkleHash> leaves);
// The same by batches, of fewer than 2^24 leaves. Some 2 KiB of stack beside what the hasher needs.
[[nodiscard]] MerkleHash merkle_root_by(BatchHasher hash, std::span<const MerkleHash> leaves);

// Proofs. `leaves` are all leaf hashes of the tree of that size. A proof is written to `out` and its length returned;
// kMaxMerkleProof hashes are always enough. Errors: bad_argument for an index or size out of range, no_space.

// RFC 9162 section 2.1.3.1: that leaf `index` is in the tree over `leaves`.
[[nodiscard]] Result<std::size_t> merkle_inclusion_proof(std::span<const MerkleHash> leaves, std::uint64_t index,
                                                         std::span<MerkleHash> out);

// Section 2.1.4.1: that the tree over the first `old_size` leaves is a prefix of the tree over `leaves`; 0 < old_size.
[[nodiscard]] Result<std::size_t> merkle_consistency_proof(std::span<const MerkleHash> leaves, std::uint64_t old_size,
                                                           std::span<MerkleHash> out);

// Section 2.1.3.2. Error: integrity if the proof does not lead from `leaf` at `index` to `root`, or has a wrong length.
[[nodiscard]] Result<> merkle_verify_inclusion(const MerkleHash& leaf, std::uint64_t index, std::uint64_t size,
                                               std::span<const MerkleHash> proof, const MerkleHash& root);

// Section 2.1.4.2. Error: integrity. An old size of 0 is refused: everything continues the empty log, nothing is
// proven.
[[nodiscard]] Result<> merkle_verify_consistency(std::uint64_t old_size, std::uint64_t new_size,
                                                 const MerkleHash& old_root, const MerkleHash& new_root,
                                                 std::span<const MerkleHash> proof);

// --- page trees: the same tree over the pages of an entry ------------------------------------------------------------

inline constexpr std::size_t kTreePageSize = 4096;

// The number of pages, and leaves, of an entry of `bytes` bytes.
[[nodiscard]] constexpr std::uint64_t page_tree_leaves(std::uint64_t bytes) {
    return bytes / kTreePageSize + (bytes % kTreePageSize != 0);
}

// The leaf hash of a page: of its content, padded with zeros to the page size. At most kTreePageSize bytes (asserted).
[[nodiscard]] MerkleHash page_tree_leaf(Bytes page);

// The head over all pages of an entry.
[[nodiscard]] MerkleHash page_tree_root(Bytes entry);
// The same by batches, of whole pages, fewer than 2^24.
[[nodiscard]] MerkleHash page_tree_root_by(BatchHasher hash, Bytes pages);

} // namespace aios::crypto
