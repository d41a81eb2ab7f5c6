// Removal: page table entries that were taken away in one operation. Flushes are batched; the frames' references are
// dropped after the flush, never before.
#pragma once

#include "kernel/mm/mm.hpp"

namespace aios::mm {

class Removal {
public:
    explicit Removal(arch::PageTable& table) : table_(table) {}
    Removal(const Removal&) = delete;
    ~Removal() { commit(); }

    // The entry at `address` is gone; its frame's reference goes too.
    void add_frame(std::uint64_t address, arch::PhysAddr frame) {
        add_address(address);
        if (is_managed_frame(frame)) frames_[count_++] = frame;
        if (count_ == kBatch) commit();
    }
    // The entry at `address` lost a right, or its frame is kept.
    void add_address(std::uint64_t address) {
        if (address < low_) low_ = address;
        if (address >= high_) high_ = address + kPageSize;
    }
    void commit() {
        if (low_ < high_) table_.flush(low_, (high_ - low_) / kPageSize);
        for (unsigned i = 0; i < count_; ++i)
            release_frames(frames_[i], 0);
        low_ = ~0ull;
        high_ = 0;
        count_ = 0;
    }

private:
    static constexpr unsigned kBatch = 64;
    arch::PageTable& table_;
    std::uint64_t low_ = ~0ull, high_ = 0;
    unsigned count_ = 0;
    arch::PhysAddr frames_[kBatch];
};

} // namespace aios::mm
