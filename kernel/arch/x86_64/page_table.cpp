// The user half of an address space: four levels, 4 KiB pages (SDM volume 3 section 4.5). The kernel half of every root
// is a copy of the kernel's own, whose upper entries never change after boot. Callers serialise changes to one table;
// CPUs that run it are in active_mask_, which is updated before CR3, so that a flush that reads it after changing an
// entry misses nobody.
#include <atomic>
#include <cstring>

#include "base/assert.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/layout.hpp"
#include "kernel/arch/x86_64/page_entry.hpp"
#include "kernel/arch/x86_64/remote.hpp"

namespace aios::arch {
namespace {

using namespace x86;

std::atomic_ref<std::uint64_t> shared(std::uint64_t& mask) { return std::atomic_ref<std::uint64_t>(mask); }

// The slot of `address` at the lowest level, or nullptr if a table on the way is missing.
std::uint64_t* find_slot(std::uint64_t root, std::uint64_t address) {
    std::uint64_t* table = table_of(root);
    for (unsigned level = 4; level > 1; --level) {
        const std::uint64_t entry = table[index_at(address, level)];
        if (entry == 0) return nullptr;
        table = table_of(entry);
    }
    return &table[index_at(address, 1)];
}

// The slots of a run of pages, one after the other; nullptr where a table is missing.
class Slots {
public:
    Slots(std::uint64_t root, std::uint64_t address) : root_(root), address_(address) {}
    std::uint64_t* next() {
        const bool is_behind = slot_ != nullptr && index_at(address_, 1) != 0;
        slot_ = is_behind ? slot_ + 1 : find_slot(root_, address_);
        address_ += kPageSize;
        return slot_;
    }

private:
    const std::uint64_t root_;
    std::uint64_t address_;
    std::uint64_t* slot_ = nullptr;
};

Result<std::uint64_t*> make_slot(std::uint64_t root, std::uint64_t address, TableFrames& frames) {
    std::uint64_t* table = table_of(root);
    for (unsigned level = 4; level > 1; --level) {
        std::uint64_t& entry = table[index_at(address, level)];
        if (entry == 0) entry = TRY(frames.allocate_table()).value | kPtePresent | kPteWrite | kPteUser;
        table = table_of(entry);
    }
    return &table[index_at(address, 1)];
}

// Most entries of most tables are empty: eight are looked at together.
bool are_eight_empty(const std::uint64_t* entries) {
    return (entries[0] | entries[1] | entries[2] | entries[3] | entries[4] | entries[5] | entries[6] | entries[7]) == 0;
}

void free_tables(std::uint64_t table, unsigned level, TableFrames& frames) {
    const unsigned count = level == 4 ? 256 : 512; // the kernel half is not ours
    const std::uint64_t* const entries = table_of(table);
    for (unsigned i = 0; level > 1 && i < count; i += 8) {
        if (are_eight_empty(entries + i)) continue;
        for (unsigned k = i; k < i + 8; ++k)
            if (entries[k] != 0) free_tables(entries[k] & kPteFrame, level - 1, frames);
    }
    frames.free_table({table});
}

struct FlushRange {
    const PageTable* table;
    std::uint64_t from;
    std::size_t pages;
};
constexpr std::size_t kMaxSingleFlushes = 32; // above that, dropping all user entries is cheaper

void flush_here(void* argument) {
    const auto& range = *static_cast<const FlushRange*>(argument);
    if (this_cpu().active_table != range.table) return; // left it meanwhile: the new CR3 flushed
    if (range.pages > kMaxSingleFlushes) {
        write_cr3(read_cr3());
        return;
    }
    for (std::size_t i = 0; i < range.pages; ++i)
        flush_page(range.from + i * kPageSize);
}

void leave_here(void* argument) {
    if (this_cpu().active_table == argument) PageTable::activate_kernel_only();
}

} // namespace

Result<PageTable> PageTable::create(TableFrames& frames) {
    PageTable table;
    table.root_ = TRY(frames.allocate_table()).value;
    table.frames_ = &frames;
    std::memcpy(table_of(table.root_) + 256, table_of(boot_facts.kernel_root) + 256, kPageSize / 2);
    return table;
}

void PageTable::destroy() {
    if (root_ == 0) return;
    {
        InterruptGuard guard;
        leave_here(this);
        run_on(shared(active_mask_).load(), leave_here, this);
    }
    free_tables(root_, 4, *frames_);
    root_ = 0;
}

Result<> PageTable::map(std::uint64_t address, PhysAddr frame, Protection protection) {
    AIOS_ASSERT(address < kUserHigh && address % kPageSize == 0 && frame.value % kPageSize == 0);
    *TRY(make_slot(root_, address, *frames_)) = make_entry(frame.value, protection, kPteUser);
    return {};
}

Result<> PageTable::map_device(std::uint64_t address, PhysAddr frame, Protection protection) {
    AIOS_ASSERT(address < kUserHigh && address % kPageSize == 0 && frame.value % kPageSize == 0);
    *TRY(make_slot(root_, address, *frames_)) =
        make_entry(frame.value, protection, kPteUser | kPteNoCache | kPteWriteThrough);
    return {};
}

PageTable::Removed PageTable::unmap(std::uint64_t address) {
    std::uint64_t* slot = find_slot(root_, address);
    if (slot == nullptr || *slot == 0) return {};
    // The processor may set the dirty bit until the entry is gone, so it is taken out and read in one step.
    const std::uint64_t entry = std::atomic_ref(*slot).exchange(0);
    return {true, {entry & kPteFrame}, (entry & kPteDirty) != 0, protection_of(entry)};
}

void PageTable::protect(std::uint64_t address, Protection protection) {
    std::uint64_t* slot = find_slot(root_, address);
    if (slot == nullptr || *slot == 0) return;
    std::atomic_ref<std::uint64_t> entry(*slot);
    std::uint64_t old = entry.load(), changed;
    do {
        const std::uint64_t kept = old & (kPteNoCache | kPteWriteThrough | kPteDirty | kPteAccessed);
        changed = make_entry(old & kPteFrame, protection, kPteUser) | kept;
    } while (!entry.compare_exchange_weak(old, changed));
}

PageTable::Entry PageTable::query(std::uint64_t address) const {
    const std::uint64_t* slot = address < kUserHigh ? find_slot(root_, address) : nullptr;
    if (slot == nullptr || *slot == 0) return {};
    return {true, {*slot & kPteFrame}, protection_of(*slot)};
}

Result<> PageTable::prepare(std::uint64_t from, std::size_t pages) {
    constexpr std::uint64_t table_span = 512 * kPageSize;
    const std::uint64_t last = from + (pages - 1) * kPageSize;
    for (std::uint64_t at = from; at <= last; at = (at & ~(table_span - 1)) + table_span)
        TRY(make_slot(root_, at, *frames_));
    return {};
}

bool PageTable::exchange(std::uint64_t from, std::span<Entry> entries) {
    Slots slots(root_, from);
    bool was_mapped = false;
    for (Entry& entry : entries) {
        std::uint64_t* const slot = slots.next();
        const std::uint64_t wanted = entry.mapped ? make_entry(entry.frame.value, entry.protection, kPteUser) : 0;
        AIOS_ASSERT(slot != nullptr || wanted == 0);
        // In one step: the processor may set the dirty bit until the entry is gone.
        const std::uint64_t old =
            slot == nullptr || (*slot | wanted) == 0 ? 0 : std::atomic_ref(*slot).exchange(wanted);
        entry = old == 0 ? Entry{} : Entry{true, {old & kPteFrame}, protection_of(old)};
        was_mapped = was_mapped || old != 0;
    }
    return was_mapped;
}

bool PageTable::freeze(std::uint64_t from, std::span<Entry> entries) {
    Slots slots(root_, from);
    bool was_writable = false;
    for (Entry& entry : entries) {
        std::uint64_t* const slot = slots.next();
        entry = {};
        if (slot == nullptr || *slot == 0) continue;
        std::uint64_t old = *slot;
        if ((old & kPteWrite) != 0) {
            old = std::atomic_ref(*slot).fetch_and(~std::uint64_t{kPteWrite});
            was_writable = true;
        }
        entry = {true, {old & kPteFrame}, protection_of(old & ~std::uint64_t{kPteWrite})};
    }
    return was_writable;
}

std::uint64_t PageTable::next_mapped(std::uint64_t from, std::uint64_t to) const {
    std::uint64_t at = from & ~(kPageSize - 1);
    while (at < to) {
        const std::uint64_t* table = table_of(root_);
        unsigned level = 4;
        std::uint64_t entry = table[index_at(at, level)];
        while (entry != 0 && level > 1) {
            table = table_of(entry);
            entry = table[index_at(at, --level)];
        }
        if (entry != 0) return at < from ? from : at;
        // On to what the empty slot does not cover, along its table.
        const std::uint64_t span = span_of(level);
        unsigned index = index_at(at, level);
        at &= ~(span - 1);
        do {
            at += span;
            ++index;
            for (; index % 8 == 0 && index < 512 && are_eight_empty(table + index); index += 8)
                at += 8 * span; // perhaps beyond `to`
        } while (index < 512 && at < to && table[index] == 0);
    }
    return to;
}

void PageTable::activate() {
    CpuBlock& block = this_cpu();
    if (block.active_table == this) return;
    const std::uint64_t bit = 1ull << block.index;
    PageTable* old = block.active_table;
    shared(active_mask_).fetch_or(bit);
    block.active_table = this;
    write_cr3(root_);
    if (old != nullptr) shared(old->active_mask_).fetch_and(~bit);
}

void PageTable::activate_kernel_only() {
    CpuBlock& block = this_cpu();
    PageTable* old = block.active_table;
    if (old == nullptr) return;
    block.active_table = nullptr;
    write_cr3(boot_facts.kernel_root);
    shared(old->active_mask_).fetch_and(~(1ull << block.index));
}

void PageTable::flush(std::uint64_t from, std::size_t pages) {
    if (pages == 0) return;
    InterruptGuard guard;
    FlushRange range{this, from, pages};
    flush_here(&range);
    std::atomic_thread_fence(std::memory_order_seq_cst); // the changed entries before the mask
    run_on(shared(active_mask_).load(), flush_here, &range);
}

} // namespace aios::arch
