// Derivation: who made which capability from which. A node stands for one capability: in a slot of one table, or in
// flight in a message. Nodes form trees, at most kMaxDerivationDepth deep; a child keeps its parent alive. Each node is
// charged to the table that derived it and dies with it. A use of a capability loads one word, its state. Whatever
// outlives the call that made it (a mapping, an open file, a registration, an operation under way) keeps a reference to
// the node that it came from and looks at its state.
//
// Invariants: a dead node gets no children; children stand in the order of their birth; `table_` is set exactly while
// the node sits in a slot, and `place_` while it lies in one (in_flight.hpp). All links of a tree are guarded by a spinlock of its own (Rank::derivation), which lies in
// its TreeState, which each node keeps; nothing holds two. It is held for a bounded number of steps: one way down a tree
// (at most 64) and kChunk nodes. The list of what a table pays for has a lock of its own (paid_list.hpp), taken inside.
// Dropping the last reference takes both: never drop one while a lock of Rank::derivation or above is held. How a tree
// is revoked: derivation.cpp.
#pragma once

#include "base/intrusive_list.hpp"
#include "kernel/mm/authority.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/object/object.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::cap {

class Table;
class PaidList;
class InFlight;
inline constexpr unsigned kChunk = 16; // nodes handled under one hold of a lock
using DerivationLock = sync::SpinLock<sync::Rank::derivation>;

// What the nodes of one tree share. Charged with the root.
struct TreeState {
    static Result<Ref<TreeState>> create() { return Ref<TreeState>::adopt(TRY(mm::make<TreeState>())); }
    void retain() { references.retain(); }
    void release() {
        if (references.release()) mm::destroy(this);
    }
    RefCount references;
    DerivationLock lock;
    std::uint64_t births AIOS_GUARDED_BY(lock) = 0;
};

class DerivationNode final : public mm::Authority {
public:
    [[nodiscard]] bool is_live() const { return state() != State::dead; }
    [[nodiscard]] unsigned depth() const { return depth_; }                     // 0: made with the object
    [[nodiscard]] std::uint32_t holders() const { return references_.value(); } // a snapshot, for tests
    void retain() override { references_.retain(); }
    void release() override;
    DerivationNode(const DerivationNode&) = delete;

    DerivationNode(mm::OnHeap, Reservation charge, Ref<TreeState> tree, Ref<DerivationNode> parent, Ref<Object> object,
                   Rights rights);
    ~DerivationNode();

private:
    friend class Table;
    friend struct Capability;
    friend struct DerivationTree;
    friend class PaidList;
    friend class InFlight;
    void unlink(); // from its parent and from the list of the table that pays

    RefCount references_;
    const std::uint8_t depth_;
    const Rights rights_;
    bool counted_ = false;   // not in a slot, but the object was told of it as of a handle: in flight, or taken
    bool has_ended_ = false; // a revocation is done with it
    std::uint64_t birth_ AIOS_GUARDED_BY(tree_->lock) =
        0; // when it was linked; children that are older than a revocation end with it
    const Ref<TreeState> tree_;
    Reservation charge_;
    Ref<DerivationNode> parent_;
    Ref<Object> object_;        // in flight, or taken from its slot by a revocation; a slot holds it otherwise
    Table* table_ = nullptr;    // the table that has it in a slot
    InFlight* place_ = nullptr; // that it travels in
    Ref<Table> last_table_;     // had it in a slot until a revocation or close whose consequences are not all told yet
    Ref<DerivationNode> self_;  // ENDS: it is itself: the reference of its slot or place, until the revocation is done
    std::uint32_t slot_ = 0;    // where it is in `table_`
    ListNode sibling_;          // among the parent's children
    ListNode paid_;             // in `payer_list_`, under the lock of that
    Ref<PaidList> payer_list_;  // until it has ended

public: // for the list types, which need complete access to the members
    using Children = IntrusiveList<DerivationNode, &DerivationNode::sibling_>;
    using Paid = IntrusiveList<DerivationNode, &DerivationNode::paid_>;

private:
    Children children_ AIOS_GUARDED_BY(tree_->lock);
};

// A capability outside a table: in a queued message, in a spawn request. Dies with its derivation like one inside; when
// it is dropped, the derivation ends. Moves only.
struct Capability {
    Ref<DerivationNode> node;

    Capability() = default;
    explicit Capability(Ref<DerivationNode> of) : node(std::move(of)) {}
    Capability(Capability&&) noexcept = default;
    Capability& operator=(Capability&&) noexcept = default;
    [[nodiscard]] bool is_live() const { return node && node->is_live(); }
    [[nodiscard]] Rights rights() const { return node ? node->rights_ : Rights(); }
    // The object it names; null once it is revoked.
    [[nodiscard]] Ref<Object> object() const;
    // While it is under way in a message it counts as a handle of what it names: the object is told (handle_added), once,
    // and told again when it is taken back (uncount), dropped or revoked. In a table it goes on counting. Under no lock.
    void count();
    void uncount();
};

// Only for cap::Table.
struct DerivationTree {
    static DerivationLock& lock(const DerivationNode& node) AIOS_RETURNS_CAPABILITY(node.tree_->lock) {
        return node.tree_->lock;
    }
    static constexpr std::uint64_t kAll = ~0ull;
    // The birth of whatever is linked in the node's tree from now on is greater. Under its lock.
    static std::uint64_t now_locked(const DerivationNode& node) AIOS_REQUIRES(node.tree_->lock);
    static void link_locked(DerivationNode& parent, DerivationNode& child) AIOS_REQUIRES(parent.tree_->lock);
    // Ends everything below `top` that was born up to `until`, in chunks. Takes the lock; the caller holds none, and a
    // reference to `top`. Any number may run at once, on the same nodes too.
    static void destroy_below(DerivationNode& top, std::uint64_t until);
    // The same for all nodes of a table's list, which is closed, and everything below them.
    static void destroy_paid(PaidList& list);

private:
    struct Ending;
    struct Batch;
    static bool collect_below(DerivationNode& top, std::uint64_t until, Batch& batch);
    static bool end_top(DerivationNode& top);
    static void unlink_locked(DerivationNode& node) AIOS_REQUIRES(node.tree_->lock);
    static void end_locked(DerivationNode& node) AIOS_REQUIRES(node.tree_->lock);
    static void take_locked(DerivationNode& node, Batch& batch) AIOS_REQUIRES(node.tree_->lock);
    static void tell(Batch& batch);
    static void finish(Batch& batch);
    static void finish_locked(DerivationNode& node, Ending& ending) AIOS_REQUIRES(node.tree_->lock);
};

// A node that is kept for longer than a call, with what it costs its keeper: when it is dead its own charge is home, but it
// stays, with the state of its tree, until nobody keeps it.
class KeptNode {
public:
    KeptNode() = default; // keeps none
    // quota_exceeded. Keeping none costs nothing.
    static Result<KeptNode> keep(Payer& payer, Ref<DerivationNode> node) {
        KeptNode kept;
        if (node) kept.charge_ = TRY(Reservation::make(payer, Resource::memory, kCost));
        kept.node_ = std::move(node);
        return kept;
    }
    [[nodiscard]] const Ref<DerivationNode>& node() const { return node_; }

    static constexpr std::uint64_t kCost = mm::cost_of<DerivationNode> + mm::cost_of<TreeState>;

private:
    Reservation charge_;
    Ref<DerivationNode> node_; // goes before its charge
};

} // namespace aios::cap
