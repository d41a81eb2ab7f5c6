// Pages: sizes, and taking contents away again: a cut. The protocol:
//
//   (1) Under the Pages' mutex the table forgets the frames, and `cuts_` is counted up under the same hold. Mappings keep
//       their frames alive, so nobody reads a page that became somebody else's.
//   (2) The windows on these Pages are walked, one in each hold of the windows' lock, in the order of their numbers; the
//       space of each is noticed, without a lock (AddressSpace::notice). A space is noticed once in a walk, however many
//       windows it has: that it is settled again means that all of its areas have followed the cut.
//   (3) A noticed space is swept before anything runs in it: each area that has followed fewer cuts than `cuts()` answers
//       loses its entries and has followed them (AddressSpace::sweep). `noticed_` was counted after (1): a sweep that
//       finds it counted finds the cut, and one that does not leaves the space unsettled, and is followed by another.
//
// Who could miss it, and why not:
//   - A fault that fetched a frame before (1) holds its space's mutex until it has made the entry, and a notice that finds
//     the mutex taken leaves the sweep to it. One that fetches after (1) gets what is there then.
//   - A window that is linked behind the place of the walk is of a new area, without entries: those it gets come after (1).
//     One that is linked while the walk is under way is visited too; to make one costs more than to visit it.
//   - An area that is made from another, by moving or splitting, has its entries. Its window is linked before the other
//     one's goes, and with a higher number: the walk finds one of them, or has noticed the space already, whose sweep needs
//     the mutex under which this happens, and finds the area there.
//   - Two areas that become one keep the window of either: both are of one space, and the sweep looks at areas.
//   - A child of fork() gets no entries for contents of Pages, only copies of the parent's own pages.
//   - A space that is being destroyed cannot be retained, and is passed over: nobody runs in it any more.
// Windows are linked and unlinked under their space's mutex and this lock. A space's area is looked at by nobody here.
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
    mutex_.assert_held();
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
    mutex_.assert_held();
    const std::uint64_t in_page = bytes % kPageSize;
    if (in_page == 0) return;
    if (const arch::PhysAddr* slot = present_slot_locked(bytes / kPageSize))
        std::memset(static_cast<std::byte*>(arch::physmap(*slot)) + in_page, 0, kPageSize - in_page);
}

Result<> Pages::check_size(std::uint64_t bytes) const {
    if (!is_changeable() || when_ != ChargeWhen::at_touch) return fail(Error::missing_right);
    if (bytes > kMaxPages * kPageSize) return fail(Error::too_large);
    return {};
}

Result<> Pages::resize(std::uint64_t bytes) {
    TRY(check_size(bytes));
    if (is_over_) TRY(prepare_cut(bytes));
    {
        Guard guard(mutex_);
        const std::uint64_t old = bytes_.exchange(bytes, std::memory_order_acq_rel);
        if (bytes >= old) return {};
        const std::uint64_t first_gone = div_ceil(bytes, kPageSize);
        drop_range_locked(first_gone, kMaxPages - first_gone);
        sources_end_ = std::min(sources_end_, first_gone);
        zero_tail_locked(bytes);
        cuts_.fetch_add(1, std::memory_order_acq_rel); // (1); pairs with the acquire in cuts()
    }
    notice_spaces();
    return {};
}

Result<> Pages::grow(std::uint64_t bytes) {
    TRY(check_size(bytes));
    Guard guard(mutex_);
    if (bytes <= this->bytes()) return {};
    has_own_.store(true, std::memory_order_release);
    bytes_.store(bytes, std::memory_order_release);
    return {};
}

Result<std::uint64_t> Pages::extend(std::uint64_t bytes, std::uint64_t limit) {
    TRY(check_size(0));
    Guard guard(mutex_);
    const std::uint64_t old = this->bytes();
    limit = std::min(limit, kMaxPages * kPageSize);
    if (!range_fits(old, bytes, limit)) return fail(Error::too_large);
    has_own_.store(true, std::memory_order_release);
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
        cuts_.fetch_add(1, std::memory_order_acq_rel); // (1); pairs with the acquire in cuts()
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

// (2) One window in each step, so that nobody's interrupts wait for how often somebody maps a file. Each walk has a ticket
// of its own, which it leaves in the spaces that it has noticed. Two walks that meet in a space overwrite each other's, and
// notice it once more than needed. relaxed: a ticket says something to its own walk alone.
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
