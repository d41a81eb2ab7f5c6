// Kernel addresses outside the physmap: stacks with a guard page below each, and device registers. Both are cut from
// arch::kernel_range(): stacks from its lower half in slots of equal size, registers upwards from its middle.
//
// A stack that is freed stays mapped for the next thread, up to kMaxCached. Beyond that the kFreedTogether oldest are
// unmapped in one round of interrupts to the other CPUs: a round costs what the slowest CPU takes to answer, and thousands
// of threads may end at once. Lock: Rank::kernel_space for the slots; mapping and unmapping happen outside it, as they may wait for
// other CPUs.
#include <algorithm>
#include <bit>
#include <span>

#include "base/bits.hpp"
#include "base/checked.hpp"
#include "kernel/mm/mm.hpp"
#include "kernel/mm/stacks.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::mm {

namespace {

constexpr std::uint64_t kStackPages = arch::kKernelStackBytes / kPageSize;
constexpr std::uint64_t kSlotBytes = arch::kKernelStackBytes + kPageSize; // the guard page is the lowest
constexpr std::uint64_t kMaxSlots = kMaxStacks;
constexpr std::uint64_t kSlotsInGroup = 64 * 64; // those of one word of `full_words`
constexpr std::uint32_t kMaxCached = 64;
constexpr std::uint32_t kFreedTogether = arch::kMostUnmapped / kStackPages;
static_assert(kFreedTogether >= 2 && kFreedTogether <= kMaxCached);

class KernelTableFrames final : public arch::TableFrames {
public:
    Result<arch::PhysAddr> allocate_table() override {
        const arch::PhysAddr frame = TRY(allocate_frames(0));
        zero_frame(frame);
        return frame;
    }
    void free_table(arch::PhysAddr frame) override { release_frames(frame, 0); }
};

struct Space {
    std::uint64_t stacks_base = 0;
    std::uint64_t registers_next = 0, registers_end = 0;
    std::uint64_t slots_taken[kMaxSlots / 64] = {};           // a bit set: in use, or cached
    std::uint64_t full_words[kMaxSlots / kSlotsInGroup] = {}; // a bit set: that word has no clear bit
    std::uint64_t search_from = 0;                            // no clear bit in the words of full_words below
    std::uint64_t cached[kMaxCached] = {};                    // tops of mapped, unused stacks, the oldest first
    std::uint32_t cached_count = 0;
};

constinit KernelTableFrames table_frames;
constinit sync::Protected<Space, sync::Rank::kernel_space> space;

std::uint64_t top_of(const Space& s, std::uint64_t slot) { return s.stacks_base + (slot + 1) * kSlotBytes; }

Result<std::uint64_t> take_slot() {
    return space.with([](Space& s) -> Result<std::uint64_t> {
        AIOS_ASSERT(s.stacks_base != 0);
        // At most one step for each 4,096 slots.
        for (std::uint64_t i = s.search_from; i < std::size(s.full_words); ++i) {
            if (s.full_words[i] == ~0ull) continue;
            const std::uint64_t word = i * 64 + static_cast<unsigned>(std::countr_one(s.full_words[i]));
            const auto bit = static_cast<unsigned>(std::countr_one(s.slots_taken[word]));
            s.slots_taken[word] |= 1ull << bit;
            if (s.slots_taken[word] == ~0ull) s.full_words[i] |= 1ull << (word % 64);
            s.search_from = i;
            return top_of(s, word * 64 + bit);
        }
        return fail(Error::out_of_memory);
    });
}

void give_slot(std::uint64_t top) {
    space.with([&](Space& s) {
        const std::uint64_t slot = (top - s.stacks_base) / kSlotBytes - 1;
        const std::uint64_t word = slot / 64;
        s.slots_taken[word] &= ~(1ull << (slot % 64));
        s.full_words[word / 64] &= ~(1ull << (word % 64));
        s.search_from = std::min(s.search_from, word / 64);
    });
}

// Unmaps the upper `pages` pages of each stack, in one round, and frees their frames.
void unmap_stacks(std::span<const std::uint64_t> tops, std::uint64_t pages) {
    std::uint64_t addresses[arch::kMostUnmapped];
    arch::PhysAddr frames[arch::kMostUnmapped];
    std::size_t count = 0;
    for (const std::uint64_t top : tops)
        for (std::uint64_t i = 0; i < pages; ++i)
            addresses[count++] = top - (i + 1) * kPageSize;
    if (count == 0) return;
    arch::unmap_kernel({addresses, count}, frames);
    for (std::size_t i = 0; i < count; ++i)
        release_frames(frames[i], 0);
}

} // namespace

void init_kernel_space() {
    const arch::KernelRange range = arch::kernel_range();
    space.with([&](Space& s) {
        AIOS_ASSERT(range.bytes / 2 >= kMaxSlots * kSlotBytes);
        s.stacks_base = range.base;
        s.registers_next = range.base + align_down(range.bytes / 2, kPageSize);
        s.registers_end = range.base + range.bytes;
    });
    arch::set_kernel_table_frames(table_frames);
}

Result<std::uint64_t> allocate_stack() {
    const std::uint64_t cached =
        space.with([](Space& s) { return s.cached_count == 0 ? 0 : s.cached[--s.cached_count]; });
    if (cached != 0) return cached;
    const std::uint64_t top = TRY(take_slot());
    for (std::uint64_t i = 0; i < kStackPages; ++i) {
        Result<arch::PhysAddr> frame = allocate_frames(0);
        Result<> mapped = {};
        if (frame)
            mapped = arch::map_kernel(top - (i + 1) * kPageSize, *frame,
                                      arch::Protection::read | arch::Protection::write, arch::Caching::memory);
        if (frame && mapped) continue;
        const Error error = frame ? mapped.error() : frame.error();
        if (frame) release_frames(*frame, 0);
        unmap_stacks({&top, 1}, i);
        give_slot(top);
        return fail(error);
    }
    return top;
}

void free_stack(std::uint64_t top) {
    std::uint64_t oldest[kFreedTogether];
    const bool is_full = space.with([&](Space& s) {
        AIOS_ASSERT(top > s.stacks_base && (top - s.stacks_base) % kSlotBytes == 0);
        const bool was_full = s.cached_count == kMaxCached;
        if (was_full) {
            std::copy_n(s.cached, kFreedTogether, oldest);
            std::copy(s.cached + kFreedTogether, s.cached + kMaxCached, s.cached);
            s.cached_count -= kFreedTogether;
        }
        s.cached[s.cached_count++] = top;
        return was_full;
    });
    if (!is_full) return;
    unmap_stacks(oldest, kStackPages);
    for (const std::uint64_t freed : oldest)
        give_slot(freed);
}

Result<std::uint64_t> map_registers(arch::PhysAddr base, std::uint64_t bytes) {
    if (bytes == 0) return fail(Error::bad_argument);
    const std::uint64_t offset = base.value % kPageSize;
    const std::uint64_t span = TRY(checked_add(bytes, offset));
    const std::uint64_t size = TRY(checked_align_up(span, kPageSize));
    const std::uint64_t at = TRY(space.with([&](Space& s) -> Result<std::uint64_t> {
        AIOS_ASSERT(s.stacks_base != 0);
        if (size > s.registers_end - s.registers_next) return fail(Error::out_of_memory);
        return std::exchange(s.registers_next, s.registers_next + size);
    }));
    for (std::uint64_t done = 0; done < size; done += kPageSize)
        TRY(arch::map_kernel(at + done, {base.value - offset + done}, arch::Protection::read | arch::Protection::write,
                             arch::Caching::device_registers));
    return at + offset;
}

} // namespace aios::mm
