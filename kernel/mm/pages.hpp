// Pages: the contents of a memory object, at most 1 GiB (2^18 pages): anonymous (zero-filled at first touch), filled by a
// PageSource (bundle entries, verified at first touch), or over one: what has not been changed is the source's. Shared by
// reference count; mapped by AddressSpace; wrapped into a kernel object by object/memory_object.
//
// Anonymous contents are a sparse table of frames, made as pages are touched and charged with them. Each frame in the
// table counts one reference, each mapping of it another: a mapping never sees a frame that somebody else got.
// Source-backed Pages keep no table: the source remembers what it has verified. Pages over a source (pages_over.cpp) keep
// one for what is their own. Locks: Rank::pages (mutex) for table
// and size, which makes growing to a size one step; Rank::windows (spinlock) for the set of areas that map these Pages,
// held for one step of it alone.
//
// Contents that are taken away while they are mapped are a cut (pages_range.cpp): they are counted, and every space
// that maps these Pages is noticed. Whoever cuts waits for no thread of those who map.
#pragma once

#include <bit>

#include "base/intrusive_tree.hpp"
#include "kernel/mm/mm.hpp"
#include "kernel/sync/annotations.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::mm {

class AddressSpace;

// Fills pages of Pages that are not anonymous. The frame it answers may be the bundle's own (mapped in place, never
// freed).
class PageSource {
public:
    // Error::integrity when the contents do not match their hash (the source has reported it).
    virtual Result<arch::PhysAddr> page(std::uint64_t index) = 0;
    // The frame of a page that page() would answer at once, or not_ready. Neighbours of a faulting page are mapped by
    // it.
    virtual Result<arch::PhysAddr> ready_page(std::uint64_t index) {
        (void)index;
        return fail(Error::not_ready);
    }
    virtual void retain() = 0;
    virtual void release() = 0;

protected:
    ~PageSource() = default;
};

// at_once: contents and their table, so that a touch never fails for want of quota.
enum class ChargeWhen : std::uint8_t { at_once, at_touch }; // at_touch: Linux reservations that are never used whole

// One area's entry in the set of those who map a Pages, in the order of linking.
struct Window {
    TreeNode node;
    std::uint64_t number = 0; // 0: not linked
    AddressSpace* space = nullptr;
};

class Pages {
public:
    static constexpr std::uint64_t kMaxPages = std::uint64_t{1} << 18;

    // quota_exceeded, out_of_memory, too_large. `bytes` may be 0 (a file that grows).
    static Result<Ref<Pages>> create(Payer& payer, std::uint64_t bytes, ChargeWhen when);
    static Result<Ref<Pages>> create_contiguous(Payer& payer,
                                                std::uint64_t frames); // FrameAlloc: DMA-able, all present
    // Read-only contents. The object is charged, its contents are the source's.
    static Result<Ref<Pages>> create_from(Payer& payer, Ref<PageSource> source, std::uint64_t bytes);
    // Contents that begin as the source's and can be changed. A page becomes their own, and is charged, when it is written
    // to or mapped where it may be; until then it is read and mapped in place. Errors as create_from.
    static Result<Ref<Pages>> create_over(Payer& payer, Ref<PageSource> source, std::uint64_t bytes);
    void retain() { references_.retain(); }
    void release();

    [[nodiscard]] std::uint64_t bytes() const {
        return bytes_.load(std::memory_order_acquire);
    } // the exact size asked for
    [[nodiscard]] std::uint64_t page_count() const { return (bytes() + kPageSize - 1) / kPageSize; }
    // The frame of page `index`, filled. Blocks (mutex). integrity, out_of_memory, quota_exceeded; bad_argument past
    // the end. The frame stays while nobody discards or resizes; who cannot know that uses page_for_mapping.
    Result<arch::PhysAddr> page(std::uint64_t index);
    // Copies between kernel memory and contents, across pages. Untouched pages read as zero and stay untouched.
    Result<> read(std::uint64_t offset, void* to, std::size_t bytes);
    // Those that can be changed only (missing_right). Stops at the first page that cannot be had: what came before is written.
    Result<> write(std::uint64_t offset, const void* from, std::size_t bytes);
    // Those charged at touch only. What lies behind a new, smaller end is gone, from all mappings too; growth reads as
    // zero.
    Result<> resize(std::uint64_t bytes);
    Result<> grow(std::uint64_t bytes); // as resize, to at least `bytes`
    // As resize, `bytes` more than now, at most `limit` (too_large); answers the size before: where an append goes.
    Result<std::uint64_t> extend(std::uint64_t bytes, std::uint64_t limit);
    // Anonymous only, others stay as they are: back to zero-fill; gives the charge back where at_touch.
    void discard(std::uint64_t first, std::uint64_t count);
    [[nodiscard]] bool is_changeable() const { return !source_ || is_over_; }
    // Whether contents over a source have been other than it, or may have been.
    [[nodiscard]] bool has_own() const { return has_own_.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint64_t resident_pages() const { return resident_.load(std::memory_order_relaxed); }
    // How often contents were cut.
    [[nodiscard]] std::uint64_t cuts() const { return cuts_.load(std::memory_order_acquire); }

    // --- for AddressSpace --------------------------------------------------------------------------------------------
    // As page(), with a reference on the frame if it is a managed one: the mapping's own. `changes`: for a shared mapping
    // that may ever be written through, which never sees a frame of a source. Others get frames only to look at.
    enum class Mapping : std::uint8_t { looks, changes };
    struct Mapped {
        arch::PhysAddr frame;
        bool
            is_cut; // others may still see the source's: nothing is to be done with it before tell_own(), without locks
    };
    Result<Mapped> page_for_mapping(std::uint64_t index, Mapping mapping);
    void tell_own();
    // As page_for_mapping for those of `count` pages that are there already; `frames[i].value` is kAbsent for the
    // others.
    static constexpr std::uint64_t kAbsent = ~0ull;
    void ready_for_mapping(std::uint64_t first, std::size_t count, Mapping mapping, arch::PhysAddr* frames);
    void add_window(Window& window);
    void remove_window(Window& window);

    Pages(const Pages&) = delete;

    enum class Over : bool { no, yes }; // a source's contents that can be changed
    Pages(OnHeap, Ref<Payer> payer, Ref<PageSource> source, std::uint64_t bytes, ChargeWhen when, Over over);
    ~Pages();

private:
    static constexpr std::uint64_t kLeafPages = 64;
    struct Leaf {
        arch::PhysAddr frames[kLeafPages]; // 0: not touched
    };

    static std::uint64_t slots_for(std::uint64_t leaves) { return leaves <= 4 ? 4 : std::bit_ceil(leaves); }
    static std::uint64_t slots_cost(std::uint64_t slots);
    static std::uint64_t table_bytes(std::uint64_t bytes);
    Result<Reservation> table_charge(std::uint64_t bytes);
    Result<> grow_table_locked(std::uint64_t leaves) AIOS_REQUIRES(mutex_);
    Result<arch::PhysAddr*> slot_locked(std::uint64_t index) AIOS_REQUIRES(mutex_); // makes the leaf
    [[nodiscard]] arch::PhysAddr* present_slot_locked(std::uint64_t index) const
        AIOS_REQUIRES(mutex_); // nullptr if not touched
    Result<arch::PhysAddr> page_locked(std::uint64_t index) AIOS_REQUIRES(mutex_);
    Result<arch::PhysAddr> fill_locked(arch::PhysAddr& slot, const arch::PhysAddr* copy_of) AIOS_REQUIRES(mutex_);
    static Result<Ref<Pages>> create_with(Payer& payer, Ref<PageSource> source, std::uint64_t bytes, Over over);
    // pages_over.cpp
    [[nodiscard]] bool is_sources_locked(std::uint64_t index) const AIOS_REQUIRES(mutex_);
    Result<bool> make_own(std::uint64_t index);
    Result<> read_over(std::uint64_t offset, void* to, std::size_t size);
    Result<> write_over(std::uint64_t offset, const void* from, std::size_t size);
    Result<> prepare_cut(std::uint64_t bytes);
    Result<Mapped> page_over(std::uint64_t index, Mapping mapping);
    Result<> read_source(std::uint64_t offset, void* to, std::size_t size);
    void drop_range_locked(std::uint64_t first, std::uint64_t count) AIOS_REQUIRES(mutex_);
    void zero_tail_locked(std::uint64_t bytes) AIOS_REQUIRES(mutex_);
    [[nodiscard]] Result<> check_size(std::uint64_t bytes) const;
    void notice_spaces();
    Ref<AddressSpace> next_space(std::uint64_t& after); // that has the window behind number `after`, which moves on

    RefCount references_;
    const ChargeWhen when_;
    const bool is_over_; // a source, and can be changed
    const Ref<PageSource> source_;
    const Ref<Payer> payer_;
    std::atomic<bool> has_own_{false};
    std::atomic<std::uint64_t> bytes_;
    std::atomic<std::uint64_t> resident_{0};
    std::atomic<std::uint64_t> cuts_{0}; // changes under mutex_, together with the table
    sync::Mutex<sync::Rank::pages> mutex_;
    Leaf** leaves_ AIOS_GUARDED_BY(mutex_) = nullptr;
    std::uint64_t leaf_count_ AIOS_GUARDED_BY(mutex_) = 0;
    bool is_shown_ AIOS_GUARDED_BY(mutex_) = false; // a mapping got one of the source's frames
    // Of the cuts by own pages: the last one, and up to which those who map have been told.
    std::uint64_t last_own_cut_ AIOS_GUARDED_BY(mutex_) = 0, told_cut_ AIOS_GUARDED_BY(mutex_) = 0;
    std::uint64_t sources_end_ AIOS_GUARDED_BY(mutex_); // over a source: pages from here on are not its
    std::uint64_t charged_ AIOS_GUARDED_BY(mutex_) = 0; // bytes: what is given back at the end
    sync::SpinLock<sync::Rank::windows> windows_lock_;
    IntrusiveTree<Window, &Window::node, &Window::number> windows_ AIOS_GUARDED_BY(windows_lock_);
    std::uint64_t last_window_ AIOS_GUARDED_BY(windows_lock_) = 0;
};

} // namespace aios::mm
