// AddressSpace: mappings that others end: revocation and truncation. Whoever ends them never waits for this space's
// mutex, which its threads may keep busy for as long as they like. The protocol:
//
//   1. The ender makes the change visible first: the authority of the mappings is closed or dead, or the Pages have
//      forgotten frames and counted a cut. From here on no fault and no call makes an entry that should not be there.
//   2. notice(): it counts `noticed_` up. The space is unsettled while `settled_` differs.
//   3. notice(): it sends an interrupt to every CPU that runs the space and waits for the answers. No thread enters or
//      goes on with user mode, begins a copy to or from user memory, or goes on with one after an interrupt or a fault,
//      while its space is unsettled (kernel/entry/upcalls.cpp): it calls settle() first. A CPU that begins to run the
//      space after the interrupts were sent set its bit in the page table's mask before it looked, so it sees 2.
//      So when the answers are there, nobody in this space uses what the ender took away.
//   4. notice(): it tries the mutex. If it is free, the ender takes the entries away itself (sweep). If not, whoever
//      holds it does so when it lets go (leave), since the ender's count was there before its try failed.
//   5. sweep(): reads `noticed_`, takes away all mappings without authority and all entries of cut Pages, flushes every
//      CPU, drops the frames, and only then writes what it had read to `settled_`. A change that came meanwhile has
//      counted on, and is swept by whoever leaves next.
//
// Mappings that are moved, split or merged meanwhile cannot be missed: that happens under the mutex, and the sweep
// looks at the areas that there are, each of which names its authority and the cuts that it has followed.
#include <utility>

#include "kernel/mm/address_space.hpp"
#include "kernel/mm/removal.hpp"
#include "kernel/mm/spares.hpp"

namespace aios::mm {

void AddressSpace::leave() {
    const Ref<Pages> cut = std::move(cut_);
    for (;;) {
        if (!is_settled()) sweep(); // 5
        mutex_.release();
        // 4. A notice that came too late for the sweep, and found the mutex taken, left the work to us. It counted before it
        // tried, we let go before we look, and all four are sequentially consistent (mutex.cpp): so it found the mutex free
        // or we find its count. If somebody has taken the mutex since, the work is theirs.
        if (is_settled() || !mutex_.try_acquire()) break;
    }
    if (cut) cut->tell_own(); // comes back here at most once: no fault happens there
}

void AddressSpace::sweep() {
    // First: what is counted from here on is not claimed to be done. seq_cst: pairs with the count in notice(), before which
    // the ender made its change visible (1).
    const std::uint64_t noticed = noticed_.load(std::memory_order_seq_cst);
    Spares none(*this); // whole areas go: nothing splits
    Removal removal(table_);
    for (Area* area = watched_.front(); area != nullptr;) {
        Area* next = watched_.next(*area);
        if (area->authority && !area->authority->is_held()) {
            remove_and_give_back(area->start, area->end, none);
        } else if (const std::uint64_t cuts = area->pages ? area->pages->cuts() : 0; area->cuts != cuts) {
            // Which pages were cut does not matter: those that are there are mapped again when they are touched.
            remove_entries(*area, area->start, area->end, Which::not_owned, removal);
            area->cuts = cuts;
        }
        area = next;
    }
    removal.commit();                                   // flushed everywhere, the frames dropped
    settled_.store(noticed, std::memory_order_release); // pairs with the acquire in is_settled()
}

void AddressSpace::settle() { Locked guard(*this); } // the work is done on the way out

void AddressSpace::notice() {
    noticed_.fetch_add(1, std::memory_order_seq_cst); // 2
    // 3.
    root_table().flush(arch::kUserLow,
                       1);             // for its interrupts and answers: one entry more or less in a TLB costs nothing
    if (mutex_.try_acquire()) leave(); // 4
}

void AddressSpace::enter(SpaceSet& set) {
    if (processes_.fetch_add(1, std::memory_order_relaxed) != 0) { // whoever is inside lets the next one in
        AIOS_ASSERT(set_.get() == &set);
        return;
    }
    AIOS_ASSERT(!set_);
    set_ = Ref<SpaceSet>::share(set);
    member_.space = this;
    set.add(member_);
    noticed_.fetch_add(1, std::memory_order_seq_cst); // for what ended before it was a member
}

// acq_rel: the last one sees what the others did.
void AddressSpace::leave_for_good() {
    if (processes_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy_mappings();
}

// --- the set ---------------------------------------------------------------------------------------------------------

void SpaceSet::add(SpaceMember& member) {
    sync::SpinLock<sync::Rank::space_set>::Guard guard(lock_);
    member.number = ++last_number_;
    members_.insert(member);
}

void SpaceSet::remove(SpaceMember& member) {
    sync::SpinLock<sync::Rank::space_set>::Guard guard(lock_);
    members_.erase(member);
}

Ref<AddressSpace> SpaceSet::next(std::uint64_t& after) {
    sync::SpinLock<sync::Rank::space_set>::Guard guard(lock_);
    const SpaceMember* member = members_.upper_bound(after);
    // A member that is being destroyed is not used any more. It waits for this lock before it is gone.
    while (member != nullptr && !member->space->try_retain())
        member = members_.next(*member);
    if (member == nullptr) return {};
    after = member->number;
    return Ref<AddressSpace>::adopt(member->space);
}

void SpaceSet::notice() {
    std::uint64_t last = 0;
    while (Ref<AddressSpace> space = next(last))
        space->notice();
}

} // namespace aios::mm
