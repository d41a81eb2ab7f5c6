// Pages: sizes, and taking contents away again: a cut. The protocol:
//
//   1. Under the mutex the table forgets the frames, and the cut is counted. Mappings keep their frames alive.
//   2. Every space that has a window on these Pages is noticed (address_space_notice.cpp): it goes on only when the
//      entries are gone of every area that has followed fewer cuts.
//
// A fault that fetched a frame before 1 holds its space's mutex until it has made the entry, and sweeps when it lets
// go. A window that is linked behind the walk of 2 gets its frames after 1. A window that is made from another by
// moving or splitting is linked before that one goes, behind all others: so the walk finds one of them.
#include <algorithm>
#include <cstring>

#include "base/bits.hpp"
#include "base/checked.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/pages.hpp"
#include "kernel/mm/size_classes.hpp"

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
        for (; index < leaf_end; ++index) {
            arch::PhysAddr& frame = leaf->frames[index % kLeafPages];
            if (frame.value == 0) continue;
            release_frames(std::exchange(frame, {}), 0);
            resident_.fetch_sub(1, std::memory_order_relaxed);
            if (when_ == ChargeWhen::at_touch) give_back += kPageSize;
        }
        if (std::ranges::all_of(leaf->frames, [](arch::PhysAddr frame) { return frame.value == 0; })) {
            destroy(std::exchange(leaf, nullptr));
            if (when_ == ChargeWhen::at_touch) give_back += cost_of<Leaf>;
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

Result<> Pages::check_size(std::uint64_t bytes) const {
    if (source_ || when_ != ChargeWhen::at_touch) return fail(Error::missing_right);
    if (bytes > kMaxPages * kPageSize) return fail(Error::too_large);
    return {};
}

Result<> Pages::resize(std::uint64_t bytes) {
    TRY(check_size(bytes));
    {
        Guard guard(mutex_);
        const std::uint64_t old = bytes_.exchange(bytes, std::memory_order_acq_rel);
        if (bytes >= old) return {};
        const std::uint64_t first_gone = div_ceil(bytes, kPageSize);
        drop_range_locked(first_gone, kMaxPages - first_gone);
        zero_tail_locked(bytes);
        cuts_.fetch_add(1, std::memory_order_acq_rel);
    }
    notice_spaces();
    return {};
}

Result<> Pages::grow(std::uint64_t bytes) {
    TRY(check_size(bytes));
    Guard guard(mutex_);
    if (bytes > this->bytes()) bytes_.store(bytes, std::memory_order_release);
    return {};
}

Result<std::uint64_t> Pages::extend(std::uint64_t bytes, std::uint64_t limit) {
    TRY(check_size(0));
    Guard guard(mutex_);
    const std::uint64_t old = this->bytes();
    limit = std::min(limit, kMaxPages * kPageSize);
    if (!range_fits(old, bytes, limit)) return fail(Error::too_large);
    bytes_.store(old + bytes, std::memory_order_release);
    return old;
}

void Pages::discard(std::uint64_t first, std::uint64_t count) {
    if (source_ || count == 0) return;
    count = std::min(count, kMaxPages); // sums stay small
    first = std::min(first, kMaxPages);
    {
        Guard guard(mutex_);
        drop_range_locked(first, count);
        cuts_.fetch_add(1, std::memory_order_acq_rel);
    }
    notice_spaces();
}

// --- who maps these Pages --------------------------------------------------------------------------------------------

void Pages::add_window(Window& window) {
    WindowGuard guard(windows_lock_);
    window.number = ++last_window_;
    windows_.insert(window);
}

void Pages::remove_window(Window& window) {
    WindowGuard guard(windows_lock_);
    windows_.erase(window);
    window.number = 0;
}

Ref<AddressSpace> Pages::next_space(std::uint64_t& after) {
    WindowGuard guard(windows_lock_);
    const Window* window = windows_.upper_bound(after);
    if (window == nullptr) return {};
    after = window->number;
    // A linked window's space is alive, or being destroyed: then nobody can run in it any more, and it takes its
    // windows out of the set first.
    return window->space->try_retain() ? Ref<AddressSpace>::adopt(window->space) : Ref<AddressSpace>();
}

// One window in each step, so that nobody's interrupts wait for how often somebody maps a file. Windows that come
// meanwhile are visited too; to make one costs more than to visit it.
void Pages::notice_spaces() {
    static constinit std::atomic<std::uint64_t> tickets{1};
    const std::uint64_t ticket = tickets.fetch_add(1, std::memory_order_relaxed);
    for (std::uint64_t last = 0;;) {
        const std::uint64_t before = last;
        const Ref<AddressSpace> space = next_space(last);
        if (last == before) return;
        if (space && space->last_ticket_.exchange(ticket, std::memory_order_relaxed) != ticket) space->notice();
    }
}

} // namespace aios::mm
