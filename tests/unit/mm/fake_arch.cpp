#include "tests/unit/mm/fake_arch.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "base/assert.hpp"
#include "kernel/sync/lock.hpp"

namespace aios {

namespace {

unsigned current_cpu = 0;
bool interrupts_on = true;

std::byte* ram() {
    static std::byte* base = [] {
        // Aligned to 2 MiB, as the physmap is.
        const std::size_t alignment = 2 << 20;
        void* place = mmap(nullptr, fake::kRamBytes + alignment, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        AIOS_ASSERT(place != MAP_FAILED);
        const auto address = (reinterpret_cast<std::uintptr_t>(place) + alignment - 1) & ~(alignment - 1);
        auto* const bytes = reinterpret_cast<std::byte*>(address);
        std::memset(bytes, 0x5a, fake::kRamBytes); // no frame comes with zeros that nobody has put there
        return bytes;
    }();
    return base;
}

struct FakeEntry {
    arch::PhysAddr frame;
    arch::Protection protection;
};
using FakeTable = std::map<std::uint64_t, FakeEntry>;

struct FakeSpace {
    FakeTable entries;
    FakeTable tlb;                                        // what some CPU may still use
    std::map<std::uint64_t, arch::PhysAddr> table_frames; // one for each 2 MiB that has, or had, an entry
};
std::map<std::uint64_t, FakeSpace> spaces;
std::uint64_t next_root = 1;
std::uint64_t active_root = 0;
std::map<std::uint64_t, arch::PhysAddr> kernel_entries;
std::uint64_t kernel_maps_left = ~0ull;
arch::TableFrames* kernel_table_frames = nullptr;
std::uint64_t kernel_unmap_rounds = 0;
std::function<void()> flush_action;

FakeSpace& space_of(std::uint64_t root) {
    auto found = spaces.find(root);
    AIOS_ASSERT(found != spaces.end());
    return found->second;
}

} // namespace

namespace arch {

namespace {
// The processor takes what stands in a table for entries.
PhysAddr zeroed_table(PhysAddr frame) {
    const std::byte* table = ram() + frame.value;
    AIOS_ASSERT(std::all_of(table, table + kPageSize, [](std::byte b) { return b == std::byte{}; }));
    return frame;
}
} // namespace

unsigned cpu_index() { return current_cpu; }
unsigned cpu_count() { return 4; }
bool interrupts_enabled() { return interrupts_on; }
bool interrupts_disable() { return std::exchange(interrupts_on, false); }
void interrupts_enable() { interrupts_on = true; }
void relax() {}
std::uint64_t ticks() { return 0; }
void* physmap(PhysAddr address) {
    AIOS_ASSERT(address.value < fake::kRamBytes);
    return ram() + address.value;
}
void zero_page(void* page) { std::memset(page, 0, kPageSize); }
void copy_page(void* to, const void* from) { std::memcpy(to, from, kPageSize); }
PhysAddr physmap_to_phys(const void* pointer) {
    const auto offset = static_cast<std::uint64_t>(static_cast<const std::byte*>(pointer) - ram());
    AIOS_ASSERT(offset < fake::kRamBytes);
    return {offset};
}

Result<PageTable> PageTable::create(TableFrames& frames) {
    PageTable table;
    table.frames_ = &frames;
    const PhysAddr root = zeroed_table(TRY(frames.allocate_table()));
    table.root_ = next_root++;
    spaces[table.root_].table_frames[~0ull] = root;
    return table;
}
void PageTable::destroy() {
    if (root_ == 0) return;
    for (auto& [at, frame] : space_of(root_).table_frames)
        frames_->free_table(frame);
    spaces.erase(root_);
    if (active_root == root_) active_root = 0;
    root_ = 0;
}
Result<> PageTable::map(std::uint64_t address, PhysAddr frame, Protection protection) {
    AIOS_ASSERT(address % kPageSize == 0 && address >= kUserLow && address < kUserHigh);
    FakeSpace& space = space_of(root_);
    if (!space.table_frames.contains(address >> 21))
        space.table_frames[address >> 21] = zeroed_table(TRY(frames_->allocate_table()));
    space.entries[address] = {frame, protection};
    return {};
}
Result<> PageTable::map_device(std::uint64_t address, PhysAddr frame, Protection protection) {
    return map(address, frame, protection);
}
PageTable::Removed PageTable::unmap(std::uint64_t address) {
    FakeSpace& space = space_of(root_);
    auto found = space.entries.find(address);
    if (found == space.entries.end()) return {};
    const FakeEntry entry = found->second;
    space.entries.erase(found);
    return {true, entry.frame, false, entry.protection};
}
void PageTable::protect(std::uint64_t address, Protection protection) {
    FakeSpace& space = space_of(root_);
    auto found = space.entries.find(address);
    if (found != space.entries.end()) found->second.protection = protection;
}
PageTable::Entry PageTable::query(std::uint64_t address) const {
    FakeSpace& space = space_of(root_);
    auto found = space.entries.find(address);
    if (found == space.entries.end()) return {};
    return {true, found->second.frame, found->second.protection};
}
Result<> PageTable::prepare(std::uint64_t from, std::size_t pages) {
    FakeSpace& space = space_of(root_);
    for (std::uint64_t at = from >> 21; at <= (from + (pages - 1) * kPageSize) >> 21; ++at)
        if (!space.table_frames.contains(at)) space.table_frames[at] = zeroed_table(TRY(frames_->allocate_table()));
    return {};
}
bool PageTable::exchange(std::uint64_t from, std::span<Entry> entries) {
    FakeSpace& space = space_of(root_);
    bool was_mapped = false;
    for (Entry& entry : entries) {
        const Entry wanted = std::exchange(entry, query(from));
        was_mapped = was_mapped || entry.mapped;
        space.entries.erase(from);
        AIOS_ASSERT(!wanted.mapped || space.table_frames.contains(from >> 21)); // prepared
        if (wanted.mapped) space.entries[from] = {wanted.frame, wanted.protection};
        from += kPageSize;
    }
    return was_mapped;
}
bool PageTable::freeze(std::uint64_t from, std::span<Entry> entries) {
    bool was_writable = false;
    for (Entry& entry : entries) {
        entry = query(from);
        was_writable = was_writable || has(entry.protection, Protection::write);
        entry.protection = entry.protection & ~Protection::write;
        if (entry.mapped) protect(from, entry.protection);
        from += kPageSize;
    }
    return was_writable;
}
std::uint64_t PageTable::next_mapped(std::uint64_t from, std::uint64_t to) const {
    FakeSpace& space = space_of(root_);
    auto found = space.entries.lower_bound(from);
    return found == space.entries.end() || found->first >= to ? to : found->first;
}
void PageTable::activate() { active_root = root_; }
void PageTable::activate_kernel_only() { active_root = 0; }
void PageTable::flush(std::uint64_t from, std::size_t pages) {
    if (flush_action) flush_action();
    FakeTable& tlb = space_of(root_).tlb;
    tlb.erase(tlb.lower_bound(from), tlb.lower_bound(from + pages * kPageSize));
}

Result<> map_kernel(std::uint64_t address, PhysAddr frame, Protection, Caching) {
    AIOS_ASSERT(!kernel_entries.contains(address));
    if (kernel_maps_left == 0) return fail(Error::out_of_memory);
    --kernel_maps_left;
    kernel_entries[address] = frame;
    return {};
}
void unmap_kernel(std::span<const std::uint64_t> addresses, PhysAddr* frames) {
    AIOS_ASSERT(addresses.size() <= kMostUnmapped);
    for (const std::uint64_t address : addresses) {
        AIOS_ASSERT(kernel_entries.contains(address));
        *frames++ = kernel_entries[address];
        kernel_entries.erase(address);
    }
    ++kernel_unmap_rounds;
}
void set_kernel_table_frames(TableFrames& frames) { kernel_table_frames = &frames; }
KernelRange kernel_range() { return {0xffff'f000'0000'0000, 1ull << 34}; }

} // namespace arch

namespace sync {
// One thread and one CPU: mutexes and spinlocks are one list.
HeldLocks held;
void rank_acquire(Rank rank, const void* lock, Peers peers) {
    AIOS_ASSERT(held.acquire(rank, lock, peers) == RankResult::fine);
}
void rank_release(Rank rank, const void* lock) { AIOS_ASSERT(held.release(rank, lock) == RankResult::fine); }
void rank_assert_held(Rank rank, const void* lock) { AIOS_ASSERT(held.holds(rank, lock)); }
void MutexCore::lock() {
    AIOS_ASSERT(owner_.load() == nullptr); // one thread: a second lock would wait for ever
    AIOS_ASSERT(interrupts_on);
    owner_.store(this);
}
bool MutexCore::try_lock() {
    if (owner_.load() != nullptr) return false;
    owner_.store(this);
    return true;
}
void MutexCore::unlock() { owner_.store(nullptr); }
} // namespace sync

namespace fake {

boot::HandOff make_handoff() {
    boot::HandOff handoff{};
    handoff.magic = boot::kHandOffMagic;
    handoff.version = boot::kHandOffVersion;
    handoff.range_count = 6;
    handoff.ranges[0] = {0, kUsableBase, boot::MemoryKind::usable, 0}; // below 1 MiB: to be left alone
    handoff.ranges[1] = {kUsableBase, (1 << 20) + 100, boot::MemoryKind::boot, 0};
    handoff.ranges[2] = {3 << 20, 1 << 20, boot::MemoryKind::container, 0};
    handoff.ranges[3] = {(4 << 20) + 100, kRamBytes - (4 << 20) - 200, boot::MemoryKind::usable, 0};
    // Not a whole frame, far above all others: no frame, and no table up to it.
    handoff.ranges[4] = {(1ull << 40) + 100, arch::kPageSize, boot::MemoryKind::usable, 0};
    handoff.ranges[5] = {(1ull << 40) + (1 << 20), 100, boot::MemoryKind::boot, 0};
    return handoff;
}
arch::PhysAddr unmanaged_ram() { return {3 << 20}; }

mm::FrameCounts counts_at_start() {
    static const mm::FrameCounts counts = [] {
        const boot::HandOff handoff = make_handoff();
        mm::init_frames(handoff);
        mm::add_boot_frames(handoff);
        mm::init_kernel_space();
        return mm::frame_counts();
    }();
    return counts;
}
void start_machine() { (void)counts_at_start(); }

void set_cpu(unsigned cpu) { current_cpu = cpu; }
bool interrupts_are_on() { return interrupts_on; }

Result<> CountingPayer::reserve(Resource resource, std::uint64_t amount) {
    AIOS_ASSERT(resource == Resource::memory);
    if (action_) std::exchange(action_, {})();
    if (used_ > limit_ || amount > limit_ - used_) return fail(Error::quota_exceeded);
    used_ += amount;
    return {};
}
void CountingPayer::give_back(Resource, std::uint64_t amount) {
    AIOS_ASSERT(amount <= used_);
    used_ -= amount;
}

arch::TableFrames& kernel_tables() { return *kernel_table_frames; }
void limit_kernel_maps(std::uint64_t pages) { kernel_maps_left = pages; }
void at_flush(std::function<void()> action) { flush_action = std::move(action); }

std::uint64_t kernel_unmaps() { return kernel_unmap_rounds; }
std::uint64_t table_count() { return space_of(active_root).table_frames.size(); }

std::uint8_t* user_access(std::uint64_t address, arch::Protection need) {
    AIOS_ASSERT(active_root != 0);
    FakeSpace& space = space_of(active_root);
    const std::uint64_t page = address & ~(arch::kPageSize - 1);
    // The CPU asks its TLB first; an entry that forbids the access is looked up again, as the processor does.
    for (const bool use_tlb : {true, false}) {
        FakeTable& from = use_tlb ? space.tlb : space.entries;
        auto found = from.find(page);
        if (found == from.end()) continue;
        const FakeEntry entry = found->second;
        if ((entry.protection & need) != need) continue;
        space.tlb[page] = entry;
        return reinterpret_cast<std::uint8_t*>(ram() + entry.frame.value + address % arch::kPageSize);
    }
    return nullptr;
}

} // namespace fake

std::uint64_t mm::upcall::random_word() { return 0; } // layout is not random

} // namespace aios
