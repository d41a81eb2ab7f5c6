// The walks over derivation trees: release and revocation. See derivation.hpp.
//
// A revocation ends a tree from its leaves, kChunk of them at a time, in place:
//   1. Under the lock it goes down from the top, always to the oldest child, and marks what it comes through dead, so
//      that nothing new can be derived there. At the bottom it takes up to kChunk childless siblings: each is marked
//      dead and taken out of its slot or message. The node keeps the object and the table that it had.
//   2. Without the lock it tells the consequences: the object (revoked_for wakes those who wait through the node, who
//      look at its state), and the address spaces of the table, if mappings were made through it (SpaceSet::notice).
//   3. Under the lock it unlinks the nodes, and gives their charge back. Then the next chunk.
// A node is unlinked only when its consequences are told. So two revocations that meet need no lock over both: who
// finds a node still linked does steps 1 to 3 on it too, which are the same when done twice (only what is counted,
// once, is told by the one that took it), and who does not find it knows that they are done. Neither waits for the
// other, nor for a thread of those who lose something. A top that stays (handle_revoke) loses the children that it had
// at the start: births are numbered, and those that come later stay.
//
// Who could use what has ended, and why nobody does when the call returns:
//   - A lookup that answered before the node died holds the object. It may finish what it does in this call; whoever blocks
//     in it looks at the node again, and is woken (revoked_for). is_live() and is_held() load one word: `state_` is written
//     before anything is told in step 2, and read after its reader has made itself known (a wait queue's entry, a
//     registration, a mapping that was noted), both sequentially consistent or under the lock of the place where the reader
//     is known: so the teller finds the reader, or the reader finds the node dead. For mappings authority.hpp tells it.
//   - A child that is being derived: link_locked() looks at the parent under the tree's lock. It was linked before the node
//     died, and step 1 finds it below, or it finds the node dead.
//   - A capability that is on its way into a slot (Table::insert_all) is looked at under the tree's lock and the slots' lock
//     together. Before it is in the slot step 1 finds it with no table, afterwards with one.
//   - A capability that lies in a message or an answer: in_flight.hpp tells who takes it out.
//   - A handle that is being closed: the node names its table until the closer has told the consequences
//     (last_table_), so a revocation that comes meanwhile tells them as well, and does not return before they are told.
//   - A node whose last holder is about to free it cannot be retained. It is unlinked here, and nobody can use it: its holder
//     had the last reference, so no slot, message or lookup has one.
//
// The end of a table ends what it paid for, kChunk nodes of its list at a time: each is marked dead and loses what is
// below it, as above; then all of them, childless now, are one chunk, whose nodes may belong to several trees.
//
// Bound: a chunk holds the lock for at most 64 + kChunk steps. What a node costs, docs/design/capabilities.md states and
// the guest test `bounds` holds.
#include "kernel/cap/derivation.hpp"

#include <span>

#include "kernel/cap/in_flight.hpp"
#include "kernel/cap/paid_list.hpp"
#include "kernel/cap/table.hpp"

namespace aios::cap {

std::uint64_t DerivationTree::now_locked(const DerivationNode& node) {
    lock(node).assert_held();
    return node.tree_->births;
}

void DerivationTree::link_locked(DerivationNode& parent, DerivationNode& child) {
    lock(parent).assert_held();
    AIOS_ASSERT(parent.tree_ == child.tree_);
    lock(child).assert_held(); // the same
    child.birth_ = ++parent.tree_->births;
    parent.children_.push_back(child);
}

DerivationNode::DerivationNode(mm::OnHeap, Reservation charge, Ref<TreeState> tree, Ref<DerivationNode> parent,
                               Ref<Object> object, Rights rights)
    : depth_(static_cast<std::uint8_t>(parent ? parent->depth_ + 1 : 0)), rights_(rights), tree_(std::move(tree)),
      charge_(std::move(charge)), parent_(std::move(parent)), object_(std::move(object)) {}

DerivationNode::~DerivationNode() { AIOS_ASSERT(children_.is_empty() && table_ == nullptr); }

// Nobody holds it. A revocation that met it may have taken it out of both already.
void DerivationNode::unlink() {
    if (parent_) {
        DerivationLock::Guard guard(tree_->lock);
        DerivationTree::lock(*parent_).assert_held(); // one tree, one lock
        if (sibling_.is_linked()) parent_->children_.remove(*this);
    }
    if (payer_list_) payer_list_->remove(*this);
}

void DerivationNode::release() {
    // A child holds a reference to its parent: walking up in a loop keeps the stack flat.
    DerivationNode* node = this;
    while (node != nullptr && node->references_.release()) {
        if (!node->has_ended_) node->unlink();
        if (node->counted_) node->object_->handle_removed(node->rights_);
        DerivationNode* parent = node->parent_.leak();
        mm::destroy(node);
        node = parent;
    }
}

Ref<Object> Capability::object() const {
    if (!node) return {};
    DerivationLock::Guard guard(DerivationTree::lock(*node));
    return node->is_live() ? node->object_ : Ref<Object>();
}

void Capability::count() {
    if (!node) return;
    Ref<Object> told;
    {
        DerivationLock::Guard guard(DerivationTree::lock(*node));
        if (!node->is_live() || node->counted_) return;
        told = node->object_;
    }
    told->handle_added(node->rights_);
    {
        DerivationLock::Guard guard(DerivationTree::lock(*node));
        if (node->is_live()) {
            node->counted_ = true;
            return;
        }
    }
    told->handle_removed(node->rights_); // revoked in this moment
}

void Capability::uncount() {
    if (!node) return;
    Ref<Object> told;
    {
        DerivationLock::Guard guard(DerivationTree::lock(*node));
        if (!std::exchange(node->counted_, false)) return;
        told = node->object_;
    }
    told->handle_removed(node->rights_);
}

// --- revocation ------------------------------------------------------------------------------------------------------

struct DerivationTree::Ending {
    Ref<DerivationNode> node;
    Ref<Object> object; // that the node was a capability on; empty: it was closed before
    Ref<Table> table;   // that had it in a slot; empty: it was in flight
    bool tells_count = false;
    bool was_mapped = false;
    // What leaves the node at its end; dropped outside the lock.
    Ref<DerivationNode> self, parent;
    Ref<Object> last_object;
    Ref<Table> last_table;
    Ref<PaidList> payer_list;
    Reservation charge; // goes back now, however long somebody keeps the dead node
};

struct DerivationTree::Batch {
    Ending endings[kChunk];
    unsigned count = 0;
};

// From among its parent's children, if it stands there.
void DerivationTree::unlink_locked(DerivationNode& node) {
    lock(node).assert_held();
    if (!node.sibling_.is_linked()) return;
    lock(*node.parent_).assert_held(); // one tree, one lock
    node.parent_->children_.remove(node);
}

// Nothing new is derived from the node, its handle answers `revoked`, and where it travels nothing is left of it.
void DerivationTree::end_locked(DerivationNode& node) {
    lock(node).assert_held();
    (void)node.end(mm::Authority::State::dead);
    if (InFlight* place = std::exchange(node.place_, nullptr); place != nullptr) node.self_ = place->strip();
    if (node.table_ == nullptr) return;
    node.last_table_ = Ref<Table>::share(*node.table_);
    node.self_ = node.last_table_->strip_slot(node);
    node.counted_ = true;
}

// Step 1 for one childless node.
void DerivationTree::take_locked(DerivationNode& node, Batch& batch) {
    lock(node).assert_held();
    AIOS_ASSERT(node.children_.is_empty());
    end_locked(node);
    if (!node.references_.try_retain()) {
        // Its last holder is about to free it, and does not mind that its parent does not know it any more. The walk
        // would find it again.
        unlink_locked(node);
        return;
    }
    Ending& ending = batch.endings[batch.count++];
    ending.node = Ref<DerivationNode>::adopt(&node);
    ending.was_mapped = node.end(mm::Authority::State::dead);
    ending.tells_count = std::exchange(node.counted_, false);
    ending.object = node.object_;
    ending.table = node.last_table_;
}

// Step 1: down to the leaves below `top`. False: there are none.
bool DerivationTree::collect_below(DerivationNode& top, std::uint64_t until, Batch& batch) {
    DerivationLock::Guard guard(lock(top));
    const auto may_go = [&](const DerivationNode& child) {
        lock(child).assert_held(); // one tree, one lock: here and below
        return child.parent_ != &top || child.birth_ <= until;
    };
    DerivationNode* bottom = nullptr;
    for (DerivationNode* child = top.children_.front(); child != nullptr && may_go(*child);
         child = child->children_.front()) {
        lock(*child).assert_held();
        end_locked(*child);
        bottom = child;
    }
    if (bottom == nullptr) return false;
    DerivationNode& parent = *bottom->parent_;
    lock(parent).assert_held();
    for (unsigned steps = 0; steps < kChunk && bottom != nullptr && may_go(*bottom); ++steps) {
        lock(*bottom).assert_held();
        DerivationNode* next = parent.children_.next(*bottom);
        if (bottom->children_.is_empty()) take_locked(*bottom, batch);
        bottom = next;
    }
    return true;
}

// Step 2. What is counted is told once; the rest may be told again by another revocation.
void DerivationTree::tell(Batch& batch) {
    Table* noticed = nullptr;
    for (unsigned i = 0; i < batch.count; ++i) {
        const Ending& ending = batch.endings[i];
        if (!ending.object) continue;
        if (ending.tells_count) ending.object->handle_removed(ending.node->rights_);
        if (ending.table) ending.object->revoked_for(ending.table->holder());
    }
    for (unsigned i = 0; i < batch.count; ++i) {
        const Ending& ending = batch.endings[i];
        if (!ending.was_mapped || !ending.table || ending.table.get() == noticed) continue;
        noticed = ending.table.get(); // siblings in one table share a notice
        noticed->spaces().notice();
    }
}

// Step 3 for one node, under the lock of its tree.
void DerivationTree::finish_locked(DerivationNode& node, Ending& ending) {
    lock(node).assert_held();
    if (std::exchange(node.has_ended_, true)) return; // another revocation was here
    unlink_locked(node);
    if (node.payer_list_) node.payer_list_->remove(node);
    ending.self = std::move(node.self_);
    ending.parent = std::move(node.parent_);
    ending.last_object = std::move(node.object_);
    ending.last_table = std::move(node.last_table_);
    ending.payer_list = std::move(node.payer_list_);
    ending.charge = std::move(node.charge_);
}

void DerivationTree::finish(Batch& batch) {
    for (unsigned i = 0; i < batch.count;) {
        DerivationNode& first = *batch.endings[i].node;
        DerivationLock::Guard guard(lock(first));
        for (; i < batch.count && batch.endings[i].node->tree_ == first.tree_; ++i) {
            DerivationNode& node = *batch.endings[i].node;
            lock(node).assert_held(); // that of `first`
            finish_locked(node, batch.endings[i]);
        }
    }
}

void DerivationTree::destroy_below(DerivationNode& top, std::uint64_t until) {
    for (;;) {
        Batch batch;
        if (!collect_below(top, until, batch)) return; // 1
        tell(batch);                                   // 2
        finish(batch);                                 // 3
    }
}

// Nothing is derived from it any more. Whether something was.
bool DerivationTree::end_top(DerivationNode& top) {
    DerivationLock::Guard guard(lock(top));
    end_locked(top);
    return !top.children_.is_empty();
}

void DerivationTree::destroy_paid(PaidList& list) {
    for (;;) {
        PaidList::Front front;
        if (!list.look(front)) return;
        const std::span nodes(front.nodes, front.count);
        for (const Ref<DerivationNode>& node : nodes)
            if (end_top(*node)) destroy_below(*node, kAll);
        Batch batch;
        for (const Ref<DerivationNode>& node : nodes) {
            DerivationLock::Guard guard(lock(*node));
            if (!node->has_ended_) take_locked(*node, batch);
        }
        tell(batch);
        finish(batch);
    }
}

} // namespace aios::cap
