// AddressSpace: faults. What is missing is filled, what is shared and written is copied; the answer says why it cannot
// be.
//
// A fault may find its work done (another thread was here first, or a CPU had an old entry): then it succeeds and the
// access is tried again. Anything else ends with an entry that allows the access, or with an error: an access cannot
// fault for ever.
#include <algorithm>
#include <cstring>

#include "base/bits.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/removal.hpp"

namespace aios::mm {

using arch::Protection;

namespace {

constexpr std::uint64_t kNeighbourhood = 16 * kPageSize; // aligned; a fault costs more than mapping what is there

Protection needed_for(AddressSpace::Access access) {
    switch (access) {
    case AddressSpace::Access::read:
        return Protection::read;
    case AddressSpace::Access::write:
        return Protection::write;
    case AddressSpace::Access::execute:
        return Protection::execute;
    }
    AIOS_UNREACHABLE();
}

// A source's frame is for areas that cannot be written through, now or after a change of protection.
Pages::Mapping mapping_of(const Area& area) {
    const bool may_change = area.kind == AreaKind::pages_shared && has(area.maximum, Protection::write);
    return may_change ? Pages::Mapping::changes : Pages::Mapping::looks;
}

void drop_reference(arch::PhysAddr frame) {
    if (is_managed_frame(frame)) release_frames(frame, 0);
}

} // namespace

Result<> AddressSpace::fault(std::uint64_t address, Access access) {
    Locked guard(*this);
    return fault_locked(address, access);
}

Result<> AddressSpace::fault_locked(std::uint64_t address, Access access) {
    mutex_.assert_held();
    const std::uint64_t page = align_down(address, kPageSize);
    Area* area = areas_.find(page);
    if (area == nullptr) area = grow_stack(page);
    if (area == nullptr || !has(area->protection, needed_for(access))) return fail(Error::bad_address);
    if (!area->is_good()) return fail(Error::bad_address); // the notice of its end is on its way
    switch (area->kind) {
    case AreaKind::anonymous:
        return fault_anonymous(*area, page, access);
    case AreaKind::pages_shared:
    case AreaKind::pages_private:
        return fault_pages(*area, page, access);
    case AreaKind::device:
        if (table_.query(page).mapped) return {};
        TRY(table_.map_device(page, {area->offset + (page - area->start)}, area->protection));
        ++resident_pages_;
        return {};
    }
    AIOS_UNREACHABLE();
}

// The stack above `page`, grown to include it; nullptr if there is none or it may not.
Area* AddressSpace::grow_stack(std::uint64_t page) {
    Area* above = areas_.first_from(page);
    if (above == nullptr || !above->grows_down) return nullptr;
    if (above->end - page > kMaxStackGrowth || page < arch::kUserLow + kStackGap) return nullptr;
    const Area* below = areas_.previous(*above);
    if (below != nullptr && below->end + kStackGap > page) return nullptr;
    const std::uint64_t more = above->start - page;
    if (above->charged_whole && !payer_->reserve(Resource::memory, more)) return nullptr;
    areas_.move_start(*above, page);
    mapped_bytes_ += more;
    return above;
}

Result<> AddressSpace::map_entry(std::uint64_t page, arch::PhysAddr frame, Protection protection) {
    TRY(table_.map(page, frame, protection));
    ++resident_pages_;
    return {};
}

// A page of this space's own where no entry is: zeros, or a copy.
Result<> AddressSpace::map_own_page(const Area& area, std::uint64_t page, const arch::PhysAddr* copy_of) {
    Reservation charge;
    if (!area.charged_whole) charge = TRY(Reservation::make(*payer_, Resource::memory, kPageSize));
    const arch::PhysAddr frame = TRY(allocate_frames(0));
    if (copy_of == nullptr) {
        zero_frame(frame);
    } else {
        copy_frame(frame, *copy_of);
    }
    const Result<> mapped = map_entry(page, frame, area.protection | Protection::owned);
    if (!mapped) {
        release_frames(frame, 0);
        return mapped;
    }
    if (!area.charged_whole) ++touch_charged_pages_;
    charge.keep();
    return {};
}

// A write to a page of a private area that has an entry without the right to write.
Result<> AddressSpace::write_to_shared_entry(const Area& area, std::uint64_t page,
                                             const arch::PageTable::Entry& entry) {
    const bool owned = has(entry.protection, Protection::owned);
    if (owned && frame_references(entry.frame) == 1) { // whoever shared it is gone
        table_.protect(page, area.protection | Protection::owned);
        return {};
    }
    const bool pays = !owned && !area.charged_whole;
    Reservation charge;
    if (pays) charge = TRY(Reservation::make(*payer_, Resource::memory, kPageSize));
    const arch::PhysAddr frame = TRY(allocate_frames(0));
    copy_frame(frame, entry.frame);
    const Result<> mapped = table_.map(page, frame, area.protection | Protection::owned); // in place of the old entry
    AIOS_ASSERT(mapped.has_value());                                                      // its tables exist
    if (pays) ++touch_charged_pages_;
    charge.keep();
    Removal removal(table_);
    removal.add_frame(page, entry.frame);
    return {};
}

Result<> AddressSpace::fault_anonymous(Area& area, std::uint64_t page, Access access) {
    const arch::PageTable::Entry entry = table_.query(page);
    if (!entry.mapped) return map_own_page(area, page, nullptr);
    if (access == Access::write && !has(entry.protection, Protection::write))
        return write_to_shared_entry(area, page, entry);
    return {};
}

Result<> AddressSpace::fault_pages(Area& area, std::uint64_t page, Access access) {
    const bool is_private = area.kind == AreaKind::pages_private;
    const arch::PageTable::Entry entry = table_.query(page);
    if (entry.mapped) {
        if (is_private && access == Access::write && !has(entry.protection, Protection::write))
            return write_to_shared_entry(area, page, entry);
        return {};
    }
    const Result<Pages::Mapped> found = area.pages->page_for_mapping(area.page_index(page), mapping_of(area));
    if (!found) return fail(found.error() == Error::bad_argument ? Error::bad_address : found.error());
    const arch::PhysAddr* const frame = &found->frame;
    if (found->is_cut) { // the access is tried again when everybody has been told
        cut_ = area.pages;
        drop_reference(*frame);
        return {};
    }
    if (is_private && access == Access::write) {
        const Result<> mapped = map_own_page(area, page, frame);
        drop_reference(*frame);
        return mapped;
    }
    const Result<> mapped =
        map_entry(page, *frame, is_private ? area.protection & ~Protection::write : area.protection);
    if (!mapped) {
        drop_reference(*frame);
        return mapped;
    }
    map_neighbours(area, page);
    return {};
}

// Pages around a fault that need no filling and no checking are mapped with it.
void AddressSpace::map_neighbours(const Area& area, std::uint64_t page) {
    const std::uint64_t low = std::max(area.start, align_down(page, kNeighbourhood));
    const std::uint64_t high = std::min(area.end, align_down(page, kNeighbourhood) + kNeighbourhood);
    const Protection protection =
        area.kind == AreaKind::pages_private ? area.protection & ~Protection::write : area.protection;
    arch::PhysAddr frames[kNeighbourhood / kPageSize];
    area.pages->ready_for_mapping(area.page_index(low), (high - low) / kPageSize, mapping_of(area), frames);
    for (std::uint64_t at = low; at < high; at += kPageSize) {
        const arch::PhysAddr frame = frames[(at - low) / kPageSize];
        if (frame.value == Pages::kAbsent) continue;
        if (at == page || table_.query(at).mapped || !map_entry(at, frame, protection)) drop_reference(frame);
    }
}

// --- copies by the kernel --------------------------------------------------------------------------------------------

template <typename F>
Result<> AddressSpace::for_each_byte_run(std::uint64_t address, std::size_t bytes, Access access, F&& copy) {
    if (bytes > arch::kUserHigh || address > arch::kUserHigh - bytes) return fail(Error::bad_address);
    while (bytes != 0) {
        const std::uint64_t in_page = address % kPageSize;
        const std::size_t piece = std::min<std::size_t>(bytes, kPageSize - in_page);
        {
            Locked guard(*this);
            TRY(fault_locked(address, access));
            const Area* area = areas_.find(address);
            if (area->kind == AreaKind::device) return fail(Error::bad_address);
            const arch::PageTable::Entry entry = table_.query(address - in_page);
            if (!entry.mapped) continue; // once more, without the mutex in between
            copy(static_cast<std::byte*>(arch::physmap(entry.frame)) + in_page, piece);
        }
        address += piece;
        bytes -= piece;
    }
    return {};
}

Result<> AddressSpace::read(std::uint64_t address, void* to, std::size_t bytes) {
    auto* target = static_cast<std::byte*>(to);
    return for_each_byte_run(address, bytes, Access::read, [&](const std::byte* from, std::size_t size) {
        std::memcpy(target, from, size);
        target += size;
    });
}

Result<> AddressSpace::write(std::uint64_t address, const void* from, std::size_t bytes) {
    const auto* source = static_cast<const std::byte*>(from);
    return for_each_byte_run(address, bytes, Access::write, [&](std::byte* to, std::size_t size) {
        std::memcpy(to, source, size);
        source += size;
    });
}

} // namespace aios::mm
