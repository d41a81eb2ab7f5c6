// AddressSpace: pages that leave it in a grant, and pages that come. Only anonymous memory is granted, and only into
// anonymous memory: such pages are their space's own, so no authority and no contents of others travel with them.
//
// What holds for the receiver, who must never see a change:
//   (1) grant() takes the right to write, or the whole entry, out of the page table under the mutex, and then flushes every
//       CPU that runs the space. When it returns no CPU can write to a frame of the grant through this space. The kernel's
//       own copies go through the same entries, or hold the mutex (AddressSpace::write).
//   (2) Each frame has the grant's reference besides that of an entry which is left. A write fault copies a frame that has
//       another reference, and the mutex under which it looks keeps references of this space's entries from being added.
//   (3) accept() gives the right to write only for a frame without another reference: then no other entry refers to it, and
//       none can, as a reference is added only by who has one.
#include <algorithm>

#include "base/bits.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/removal.hpp"

namespace aios::mm {

using arch::PageTable;
using arch::Protection;

// The area that the whole range lies in, if it may be granted, or granted into: anonymous memory with these rights.
Result<Area*> AddressSpace::own_memory_locked(std::uint64_t address, std::uint64_t bytes, Protection needed) {
    mutex_.assert_held();
    if (!is_aligned(address, kPageSize)) return fail(Error::bad_argument);
    if (!arch::is_user_range(address, bytes)) return fail(Error::bad_address);
    Area* area = areas_.find(address);
    if (area == nullptr || area->end - address < bytes || area->kind != AreaKind::anonymous ||
        (area->protection & needed) != needed)
        return fail(Error::bad_address);
    return area;
}

Result<Owned<Grant>> AddressSpace::grant(std::uint64_t address, std::uint32_t pages, PageMode mode) {
    const std::uint64_t bytes = pages * kPageSize;
    Owned<Grant> grant = TRY(Grant::create(*payer_, pages)); // before the mutex: it is ended under none
    Locked guard(*this);
    // Who gives pages away changes the range, as a writer does.
    const Protection needed = mode == PageMode::moved ? Protection::read | Protection::write : Protection::read;
    const Area* const area = TRY(own_memory_locked(address, bytes, needed));
    if (!grants_) grants_ = TRY(GrantRoll::create(*payer_));
    grant->enroll(grants_);

    PageTable::Entry entries[Grant::kMostPages] = {};
    const std::span<PageTable::Entry> range(entries, pages);
    const bool lost_a_right = mode == PageMode::moved ? table_.exchange(address, range) : table_.freeze(address, range);
    if (lost_a_right) table_.flush(address, pages); // (1)
    std::uint64_t there = 0;
    for (std::uint32_t i = 0; i < pages; ++i) {
        if (!entries[i].mapped) continue;
        ++there;
        grant->frames[i] = entries[i].frame;
        if (mode == PageMode::frozen) retain_frame(entries[i].frame); // (2)
    }
    if (mode == PageMode::moved) {
        resident_pages_ -= there;
        if (!area->charged_whole) {
            touch_charged_pages_ -= there;
            payer_->give_back(Resource::memory, there * kPageSize); // the grant is charged with them by now
        }
    }
    return grant;
}

Result<> AddressSpace::accept(Grant& grant, std::uint64_t address) {
    const std::uint32_t pages = grant.pages();
    Locked guard(*this);
    const Area* const area = TRY(own_memory_locked(address, pages * kPageSize, Protection::read | Protection::write));
    TRY(table_.prepare(address, pages));
    PageTable::Entry entries[Grant::kMostPages] = {};
    std::uint64_t coming = 0;
    for (std::uint32_t i = 0; i < pages; ++i) {
        if (grant.frames[i] == Grant::kUntouched) continue;
        ++coming;
        Protection protection = area->protection | Protection::owned;
        if (frame_references(grant.frames[i]) != 1) protection = protection & ~Protection::write; // (3)
        entries[i] = {true, grant.frames[i], protection};
    }
    Reservation charge; // of pages that are paid for when they are there: all that come, until those that go are known
    if (!area->charged_whole) charge = TRY(Reservation::make(*payer_, Resource::memory, coming * kPageSize));

    // Nothing fails from here on. The references go with the entries.
    static_cast<void>(table_.exchange(address, {entries, pages}));
    for (std::uint32_t i = 0; i < pages; ++i)
        grant.frames[i] = Grant::kUntouched;
    charge.keep();
    Removal removal(table_);
    std::uint64_t going = 0;
    for (std::uint32_t i = 0; i < pages; ++i) {
        if (!entries[i].mapped) continue;
        ++going;
        removal.add_frame(address + i * kPageSize, entries[i].frame);
    }
    resident_pages_ += coming;
    resident_pages_ -= going;
    if (!area->charged_whole) {
        touch_charged_pages_ += coming;
        touch_charged_pages_ -= going;
        payer_->give_back(Resource::memory, going * kPageSize);
    }
    return {};
}

} // namespace aios::mm
