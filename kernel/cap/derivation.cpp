// The walks over derivation trees: release and revocation. See derivation.hpp.
#include "kernel/cap/derivation.hpp"

#include "kernel/cap/table.hpp"

namespace aios::cap {

namespace {
constinit DerivationLock g_lock;
constexpr unsigned kChunk = 16; // nodes handled under one hold of the lock
} // namespace

DerivationLock& DerivationTree::lock() { return g_lock; }

DerivationNode::DerivationNode(Reservation charge, Ref<DerivationNode> parent, Ref<Object> object, Rights rights)
    : depth_(static_cast<std::uint8_t>(parent ? parent->depth_ + 1 : 0)), rights_(rights), charge_(std::move(charge)),
      parent_(std::move(parent)), object_(std::move(object)) {}

void DerivationNode::release() {
    // A child holds a reference to its parent: walking up in a loop keeps the stack flat.
    DerivationNode* node = this;
    while (node != nullptr && node->references_.release()) {
        {
            DerivationLock::Guard guard(g_lock);
            AIOS_ASSERT(node->children_.is_empty() && node->table_ == nullptr);
            // Which list the node is in (its parent's or a revoker's) does not matter for taking it out.
            if (node->sibling_.is_linked()) node->children_.remove(*node);
            if (node->paid_.is_linked()) Paid().remove(*node);
        }
        if (node->counted_) node->object_->handle_removed(node->rights_);
        DerivationNode* parent = node->parent_.leak();
        mm::destroy(node);
        node = parent;
    }
}

Ref<Object> Capability::object() const {
    if (!node) return {};
    DerivationLock::Guard guard(g_lock);
    return node->object_;
}

void Capability::count() {
    const Ref<Object> told = object();
    if (!told) return; // revoked already: it travels dead
    told->handle_added(node->rights_);
    {
        DerivationLock::Guard guard(g_lock);
        if (node->object_) {
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
        DerivationLock::Guard guard(g_lock);
        if (!std::exchange(node->counted_, false)) return;
        told = node->object_;
    }
    told->handle_removed(node->rights_);
}

void DerivationTree::doom_locked(DerivationNode& node, DerivationNode::Children& doomed) {
    node.live_.store(false, std::memory_order_release);
    if (node.sibling_.is_linked()) node.children_.remove(node);
    doomed.push_back(node);
}

void DerivationTree::destroy(DerivationNode::Children& doomed) {
    struct Dead {
        Ref<DerivationNode> node;
        Ref<DerivationNode> parent;
        Table::Taken taken;
        Ref<Table> table;
        Ref<Object> in_flight;
        bool was_counted = false;
        Reservation charge; // goes back now, however long a queue keeps the dead node
    };
    for (;;) {
        Dead dead[kChunk];
        unsigned count = 0;
        {
            DerivationLock::Guard guard(g_lock);
            while (count < kChunk) {
                DerivationNode* node = doomed.pop_front();
                if (node == nullptr) break;
                node->live_.store(false, std::memory_order_release); // from here on it gets no children
                doomed.splice_back(node->children_);
                if (node->paid_.is_linked()) DerivationNode::Paid().remove(*node);
                if (!node->references_.try_retain())
                    continue; // its last holder is about to free it, and frees what it holds
                Dead& entry = dead[count++];
                entry.node = Ref<DerivationNode>::adopt(node);
                entry.parent = std::move(node->parent_);
                entry.in_flight = std::move(node->object_);
                entry.was_counted = std::exchange(node->counted_, false);
                entry.charge = std::move(node->charge_);
                if (node->table_ != nullptr) {
                    entry.table = Ref<Table>::share(*node->table_);
                    node->table_->strip_slot(*node, entry.taken);
                }
            }
        }
        if (count == 0) return;
        for (unsigned i = 0; i < count; i++) {
            Dead& entry = dead[i];
            if (entry.was_counted) entry.in_flight->handle_removed(entry.node->rights_);
            if (!entry.taken.object) continue;
            Object& object = *entry.taken.object;
            object.handle_removed(entry.taken.rights);
            // Mappings stay if the holder could make them again at once; waiters look at their own capability.
            const bool keeps =
                object.type() == ObjectType::memory && entry.table->still_reaches(object, entry.taken.rights);
            if (!keeps) object.revoked_for(entry.table->holder());
        }
    }
}

} // namespace aios::cap
