// See merkle.hpp. Verification follows the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2 step by step.
#include "crypto/merkle.hpp"

#include <algorithm>
#include <bit>

#include "base/assert.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto {

namespace {

constexpr std::byte kNodePrefix{1};

// The largest power of two below n; n > 1.
constexpr std::uint64_t split_of(std::uint64_t n) { return std::bit_floor(n - 1); }

// Collects a proof from the root downwards; it is stored from the leaf upwards.
class ProofWriter {
public:
    explicit ProofWriter(std::span<MerkleHash> out) : out_(out) {}

    [[nodiscard]] Result<> add(const MerkleHash& hash) {
        if (size_ == out_.size()) return fail(Error::no_space);
        out_[size_++] = hash;
        return {};
    }

    [[nodiscard]] std::size_t finish() {
        std::ranges::reverse(out_.first(size_));
        return size_;
    }

private:
    std::span<MerkleHash> out_;
    std::size_t size_ = 0;
};

Result<> require_equal(const MerkleHash& a, const MerkleHash& b) {
    if (!equal_in_constant_time(a, b)) return fail(Error::integrity);
    return {};
}

} // namespace

MerkleHash merkle_empty_root() { return Sha256::hash({}); }

MerkleHash merkle_leaf(Bytes data) {
    Sha256 hash;
    hash.update(kMerkleLeafPrefix);
    hash.update(data);
    return hash.finish();
}

MerkleHash merkle_node(const MerkleHash& left, const MerkleHash& right) {
    Sha256 hash;
    hash.update({&kNodePrefix, 1});
    hash.update(left);
    hash.update(right);
    return hash.finish();
}

template <std::size_t Levels>
void MerkleFrontierOf<Levels>::append(const MerkleHash& leaf) {
    MerkleHash hash = leaf;
    std::size_t level = 0;
    // As in adding one to a binary number: each carry joins two complete subtrees.
    for (; (size_ >> level & 1) != 0; ++level)
        hash = merkle_node(subtrees_[level], hash);
    subtrees_[level] = hash;
    ++size_;
}

// A level's nodes are row[1] and on, with the frontier's before them in row[0] if it has one there. Each two of them, 64
// bytes side by side, become one of the next level, which is written over pairs that have been read: node i goes to
// row[1 + i], and the pairs behind it begin at row[2 * (i + 1)] or later.
template <std::size_t Levels>
void MerkleFrontierOf<Levels>::append_row(std::span<MerkleHash> row, BatchHasher hash) {
    constexpr std::size_t kTogether = 8;
    AIOS_ASSERT(!row.empty());
    std::size_t count = row.size() - 1;
    const std::uint64_t size = size_ + count;
    for (std::size_t level = 0; count != 0; ++level) {
        const bool has_left = (size_ >> level & 1) != 0;
        if (has_left) row[0] = subtrees_[level];
        const std::span<MerkleHash> nodes = row.subspan(has_left ? 0 : 1, count + (has_left ? 1 : 0));
        const std::size_t pairs = nodes.size() / 2;
        if (nodes.size() % 2 != 0) subtrees_[level] = nodes.back();
        for (std::size_t first = 0; first < pairs; first += kTogether) {
            std::array<MerkleHash, kTogether> made;
            std::array<Sha256Job, kTogether> jobs;
            const std::size_t run = std::min(kTogether, pairs - first);
            for (std::size_t i = 0; i < run; ++i)
                jobs[i] = {.prefix = {&kNodePrefix, 1},
                           .message = Bytes(nodes[2 * (first + i)].data(), 2 * sizeof(MerkleHash)),
                           .digest = &made[i]};
            hash(std::span(jobs).first(run));
            std::copy_n(made.begin(), run, row.begin() + static_cast<std::ptrdiff_t>(1 + first));
        }
        count = pairs;
    }
    size_ = size;
}

template <std::size_t Levels>
MerkleHash MerkleFrontierOf<Levels>::root() const {
    if (size_ == 0) return merkle_empty_root();
    auto level = static_cast<std::size_t>(std::countr_zero(size_));
    MerkleHash hash = subtrees_[level];
    for (++level; level < Levels; ++level) {
        if ((size_ >> level & 1) != 0) hash = merkle_node(subtrees_[level], hash);
    }
    return hash;
}

template class MerkleFrontierOf<64>;

MerkleHash merkle_root_by(BatchHasher hash, std::span<const MerkleHash> leaves) {
    constexpr std::size_t kTogether = 16;
    MerkleFrontierOf<24> frontier;
    std::array<MerkleHash, 1 + kTogether> row;
    while (!leaves.empty()) {
        const std::size_t count = std::min(kTogether, leaves.size());
        std::copy_n(leaves.begin(), count, row.begin() + 1);
        frontier.append_row(std::span(row).first(1 + count), hash);
        leaves = leaves.subspan(count);
    }
    return frontier.root();
}

MerkleHash merkle_root(std::span<const MerkleHash> leaves) {
    MerkleFrontier frontier;
    for (const MerkleHash& leaf : leaves)
        frontier.append(leaf);
    return frontier.root();
}

Result<std::size_t> merkle_inclusion_proof(std::span<const MerkleHash> leaves, std::uint64_t index,
                                           std::span<MerkleHash> out) {
    if (index >= leaves.size()) return fail(Error::bad_argument);
    ProofWriter proof(out);
    while (leaves.size() > 1) {
        const std::uint64_t split = split_of(leaves.size());
        const auto left = leaves.first(split);
        const auto right = leaves.subspan(split);
        if (index < split) {
            TRY(proof.add(merkle_root(right)));
            leaves = left;
        } else {
            TRY(proof.add(merkle_root(left)));
            leaves = right;
            index -= split;
        }
    }
    return proof.finish();
}

Result<std::size_t> merkle_consistency_proof(std::span<const MerkleHash> leaves, std::uint64_t old_size,
                                             std::span<MerkleHash> out) {
    if (old_size == 0 || old_size > leaves.size()) return fail(Error::bad_argument);
    ProofWriter proof(out);
    // SUBPROOF of section 2.1.4.1: the old tree is `old_size` leaves of `leaves`; once the way has turned right, its
    // head is not one that the verifier has.
    bool known = true;
    while (old_size != leaves.size()) {
        const std::uint64_t split = split_of(leaves.size());
        const auto left = leaves.first(split);
        const auto right = leaves.subspan(split);
        if (old_size <= split) {
            TRY(proof.add(merkle_root(right)));
            leaves = left;
        } else {
            TRY(proof.add(merkle_root(left)));
            leaves = right;
            old_size -= split;
            known = false;
        }
    }
    if (!known) TRY(proof.add(merkle_root(leaves)));
    return proof.finish();
}

Result<> merkle_verify_inclusion(const MerkleHash& leaf, std::uint64_t index, std::uint64_t size,
                                 std::span<const MerkleHash> proof, const MerkleHash& root) {
    if (index >= size) return fail(Error::integrity);
    std::uint64_t fn = index;
    std::uint64_t sn = size - 1;
    MerkleHash hash = leaf;
    for (const MerkleHash& sibling : proof) {
        if (sn == 0) return fail(Error::integrity);
        if ((fn & 1) != 0 || fn == sn) {
            hash = merkle_node(sibling, hash);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            hash = merkle_node(hash, sibling);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0) return fail(Error::integrity);
    return require_equal(hash, root);
}

Result<> merkle_verify_consistency(std::uint64_t old_size, std::uint64_t new_size, const MerkleHash& old_root,
                                   const MerkleHash& new_root, std::span<const MerkleHash> proof) {
    if (old_size == 0 || old_size > new_size) return fail(Error::integrity);
    if (old_size == new_size) {
        if (!proof.empty()) return fail(Error::integrity);
        return require_equal(old_root, new_root);
    }
    if (proof.empty()) return fail(Error::integrity);

    // If the old tree is complete, the proof leaves out its head.
    const bool complete = std::has_single_bit(old_size);
    MerkleHash old_hash = complete ? old_root : proof.front();
    MerkleHash new_hash = old_hash;
    if (!complete) proof = proof.subspan(1);

    std::uint64_t fn = old_size - 1;
    std::uint64_t sn = new_size - 1;
    while ((fn & 1) != 0) {
        fn >>= 1;
        sn >>= 1;
    }
    for (const MerkleHash& sibling : proof) {
        if (sn == 0) return fail(Error::integrity);
        if ((fn & 1) != 0 || fn == sn) {
            old_hash = merkle_node(sibling, old_hash);
            new_hash = merkle_node(sibling, new_hash);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            new_hash = merkle_node(new_hash, sibling);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0) return fail(Error::integrity);
    TRY(require_equal(old_hash, old_root));
    return require_equal(new_hash, new_root);
}

MerkleHash page_tree_leaf(Bytes page) {
    static constexpr std::array<std::byte, kTreePageSize> kZeros{};
    AIOS_ASSERT(page.size() <= kTreePageSize);
    Sha256 hash;
    hash.update(kMerkleLeafPrefix);
    hash.update(page);
    hash.update(Bytes(kZeros).subspan(page.size()));
    return hash.finish();
}

MerkleHash page_tree_root(Bytes entry) {
    MerkleFrontier frontier;
    while (!entry.empty()) {
        const Bytes page = entry.first(std::min(entry.size(), kTreePageSize));
        frontier.append(page_tree_leaf(page));
        entry = entry.subspan(page.size());
    }
    return frontier.root();
}

MerkleHash page_tree_root_by(BatchHasher hash, Bytes pages) {
    constexpr std::size_t kTogether = 8;
    AIOS_ASSERT(pages.size() % kTreePageSize == 0);
    MerkleFrontierOf<24> frontier;
    std::array<MerkleHash, 1 + kTogether> row;
    std::array<Sha256Job, kTogether> jobs;
    while (!pages.empty()) {
        const std::size_t count = std::min(kTogether, pages.size() / kTreePageSize);
        for (std::size_t i = 0; i < count; ++i)
            jobs[i] = {.prefix = kMerkleLeafPrefix,
                       .message = pages.subspan(kTreePageSize * i, kTreePageSize),
                       .digest = &row[1 + i]};
        hash(std::span(jobs).first(count));
        frontier.append_row(std::span(row).first(1 + count), hash);
        pages = pages.subspan(kTreePageSize * count);
    }
    return frontier.root();
}

} // namespace aios::crypto
