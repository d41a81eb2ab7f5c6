// Slots of a capability table: lookup, insertion, closing. Derivation and revocation are in table_derive.cpp. See
// table.hpp.
#include "kernel/cap/table.hpp"

#include "kernel/cap/counters.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::cap {

namespace {
constexpr Handle make_handle(std::uint32_t generation, std::uint32_t slot) {
    return (static_cast<Handle>(generation) << 32) | slot;
}
} // namespace

Result<Ref<Table>> Table::create(Payer& payer, std::uint64_t holder) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Table>));
    Ref<mm::SpaceSet> spaces = TRY(mm::SpaceSet::create(payer));
    Ref<PaidList> paid = TRY(PaidList::create(payer));
    return Ref<Table>::adopt(
        TRY(mm::make<Table>(std::move(charge), Ref<Payer>::share(payer), std::move(spaces), std::move(paid), holder)));
}

Table::~Table() {
    AIOS_ASSERT(used_ == 0); // close_all() came first
    for (std::uint32_t i = 0; i < chunk_count_; ++i) {
        mm::destroy(chunks_[i]);
        payer_->give_back(Resource::memory, mm::cost_of<Chunk>);
    }
}

void Table::release() {
    if (references_.release()) mm::destroy(this);
}

Result<> Table::grow_locked() {
    lock_.assert_held();
    if (chunk_count_ == kMaxChunks) return fail(Error::no_space);
    Reservation charge = TRY(Reservation::make(*payer_, Resource::memory, mm::cost_of<Chunk>));
    Chunk* chunk = TRY(mm::make<Chunk>());
    const std::uint32_t base = chunk_count_ * kChunkSlots;
    for (std::uint32_t i = kChunkSlots; i-- > 0;) {
        chunk->slots[i] = Slot{nullptr, nullptr, Rights(), 1, SlotState::free, first_free_};
        first_free_ = base + i;
    }
    chunks_[chunk_count_++] = chunk;
    free_count_ += kChunkSlots;
    charge.keep(); // given back by the destructor
    return {};
}

// `count` slots are free and charged afterwards, or nothing changed.
Result<> Table::ensure_free_locked(std::uint32_t count) {
    lock_.assert_held();
    if (closed_) return fail(Error::bad_state);
    while (free_count_ < count)
        TRY(grow_locked());
    return payer_->reserve(Resource::handles, count);
}

std::uint32_t Table::promise_slot_locked() {
    lock_.assert_held();
    const std::uint32_t index = first_free_;
    Slot& slot = slot_at(index);
    AIOS_ASSERT(slot.state == SlotState::free);
    first_free_ = slot.next_free;
    --free_count_;
    ++used_;
    slot.state = SlotState::promised;
    return index;
}

Handle Table::fill_locked(std::uint32_t index, Ref<DerivationNode> node) {
    lock_.assert_held();
    DerivationTree::lock(*node).assert_held();
    Slot& slot = slot_at(index);
    AIOS_ASSERT(slot.state == SlotState::promised);
    slot.state = SlotState::used;
    slot.rights = node->rights_;
    slot.object = node->object_.leak();
    node->table_ = this;
    node->slot_ = index;
    slot.node = node.leak();
    return make_handle(slot.generation, index);
}

Table::Slot* Table::find_locked(Handle handle) {
    lock_.assert_held();
    const auto index = static_cast<std::uint32_t>(handle);
    if (index >= chunk_count_ * kChunkSlots) return nullptr;
    Slot& slot = slot_at(index);
    if (!slot.is_taken() || slot.generation != static_cast<std::uint32_t>(handle >> 32)) return nullptr;
    return &slot;
}

Table::Taken Table::free_slot_locked(Slot& slot, std::uint32_t index) {
    lock_.assert_held();
    Taken taken{Ref<Object>::adopt(slot.object), Ref<DerivationNode>::adopt(slot.node), slot.rights, false};
    if (taken.node) taken.node->table_ = nullptr;
    slot.object = nullptr;
    slot.node = nullptr;
    slot.state = SlotState::free;
    --used_;
    payer_->give_back(Resource::handles, 1);
    // A slot whose generations are used up is not used again: a stale handle must never match.
    if (slot.generation < kLastGeneration) {
        ++slot.generation;
        slot.next_free = first_free_;
        first_free_ = index;
        ++free_count_;
    }
    return taken;
}

// Why the slot does not grant what is asked; nothing: it does. The order is that of lookup().
std::optional<Error> Table::objection_locked(const Slot* slot, const Asked& asked) const {
    lock_.assert_held();
    if (slot == nullptr) return Error::bad_handle;
    if (slot->state == SlotState::revoked || !slot->node->is_live()) return Error::revoked;
    if (asked.type != ObjectType::any && asked.type != slot->object->type()) return Error::wrong_type;
    if (!slot->rights.contains(asked.rights)) return Error::missing_right;
    return std::nullopt;
}

Permitted<Checked<Object>> Table::lookup_any(Handle handle, ObjectType type, Rights needed) {
    SlotsGuard guard(lock_);
    Slot* slot = find_locked(handle);
    const Asked asked{type, needed};
    const std::optional<Error> objection = objection_locked(slot, asked);
    if (!objection) [[likely]] {
        ++checks_.granted;
        count_check(slot->object->type(), needed, CheckResult::granted);
        return Checked<Object>{Ref<Object>::share(*slot->object), slot->rights,
                               Ref<DerivationNode>::share(*slot->node)};
    }
    ++checks_.refused;
    // A missing right is counted under the type that the object is of, anything else under the one that was asked for.
    const ObjectType counted = *objection == Error::missing_right ? slot->object->type() : type;
    count_check(counted, needed, CheckResult::refused);
    return refuse(*objection, asked);
}

Result<Handle> Table::insert(Capability&& capability) {
    Handle handle = kNoHandle;
    TRY(insert_all({&capability, 1}, {&handle, 1}));
    if (handle == kNoHandle) return fail(Error::revoked);
    return handle;
}

// The trees of the capabilities have locks of their own, so they come one by one, into slots that were set aside for
// them in one step.
Result<> Table::insert_all(std::span<Capability> capabilities, std::span<Handle> out) {
    AIOS_ASSERT(capabilities.size() == out.size() && out.size() <= kMaxStartupHandles);
    Capability dropped[kMaxStartupHandles];
    Announced announced[kMaxStartupHandles];
    std::uint32_t slots[kMaxStartupHandles];
    std::uint32_t live = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = kNoHandle;
        slots[i] = kNoSlot;
        Ref<Object> object = capabilities[i].object();
        if (!object) continue;
        announced[i] = Announced(std::move(object), capabilities[i].rights());
        ++live;
    }
    {
        SlotsGuard guard(lock_);
        TRY(ensure_free_locked(live));
        for (std::size_t i = 0; i < out.size(); ++i)
            if (announced[i]) slots[i] = promise_slot_locked();
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        Capability& capability = capabilities[i];
        if (slots[i] != kNoSlot) {
            DerivationLock::Guard tree(DerivationTree::lock(*capability.node));
            SlotsGuard guard(lock_);
            if (!closed_ && capability.is_live() && capability.node->object_) {
                // One that was counted under way goes on counting here: then it has been announced once too often.
                const bool was_counted = std::exchange(capability.node->counted_, false);
                out[i] = fill_locked(slots[i], std::move(capability.node));
                if (!was_counted) announced[i].keep();
                continue;
            }
            (void)free_slot_locked(slot_at(slots[i]), slots[i]); // it held nothing yet
        }
        dropped[i] = std::move(capability);
    }
    return {};
}

// Which tree the slot's node is of, and so which lock, is seen without that lock: the node is held meanwhile. The slot can
// have been revoked, or closed, when the lock is there, but what a handle names does not change.
Result<Table::Taken> Table::take(Handle handle, NamesTable names_table) {
    const auto index = static_cast<std::uint32_t>(handle);
    Ref<DerivationNode> seen; // dropped outside the locks
    {
        SlotsGuard guard(lock_);
        Slot* slot = find_locked(handle);
        if (slot == nullptr) return fail(Error::bad_handle);
        if (slot->node == nullptr) return free_slot_locked(*slot, index); // revoked: in no tree any more
        seen = Ref<DerivationNode>::share(*slot->node);
    }
    DerivationLock::Guard tree(DerivationTree::lock(*seen));
    SlotsGuard guard(lock_);
    Slot* slot = find_locked(handle);
    if (slot == nullptr) return fail(Error::bad_handle);
    Taken taken = free_slot_locked(*slot, index);
    taken.was_mapped = taken.node && taken.node->end(mm::Authority::State::closed);
    if (taken.was_mapped && names_table == NamesTable::yes) taken.node->last_table_ = Ref<Table>::share(*this);
    return taken;
}

// A revocation from above may come while the consequences of a close are being told. It must not return before they
// are, and does not wait for the closer: the node names the table until they are told, so that it can tell them as
// well.
Result<> Table::close(Handle handle) {
    Taken taken = TRY(take(handle, NamesTable::yes));
    if (!taken.node) return {};
    taken.object->handle_removed(taken.rights);
    if (!taken.was_mapped) return {};
    spaces_->notice();
    Ref<Table> told; // dropped outside the lock
    DerivationLock::Guard tree(DerivationTree::lock(*taken.node));
    told = std::move(taken.node->last_table_);
    return {};
}

std::uint32_t Table::slot_count() const {
    SlotsGuard guard(lock_);
    return chunk_count_ * kChunkSlots;
}

Handle Table::handle_at(std::uint32_t index) const {
    SlotsGuard guard(lock_);
    const Slot& slot = chunks_[index / kChunkSlots]->slots[index % kChunkSlots];
    return slot.is_taken() ? make_handle(slot.generation, index) : kNoHandle;
}

std::uint64_t Table::used() const {
    SlotsGuard guard(lock_);
    return used_;
}

Table::Checks Table::checks() const {
    SlotsGuard guard(lock_);
    return checks_;
}

} // namespace aios::cap
