// Kernel mappings outside the physmap: mm's range (stacks with guard pages) and arch's own windows on device registers.
// All roots share the tables below the kernel space's top-level slot, so a change is seen everywhere; unmapping flushes
// every CPU. Lock: Rank::kernel_map, over the tables and the place of the next window; inside it only table frames are
// allocated.
// SAFETY: addresses of the kernel space are made into pointers only when they are mapped.
#include <atomic>
#include <span>

#include "base/assert.hpp"
#include "base/bits.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/device_window.hpp"
#include "kernel/arch/x86_64/page_entry.hpp"
#include "kernel/arch/x86_64/remote.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::arch {
namespace {

using namespace x86;

constinit sync::SpinLock<sync::Rank::kernel_map> lock;
using Guard = sync::SpinLock<sync::Rank::kernel_map>::Guard;
constinit std::atomic<TableFrames*> frames{nullptr};
constinit std::uint64_t next_window AIOS_GUARDED_BY(lock) = kDeviceSpaceBase;

Result<std::uint64_t> new_table_locked() AIOS_REQUIRES(lock) {
    lock.assert_held();
    if (TableFrames* source = frames.load(std::memory_order_acquire)) return TRY(source->allocate_table()).value;
    const std::uint64_t table = early_table();
    if (table == 0) return fail(Error::out_of_memory);
    return table;
}

// A table inside the image is not in a part of the physmap that may be missing: all of the image's memory is.
enum class MissingTables : std::uint8_t { refused, made };
Result<std::uint64_t*> slot_locked(std::uint64_t address, MissingTables missing) AIOS_REQUIRES(lock) {
    lock.assert_held();
    std::uint64_t* table = table_of(boot_facts.kernel_root);
    for (unsigned level = 4; level > 1; --level) {
        std::uint64_t& entry = table[index_at(address, level)];
        if (entry == 0) {
            if (missing == MissingTables::refused) return fail(Error::not_found);
            entry = TRY(new_table_locked()) | kPtePresent | kPteWrite;
        }
        table = table_of(entry);
    }
    return &table[index_at(address, 1)];
}

void flush_kernel_pages(void* addresses) {
    for (const std::uint64_t address : *static_cast<const std::span<const std::uint64_t>*>(addresses))
        flush_page(address);
}

// Takes the entry out; the frame that it named.
PhysAddr clear_entry(std::uint64_t address) {
    Guard guard(lock);
    const auto slot = slot_locked(address, MissingTables::refused);
    AIOS_ASSERT(slot.has_value());
    const std::uint64_t entry = std::atomic_ref(**slot).exchange(0);
    AIOS_ASSERT((entry & kPtePresent) != 0);
    return {entry & kPteFrame};
}

} // namespace

KernelRange kernel_range() { return {boot_facts.kernel_range_base, boot_facts.kernel_range_bytes}; }

void set_kernel_table_frames(TableFrames& source) { frames.store(&source, std::memory_order_release); }

Result<> map_kernel(std::uint64_t address, PhysAddr frame, Protection protection, Caching caching) {
    AIOS_ASSERT(address >= kKernelSpaceBase && address < kDeviceSpaceBase + kDeviceSpaceBytes &&
                address % kPageSize == 0);
    AIOS_ASSERT(!has(protection, Protection::write) || !has(protection, Protection::execute));
    Guard guard(lock);
    std::uint64_t* slot = TRY(slot_locked(address, MissingTables::made));
    AIOS_ASSERT((*slot & kPtePresent) == 0); // so there is nothing to flush
    const std::uint64_t uncached = kPteNoCache | kPteWriteThrough;
    *slot = make_entry(frame.value, protection, kPteGlobal | (caching == Caching::device_registers ? uncached : 0));
    return {};
}

void unmap_kernel(std::span<const std::uint64_t> addresses, PhysAddr* removed) {
    AIOS_ASSERT(addresses.size() <= kMostUnmapped);
    for (std::size_t i = 0; i < addresses.size(); ++i)
        removed[i] = clear_entry(addresses[i]);
    InterruptGuard interrupts;
    flush_kernel_pages(&addresses);
    run_on(cpus_up_mask(), flush_kernel_pages, &addresses);
}

namespace x86 {

Result<volatile void*> map_window(std::uint64_t physical, std::uint64_t bytes, Caching caching) {
    const std::uint64_t first = align_down(physical, kPageSize);
    const std::uint64_t length = align_up(physical + bytes, kPageSize) - first;
    std::uint64_t base;
    {
        Guard guard(lock);
        if (bytes == 0 || length > kDeviceSpaceBase + kDeviceSpaceBytes - next_window) return fail(Error::no_space);
        base = next_window;
        next_window += length + kPageSize; // an unmapped page between windows
    }
    const bool is_device = caching == Caching::device_registers;
    const Protection protection = is_device ? Protection::read | Protection::write : Protection::read;
    for (std::uint64_t at = 0; at < length; at += kPageSize)
        TRY(map_kernel(base + at, {first + at}, protection, caching));
    return reinterpret_cast<volatile void*>(base + (physical - first));
}

} // namespace x86
} // namespace aios::arch
