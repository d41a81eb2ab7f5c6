// AddressSpace: fork. The child gets the same areas; pages that are the parent's own are shared read-only by reference
// and copied by whoever writes first. The child pays for its pages from the start, so a later copy needs no further
// charge.
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/removal.hpp"
#include "kernel/mm/spares.hpp"

namespace aios::mm {

using arch::Protection;

// The child's lock is not taken: nobody sees the child before publish(). It has then no entries for contents of Pages, so a cut that came before has nothing to take from it; and what was
// revoked before it joins a set is looked for when it does.
Result<Ref<AddressSpace>> AddressSpace::clone_copy_on_write(Payer& payer) {
    Ref<AddressSpace> child = TRY(create(payer, jit_));
    TRY(clone_areas(*child, payer));
    child->publish();
    return child;
}

Result<> AddressSpace::clone_areas(AddressSpace& child_space, Payer& payer) {
    AddressSpace* child = &child_space;
    Locked guard(*this);
    child->top_ = top_;
    child->search_from_ = search_from_;
    Removal flush(table_); // committed on every way out
    for (Area* area = areas_.first_from(0); area != nullptr; area = areas_.next(*area)) {
        if (area->at_fork == AtFork::left_out) continue;
        Area* copy = TRY(child->make_area());
        copy->copy_nature(*area);
        copy->start = area->start;
        copy->end = area->end;
        copy->offset = area->offset;
        if (area->charged_whole) {
            const Result<> charged = payer.reserve(Resource::memory, area->bytes());
            if (!charged) {
                child->destroy_area(*copy);
                return fail(charged.error());
            }
        }
        copy->window.space = child;
        child->areas_.insert(*copy);
        child->mapped_bytes_ += area->bytes();
        if (area->is_private() && area->at_fork == AtFork::copied) TRY(clone_entries(*area, *child, flush));
    }
    return {};
}

void AddressSpace::publish() {
    Locked guard(*this);
    for (Area* area = areas_.first_from(0); area != nullptr; area = areas_.next(*area)) {
        if (area->pages) area->pages->add_window(area->window);
        if (is_watched(*area)) watched_.push_back(*area);
    }
}

Result<> AddressSpace::clone_entries(const Area& area, AddressSpace& child, Removal& flush) {
    for (std::uint64_t at = area.start; (at = table_.next_mapped(at, area.end)) < area.end; at += kPageSize) {
        const arch::PageTable::Entry entry = table_.query(at);
        if (!has(entry.protection, Protection::owned)) continue; // the child's own fault maps it again
        Reservation charge;
        if (!area.charged_whole) charge = TRY(Reservation::make(*child.payer_, Resource::memory, kPageSize));
        const Protection shared = entry.protection & ~Protection::write;
        TRY(child.map_entry(at, entry.frame, shared));
        retain_frame(entry.frame);
        if (!area.charged_whole) ++child.touch_charged_pages_;
        charge.keep();
        if (shared == entry.protection) continue;
        table_.protect(at, shared);
        flush.add_address(at);
    }
    return {};
}

} // namespace aios::mm
