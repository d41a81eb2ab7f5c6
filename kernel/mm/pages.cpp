// Pages: making, filling, reading and writing contents; see pages.hpp. pages_range.cpp has what takes contents away.
#include "kernel/mm/pages.hpp"

#include <algorithm>
#include <cstring>

#include "base/bits.hpp"
#include "base/checked.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::mm {

using Guard = sync::Mutex<sync::Rank::pages>::Guard;

Pages::Pages(OnHeap, Ref<Payer> payer, Ref<PageSource> source, std::uint64_t bytes, ChargeWhen when, Over over)
    : when_(when), is_over_(over == Over::yes), source_(std::move(source)), payer_(std::move(payer)), bytes_(bytes),
      sources_end_(is_over_ ? div_ceil(bytes, kPageSize) : 0) {}

Result<Ref<Pages>> Pages::create(Payer& payer, std::uint64_t bytes, ChargeWhen when) {
    if (bytes > kMaxPages * kPageSize) return fail(Error::too_large);
    const std::uint64_t contents = when == ChargeWhen::at_once ? align_up(bytes, kPageSize) + table_bytes(bytes) : 0;
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, cost_of<Pages> + contents));
    auto* pages = TRY(make<Pages>(Ref<Payer>::share(payer), Ref<PageSource>{}, bytes, when, Over::no));
    Guard guard(pages->mutex_); // nobody else knows them yet
    pages->charged_ = charge.amount();
    charge.keep();
    return Ref<Pages>::adopt(pages);
}

Result<Ref<Pages>> Pages::create_contiguous(Payer& payer, std::uint64_t frames) {
    if (frames == 0) return fail(Error::bad_argument);
    if (frames > kMaxPages) return fail(Error::too_large);
    Ref<Pages> pages = TRY(create(payer, frames * kPageSize, ChargeWhen::at_once));
    Guard guard(pages->mutex_);
    for (std::uint64_t i = 0; i < frames; i += kLeafPages) // nothing fails once the frames are there
        TRY(pages->slot_locked(i));
    const unsigned order = log2_ceil(frames);
    const arch::PhysAddr block = TRY(allocate_frames(order));
    split_frames(block, order);
    for (std::uint64_t i = 0; i < (1ull << order); ++i) {
        const arch::PhysAddr frame{block.value + i * kPageSize};
        if (i >= frames) {
            release_frames(frame, 0);
            continue;
        }
        zero_frame(frame);
        pages->leaves_[i / kLeafPages]->frames[i % kLeafPages] = frame;
    }
    pages->resident_.store(frames, std::memory_order_relaxed);
    return pages;
}

Result<Ref<Pages>> Pages::create_from(Payer& payer, Ref<PageSource> source, std::uint64_t bytes) {
    return create_with(payer, std::move(source), bytes, Over::no);
}

Result<Ref<Pages>> Pages::create_over(Payer& payer, Ref<PageSource> source, std::uint64_t bytes) {
    return create_with(payer, std::move(source), bytes, Over::yes);
}

Result<Ref<Pages>> Pages::create_with(Payer& payer, Ref<PageSource> source, std::uint64_t bytes, Over over) {
    if (!source) return fail(Error::bad_argument);
    if (bytes > kMaxPages * kPageSize) return fail(Error::too_large);
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, cost_of<Pages>));
    auto* pages = TRY(make<Pages>(Ref<Payer>::share(payer), std::move(source), bytes, ChargeWhen::at_touch, over));
    Guard guard(pages->mutex_);
    pages->charged_ = charge.amount();
    charge.keep();
    return Ref<Pages>::adopt(pages);
}

void Pages::release() {
    if (references_.release()) destroy(this);
}

Pages::~Pages() {
    AIOS_ASSERT(windows_.is_empty()); // an area holds a reference
    for (std::uint64_t i = 0; i < leaf_count_; ++i) {
        if (leaves_[i] == nullptr) continue;
        for (const arch::PhysAddr frame : leaves_[i]->frames)
            if (frame.value != 0) release_frames(frame, 0);
        heap_free(leaves_[i]);
    }
    heap_free(leaves_);
    if (charged_ != 0) payer_->give_back(Resource::memory, charged_);
}

// What the table of contents of this size costs once all of it is there.
std::uint64_t Pages::table_bytes(std::uint64_t bytes) {
    const std::uint64_t leaves = div_ceil(bytes, kLeafPages * kPageSize);
    return leaves == 0 ? 0 : leaves * cost_of<Leaf> + slots_cost(slots_for(leaves));
}

std::uint64_t Pages::slots_cost(std::uint64_t slots) { return slots == 0 ? 0 : heap_cost(slots * sizeof(Leaf*)); }

// A part of the table, charged now unless all was charged at once.
Result<Reservation> Pages::table_charge(std::uint64_t bytes) {
    if (when_ == ChargeWhen::at_once) return Reservation{};
    return Reservation::make(*payer_, Resource::memory, bytes);
}

Result<> Pages::grow_table_locked(std::uint64_t leaves) {
    mutex_.assert_held();
    const std::uint64_t count = slots_for(leaves);
    Reservation charge = TRY(table_charge(slots_cost(count))); // the old slots are there until the new ones are
    auto** table = static_cast<Leaf**>(heap_allocate(count * sizeof(Leaf*)));
    if (table == nullptr) return fail(Error::out_of_memory);
    std::copy(leaves_, leaves_ + leaf_count_, table);
    std::fill(table + leaf_count_, table + count, nullptr);
    heap_free(leaves_);
    leaves_ = table;
    if (when_ == ChargeWhen::at_touch) {
        const std::uint64_t before = slots_cost(leaf_count_);
        charged_ += charge.amount() - before;
        if (before != 0) payer_->give_back(Resource::memory, before);
        charge.keep();
    }
    leaf_count_ = count;
    return {};
}

Result<arch::PhysAddr*> Pages::slot_locked(std::uint64_t index) {
    mutex_.assert_held();
    const std::uint64_t leaf = index / kLeafPages;
    if (leaf >= leaf_count_) TRY(grow_table_locked(leaf + 1));
    if (leaves_[leaf] == nullptr) {
        Reservation charge = TRY(table_charge(cost_of<Leaf>));
        leaves_[leaf] = TRY(make<Leaf>());
        charged_ += charge.amount();
        charge.keep();
    }
    return &leaves_[leaf]->frames[index % kLeafPages];
}

arch::PhysAddr* Pages::present_slot_locked(std::uint64_t index) const {
    mutex_.assert_held();
    const std::uint64_t leaf = index / kLeafPages;
    if (leaf >= leaf_count_ || leaves_[leaf] == nullptr) return nullptr;
    arch::PhysAddr* slot = &leaves_[leaf]->frames[index % kLeafPages];
    return slot->value == 0 ? nullptr : slot;
}

Result<arch::PhysAddr> Pages::page_locked(std::uint64_t index) {
    mutex_.assert_held();
    if (index >= page_count()) return fail(Error::bad_argument);
    arch::PhysAddr* slot = TRY(slot_locked(index));
    return slot->value != 0 ? *slot : fill_locked(*slot, nullptr);
}

// A frame where none is, of zeros or a copy.
Result<arch::PhysAddr> Pages::fill_locked(arch::PhysAddr& slot, const arch::PhysAddr* copy_of) {
    mutex_.assert_held();
    Reservation charge;
    if (when_ == ChargeWhen::at_touch) charge = TRY(Reservation::make(*payer_, Resource::memory, kPageSize));
    const arch::PhysAddr frame = TRY(allocate_frames(0));
    if (copy_of != nullptr) {
        copy_frame(frame, *copy_of);
    } else {
        zero_frame(frame);
    }
    slot = frame;
    charged_ += charge.amount();
    charge.keep();
    resident_.fetch_add(1, std::memory_order_relaxed);
    return frame;
}

Result<arch::PhysAddr> Pages::page(std::uint64_t index) {
    if (is_over_) {
        if (TRY(make_own(index))) tell_own();
    } else if (source_) {
        if (index >= page_count()) return fail(Error::bad_argument);
        return source_->page(index);
    }
    Guard guard(mutex_);
    return page_locked(index);
}

Result<Pages::Mapped> Pages::page_for_mapping(std::uint64_t index, Mapping mapping) {
    if (is_over_) return page_over(index, mapping);
    if (source_) {
        const arch::PhysAddr frame = TRY(page(index));
        if (is_managed_frame(frame)) retain_frame(frame);
        return Mapped{frame, false};
    }
    Guard guard(mutex_);
    const arch::PhysAddr frame = TRY(page_locked(index));
    retain_frame(frame);
    return Mapped{frame, false};
}

void Pages::ready_for_mapping(std::uint64_t first, std::size_t count, Mapping mapping, arch::PhysAddr* frames) {
    const std::uint64_t end = page_count();
    if (source_ && !is_over_) {
        for (std::size_t i = 0; i < count; ++i) {
            const Result<arch::PhysAddr> frame =
                first + i < end ? source_->ready_page(first + i) : Result<arch::PhysAddr>(fail(Error::not_ready));
            frames[i] = frame ? *frame : arch::PhysAddr{kAbsent};
            if (frame && is_managed_frame(*frame)) retain_frame(*frame);
        }
        return;
    }
    Guard guard(mutex_);
    for (std::size_t i = 0; i < count; ++i) {
        frames[i] = {kAbsent};
        if (first + i >= page_count()) continue;
        if (const arch::PhysAddr* slot = present_slot_locked(first + i)) {
            frames[i] = *slot;
        } else if (mapping == Mapping::looks && is_sources_locked(first + i)) {
            if (const auto ready = source_->ready_page(first + i)) {
                frames[i] = *ready;
                is_shown_ = true;
            }
        }
        if (frames[i].value != kAbsent && is_managed_frame(frames[i])) retain_frame(frames[i]);
    }
}

Result<> Pages::read(std::uint64_t offset, void* to, std::size_t size) {
    if (is_over_) return read_over(offset, to, size);
    if (source_) return read_source(offset, to, size);
    auto* target = static_cast<std::byte*>(to);
    Guard guard(mutex_);
    if (!range_fits(offset, size, bytes())) return fail(Error::bad_argument);
    while (size != 0) {
        const std::uint64_t in_page = offset % kPageSize;
        const std::size_t piece = std::min<std::size_t>(size, kPageSize - in_page);
        if (const arch::PhysAddr* slot = present_slot_locked(offset / kPageSize)) {
            std::memcpy(target, static_cast<const std::byte*>(arch::physmap(*slot)) + in_page, piece);
        } else {
            std::memset(target, 0, piece);
        }
        target += piece;
        offset += piece;
        size -= piece;
    }
    return {};
}

// Without the lock: neither size nor pages of a source change, and it may have to hash, and to report.
Result<> Pages::read_source(std::uint64_t offset, void* to, std::size_t size) {
    auto* target = static_cast<std::byte*>(to);
    if (!range_fits(offset, size, bytes())) return fail(Error::bad_argument);
    while (size != 0) {
        const std::uint64_t in_page = offset % kPageSize;
        const std::size_t piece = std::min<std::size_t>(size, kPageSize - in_page);
        const arch::PhysAddr frame = TRY(source_->page(offset / kPageSize));
        std::memcpy(target, static_cast<const std::byte*>(arch::physmap(frame)) + in_page, piece);
        target += piece;
        offset += piece;
        size -= piece;
    }
    return {};
}

Result<> Pages::write(std::uint64_t offset, const void* from, std::size_t size) {
    if (is_over_) return write_over(offset, from, size);
    if (source_) return fail(Error::missing_right);
    const auto* bytes_in = static_cast<const std::byte*>(from);
    Guard guard(mutex_);
    if (!range_fits(offset, size, bytes())) return fail(Error::bad_argument);
    while (size != 0) {
        const std::uint64_t in_page = offset % kPageSize;
        const std::size_t piece = std::min<std::size_t>(size, kPageSize - in_page);
        const arch::PhysAddr frame = TRY(page_locked(offset / kPageSize));
        std::memcpy(static_cast<std::byte*>(arch::physmap(frame)) + in_page, bytes_in, piece);
        bytes_in += piece;
        offset += piece;
        size -= piece;
    }
    return {};
}

} // namespace aios::mm
