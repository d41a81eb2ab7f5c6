// Pages over a source: contents that begin as the source's, and can be changed. A page without a frame of its own below
// `sources_end_` is the source's. It becomes their own when it is written to, or mapped where it may be written through;
// what is cut off is the source's no more. The protocol:
//
//   (1) Whoever wants an own page fetches the source's without a lock, since that may have to hash and to report. Sources
//       do not change, so what it fetched is good however long it takes.
//   (2) Under the Pages' mutex it looks again: the page may be somebody's work by now, or cut off. If not, a copy goes into
//       the table.
//   (3) Mappings may still show the source's frame, none of them with the right to write. If any ever got one, this is a
//       cut (pages_range.cpp): those who map follow it, and find the own page. A window that is linked after the look at
//       them gets its frames after (2). A fault does (3) when it has let go of its space (AddressSpace::leave), and makes no
//       entry before. Whoever comes to an own page while a cut is untold does (3) too: so when a write has returned, or a
//       program has the right to write, nobody sees what was there before.
#include <algorithm>
#include <cstring>

#include "base/checked.hpp"
#include "kernel/mm/pages.hpp"

namespace aios::mm {

using Guard = sync::Mutex<sync::Rank::pages>::Guard;

bool Pages::is_sources_locked(std::uint64_t index) const {
    mutex_.assert_held();
    return is_over_ && index < sources_end_ && present_slot_locked(index) == nullptr;
}

// Whether (3) is the caller's to do. bad_argument behind the end.
Result<bool> Pages::make_own(std::uint64_t index) {
    arch::PhysAddr source{};
    bool is_fetched = false;
    for (;;) {
        {
            Guard guard(mutex_);
            if (index >= page_count()) return fail(Error::bad_argument);
            const bool is_sources = is_sources_locked(index);
            if (!is_sources || is_fetched) { // (2)
                arch::PhysAddr* slot = TRY(slot_locked(index));
                if (slot->value == 0) TRY(fill_locked(*slot, is_sources ? &source : nullptr));
                has_own_.store(true, std::memory_order_release);
                if (is_sources && is_shown_) // pairs with the acquire in cuts()
                    last_own_cut_ = cuts_.fetch_add(1, std::memory_order_acq_rel) + 1;
                return told_cut_ < last_own_cut_;
            }
        }
        source = TRY(source_->page(index)); // (1)
        is_fetched = true;
    }
}

// (3)
void Pages::tell_own() {
    std::uint64_t cut;
    {
        Guard guard(mutex_);
        cut = last_own_cut_;
    }
    bool is_mapped;
    {
        sync::SpinLock<sync::Rank::windows>::Guard guard(windows_lock_);
        is_mapped = !windows_.is_empty();
    }
    if (is_mapped) notice_spaces();
    Guard guard(mutex_);
    told_cut_ = std::max(told_cut_, cut);
}

Result<Pages::Mapped> Pages::page_over(std::uint64_t index, Mapping mapping) {
    const bool is_cut = mapping == Mapping::changes && TRY(make_own(index));
    for (;;) {
        {
            Guard guard(mutex_);
            if (index >= page_count()) return fail(Error::bad_argument);
            if (!is_sources_locked(index)) {
                const arch::PhysAddr frame = TRY(page_locked(index));
                has_own_.store(true, std::memory_order_release);
                retain_frame(frame);
                return Mapped{frame, is_cut};
            }
        }
        const arch::PhysAddr frame = TRY(source_->page(index));
        Guard guard(mutex_);
        if (!is_sources_locked(index)) continue; // changed or cut off meanwhile
        if (is_managed_frame(frame)) retain_frame(frame);
        is_shown_ = true;
        return Mapped{frame, false};
    }
}

Result<> Pages::read_over(std::uint64_t offset, void* to, std::size_t size) {
    auto* target = static_cast<std::byte*>(to);
    if (!range_fits(offset, size, bytes())) return fail(Error::bad_argument);
    while (size != 0) {
        const std::uint64_t index = offset / kPageSize, in_page = offset % kPageSize;
        const std::size_t piece = std::min<std::size_t>(size, kPageSize - in_page);
        bool is_sources;
        {
            Guard guard(mutex_);
            if (!range_fits(offset, size, bytes())) return fail(Error::bad_argument);
            is_sources = is_sources_locked(index);
            if (const arch::PhysAddr* slot = present_slot_locked(index)) {
                std::memcpy(target, static_cast<const std::byte*>(arch::physmap(*slot)) + in_page, piece);
            } else if (!is_sources) {
                std::memset(target, 0, piece);
            }
        }
        if (is_sources) { // what it was when it was looked at, even if it is changed meanwhile
            const arch::PhysAddr frame = TRY(source_->page(index));
            std::memcpy(target, static_cast<const std::byte*>(arch::physmap(frame)) + in_page, piece);
        }
        target += piece;
        offset += piece;
        size -= piece;
    }
    return {};
}

Result<> Pages::write_over(std::uint64_t offset, const void* from, std::size_t size) {
    const auto* bytes_in = static_cast<const std::byte*>(from);
    bool is_cut = false;
    const auto put = [&]() -> Result<> {
        while (size != 0) {
            const std::uint64_t index = offset / kPageSize, in_page = offset % kPageSize;
            const std::size_t piece = std::min<std::size_t>(size, kPageSize - in_page);
            if (TRY(make_own(index))) is_cut = true;
            Guard guard(mutex_);
            if (!range_fits(offset, size, bytes())) return fail(Error::bad_argument);
            const arch::PhysAddr frame = TRY(page_locked(index)); // cut off and grown again meanwhile: of zeros
            std::memcpy(static_cast<std::byte*>(arch::physmap(frame)) + in_page, bytes_in, piece);
            bytes_in += piece;
            offset += piece;
            size -= piece;
        }
        return {};
    };
    if (!range_fits(offset, size, bytes())) return fail(Error::bad_argument);
    const Result<> done = put();
    if (is_cut) tell_own();
    return done;
}

// Before contents are cut to `bytes`: the page that is cut in two becomes their own, since its rest is to be zero.
Result<> Pages::prepare_cut(std::uint64_t bytes) {
    has_own_.store(true, std::memory_order_release);
    if (bytes % kPageSize == 0 || bytes >= this->bytes()) return {};
    const Result<bool> made = make_own(bytes / kPageSize);
    if (!made && made.error() != Error::bad_argument) return fail(made.error()); // behind the end by now
    return {};
}

} // namespace aios::mm
