// SpaceSet: the address spaces in which one capability table is used: those of its agent's processes. Whoever ends a
// capability finds through it the spaces that must look at their mappings again. Charged with the table. A space joins
// when its process is made, and leaves when it is destroyed. Lock: Rank::space_set, held for one step of the tree alone.
#pragma once

#include "base/intrusive_tree.hpp"
#include "kernel/mm/mm.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::mm {

class AddressSpace;

// A space's place in a set, in the order of joining.
struct SpaceMember {
    TreeNode node;
    std::uint64_t number = 0;
    AddressSpace* space = nullptr;
};

class SpaceSet {
public:
    static Result<Ref<SpaceSet>> create(Payer& payer) {
        Reservation charge = TRY(Reservation::make(payer, Resource::memory, cost_of<SpaceSet>));
        return Ref<SpaceSet>::adopt(TRY(make<SpaceSet>(std::move(charge))));
    }
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) destroy(this);
    }
    // AddressSpace::notice() for every member. What joins later looks for itself. Waits for no thread.
    void notice();

    SpaceSet(const SpaceSet&) = delete;

    SpaceSet(OnHeap, Reservation charge) : charge_(std::move(charge)) {}
    ~SpaceSet() = default;

private:
    friend class AddressSpace;
    void add(SpaceMember& member);
    void remove(SpaceMember& member);
    Ref<AddressSpace> next(std::uint64_t& after); // the member behind number `after`, which moves on

    RefCount references_;
    Reservation charge_;
    sync::SpinLock<sync::Rank::space_set> lock_;
    IntrusiveTree<SpaceMember, &SpaceMember::node, &SpaceMember::number> members_ AIOS_GUARDED_BY(lock_);
    std::uint64_t last_number_ AIOS_GUARDED_BY(lock_) = 0;
};

} // namespace aios::mm
