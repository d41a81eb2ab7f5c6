// AddressSpace: changing what is mapped: entries taken away, protection, discarding.
#include <algorithm>

#include "base/bits.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/removal.hpp"
#include "kernel/mm/spares.hpp"

namespace aios::mm {

using arch::Protection;

// Takes the entries of [from, to), which lies in `area`; gives per-page charges back.
void AddressSpace::remove_entries(const Area& area, std::uint64_t from, std::uint64_t to, Which which,
                                  Removal& removal) {
    std::uint64_t charged_pages = 0;
    for (std::uint64_t at = from; (at = table_.next_mapped(at, to)) < to; at += kPageSize) {
        if (which == Which::not_owned && has(table_.query(at).protection, Protection::owned)) continue;
        const arch::PageTable::Removed removed = table_.unmap(at);
        AIOS_ASSERT(removed.was_mapped);
        --resident_pages_;
        if (has(removed.protection, Protection::owned) && !area.charged_whole) ++charged_pages;
        if (area.kind == AreaKind::device) {
            removal.add_address(at);
        } else {
            removal.add_frame(at, removed.frame);
        }
    }
    touch_charged_pages_ -= charged_pages;
    if (charged_pages != 0) payer_->give_back(Resource::memory, charged_pages * kPageSize);
}

// Brings the entries of a whole area in line with its protection.
void AddressSpace::protect_entries(const Area& area, Removal& flush) {
    for (std::uint64_t at = area.start; (at = table_.next_mapped(at, area.end)) < area.end; at += kPageSize) {
        const arch::PageTable::Entry entry = table_.query(at);
        const bool owned = has(entry.protection, Protection::owned);
        Protection wanted = area.protection | (owned ? Protection::owned : Protection::none);
        // A page that somebody else sees stays read-only in a private area: the write fault copies it.
        if (area.is_private() && (!owned || frame_references(entry.frame) != 1)) wanted = wanted & ~Protection::write;
        if (wanted == entry.protection) continue;
        table_.protect(at, wanted);
        if ((entry.protection & ~wanted) != Protection::none) flush.add_address(at); // a right was lost
    }
}

Result<> AddressSpace::protect(std::uint64_t address, std::uint64_t bytes, Protection protection) {
    if (!is_aligned(address, kPageSize)) return fail(Error::bad_argument);
    if (bytes == 0) return {};
    if (!arch::is_user_range(address, bytes)) return fail(Error::bad_address);
    const std::uint64_t end = address + align_up(bytes, kPageSize);
    protection = protection & (Protection::read | Protection::write | Protection::execute);
    if (protection != Protection::none) protection = protection | Protection::read;

    Locked guard(*this);
    Area* first = areas_.find(address);
    if (first == nullptr) return fail(Error::bad_address);
    unsigned splits = first->start < address ? 1 : 0;
    for (Area* area = first;; area = areas_.next(*area)) {
        if (!may_have(*area, protection)) return fail(Error::missing_right);
        if (area->end > end) ++splits;
        if (area->end >= end) break;
        const Area* next = areas_.next(*area);
        if (next == nullptr || next->start != area->end) return fail(Error::bad_address);
    }
    Spares spares(*this);
    TRY(spares.add(splits));

    Removal flush(table_);
    for (Area* area = first; area != nullptr && area->start < end;) {
        if (area->protection == protection) {
            area = areas_.next(*area);
            continue;
        }
        if (area->start < address) {
            Area& upper = spares.take();
            split_area(*area, address, upper);
            area = &upper;
        }
        if (area->end > end) split_area(*area, end, spares.take());
        area->protection = protection;
        protect_entries(*area, flush);
        area = areas_.next(merge_around(*area));
    }
    return {};
}

Result<> AddressSpace::set_at_fork(std::uint64_t address, std::uint64_t bytes, AtFork at_fork) {
    if (!is_aligned(address, kPageSize)) return fail(Error::bad_argument);
    if (bytes == 0) return {};
    if (!arch::is_user_range(address, bytes)) return fail(Error::bad_address);
    const std::uint64_t end = address + align_up(bytes, kPageSize);
    Locked guard(*this);
    Area* const first = areas_.find(address);
    if (first == nullptr) return fail(Error::bad_address);
    unsigned splits = first->start < address ? 1 : 0;
    for (Area* area = first;; area = areas_.next(*area)) {
        if (at_fork == AtFork::emptied && area->kind != AreaKind::anonymous) return fail(Error::bad_argument);
        if (area->end > end) ++splits;
        if (area->end >= end) break;
        const Area* next = areas_.next(*area);
        if (next == nullptr || next->start != area->end) return fail(Error::bad_address);
    }
    Spares spares(*this);
    TRY(spares.add(splits));
    for (Area* area = first; area != nullptr && area->start < end;) {
        if (area->at_fork == at_fork) {
            area = areas_.next(*area);
            continue;
        }
        if (area->start < address) {
            Area& upper = spares.take();
            split_area(*area, address, upper);
            area = &upper;
        }
        if (area->end > end) split_area(*area, end, spares.take());
        area->at_fork = at_fork;
        area = areas_.next(merge_around(*area));
    }
    return {};
}

Result<> AddressSpace::discard(std::uint64_t address, std::uint64_t bytes) {
    if (!is_aligned(address, kPageSize)) return fail(Error::bad_argument);
    if (bytes == 0) return {};
    if (!arch::is_user_range(address, bytes)) return fail(Error::bad_address);
    const std::uint64_t end = address + align_up(bytes, kPageSize);
    Locked guard(*this);
    Removal removal(table_);
    std::uint64_t covered_to = address;
    bool has_hole = false;
    for (Area* area = areas_.first_from(address); area != nullptr && area->start < end; area = areas_.next(*area)) {
        has_hole = has_hole || area->start > covered_to;
        covered_to = area->end;
        remove_entries(*area, std::max(area->start, address), std::min(area->end, end), Which::all, removal);
    }
    if (has_hole || covered_to < end) return fail(Error::bad_address);
    return {};
}

} // namespace aios::mm
