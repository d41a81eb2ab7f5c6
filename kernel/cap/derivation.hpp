// Derivation: who made which capability from which. A node stands for one capability: in a slot of one table, or in
// flight in a message. Nodes form trees, at most kMaxDerivationDepth deep; a child keeps its parent alive. Each node is
// charged to the table that derived it and dies with it. A use of a capability loads one word, `live_`.
//
// Invariants: a live node's ancestors that are still linked are live or being revoked in this very walk; a dead node
// gets no children; `table_` is set exactly while the node sits in a slot. All links are guarded by one spinlock
// (Rank::derivation, derivation.cpp), which is never held for more than a chunk of a walk. Dropping the last reference
// takes that lock: never drop one while a lock of Rank::derivation or above is held.
#pragma once

#include "base/intrusive_list.hpp"
#include "kernel/object/object.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::cap {

class Table;

class DerivationNode {
public:
    [[nodiscard]] bool is_live() const { return live_.load(std::memory_order_acquire); }
    [[nodiscard]] unsigned depth() const { return depth_; } // 0: made with the object
    void retain() { references_.retain(); }
    void release();
    DerivationNode(const DerivationNode&) = delete;

private:
    friend class Table;
    friend struct Capability;
    friend struct DerivationTree;
    DerivationNode(Reservation charge, Ref<DerivationNode> parent, Ref<Object> object, Rights rights);
    ~DerivationNode() = default;
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
    template <typename T>
    friend void mm::destroy(T*);

    RefCount references_;
    std::atomic<bool> live_{true};
    const std::uint8_t depth_;
    const Rights rights_;
    Reservation charge_;
    Ref<DerivationNode> parent_;
    Ref<Object> object_;     // while in flight; a slot holds it otherwise
    bool counted_ = false;   // in flight, and the object was told of it as of a handle
    Table* table_ = nullptr; // the table that has it in a slot
    std::uint32_t slot_ = 0;
    ListNode sibling_; // among the parent's children, or in a revoker's list
    ListNode paid_;    // in the list of the table that pays

public: // for the list types, which need complete access to the members
    using Children = IntrusiveList<DerivationNode, &DerivationNode::sibling_>;
    using Paid = IntrusiveList<DerivationNode, &DerivationNode::paid_>;

private:
    Children children_;
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
    // While it is under way in a message it counts as a handle of what it names: the object is told (handle_added), and
    // told again when it is taken back (uncount), dropped or revoked. In a table it goes on counting. Under no lock.
    void count();
    void uncount();
};

using DerivationLock = sync::SpinLock<sync::Rank::derivation>;

// Only for table.cpp.
struct DerivationTree {
    static DerivationLock& lock();
    // Makes everything in `doomed` and below dead and takes it out of slots and queues, in chunks. Takes the derivation
    // lock; the caller holds none and serialises revocations.
    static void destroy(DerivationNode::Children& doomed);
    static void doom_locked(DerivationNode& node, DerivationNode::Children& doomed);
};

} // namespace aios::cap
