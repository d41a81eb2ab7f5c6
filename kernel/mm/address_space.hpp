// AddressSpace: the user mappings of one process: an ordered set of areas, each a window on Pages, shared or private
// (copy on write), or anonymous memory, or device registers. Faults are resolved here. W^X is enforced unless the space
// was made with Jit::yes. Lock: Rank::address_space (mutex), taken as AddressSpace::Locked, which also takes away
// what others have ended meanwhile. How revocation and truncation reach a space: address_space_notice.cpp.
//
// Who holds what: an entry of the page table holds one reference on its frame (where it is a managed frame), and bears
// the mark `owned` if the page is this space's own: a private page, of which no Pages knows. Charges, all to the payer:
// areas, page tables, and one page for each owned entry, except in areas whose pages were all charged when they were
// mapped. A frame's reference is dropped only after every CPU that could hold the entry was flushed.
#pragma once

#include "kernel/mm/area.hpp"
#include "kernel/mm/grant.hpp"
#include "kernel/mm/space_set.hpp"

namespace aios::mm {

class Removal;

enum class Sharing : std::uint8_t { shared, copy_on_write };

struct MapOptions {
    std::uint64_t address = 0; // page aligned; 0 = anywhere (random). Not fixed: a wish
    bool fixed = false;        // exactly there, replacing what is mapped (Linux MAP_FIXED)
    bool no_replace = false;   // with fixed: already_exists instead of replacing
    bool grows_down = false;   // anonymous only: grows to kMaxStackGrowth at faults below it
    arch::Protection maximum =
        arch::Protection::read | arch::Protection::write | arch::Protection::execute; // for protect()
    Ref<Authority> authority = {}; // what it is made under; the mapping goes when that ends. Empty: nothing can end it
    Ref<Label> label = {};         // what it is called, of Pages
};

// Whether memory may be writable and executable at once.
enum class Jit : std::uint8_t { no, yes };

class AddressSpace {
public:
    static constexpr std::size_t kMaxAreas = 32768; // no_space beyond it

    // Page tables and areas are charged to `payer`.
    static Result<Ref<AddressSpace>> create(Payer& payer, Jit jit = Jit::no);
    [[nodiscard]] Jit jit() const { return jit_; }
    void retain() { references_.retain(); }
    void release();
    [[nodiscard]] bool try_retain() { return references_.try_retain(); }
    void destroy_mappings(); // everything unmapped, frames and charges returned, what is under way in messages too
    // A process uses it from now on. `set`: of the table whose capabilities its mappings come from; the same for all.
    void enter(SpaceSet& set);
    // A process that has entered uses it no more; with the last of them the mappings go.
    void leave_for_good();
    [[nodiscard]] bool has_several_processes() const { return processes_.load(std::memory_order_relaxed) > 1; }

    // --- revocation and truncation, see address_space_notice.cpp
    // Authorities or contents of mappings have changed, and that can be seen. When it returns nobody uses this space
    // before those mappings are gone. Waits for other CPUs, not for threads. No lock is held.
    void notice();
    // Whether everything that was noticed is gone. To be looked at before user mode is entered and user memory touched.
    [[nodiscard]] bool is_settled() const {
        // acquire: pairs with sweep(), so that who sees it settled sees the entries gone
        return noticed_.load(std::memory_order_seq_cst) == settled_.load(std::memory_order_acquire);
    }
    void settle(); // waits for the space's mutex

    // Maps [offset, offset+bytes) of `pages`; offset and the answered address are page aligned; bytes rounded up. Write
    // or execute imply read. bad_argument, bad_address (no room), already_exists, quota_exceeded, no_space;
    // missing_right: protection above `maximum`, write and execute without jit, shared writing to a source; revoked:
    // the authority is not held any more. It may end at any time after: then the mapping is gone again.
    Result<std::uint64_t> map(Ref<Pages> pages, std::uint64_t offset, std::uint64_t bytes, arch::Protection protection,
                              Sharing sharing, const MapOptions& options = {});
    // Anonymous memory: zero-filled, private.
    Result<std::uint64_t> map_anonymous(std::uint64_t bytes, arch::Protection protection, ChargeWhen when,
                                        const MapOptions& options = {});
    // Device registers (PageMap): uncached, never copied.
    Result<std::uint64_t> map_device(arch::PhysAddr base, std::uint64_t bytes, arch::Protection protection,
                                     Ref<Authority> authority = {});
    Result<> unmap(std::uint64_t address, std::uint64_t bytes); // splits areas; parts that are not mapped are skipped
    // bad_address on holes; missing_right. All or nothing.
    Result<> protect(std::uint64_t address, std::uint64_t bytes, arch::Protection protection);
    // MADV_DONTNEED: private pages read as zero or source again. bad_address on holes (what is mapped was discarded).
    Result<> discard(std::uint64_t address, std::uint64_t bytes);
    enum class MayMove : std::uint8_t { no, yes };
    // Changes the size of a mapping inside one area; the new part continues the old. bad_address, bad_argument.
    Result<std::uint64_t> remap(std::uint64_t address, std::uint64_t old_bytes, std::uint64_t new_bytes,
                                MayMove may_move);

    // The same to `target`, in place of what is there; neither range may overlap the other. `leaves` an empty mapping where it
    // was, or nothing. What is at the target, and the end of what shrinks, is gone even if the rest fails.
    enum class Leaves : std::uint8_t { nothing, empty };
    Result<> move_to(std::uint64_t address, std::uint64_t old_bytes, std::uint64_t new_bytes, std::uint64_t target,
                     Leaves leaves);
    // The same to a place of the space's choice, where an empty mapping is left.
    Result<std::uint64_t> move_away(std::uint64_t address, std::uint64_t bytes);
    // What a child gets of [address, address+bytes). `emptied` is for anonymous private memory alone (bad_argument).
    // bad_address on holes; all or nothing.
    Result<> set_at_fork(std::uint64_t address, std::uint64_t bytes, AtFork at_fork);

    // --- pages in messages, see address_space_grant.cpp
    // Takes `pages` pages (1 to Grant::kMostPages) of anonymous memory out of one area, or freezes them. When it returns
    // nobody can change what is granted. bad_argument (no page boundary), bad_address (no such memory, or without the
    // right to read, for moved also to write), quota_exceeded, out_of_memory.
    Result<Owned<Grant>> grant(std::uint64_t address, std::uint32_t pages, PageMode mode);
    // The pages of the grant come to `address`, in place of what is there: anonymous memory that may be written. All or
    // nothing; the grant is empty afterwards. bad_argument, bad_address, quota_exceeded, out_of_memory.
    Result<> accept(Grant& grant, std::uint64_t address);

    using Access = arch::FaultAccess;
    // Resolves a fault, or says why not: bad_address (no area, or protection, or behind the end of the Pages),
    // integrity, quota_exceeded, out_of_memory.
    Result<> fault(std::uint64_t address, Access access);
    // What a user address stands for, for futexes: the same from every mapping of the same page. As long as it is held no other
    // Pages has the address of this one.
    struct Location {
        Ref<Pages> pages; // empty: memory of this space's own, and `offset` is the address
        std::uint64_t offset;
    };
    Result<Location> locate(std::uint64_t address);
    Result<Ref<AddressSpace>> clone_copy_on_write(Payer& payer); // fork
    // Copies by the kernel into or out of a space that need not be active; faults are resolved as for the user.
    Result<> read(std::uint64_t address, void* to, std::size_t bytes);
    Result<> write(std::uint64_t address, const void* from, std::size_t bytes);

    // Which of `pages` pages from `address` on, at most 64, could be touched now without anything being made or fetched: 1,
    // or 0, in `out`.
    void tell_present(std::uint64_t address, std::size_t pages, std::uint8_t* out);

    // On this CPU, interrupts off. Without the lock: the root never changes.
    void activate() { root_table().activate(); }
    struct Usage {
        std::uint64_t mapped_bytes, resident_bytes;
    };
    [[nodiscard]] Usage usage();
    struct AreaInfo {
        std::uint64_t start, end, offset;
        arch::Protection protection;
        Sharing sharing;
        bool is_anonymous, grows_down;
        Ref<Label> label;
    };
    Result<AreaInfo> next_area(std::uint64_t from); // the first that ends above `from`; not_found

    AddressSpace(const AddressSpace&) = delete;
    // Invariants, in time linear in areas and entries. For tests.
    [[nodiscard]] bool is_consistent();

    AddressSpace(OnHeap, Ref<Payer> payer, Jit jit);
    ~AddressSpace();

private:
    // The mutex. Who lets it go takes away first what was noticed while it was held.
    class AIOS_SCOPED Locked {
    public:
        explicit Locked(AddressSpace& space) AIOS_ACQUIRE(space.mutex_) : space_(space) { space_.mutex_.acquire(); }
        ~Locked() AIOS_RELEASE() { space_.leave(); }
        Locked(const Locked&) = delete;

    private:
        AddressSpace& space_;
    };
    // Page tables are charged like everything else.
    class Tables final : public arch::TableFrames {
    public:
        explicit Tables(Payer& payer) : payer_(payer) {}
        Result<arch::PhysAddr> allocate_table() override;
        void free_table(arch::PhysAddr frame) override;

    private:
        Payer& payer_;
    };
    // Areas made and charged before the first visible change; those not used are freed.
    class Spares;

    // address_space.cpp
    Result<Area*> make_area();
    void destroy_area(Area& area);
    // Others may end or cut it: it has to be looked at when the space is noticed.
    static bool is_watched(const Area& area) { return area.authority || (area.pages && area.pages->is_changeable()); }
    void link_area(Area& area) AIOS_REQUIRES(mutex_);
    void unlink_area(Area& area) AIOS_REQUIRES(mutex_);
    void split_area(Area& area, std::uint64_t at, Area& upper) AIOS_REQUIRES(mutex_);
    Area& merge_around(Area& area) AIOS_REQUIRES(mutex_);
    // Whether all of the area may be mapped like this.
    [[nodiscard]] bool may_have(const Area& area, arch::Protection protection) const;
    // address_space_map.cpp
    Result<std::uint64_t> insert_mapping(Area& nature, std::uint64_t bytes, const MapOptions& options);
    Result<std::uint64_t> choose_place(std::uint64_t bytes, const MapOptions& options) AIOS_REQUIRES(mutex_);
    unsigned splits_of(std::uint64_t from, std::uint64_t to) const AIOS_REQUIRES(mutex_);
    [[nodiscard]] std::uint64_t remove_range(std::uint64_t from, std::uint64_t to, Spares& spares)
        AIOS_REQUIRES(mutex_);
    void remove_and_give_back(std::uint64_t from, std::uint64_t to, Spares& spares) AIOS_REQUIRES(mutex_);
    Result<std::uint64_t> grow_in_place(Area& area, std::uint64_t address, std::uint64_t new_bytes)
        AIOS_REQUIRES(mutex_);
    Result<Area*> movable_locked(std::uint64_t address, std::uint64_t bytes) AIOS_REQUIRES(mutex_);
    Result<std::uint64_t> move_mapping(Area& area, std::uint64_t address, std::uint64_t old_bytes,
                                       std::uint64_t new_bytes, const MapOptions& where, Leaves leaves)
        AIOS_REQUIRES(mutex_);
    // address_space_change.cpp
    enum class Which : std::uint8_t { all, not_owned };
    void remove_entries(const Area& area, std::uint64_t from, std::uint64_t to, Which which, Removal& removal)
        AIOS_REQUIRES(mutex_);
    void protect_entries(const Area& area, Removal& flush) AIOS_REQUIRES(mutex_);
    // address_space_fault.cpp
    Result<> fault_locked(std::uint64_t address, Access access) AIOS_REQUIRES(mutex_);
    Area* grow_stack(std::uint64_t page) AIOS_REQUIRES(mutex_);
    Result<> fault_anonymous(Area& area, std::uint64_t page, Access access) AIOS_REQUIRES(mutex_);
    Result<> fault_pages(Area& area, std::uint64_t page, Access access) AIOS_REQUIRES(mutex_);
    Result<> map_own_page(const Area& area, std::uint64_t page, const arch::PhysAddr* copy_of) AIOS_REQUIRES(mutex_);
    Result<> write_to_shared_entry(const Area& area, std::uint64_t page, const arch::PageTable::Entry& entry)
        AIOS_REQUIRES(mutex_);
    void map_neighbours(const Area& area, std::uint64_t page) AIOS_REQUIRES(mutex_);
    Result<> map_entry(std::uint64_t page, arch::PhysAddr frame, arch::Protection protection) AIOS_REQUIRES(mutex_);
    // address_space_grant.cpp
    Result<Area*> own_memory_locked(std::uint64_t address, std::uint64_t bytes, arch::Protection needed)
        AIOS_REQUIRES(mutex_);
    // address_space_notice.cpp
    void leave() AIOS_RELEASE(mutex_); // lets the mutex go
    // No analysis: for activate() and flush(), which look at the root and at the mask of CPUs alone. The root is constant,
    // and the mask is changed by atomic steps.
    arch::PageTable& root_table() AIOS_NO_LOCK_ANALYSIS { return table_; }
    void sweep() AIOS_REQUIRES(mutex_);
    // address_space_clone.cpp
    // No analysis: the child's lock is not taken, as nobody sees the child before publish(); ours is.
    Result<> clone_areas(AddressSpace& child_space, Payer& payer) AIOS_NO_LOCK_ANALYSIS;
    Result<> clone_entries(const Area& area, AddressSpace& child, Removal& flush) AIOS_NO_LOCK_ANALYSIS;
    void publish();
    template <typename F>
    Result<> for_each_byte_run(std::uint64_t address, std::size_t bytes, Access access, F&& copy);

    RefCount references_;
    std::atomic<std::uint32_t> processes_{0}; // that have entered
    const Ref<Payer> payer_;
    const Jit jit_;
    Ref<SpaceSet> set_; // constant once the first has entered
    SpaceMember member_;
    std::atomic<std::uint64_t> last_ticket_{0};          // of the cut that noticed it last: Pages
    Ref<Pages> cut_ AIOS_GUARDED_BY(mutex_);             // by a fault: to be told when the mutex is free
    std::atomic<std::uint64_t> noticed_{0}, settled_{0}; // settled_ is written under the mutex, and follows noticed_
    Tables tables_;
    sync::Mutex<sync::Rank::address_space> mutex_;
    arch::PageTable table_ AIOS_GUARDED_BY(mutex_);
    AreaSet areas_ AIOS_GUARDED_BY(mutex_);
    WatchedAreas watched_ AIOS_GUARDED_BY(mutex_);  // those that others may end or cut
    Ref<GrantRoll> grants_ AIOS_GUARDED_BY(mutex_); // of what is under way; empty until something was granted
    std::uint64_t mapped_bytes_ AIOS_GUARDED_BY(mutex_) = 0;
    std::uint64_t resident_pages_ AIOS_GUARDED_BY(mutex_) = 0;
    std::uint64_t touch_charged_pages_ AIOS_GUARDED_BY(mutex_) = 0; // owned entries in areas that are not charged_whole
    std::uint64_t top_ AIOS_GUARDED_BY(mutex_) = 0;                 // mappings without a place go below this, downwards
    std::uint64_t search_from_ AIOS_GUARDED_BY(mutex_) = 0;         // no use to look for a gap above this first

    friend class Pages; // last_ticket_
};

} // namespace aios::mm
