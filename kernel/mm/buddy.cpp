// The buddy allocator; see buddy.hpp.
#include "kernel/mm/buddy.hpp"

#include <algorithm>
#include <bit>
#include <new>

#include "base/bits.hpp"
#include "kernel/mm/poison.hpp"

namespace aios::mm {

namespace {
constexpr std::uint64_t frames_of(unsigned order) { return 1ull << order; }
void* address_of(std::uint64_t frame) { return arch::physmap({frame * arch::kPageSize}); }
} // namespace

Buddy::FreeBlock* Buddy::block_of(std::uint64_t frame) {
    // SAFETY: a frame marked `free` starts with the FreeBlock that push() built there.
    return std::launder(static_cast<FreeBlock*>(address_of(frame)));
}

void Buddy::init(FrameInfo* table, std::uint64_t frames) {
    AIOS_ASSERT(table_ == nullptr);
    table_ = table;
    frames_ = frames;
}

void Buddy::push(std::uint64_t frame, unsigned order) {
    void* place = address_of(frame);
    asan_unpoison(place, sizeof(FreeBlock));
    // SAFETY: the block is free, so its memory is ours.
    auto* block = ::new (place) FreeBlock;
    lists_[order].push_front(*block);
    orders_ |= 1u << order;
    info(frame).set(FrameState::free, order, 0);
}

void Buddy::take(std::uint64_t frame, unsigned order) {
    FreeBlock* block = block_of(frame);
    lists_[order].remove(*block);
    block->~FreeBlock();
    if (lists_[order].is_empty()) orders_ &= ~(1u << order);
    info(frame).clear();
}

void Buddy::add_range(std::uint64_t first, std::uint64_t end) {
    AIOS_ASSERT(first == end || (first < end && end <= frames_)); // one without frames may lie anywhere
    // The largest aligned runs: as many list operations as there are runs, whatever the size.
    while (first < end) {
        const unsigned fits = log2_floor(end - first);
        const unsigned aligned = first == 0 ? kMaxOrder : static_cast<unsigned>(std::countr_zero(first));
        const unsigned order = std::min({fits, aligned, kMaxOrder});
        asan_poison(address_of(first), frames_of(order) * arch::kPageSize);
        free(first, order);
        first += frames_of(order);
    }
}

std::uint64_t Buddy::allocate(unsigned order) {
    AIOS_ASSERT(order <= kMaxOrder);
    const std::uint32_t usable = orders_ & ~((1u << order) - 1);
    if (usable == 0) return kNone;
    auto have = static_cast<unsigned>(std::countr_zero(usable));
    const std::uint64_t frame = arch::physmap_to_phys(lists_[have].front()).value / arch::kPageSize;
    take(frame, have);
    while (have > order) { // the upper halves stay free
        --have;
        push(frame + frames_of(have), have);
    }
    free_frames_ -= frames_of(order);
    asan_unpoison(address_of(frame), frames_of(order) * arch::kPageSize);
    return frame;
}

void Buddy::free(std::uint64_t frame, unsigned order) {
    AIOS_ASSERT(order <= kMaxOrder && is_aligned(frame, frames_of(order)) && frame + frames_of(order) <= frames_);
    AIOS_ASSERT(info(frame).get().state != FrameState::free);
    free_frames_ += frames_of(order);
    asan_poison(address_of(frame), frames_of(order) * arch::kPageSize);
    info(frame).clear();
    for (; order < kMaxOrder; ++order) {
        const std::uint64_t buddy = frame ^ frames_of(order);
        if (buddy >= frames_) break;
        const FrameInfo::Fields other = info(buddy).get();
        if (other.state != FrameState::free || other.order != order) break;
        take(buddy, order);
        asan_poison(address_of(buddy), sizeof(FreeBlock));
        frame = std::min(frame, buddy);
    }
    push(frame, order);
}

} // namespace aios::mm
