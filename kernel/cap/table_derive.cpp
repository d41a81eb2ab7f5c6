// New capabilities from old ones, and their end: insert_new, derive, revoke, close_all. See table.hpp and
// derivation.hpp.
#include "kernel/cap/table.hpp"

namespace aios::cap {

namespace {
// One revocation at a time: two that overlap would each return before what the other has taken is dead.
constinit sync::Mutex<sync::Rank::revocation> g_revocation;
} // namespace

Result<Ref<DerivationNode>> Table::make_node(Ref<DerivationNode> parent, Ref<Object> object, Rights rights) {
    if (parent && parent->depth() >= kMaxDerivationDepth) return fail(Error::too_large);
    Reservation charge = TRY(Reservation::make(*payer_, Resource::memory, sizeof(DerivationNode)));
    return Ref<DerivationNode>::adopt(
        TRY(mm::make<DerivationNode>(std::move(charge), std::move(parent), std::move(object), rights)));
}

Result<> Table::link_locked(DerivationNode& node) {
    if (node.parent_) {
        if (!node.parent_->is_live()) return fail(Error::revoked);
        node.parent_->children_.push_back(node);
    }
    paid_.push_back(node);
    return {};
}

Result<Handle> Table::insert_new(Ref<Object> object, Rights rights) {
    Announced announced(object, rights);
    Ref<DerivationNode> node = TRY(make_node({}, std::move(object), rights));
    DerivationLock::Guard tree(DerivationTree::lock());
    SlotsGuard guard(lock_);
    TRY(ensure_free_locked(1));
    TRY(link_locked(*node));
    announced.keep();
    return install_locked(std::move(node));
}

Result<Handle> Table::derive(Handle handle, Rights rights) {
    Checked<Object> source = TRY(lookup_any(handle, ObjectType::any, rights::derive));
    if (!source.rights.contains(rights)) return fail(Error::missing_right);
    Announced announced(source.object, rights);
    Ref<DerivationNode> node = TRY(make_node(source.node, source.object, rights));
    DerivationLock::Guard tree(DerivationTree::lock());
    SlotsGuard guard(lock_);
    TRY(ensure_free_locked(1));
    if (auto linked = link_locked(*node); !linked) {
        payer_->give_back(Resource::handles, 1);
        return fail(linked.error());
    }
    announced.keep();
    return install_locked(std::move(node));
}

Result<Capability> Table::derive_out(Handle handle, Rights rights, Rights needed) {
    Checked<Object> source = TRY(lookup_any(handle, ObjectType::any, needed));
    if (!source.rights.contains(rights)) return fail(Error::missing_right);
    Ref<DerivationNode> node = TRY(make_node(source.node, source.object, rights));
    DerivationLock::Guard tree(DerivationTree::lock());
    {
        SlotsGuard guard(lock_);
        if (closed_) return fail(Error::bad_state);
    }
    TRY(link_locked(*node));
    return Capability(std::move(node));
}

Result<> Table::revoke(Handle handle) {
    Checked<Object> root = TRY(lookup_any(handle, ObjectType::any, rights::derive));
    sync::Mutex<sync::Rank::revocation>::Guard one(g_revocation);
    // The children are cut off at once; what is derived from the root from now on is new and stays.
    DerivationNode::Children doomed;
    {
        DerivationLock::Guard tree(DerivationTree::lock());
        doomed.splice_back(root.node->children_);
    }
    DerivationTree::destroy(doomed);
    return {};
}

void Table::close_all() {
    sync::Mutex<sync::Rank::revocation>::Guard one(g_revocation);
    {
        SlotsGuard guard(lock_);
        closed_ = true;
    }
    // What this table paid for ends everywhere.
    for (bool more = true; more;) {
        DerivationNode::Children doomed;
        {
            DerivationLock::Guard tree(DerivationTree::lock());
            for (unsigned i = 0; i < 16; i++) {
                DerivationNode* node = paid_.pop_front();
                if (node == nullptr) break;
                DerivationTree::doom_locked(*node, doomed);
            }
            more = !paid_.is_empty();
        }
        DerivationTree::destroy(doomed);
    }
    // What others gave goes back to them.
    for (std::uint32_t index = 0; index < chunk_count_ * kChunkSlots; index++) {
        Taken taken;
        bool was_used;
        {
            DerivationLock::Guard tree(DerivationTree::lock());
            SlotsGuard guard(lock_);
            Slot& slot = chunks_[index / kChunkSlots]->slots[index % kChunkSlots];
            if (slot.state == SlotState::free) continue;
            was_used = slot.state == SlotState::used;
            taken = free_slot_locked(slot, index);
        }
        if (was_used && taken.object) taken.object->handle_removed(taken.rights);
    }
}

void Table::strip_slot(DerivationNode& node, Taken& out) {
    SlotsGuard guard(lock_);
    Slot& slot = chunks_[node.slot_ / kChunkSlots]->slots[node.slot_ % kChunkSlots];
    AIOS_ASSERT(slot.node == &node && slot.state == SlotState::used);
    out.object = Ref<Object>::adopt(std::exchange(slot.object, nullptr));
    out.node = Ref<DerivationNode>::adopt(std::exchange(slot.node, nullptr));
    out.rights = slot.rights;
    slot.state = SlotState::revoked;
    node.table_ = nullptr;
}

// Whether the holder has another live capability on the object that allows as much: then nothing is taken from it.
bool Table::still_reaches(const Object& object, Rights rights) {
    SlotsGuard guard(lock_);
    for (std::uint32_t i = 0; i < chunk_count_ * kChunkSlots; i++) {
        const Slot& slot = chunks_[i / kChunkSlots]->slots[i % kChunkSlots];
        if (slot.state == SlotState::used && slot.object == &object && slot.node->is_live() &&
            slot.rights.contains(rights)) {
            return true;
        }
    }
    return false;
}

} // namespace aios::cap
