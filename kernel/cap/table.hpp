// Capability tables. A table maps handles (generation and slot) to objects and rights; it grows in chunks as it is
// filled. Each slot caches its derivation node, whose `live` word every lookup loads. derivation.hpp says how
// capabilities depend on each other. Locks: Rank::cap_table (slots), nested in Rank::derivation
// (of the slot's tree) wherever what a slot holds changes.
//
// Invariants: a slot is free, promised (to a capability that is being inserted), used, or revoked (its object is gone,
// the number stays taken until its holder closes it); its generation changes whenever it is freed and never repeats;
// each slot that is not free is charged as one of Resource::handles, each chunk as memory.
#pragma once

#include <optional>
#include <span>

#include "abi/call_types.hpp"
#include "kernel/cap/paid_list.hpp"
#include "kernel/cap/refusal.hpp"
#include "kernel/mm/space_set.hpp"

namespace aios::cap {

// What a lookup answers; keeps the object alive for the length of the call. Who blocks watches node->is_live().
template <typename T>
struct Checked {
    Ref<T> object;
    Rights rights;
    Ref<DerivationNode> node;
};

class Table {
public:
    // `holder` is the agent id that owns the table; each entry is charged to `payer` as Resource::handles.
    static Result<Ref<Table>> create(Payer& payer, std::uint64_t holder);
    void retain() { references_.retain(); }
    void release();

    // A handle for a new object: a fresh root of derivation, or, where the object is a part of what another capability
    // allows (a file of a tree), a child of that one. quota_exceeded, out_of_memory, no_space (65,536 handles);
    // too_large, revoked: of `below`.
    Result<Handle> insert_new(Ref<Object> object, Rights rights, Ref<DerivationNode> below = {});
    // A handle for a capability that was received; consumed only when it succeeds. revoked if it died on the way.
    Result<Handle> insert(Capability&& capability);
    // The handles of one message, all or none: when quota or room is missing nothing is consumed. A capability that
    // died on the way is consumed and its place in `out` says kNoHandle. Sizes are equal, at most kMaxStartupHandles.
    Result<> insert_all(std::span<Capability> capabilities, std::span<Handle> out);

    // The one check: type before rights. bad_handle, revoked, wrong_type, missing_right. Counts the outcome by kind;
    // what is refused is recorded by the caller, who knows the call (kernel/syscall).
    template <typename T>
    Permitted<Checked<T>> lookup(Handle handle, Rights needed) {
        Checked<Object> found = TRY(lookup_any(handle, T::kType, needed));
        return Checked<T>{static_ref_cast<T>(std::move(found.object)), found.rights, std::move(found.node)};
    }
    Permitted<Checked<Object>> lookup_any(Handle handle, ObjectType type, Rights needed); // ObjectType::any matches all

    // A new handle in the same table; needs rights::derive and a subset of the source's rights. too_large: depth 64 is
    // reached.
    Permitted<Handle> derive(Handle handle, Rights rights);
    // For a message or spawn: a child node in flight, charged to this table's payer. Needs `needed` (rights::transfer).
    Permitted<Capability> derive_out(Handle handle, Rights rights, Rights needed);
    // Ends everything derived from the handle; the handle itself stays. When it returns no use succeeds, nobody touches
    // what was mapped, capabilities in queues are dead. Needs rights::derive. Waits for other CPUs, not for threads.
    Permitted<> revoke(Handle handle);
    // The mappings made through the handle go with it; what was derived from it stays.
    Result<> close(Handle handle);
    // The holder ends: whatever it derived or created is revoked everywhere, then its own handles are closed. No
    // insertions afterwards (bad_state). Blocks. Idempotent.
    void close_all();

    [[nodiscard]] std::uint64_t holder() const { return holder_; }
    [[nodiscard]] std::uint64_t used() const;                       // slots taken
    [[nodiscard]] mm::SpaceSet& spaces() const { return *spaces_; } // where its capabilities are used
    struct Checks {
        std::uint64_t granted, refused;
    };
    [[nodiscard]] Checks checks() const;

    Table(const Table&) = delete;

    Table(mm::OnHeap, Reservation charge, Ref<Payer> payer, Ref<mm::SpaceSet> spaces, Ref<PaidList> paid,
          std::uint64_t holder)
        : charge_(std::move(charge)), payer_(std::move(payer)), spaces_(std::move(spaces)), holder_(holder),
          paid_(std::move(paid)) {}
    ~Table();

private:
    friend struct DerivationTree;
    enum class SlotState : std::uint32_t { free, promised, used, revoked };
    struct Slot {
        Object* object;       // counted
        DerivationNode* node; // counted
        Rights rights;
        std::uint32_t generation; // of the handle that is or was here; 1 .. kLastGeneration
        SlotState state;
        std::uint32_t next_free;
        [[nodiscard]] bool is_taken() const { return state == SlotState::used || state == SlotState::revoked; }
    };
    static constexpr std::uint32_t kChunkSlots = 128;
    static constexpr std::uint32_t kMaxChunks = 512;
    static constexpr std::uint32_t kNoSlot = ~0u;
    static constexpr std::uint32_t kLastGeneration = 0x7fff'ffff;
    struct Chunk {
        Slot slots[kChunkSlots];
    };
    struct Taken { // what a slot held; dropped outside all locks
        Ref<Object> object;
        Ref<DerivationNode> node;
        Rights rights;
        bool was_mapped; // mappings may have been made through it
    };

    using SlotsGuard = sync::SpinLock<sync::Rank::cap_table>::Guard;
    // The object hears of a handle before it is there, and of its end if it does not come: a revocation that is faster
    // than we are must not take away what was never counted.
    class Announced {
    public:
        Announced() = default;
        Announced(Ref<Object> object, Rights rights) : object_(std::move(object)), rights_(rights) {
            object_->handle_added(rights_);
        }
        Announced(Announced&&) noexcept = default;
        Announced& operator=(Announced&&) noexcept = default; // only into an empty one
        ~Announced() {
            if (object_) object_->handle_removed(rights_);
        }
        explicit operator bool() const { return bool(object_); }
        void keep() { kept_ = std::exchange(object_, {}); } // the object itself is dropped outside the locks

    private:
        Ref<Object> object_, kept_;
        Rights rights_;
    };

    Result<Ref<DerivationNode>> make_node(Ref<DerivationNode> parent, Ref<Object> object, Rights rights);
    // Under the lock of its tree: below its parent and among what is paid. revoked; bad_state: the table has ended.
    Result<> link_locked(DerivationNode& node) AIOS_REQUIRES(node.tree_->lock);
    Result<> grow_locked() AIOS_REQUIRES(lock_);
    Result<> ensure_free_locked(std::uint32_t count) AIOS_REQUIRES(lock_);
    std::uint32_t promise_slot_locked() AIOS_REQUIRES(lock_); // one is free
    // Also under the lock of the node's tree.
    Handle fill_locked(std::uint32_t index, Ref<DerivationNode> node) AIOS_REQUIRES(lock_);
    Slot& slot_at(std::uint32_t index) AIOS_REQUIRES(lock_) {
        return chunks_[index / kChunkSlots]->slots[index % kChunkSlots];
    }
    Slot* find_locked(Handle handle) AIOS_REQUIRES(lock_);
    Taken free_slot_locked(Slot& slot, std::uint32_t index) AIOS_REQUIRES(lock_);
    // Revocation, under the derivation lock: the object goes to the node, the slot stays taken. Answers its reference.
    [[nodiscard]] Ref<DerivationNode> strip_slot(DerivationNode& node);
    [[nodiscard]] std::uint32_t slot_count() const;
    [[nodiscard]] Handle handle_at(std::uint32_t index) const; // kNoHandle if there is none
    [[nodiscard]] std::optional<Error> objection_locked(const Slot* slot, const Asked& asked) const
        AIOS_REQUIRES(lock_);
    // Empties the slot of a handle. `yes`: the node names this table until the caller has told the consequences.
    enum class NamesTable : std::uint8_t { no, yes };
    Result<Taken> take(Handle handle, NamesTable names_table);

    RefCount references_;
    Reservation charge_;
    Ref<Payer> payer_;
    const Ref<mm::SpaceSet> spaces_;
    const std::uint64_t holder_;
    const Ref<PaidList> paid_; // what it derived or created
    mutable sync::SpinLock<sync::Rank::cap_table> lock_;
    Chunk* chunks_[kMaxChunks] AIOS_GUARDED_BY(lock_) = {};
    std::uint32_t chunk_count_ AIOS_GUARDED_BY(lock_) = 0;
    std::uint32_t first_free_ AIOS_GUARDED_BY(lock_) = kNoSlot;
    std::uint32_t free_count_ AIOS_GUARDED_BY(lock_) = 0;
    std::uint32_t used_ AIOS_GUARDED_BY(lock_) = 0;
    bool closed_ AIOS_GUARDED_BY(lock_) = false;
    Checks checks_ AIOS_GUARDED_BY(lock_){0, 0};
};

} // namespace aios::cap
