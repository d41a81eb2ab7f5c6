// PaidList: the nodes that one table pays for. They belong to many trees, so the list has a lock of its own, and it is an
// object of its own, which the table and each node on it keep: a node whose last holder drops it goes off the list by
// itself, and the table may be gone by then.
//
// A node comes onto the list once, when it is linked, and goes off it when a revocation is done with it or when its last
// holder drops it. The list does not count as a holder. Whoever walks it meets nodes whose last reference is gone and
// whose holder has not come here yet, perhaps because its thread lost the CPU: they are taken off, so that the walk waits
// for nobody; the holder finds that done.
//
// Lock: Rank::cap_paid, inside Rank::derivation and Rank::cap_table; held for kChunk steps at most.
#pragma once

#include "kernel/cap/derivation.hpp"
#include "kernel/mm/payer.hpp"

namespace aios::cap {

class PaidList {
public:
    static Result<Ref<PaidList>> create(Payer& payer); // quota_exceeded, out_of_memory
    void retain() { references_.retain(); }
    void release();

    // Under the lock of the node's tree. False: the list is closed.
    [[nodiscard]] bool add_locked(DerivationNode& node) AIOS_REQUIRES(node.tree_->lock);
    void remove(DerivationNode& node); // if it is still there
    void close();                      // nothing comes any more: the table ends

    // Nodes from the front that somebody holds, and is held by now. Their trees are not locked: they may end meanwhile.
    struct Front {
        Ref<DerivationNode> nodes[kChunk];
        unsigned count = 0;
    };
    // False: the list is empty. May answer none although others follow.
    [[nodiscard]] bool look(Front& front);

    PaidList(const PaidList&) = delete;

    PaidList(mm::OnHeap, Reservation charge) : charge_(std::move(charge)) {}
    ~PaidList() = default;

private:
    RefCount references_;
    sync::SpinLock<sync::Rank::cap_paid> lock_;
    bool closed_ AIOS_GUARDED_BY(lock_) = false;
    DerivationNode::Paid nodes_ AIOS_GUARDED_BY(lock_);
    Reservation charge_;
};

} // namespace aios::cap
