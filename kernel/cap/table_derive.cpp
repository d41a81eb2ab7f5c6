// New capabilities from old ones, and their end: insert_new, derive, revoke, close_all. See table.hpp and
// derivation.hpp.
#include "kernel/cap/table.hpp"

#include "kernel/mm/size_classes.hpp"

namespace aios::cap {

Result<Ref<DerivationNode>> Table::make_node(Ref<DerivationNode> parent, Ref<Object> object, Rights rights) {
    if (parent && parent->depth() >= kMaxDerivationDepth) return fail(Error::too_large);
    const std::uint64_t cost = mm::cost_of<DerivationNode> + (parent ? 0 : mm::cost_of<TreeState>);
    Reservation charge = TRY(Reservation::make(*payer_, Resource::memory, cost));
    Ref<TreeState> tree = parent ? parent->tree_ : TRY(TreeState::create());
    return Ref<DerivationNode>::adopt(TRY(
        mm::make<DerivationNode>(std::move(charge), std::move(tree), std::move(parent), std::move(object), rights)));
}

Result<> Table::link_locked(DerivationNode& node) {
    DerivationTree::lock(node).assert_held();
    if (node.parent_ && !node.parent_->is_live()) return fail(Error::revoked);
    if (!paid_->add_locked(node)) return fail(Error::bad_state);
    if (node.parent_) {
        DerivationTree::lock(*node.parent_).assert_held(); // the same tree
        DerivationTree::link_locked(*node.parent_, node);
    }
    return {};
}

Result<Handle> Table::insert_new(Ref<Object> object, Rights rights, Ref<DerivationNode> below) {
    Announced announced(object, rights);
    Ref<DerivationNode> node = TRY(make_node(std::move(below), std::move(object), rights));
    DerivationLock::Guard tree(DerivationTree::lock(*node));
    SlotsGuard guard(lock_);
    TRY(ensure_free_locked(1));
    if (auto linked = link_locked(*node); !linked) {
        payer_->give_back(Resource::handles, 1);
        return fail(linked.error());
    }
    announced.keep();
    return fill_locked(promise_slot_locked(), std::move(node));
}

Permitted<Handle> Table::derive(Handle handle, Rights rights) {
    Checked<Object> source = TRY(lookup_any(handle, ObjectType::any, rights::derive));
    if (!source.rights.contains(rights)) return refuse(Error::missing_right, {ObjectType::any, rights});
    return insert_new(std::move(source.object), rights, std::move(source.node));
}

Permitted<Capability> Table::derive_out(Handle handle, Rights rights, Rights needed) {
    Checked<Object> source = TRY(lookup_any(handle, ObjectType::any, needed));
    if (!source.rights.contains(rights)) return refuse(Error::missing_right, {ObjectType::any, rights});
    Ref<DerivationNode> node = TRY(make_node(source.node, source.object, rights));
    DerivationLock::Guard tree(DerivationTree::lock(*node));
    TRY(link_locked(*node));
    return Capability(std::move(node));
}

Permitted<> Table::revoke(Handle handle) {
    const Checked<Object> root = TRY(lookup_any(handle, ObjectType::any, rights::derive));
    std::uint64_t until; // what is derived from the root from now on is new and stays
    {
        DerivationLock::Guard tree(DerivationTree::lock(*root.node));
        until = DerivationTree::now_locked(*root.node);
    }
    DerivationTree::destroy_below(*root.node, until);
    return {};
}

void Table::close_all() {
    {
        SlotsGuard guard(lock_);
        closed_ = true;
    }
    // What this table paid for ends everywhere.
    paid_->close();
    DerivationTree::destroy_paid(*paid_);
    // What others gave goes back to them. The table does not grow any more.
    bool was_mapped = false;
    const std::uint32_t slots = slot_count();
    for (std::uint32_t index = 0; index < slots; ++index) {
        const Handle handle = handle_at(index);
        if (handle == kNoHandle) continue;
        auto taken = take(handle, NamesTable::no);
        if (!taken || !taken->object) continue;
        was_mapped = was_mapped || taken->was_mapped;
        taken->object->handle_removed(taken->rights);
    }
    if (was_mapped) spaces_->notice();
}

Ref<DerivationNode> Table::strip_slot(DerivationNode& node) {
    SlotsGuard guard(lock_);
    Slot& slot = slot_at(node.slot_);
    AIOS_ASSERT(slot.node == &node && slot.state == SlotState::used);
    node.object_ = Ref<Object>::adopt(std::exchange(slot.object, nullptr));
    node.table_ = nullptr;
    slot.state = SlotState::revoked;
    return Ref<DerivationNode>::adopt(std::exchange(slot.node, nullptr));
}

} // namespace aios::cap
