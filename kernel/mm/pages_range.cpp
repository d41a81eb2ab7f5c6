// Pages: taking contents away again (discard, a smaller size), and unmapping from whoever has them mapped.
//
// Order matters: first the table forgets the frames, then the mappings go. A fault that fetched a frame before still
// holds its address space's lock; unmapping waits for that lock, so the stale mapping is found. Rank::pages is not held
// while an address space (lower rank) is locked.
#include <algorithm>
#include <cstring>

#include "base/bits.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/pages.hpp"

namespace aios::mm {

using Guard = sync::Mutex<sync::Rank::pages>::Guard;
using WindowGuard = sync::SpinLock<sync::Rank::windows>::Guard;

// Forgets the frames of [first, first + count); empty leaves are freed.
void Pages::drop_range_locked(std::uint64_t first, std::uint64_t count) {
    const std::uint64_t end = std::min(first + count, leaf_count_ * kLeafPages);
    std::uint64_t give_back = 0;
    for (std::uint64_t index = first; index < end;) {
        const std::uint64_t leaf_end = std::min(align_down(index, kLeafPages) + kLeafPages, end);
        Leaf*& leaf = leaves_[index / kLeafPages];
        if (leaf == nullptr) {
            index = leaf_end;
            continue;
        }
        for (; index < leaf_end; index++) {
            arch::PhysAddr& frame = leaf->frames[index % kLeafPages];
            if (frame.value == 0) continue;
            release_frames(std::exchange(frame, {}), 0);
            resident_.fetch_sub(1, std::memory_order_relaxed);
            if (when_ == ChargeWhen::at_touch) give_back += kPageSize;
        }
        if (std::ranges::all_of(leaf->frames, [](arch::PhysAddr frame) { return frame.value == 0; })) {
            destroy(std::exchange(leaf, nullptr));
            if (when_ == ChargeWhen::at_touch) give_back += sizeof(Leaf);
        }
    }
    charged_ -= give_back;
    if (give_back != 0) payer_->give_back(Resource::memory, give_back);
}

// The rest of the page that holds the last byte reads as zero when the contents grow again.
void Pages::zero_tail_locked(std::uint64_t bytes) {
    const std::uint64_t in_page = bytes % kPageSize;
    if (in_page == 0) return;
    if (const arch::PhysAddr* slot = present_slot_locked(bytes / kPageSize))
        std::memset(static_cast<std::byte*>(arch::physmap(*slot)) + in_page, 0, kPageSize - in_page);
}

Result<> Pages::resize(std::uint64_t bytes) {
    if (source_ || when_ != ChargeWhen::at_touch) return fail(Error::missing_right);
    if (bytes > kMaxPages * kPageSize) return fail(Error::too_large);
    const std::uint64_t first_gone = div_ceil(bytes, kPageSize);
    {
        Guard guard(mutex_);
        const std::uint64_t old = bytes_.exchange(bytes, std::memory_order_acq_rel);
        if (bytes >= old) return {};
        drop_range_locked(first_gone, kMaxPages - first_gone);
        zero_tail_locked(bytes);
    }
    unmap_range_everywhere(first_gone, kMaxPages - first_gone);
    return {};
}

void Pages::discard(std::uint64_t first, std::uint64_t count) {
    if (source_ || count == 0) return;
    count = std::min(count, kMaxPages); // sums stay small
    first = std::min(first, kMaxPages);
    {
        Guard guard(mutex_);
        drop_range_locked(first, count);
    }
    unmap_range_everywhere(first, count);
}

void Pages::add_window(Window& window) {
    WindowGuard guard(windows_lock_);
    windows_.push_back(window);
}

void Pages::remove_window(Window& window) {
    WindowGuard guard(windows_lock_);
    windows_.remove(window);
}

Ref<AddressSpace> Pages::next_space(std::uint64_t after, std::uint64_t holder) {
    WindowGuard guard(windows_lock_);
    for (;;) {
        AddressSpace* best = nullptr;
        for (const Window& window : windows_) {
            // A linked window's space is alive, or being destroyed: that takes its windows off the list first.
            AddressSpace* space = window.space;
            if (space->id() <= after || (holder != 0 && space->holder() != holder)) continue;
            if (best == nullptr || space->id() < best->id()) best = space;
        }
        if (best == nullptr) return {};
        if (best->try_retain()) return Ref<AddressSpace>::adopt(best);
        after = best->id(); // nobody can run in it any more
    }
}

void Pages::unmap_range_everywhere(std::uint64_t first, std::uint64_t count) {
    std::uint64_t last = 0;
    while (Ref<AddressSpace> space = next_space(last, 0)) {
        space->unmap_page_range(*this, first, count);
        last = space->id();
    }
}

void Pages::unmap_for(std::uint64_t holder, std::uint64_t origin) {
    std::uint64_t last = 0;
    while (Ref<AddressSpace> space = next_space(last, holder)) {
        space->unmap_pages(*this, origin);
        last = space->id();
    }
}

} // namespace aios::mm
