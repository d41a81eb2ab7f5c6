// The buddy allocator: blocks of 2^order frames, naturally aligned, over one table with four bytes a frame. Free blocks
// are linked through their own first bytes, so only heads of blocks are ever written.
//
// Always holds: the head of a free block says `free` and its order; a frame inside a block says `inner`; two free
// buddies of the same order do not exist side by side. No lock: the owner (frames.cpp) has Rank::frames.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/intrusive_list.hpp"
#include "kernel/arch/arch.hpp"

namespace aios::mm {

inline constexpr unsigned kMaxOrder = 18; // 1 GiB

enum class FrameState : std::uint8_t {
    inner,     // inside a block, or not managed
    free,      // head of a free block
    allocated, // head of an allocated block; `value` counts references
    cached,    // single frame in a CPU's cache
    slab,      // frame of a heap slab; `value` is the size class
};

// What is known of one frame, in one word: value (24 bits), order (5 bits), state (3 bits).
class FrameInfo {
public:
    struct Fields {
        std::uint32_t value;
        unsigned order;
        FrameState state;
    };
    static constexpr std::uint32_t kMaxValue = (1u << 24) - 1;
    static constexpr std::uint32_t pack(FrameState state, unsigned order, std::uint32_t value) {
        return value | (order << 24) | (static_cast<std::uint32_t>(state) << 29);
    }
    static constexpr Fields unpack(std::uint32_t word) {
        return {word & kMaxValue, (word >> 24) & 31, static_cast<FrameState>(word >> 29)};
    }

    [[nodiscard]] Fields get() const { return unpack(word_.load(std::memory_order_acquire)); }
    void set(FrameState state, unsigned order, std::uint32_t value) {
        word_.store(pack(state, order, value), std::memory_order_relaxed);
    }
    void clear() { word_.store(0, std::memory_order_relaxed); }
    // The fields before. A count that has reached kMaxValue stays there for good: references beyond it cannot be told
    // apart any more, so the frame is never free again, which costs a page and cannot give it to two owners.
    Fields add_reference() { return change(+1, std::memory_order_relaxed); }
    Fields drop_reference() { return change(-1, std::memory_order_acq_rel); }

private:
    Fields change(int difference, std::memory_order order) {
        std::uint32_t word = word_.load(std::memory_order_relaxed);
        while ((word & kMaxValue) != kMaxValue &&
               !word_.compare_exchange_weak(word, word + static_cast<std::uint32_t>(difference), order,
                                            std::memory_order_relaxed)) {
        }
        return unpack(word);
    }
    std::atomic<std::uint32_t> word_;
};
static_assert(sizeof(FrameInfo) == 4);

class Buddy {
public:
    static constexpr std::uint64_t kNone = ~0ull;

    // `table` has `frames` entries, all zero: entry n is frame number n.
    void init(FrameInfo* table, std::uint64_t frames);
    void add_range(std::uint64_t first, std::uint64_t end); // frame numbers; becomes free
    // The first frame of a free block, its head marked `inner`, or kNone.
    std::uint64_t allocate(unsigned order);
    // `frame` heads a block that the caller has taken out of every other state.
    void free(std::uint64_t frame, unsigned order);

    [[nodiscard]] FrameInfo& info(std::uint64_t frame) {
        AIOS_ASSERT(frame < frames_);
        return table_[frame];
    }
    [[nodiscard]] bool covers(std::uint64_t frame) const { return frame < frames_; }
    [[nodiscard]] std::uint64_t free_frames() const { return free_frames_; }

private:
    struct FreeBlock {
        ListNode node;
    };
    void push(std::uint64_t frame, unsigned order);
    void take(std::uint64_t frame, unsigned order);
    static FreeBlock* block_of(std::uint64_t frame);

    FrameInfo* table_ = nullptr;
    std::uint64_t frames_ = 0;
    std::uint64_t free_frames_ = 0;
    std::uint32_t orders_ = 0; // bit n: there are free blocks of order n
    IntrusiveList<FreeBlock, &FreeBlock::node> lists_[kMaxOrder + 1];
};

} // namespace aios::mm
