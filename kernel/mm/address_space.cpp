// AddressSpace: life, areas as data, and questions about them; see address_space.hpp. Mapping is in
// address_space_map.cpp, changes of entries in address_space_change.cpp, faults in address_space_fault.cpp, fork in
// address_space_clone.cpp, revocation and truncation in address_space_notice.cpp, pages in messages in
// address_space_grant.cpp.
#include "kernel/mm/address_space.hpp"

#include <algorithm>

#include "base/bits.hpp"
#include "kernel/mm/removal.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/mm/spares.hpp"

namespace aios::mm {

namespace {
// Mappings without a place start up to 1 TiB below the end of user space; the part above is left to stacks and programs
// that choose places themselves.
constexpr std::uint64_t kTopSlackPages = 1ull << 28;
constexpr std::uint64_t kTopDistance = 64ull << 20;
} // namespace

Result<arch::PhysAddr> AddressSpace::Tables::allocate_table() {
    Reservation charge = TRY(Reservation::make(payer_, Resource::memory, kPageSize));
    const arch::PhysAddr frame = TRY(allocate_frames(0));
    zero_frame(frame);
    charge.keep();
    return frame;
}

void AddressSpace::Tables::free_table(arch::PhysAddr frame) {
    release_frames(frame, 0);
    payer_.give_back(Resource::memory, kPageSize);
}

AddressSpace::AddressSpace(OnHeap, Ref<Payer> payer, Jit jit) : payer_(std::move(payer)), jit_(jit), tables_(*payer_) {
    top_ = arch::kUserHigh - kTopDistance - (upcall::random_word() % kTopSlackPages) * kPageSize;
    search_from_ = top_;
}

Result<Ref<AddressSpace>> AddressSpace::create(Payer& payer, Jit jit) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, cost_of<AddressSpace>));
    auto space = Ref<AddressSpace>::adopt(TRY(make<AddressSpace>(Ref<Payer>::share(payer), jit)));
    charge.keep();        // the destructor gives it back
    Locked guard(*space); // nobody else knows it yet
    space->table_ = TRY(arch::PageTable::create(space->tables_));
    return space;
}

void AddressSpace::release() {
    if (references_.release()) destroy(this);
}

AddressSpace::~AddressSpace() {
    if (set_) set_->remove(member_);
    destroy_mappings();
    table_.destroy();
    payer_->give_back(Resource::memory, cost_of<AddressSpace>);
}

void AddressSpace::destroy_mappings() {
    Ref<GrantRoll> under_way;
    {
        Locked guard(*this);
        Spares none(*this);
        remove_and_give_back(arch::kUserLow, arch::kUserHigh, none);
        AIOS_ASSERT(areas_.size() == 0 && resident_pages_ == 0 && touch_charged_pages_ == 0 && mapped_bytes_ == 0);
        under_way = std::move(grants_);
    }
    if (under_way) under_way->close();
}

// --- areas as data, under the lock -----------------------------------------------------------------------------------

Result<Area*> AddressSpace::make_area() {
    Reservation charge = TRY(Reservation::make(*payer_, Resource::memory, cost_of<Area>));
    Area* area = TRY(make<Area>());
    charge.keep();
    return area;
}

void AddressSpace::destroy_area(Area& area) {
    destroy(&area);
    payer_->give_back(Resource::memory, cost_of<Area>);
}

void AddressSpace::link_area(Area& area) {
    areas_.insert(area);
    area.window.space = this;
    if (area.pages) area.pages->add_window(area.window);
    if (is_watched(area)) watched_.push_back(area);
}

void AddressSpace::unlink_area(Area& area) {
    areas_.erase(area);
    if (area.window.number != 0) area.pages->remove_window(area.window); // not yet, in a fork that failed
    if (area.watched.is_linked()) watched_.remove(area);
}

// `area` keeps what is below `at`, `upper` becomes the rest.
void AddressSpace::split_area(Area& area, std::uint64_t at, Area& upper) {
    AIOS_ASSERT(area.start < at && at < area.end);
    upper.copy_nature(area);
    upper.start = at;
    upper.end = area.end;
    upper.offset = area.offset + (at - area.start);
    area.end = at;
    if (area.grows_down) upper.grows_down = false; // only the lower part has its guard below
    link_area(upper);
}

// Merges `area` with neighbours that continue it; answers the area that is left.
Area& AddressSpace::merge_around(Area& area) {
    Area* merged = &area;
    if (Area* before = areas_.previous(area); before != nullptr && before->continues_in(area)) {
        before->end = area.end;
        unlink_area(area);
        destroy_area(area);
        merged = before;
    }
    if (Area* after = areas_.next(*merged); after != nullptr && merged->continues_in(*after)) {
        merged->end = after->end;
        unlink_area(*after);
        destroy_area(*after);
    }
    return *merged;
}

// --- questions -------------------------------------------------------------------------------------------------------

void AddressSpace::tell_present(std::uint64_t address, std::size_t pages, std::uint8_t* out) {
    Locked guard(*this);
    for (std::size_t i = 0; i < pages; ++i) {
        const std::uint64_t page = address + i * kPageSize;
        const Area* const area = areas_.find(page);
        bool is_there = area != nullptr && table_.query(page).mapped;
        if (area != nullptr && !is_there && area->pages) {
            arch::PhysAddr frame{Pages::kAbsent};
            const std::uint64_t index = (area->offset + (page - area->start)) / kPageSize;
            area->pages->ready_for_mapping(index, 1, Pages::Mapping::looks, &frame);
            is_there = frame.value != Pages::kAbsent;
            if (is_there && is_managed_frame(frame)) release_frames(frame, 0);
        }
        out[i] = is_there ? 1 : 0;
    }
}

AddressSpace::Usage AddressSpace::usage() {
    Locked guard(*this);
    return {mapped_bytes_, resident_pages_ * kPageSize};
}

Result<AddressSpace::AreaInfo> AddressSpace::next_area(std::uint64_t from) {
    Locked guard(*this);
    const Area* area = areas_.first_from(from);
    if (area == nullptr) return fail(Error::not_found);
    return AreaInfo{area->start,
                    area->end,
                    area->offset,
                    area->protection,
                    area->is_private() ? Sharing::copy_on_write : Sharing::shared,
                    area->kind == AreaKind::anonymous,
                    area->grows_down,
                    area->label};
}

Result<AddressSpace::Location> AddressSpace::locate(std::uint64_t address) {
    Locked guard(*this);
    const Area* area = areas_.find(address);
    if (area == nullptr) return fail(Error::bad_address);
    if (area->kind == AreaKind::pages_shared) return Location{area->pages, area->offset + (address - area->start)};
    return Location{{}, address};
}

bool AddressSpace::is_consistent() {
    Locked guard(*this);
    std::uint64_t mapped = 0, resident = 0, owned_at_touch = 0, last_end = 0;
    for (const Area* area = areas_.first_from(0); area != nullptr; area = areas_.next(*area)) {
        if (area->start < last_end || area->start >= area->end || area->end > arch::kUserHigh) return false;
        if (!is_aligned(area->start, kPageSize) || !is_aligned(area->end, kPageSize)) return false;
        last_end = area->end;
        mapped += area->bytes();
        for (std::uint64_t at = area->start; (at = table_.next_mapped(at, area->end)) < area->end; at += kPageSize) {
            const arch::PageTable::Entry entry = table_.query(at);
            const bool owned = has(entry.protection, arch::Protection::owned);
            ++resident;
            if (owned && !area->charged_whole) ++owned_at_touch;
            if (owned && !area->is_private()) return false;
            // Never more than the area allows; a page that somebody shares is never writable in a private area.
            const arch::Protection rights = entry.protection & ~arch::Protection::owned;
            if ((rights & area->protection) != rights) return false;
            const bool is_private_and_writable = area->is_private() && has(rights, arch::Protection::write);
            const bool is_alone = owned && frame_references(entry.frame) == 1;
            if (is_private_and_writable && !is_alone) return false;
        }
    }
    std::uint64_t entries = 0;
    for (std::uint64_t at = arch::kUserLow; (at = table_.next_mapped(at, arch::kUserHigh)) < arch::kUserHigh;
         at += kPageSize)
        ++entries;
    if (resident != resident_pages_ || entries != resident) return false;
    return areas_.shape_is_valid() && mapped == mapped_bytes_ && owned_at_touch == touch_charged_pages_;
}

} // namespace aios::mm
