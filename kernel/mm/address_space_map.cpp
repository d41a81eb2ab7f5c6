// AddressSpace: making and taking away mappings. Every operation decodes its arguments, reserves areas and charges, and
// then changes the space without a way to fail.
#include <algorithm>

#include "base/bits.hpp"
#include "base/checked.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/removal.hpp"
#include "kernel/mm/spares.hpp"

namespace aios::mm {

using arch::Protection;

namespace {

constexpr Protection kAllRights = Protection::read | Protection::write | Protection::execute;

// The processor cannot write or execute without reading.
Protection with_read(Protection protection) {
    protection = protection & kAllRights;
    return protection == Protection::none ? protection : protection | Protection::read;
}

// Sizes in pages; nothing that is asked for may be empty or larger than user space.
Result<std::uint64_t> page_bytes(std::uint64_t bytes) {
    if (bytes == 0) return fail(Error::bad_argument);
    if (bytes > arch::kUserHigh) return fail(Error::bad_address);
    return align_up(bytes, kPageSize);
}

} // namespace

bool AddressSpace::may_have(const Area& area, Protection protection) const {
    const bool writes_and_executes = has(protection, Protection::write) && has(protection, Protection::execute);
    return (protection & area.maximum) == protection && (jit_ == Jit::yes || !writes_and_executes);
}

// --- making ----------------------------------------------------------------------------------------------------------

Result<std::uint64_t> AddressSpace::map(Ref<Pages> pages, std::uint64_t offset, std::uint64_t bytes,
                                        Protection protection, Sharing sharing, const MapOptions& options) {
    if (!pages || !is_aligned(offset, kPageSize) || options.grows_down) return fail(Error::bad_argument);
    if (offset > Pages::kMaxPages * kPageSize || bytes > Pages::kMaxPages * kPageSize) return fail(Error::bad_argument);
    Area nature;
    nature.kind = sharing == Sharing::shared ? AreaKind::pages_shared : AreaKind::pages_private;
    nature.protection = with_read(protection);
    nature.maximum = with_read(options.maximum);
    if (sharing == Sharing::shared && !pages->is_changeable()) nature.maximum = nature.maximum & ~Protection::write;
    nature.authority = options.authority;
    nature.label = options.label;
    nature.offset = offset;
    nature.pages = std::move(pages);
    return insert_mapping(nature, bytes, options);
}

Result<std::uint64_t> AddressSpace::map_anonymous(std::uint64_t bytes, Protection protection, ChargeWhen when,
                                                  const MapOptions& options) {
    Area nature;
    nature.protection = with_read(protection);
    nature.maximum = with_read(options.maximum);
    nature.grows_down = options.grows_down;
    nature.charged_whole = when == ChargeWhen::at_once;
    return insert_mapping(nature, bytes, options);
}

Result<std::uint64_t> AddressSpace::map_device(arch::PhysAddr base, std::uint64_t bytes, Protection protection,
                                               Ref<Authority> authority) {
    if (!is_aligned(base.value, kPageSize) || has(protection, Protection::execute)) return fail(Error::bad_argument);
    Area nature;
    nature.kind = AreaKind::device;
    nature.protection = with_read(protection);
    nature.maximum = nature.protection;
    nature.offset = base.value;
    nature.authority = std::move(authority);
    return insert_mapping(nature, bytes, {});
}

Result<std::uint64_t> AddressSpace::insert_mapping(Area& nature, std::uint64_t bytes, const MapOptions& options) {
    bytes = TRY(page_bytes(bytes));
    if (!may_have(nature, nature.protection)) return fail(Error::missing_right);
    if (!is_aligned(options.address, kPageSize)) return fail(Error::bad_argument);
    Locked guard(*this);
    const std::uint64_t address = TRY(choose_place(bytes, options));
    Spares spares(*this);
    TRY(spares.add(1 + splits_of(address, address + bytes)));
    // If it ends from here on, whoever ends it sees that it was used to map, and notices this space.
    if (nature.authority && !nature.authority->admit_mapping()) return fail(Error::revoked);
    if (nature.charged_whole) TRY(payer_->reserve(Resource::memory, bytes));

    remove_and_give_back(address, address + bytes, spares);
    Area& area = spares.take();
    area.copy_nature(nature);
    area.start = address;
    area.end = address + bytes;
    area.offset = nature.offset;
    if (area.pages) area.cuts = area.pages->cuts(); // it has no entries yet
    link_area(area);
    mapped_bytes_ += bytes;
    merge_around(area);
    return address;
}

Result<std::uint64_t> AddressSpace::choose_place(std::uint64_t bytes, const MapOptions& options) {
    if (options.fixed) {
        if (!arch::is_user_range(options.address, bytes)) return fail(Error::bad_address);
        if (options.no_replace && !areas_.is_free(options.address, options.address + bytes))
            return fail(Error::already_exists);
        return options.address;
    }
    if (options.address != 0 && arch::is_user_range(options.address, bytes) &&
        areas_.find_gap(bytes, options.address, options.address + bytes) == options.address)
        return options.address;
    // Downwards from the last place; then everything below the top; then what is above it.
    for (const std::uint64_t below : {search_from_, top_, arch::kUserHigh}) {
        const std::optional<std::uint64_t> place = areas_.find_gap(bytes, arch::kUserLow, below);
        if (!place) continue;
        if (*place < top_) search_from_ = *place;
        return *place;
    }
    return fail(Error::bad_address);
}

// --- taking away -----------------------------------------------------------------------------------------------------

// How many areas remove_range(from, to) needs: one if the range lies inside an area and leaves both its ends.
unsigned AddressSpace::splits_of(std::uint64_t from, std::uint64_t to) const {
    const Area* area = areas_.find(from);
    return area != nullptr && area->start < from && to < area->end ? 1 : 0;
}

// Answers the bytes of whole charges that are free now.
std::uint64_t AddressSpace::remove_range(std::uint64_t from, std::uint64_t to, Spares& spares) {
    Removal removal(table_);
    std::uint64_t give_back = 0;
    for (Area* area = areas_.first_from(from); area != nullptr && area->start < to;) {
        Area* next = areas_.next(*area);
        const std::uint64_t low = std::max(area->start, from);
        const std::uint64_t high = std::min(area->end, to);
        remove_entries(*area, low, high, Which::all, removal);
        if (area->charged_whole) give_back += high - low;
        mapped_bytes_ -= high - low;
        const bool keeps_lower = area->start < low, keeps_upper = high < area->end;
        if (!keeps_lower && !keeps_upper) {
            if (area->pages) removal.commit(); // who finds no window on Pages may count on no CPU seeing them
            unlink_area(*area);
            destroy_area(*area);
        } else if (keeps_lower && keeps_upper) {
            split_area(*area, high, spares.take());
            area->end = low;
        } else if (keeps_upper) {
            area->offset += high - low;
            areas_.move_start(*area, high);
        } else {
            area->end = low;
        }
        area = next;
    }
    removal.commit();
    // The next search starts above the hole.
    if (from < top_) {
        const Area* above = areas_.first_from(from);
        const std::uint64_t end =
            above == nullptr ? top_ : std::min(top_, std::max(to, AreaSet::reserved_start(*above)));
        search_from_ = std::max(search_from_, std::min(end, top_));
    }
    return give_back;
}

void AddressSpace::remove_and_give_back(std::uint64_t from, std::uint64_t to, Spares& spares) {
    if (const std::uint64_t bytes = remove_range(from, to, spares)) payer_->give_back(Resource::memory, bytes);
}

Result<> AddressSpace::unmap(std::uint64_t address, std::uint64_t bytes) {
    if (!is_aligned(address, kPageSize)) return fail(Error::bad_argument);
    bytes = TRY(page_bytes(bytes));
    if (!arch::is_user_range(address, bytes)) return fail(Error::bad_argument);
    Locked guard(*this);
    Spares spares(*this);
    TRY(spares.add(splits_of(address, address + bytes)));
    remove_and_give_back(address, address + bytes, spares);
    return {};
}

// --- changing size and place -----------------------------------------------------------------------------------------

Result<std::uint64_t> AddressSpace::remap(std::uint64_t address, std::uint64_t old_bytes, std::uint64_t new_bytes,
                                          MayMove may_move) {
    if (!is_aligned(address, kPageSize)) return fail(Error::bad_argument);
    old_bytes = TRY(page_bytes(old_bytes));
    new_bytes = TRY(page_bytes(new_bytes));
    if (!arch::is_user_range(address, old_bytes)) return fail(Error::bad_address);
    Locked guard(*this);
    Area* const area = TRY(movable_locked(address, old_bytes));
    if (new_bytes <= old_bytes) {
        if (new_bytes == old_bytes) return address;
        Spares spares(*this);
        TRY(spares.add(splits_of(address + new_bytes, address + old_bytes)));
        remove_and_give_back(address + new_bytes, address + old_bytes, spares);
        return address;
    }
    const bool ends_there = area->end == address + old_bytes && arch::is_user_range(address, new_bytes);
    if (ends_there && areas_.find_gap(new_bytes - old_bytes, area->end, address + new_bytes) == area->end)
        return grow_in_place(*area, address, new_bytes);
    if (may_move == MayMove::no) return fail(Error::bad_address);
    return move_mapping(*area, address, old_bytes, new_bytes, {}, Leaves::nothing);
}

// The area that holds all of the range, if it is of a kind that can be moved.
Result<Area*> AddressSpace::movable_locked(std::uint64_t address, std::uint64_t bytes) {
    mutex_.assert_held();
    Area* const area = areas_.find(address);
    if (area == nullptr || area->end - address < bytes) return fail(Error::bad_address);
    if (area->grows_down || area->kind == AreaKind::device) return fail(Error::bad_argument);
    return area;
}

Result<> AddressSpace::move_to(std::uint64_t address, std::uint64_t old_bytes, std::uint64_t new_bytes,
                               std::uint64_t target, Leaves leaves) {
    if (!is_aligned(address, kPageSize) || !is_aligned(target, kPageSize)) return fail(Error::bad_argument);
    old_bytes = TRY(page_bytes(old_bytes));
    new_bytes = TRY(page_bytes(new_bytes));
    if (!arch::is_user_range(address, old_bytes)) return fail(Error::bad_address);
    if (!arch::is_user_range(target, new_bytes)) return fail(Error::bad_address);
    if (target < address + old_bytes && address < target + new_bytes) return fail(Error::bad_argument);
    Locked guard(*this);
    TRY(movable_locked(address, old_bytes));
    Spares spares(*this);
    TRY(spares.add(1 + splits_of(target, target + new_bytes)));
    if (new_bytes < old_bytes) remove_and_give_back(address + new_bytes, address + old_bytes, spares);
    remove_and_give_back(target, target + new_bytes, spares);
    old_bytes = std::min(old_bytes, new_bytes);
    Area* const area = TRY(movable_locked(address, old_bytes)); // it may have been split
    MapOptions there;
    there.address = target;
    there.fixed = true;
    TRY(move_mapping(*area, address, old_bytes, new_bytes, there, leaves));
    return {};
}

Result<std::uint64_t> AddressSpace::move_away(std::uint64_t address, std::uint64_t bytes) {
    if (!is_aligned(address, kPageSize)) return fail(Error::bad_argument);
    bytes = TRY(page_bytes(bytes));
    if (!arch::is_user_range(address, bytes)) return fail(Error::bad_address);
    Locked guard(*this);
    Area* const area = TRY(movable_locked(address, bytes));
    return move_mapping(*area, address, bytes, bytes, {}, Leaves::empty);
}

Result<std::uint64_t> AddressSpace::grow_in_place(Area& area, std::uint64_t address, std::uint64_t new_bytes) {
    const std::uint64_t more = address + new_bytes - area.end;
    if (area.charged_whole) TRY(payer_->reserve(Resource::memory, more));
    area.end += more;
    mapped_bytes_ += more;
    merge_around(area);
    return address;
}

Result<std::uint64_t> AddressSpace::move_mapping(Area& area, std::uint64_t address, std::uint64_t old_bytes,
                                                 std::uint64_t new_bytes, const MapOptions& where, Leaves leaves) {
    const std::uint64_t target = TRY(choose_place(new_bytes, where));
    Spares spares(*this);
    TRY(spares.add(1 + splits_of(address, address + old_bytes)));
    Reservation charge; // a whole charge for the old part moves along
    const std::uint64_t freed = leaves == Leaves::nothing ? old_bytes : 0;
    if (area.charged_whole) charge = TRY(Reservation::make(*payer_, Resource::memory, new_bytes - freed));
    // The entries get a second place first: only this can fail, for want of page tables.
    const std::uint64_t end = address + old_bytes;
    for (std::uint64_t at = address; (at = table_.next_mapped(at, end)) < end; at += kPageSize) {
        const arch::PageTable::Entry entry = table_.query(at);
        const Result<> mapped = table_.map(target + (at - address), entry.frame, entry.protection);
        if (mapped) continue;
        for (std::uint64_t undo = address; undo < at; undo += kPageSize)
            table_.unmap(target + (undo - address));
        table_.flush(target, (at - address) / kPageSize); // nobody was told of the place, but a CPU may have looked
        return fail(mapped.error());
    }
    // From here on nothing fails. The references and per-page charges went with the entries.
    for (std::uint64_t at = address; (at = table_.next_mapped(at, end)) < end; at += kPageSize)
        table_.unmap(at);
    table_.flush(address, old_bytes / kPageSize);
    Area& moved = spares.take();
    moved.copy_nature(area);
    moved.start = target;
    moved.end = target + new_bytes;
    moved.offset = area.offset + (address - area.start);
    charge.keep();
    link_area(moved); // before the old one goes: a cut of its Pages walks their windows
    if (leaves == Leaves::nothing) (void)remove_range(address, end, spares);
    mapped_bytes_ += new_bytes;
    merge_around(moved);
    return target;
}

} // namespace aios::mm
