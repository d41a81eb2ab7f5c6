// Physical frames: a buddy allocator behind one lock (Rank::frames), and a cache of single frames for each CPU, reached
// with interrupts off. A frame's reference count is its table entry, changed atomically without a lock.
#include "kernel/mm/frames.hpp"

#include <algorithm>
#include <new>

#include "base/bits.hpp"
#include "kernel/mm/poison.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::mm {

namespace {

constexpr std::uint64_t kLowestFrame = 256; // below 1 MiB belongs to arch
constexpr unsigned kBatchOrder = 5;
constexpr std::uint32_t kBatch = 1u << kBatchOrder;

struct FrameCache {
    std::uint32_t count = 0;
    std::uint32_t frames[2 * kBatch]; // a stack: the frame freed last is the warmest
};

constinit sync::SpinLock<sync::Rank::frames> lock;
[[clang::no_destroy]] constinit Buddy buddy;
constinit arch::PerCpu<FrameCache> caches;
constinit std::uint64_t total_frames AIOS_GUARDED_BY(lock) = 0;

// What the lock is for: the free blocks. buddy.info() needs no lock, as each frame's entry is one atomic word.
Buddy& blocks_locked() AIOS_REQUIRES(lock) {
    lock.assert_held();
    return buddy;
}

using Guard = sync::SpinLock<sync::Rank::frames>::Guard;

std::uint64_t number_of(arch::PhysAddr frame) {
    AIOS_ASSERT(is_aligned(frame.value, kPageSize));
    return frame.value / kPageSize;
}
arch::PhysAddr address_of(std::uint64_t frame) { return {frame * kPageSize}; }

// The part of a range that consists of whole frames above 1 MiB.
struct Frames {
    std::uint64_t first, end;
};
Frames frames_in(const boot::MemoryRange& range) {
    const std::uint64_t first = std::max(div_ceil(range.base, kPageSize), kLowestFrame);
    const std::uint64_t end = (range.base + range.bytes) / kPageSize;
    return {first, std::max(first, end)};
}

void add_locked(std::uint64_t first, std::uint64_t end) AIOS_REQUIRES(lock) {
    lock.assert_held();
    blocks_locked().add_range(first, end);
    total_frames += end - first;
}

// Fills the cache; interrupts are off. False if there is no frame.
bool refill(FrameCache& cache) {
    Guard guard(lock);
    const std::uint64_t block = blocks_locked().allocate(kBatchOrder);
    if (block != Buddy::kNone) {
        for (std::uint32_t i = 0; i < kBatch; ++i) {
            buddy.info(block + i).set(FrameState::cached, 0, 0);
            cache.frames[cache.count++] = static_cast<std::uint32_t>(block + (kBatch - 1 - i));
        }
        return true;
    }
    while (cache.count < kBatch) {
        const std::uint64_t frame = blocks_locked().allocate(0);
        if (frame == Buddy::kNone) break;
        buddy.info(frame).set(FrameState::cached, 0, 0);
        cache.frames[cache.count++] = static_cast<std::uint32_t>(frame);
    }
    return cache.count != 0;
}

// Gives the older half of a full cache back; interrupts are off.
void flush(FrameCache& cache) {
    Guard guard(lock);
    for (std::uint32_t i = 0; i < kBatch; ++i)
        blocks_locked().free(cache.frames[i], 0);
    std::copy(cache.frames + kBatch, cache.frames + cache.count, cache.frames);
    cache.count -= kBatch;
}

Result<arch::PhysAddr> allocate_single() {
    arch::InterruptGuard interrupts;
    FrameCache& cache = caches.mine();
    if (cache.count == 0 && !refill(cache)) return fail(Error::out_of_memory);
    const std::uint32_t frame = cache.frames[--cache.count];
    FrameInfo& info = buddy.info(frame);
    AIOS_ASSERT(info.get().state == FrameState::cached);
    info.set(FrameState::allocated, 0, 1);
    asan_unpoison(arch::physmap(address_of(frame)), kPageSize);
    return address_of(frame);
}

void free_single(std::uint64_t frame) {
    arch::InterruptGuard interrupts;
    FrameCache& cache = caches.mine();
    buddy.info(frame).set(FrameState::cached, 0, 0);
    asan_poison(arch::physmap(address_of(frame)), kPageSize);
    cache.frames[cache.count++] = static_cast<std::uint32_t>(frame);
    if (cache.count == 2 * kBatch) flush(cache);
}

} // namespace

void init_frames(const boot::HandOff& handoff) {
    // One table from frame 0 to the last frame that will ever be managed, at the end of the largest usable range.
    std::uint64_t last = 0;
    Frames largest{0, 0};
    for (std::uint32_t i = 0; i < handoff.range_count; ++i) {
        const boot::MemoryRange& range = handoff.ranges[i];
        const bool is_usable = range.kind == boot::MemoryKind::usable;
        if (!is_usable && range.kind != boot::MemoryKind::boot) continue;
        const Frames frames = frames_in(range);
        if (frames.first == frames.end) continue;
        last = std::max(last, frames.end);
        if (is_usable && frames.end - frames.first > largest.end - largest.first) largest = frames;
    }
    const std::uint64_t table_frames = div_ceil(last * sizeof(FrameInfo), kPageSize);
    AIOS_ASSERT(last <= ~std::uint32_t{0} && table_frames < largest.end - largest.first);
    const std::uint64_t table_at = largest.end - table_frames;
    auto* words = static_cast<std::uint64_t*>(arch::physmap(address_of(table_at)));
    for (std::uint64_t i = 0; i < table_frames * kPageSize / 8;
         i += 8) // eight at a time: this is most of the start's cost
        for (std::uint64_t k = 0; k < 8; ++k)
            words[i + k] = 0;
    // SAFETY: the frames hold zeros, which is a table of FrameInfo with state `inner`, and belong to nobody else.
    Guard guard(lock);
    blocks_locked().init(reinterpret_cast<FrameInfo*>(words), last);
    for (std::uint32_t i = 0; i < handoff.range_count; ++i) {
        if (handoff.ranges[i].kind != boot::MemoryKind::usable) continue;
        Frames frames = frames_in(handoff.ranges[i]);
        if (frames.first == largest.first) frames.end = table_at;
        add_locked(frames.first, frames.end);
    }
}

void add_boot_frames(const boot::HandOff& handoff) {
    Guard guard(lock);
    for (std::uint32_t i = 0; i < handoff.range_count; ++i) {
        if (handoff.ranges[i].kind != boot::MemoryKind::boot) continue;
        const Frames frames = frames_in(handoff.ranges[i]);
        add_locked(frames.first, frames.end);
    }
}

Result<arch::PhysAddr> allocate_frames(unsigned order) {
    if (order == 0) return allocate_single();
    if (order > kMaxOrder) return fail(Error::out_of_memory);
    Guard guard(lock);
    const std::uint64_t frame = blocks_locked().allocate(order);
    if (frame == Buddy::kNone) return fail(Error::out_of_memory);
    buddy.info(frame).set(FrameState::allocated, order, 1);
    return address_of(frame);
}

void split_frames(arch::PhysAddr frame, unsigned order) {
    const std::uint64_t first = number_of(frame);
    const FrameInfo::Fields fields = buddy.info(first).get();
    AIOS_ASSERT(fields.state == FrameState::allocated && fields.order == order);
    for (std::uint64_t i = 0; i < (1ull << order); ++i)
        buddy.info(first + i).set(FrameState::allocated, 0, 1);
}

void retain_frame(arch::PhysAddr frame) {
    const FrameInfo::Fields old = buddy.info(number_of(frame)).add_reference();
    AIOS_ASSERT(old.state == FrameState::allocated && old.order == 0 && old.value != 0);
}

void release_frames(arch::PhysAddr frame, unsigned order) {
    const std::uint64_t number = number_of(frame);
    FrameInfo& info = buddy.info(number);
    if (order == 0) {
        const FrameInfo::Fields old = info.drop_reference();
        AIOS_ASSERT(old.state == FrameState::allocated && old.order == 0 && old.value != 0);
        if (old.value == 1) free_single(number);
        return;
    }
    const FrameInfo::Fields fields = info.get();
    AIOS_ASSERT(fields.state == FrameState::allocated && fields.order == order && fields.value == 1);
    Guard guard(lock);
    blocks_locked().free(number, order);
}

std::uint32_t frame_references(arch::PhysAddr frame) {
    const FrameInfo::Fields fields = buddy.info(number_of(frame)).get();
    return fields.state == FrameState::allocated ? fields.value : 0;
}

bool is_managed_frame(arch::PhysAddr frame) {
    const std::uint64_t number = frame.value / kPageSize;
    return buddy.covers(number) && buddy.info(number).get().state == FrameState::allocated;
}

void mark_slab(arch::PhysAddr block, unsigned order, std::uint32_t size_class) {
    const std::uint64_t first = number_of(block);
    AIOS_ASSERT(buddy.info(first).get().state == FrameState::allocated);
    for (std::uint64_t i = 0; i < (1ull << order); ++i)
        buddy.info(first + i).set(FrameState::slab, order, size_class);
}

void unmark_slab(arch::PhysAddr block, unsigned order) {
    const std::uint64_t first = number_of(block);
    for (std::uint64_t i = 1; i < (1ull << order); ++i)
        buddy.info(first + i).clear();
    buddy.info(first).set(FrameState::allocated, order, 1);
}

FrameInfo::Fields frame_info(arch::PhysAddr frame) { return buddy.info(frame.value / kPageSize).get(); }

void zero_frame(arch::PhysAddr frame) { arch::zero_page(arch::physmap(frame)); }

void copy_frame(arch::PhysAddr to, arch::PhysAddr from) { arch::copy_page(arch::physmap(to), arch::physmap(from)); }

FrameCounts frame_counts() {
    std::uint64_t free_frames = 0;
    for (unsigned cpu = 0; cpu < arch::kMaxCpus; ++cpu)
        free_frames += caches.of(cpu).count; // of other CPUs: a snapshot
    Guard guard(lock);
    return {total_frames, free_frames + blocks_locked().free_frames()};
}

} // namespace aios::mm
