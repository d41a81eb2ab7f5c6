// AddressSpace: the user mappings of one process: an ordered set of areas, each a window on Pages, shared or private (copy on
// write). Faults are resolved here. W^X is enforced unless the area was made under a jit right. Lock: Rank::address_space (mutex).
#pragma once

#include "kernel/mm/pages.hpp"

namespace aios::mm {

enum class Sharing : std::uint8_t { shared, copy_on_write };

struct MapOptions {
    std::uint64_t address = 0; // page aligned; 0 = anywhere (random)
    bool fixed = false;        // exactly there, replacing what is mapped (Linux MAP_FIXED)
    bool no_replace = false;   // with fixed: already_exists instead of replacing
    bool grows_down = false;
    bool jit = false;          // write and execute at once is allowed
    arch::Protection maximum = arch::Protection::read | arch::Protection::write | arch::Protection::execute; // for protect()
};

class AddressSpace {
public:
    static Result<Ref<AddressSpace>> create(Payer& payer); // page tables and areas are charged to `payer`
    void retain();
    void release();
    void destroy_mappings(); // at exec and end: everything unmapped, frames and charges returned

    // Maps [offset, offset+bytes) of `pages`; offset and the answered address are page aligned; bytes rounded up.
    // bad_argument, bad_address (no room), already_exists, quota_exceeded.
    Result<std::uint64_t> map(Ref<Pages> pages, std::uint64_t offset, std::uint64_t bytes, arch::Protection protection,
                              Sharing sharing, const MapOptions& options = {});
    // Anonymous memory: zero-filled, private.
    Result<std::uint64_t> map_anonymous(std::uint64_t bytes, arch::Protection protection, ChargeWhen when,
                                        const MapOptions& options = {});
    // Device registers (PageMap): uncached, never copied.
    Result<std::uint64_t> map_device(arch::PhysAddr base, std::uint64_t bytes, arch::Protection protection);
    Result<> unmap(std::uint64_t address, std::uint64_t bytes);   // splits areas; parts that are not mapped are skipped
    Result<> protect(std::uint64_t address, std::uint64_t bytes, arch::Protection protection); // bad_address on holes
    Result<> discard(std::uint64_t address, std::uint64_t bytes); // MADV_DONTNEED: private pages read as zero or source again
    Result<std::uint64_t> remap(std::uint64_t address, std::uint64_t old_bytes, std::uint64_t new_bytes, bool may_move);
    // Revocation: removes every window on `pages` (all CPUs flushed before it returns).
    void unmap_pages(const Pages& pages);

    enum class Access : std::uint8_t { read, write, execute };
    // Resolves a fault, or says why not: bad_address (no area, or protection), integrity, quota_exceeded, out_of_memory.
    Result<> fault(std::uint64_t address, Access access);
    // What a user address stands for, for futexes: the same key from every mapping of the same page.
    struct Location {
        const Pages* pages; // compared, never used
        std::uint64_t offset;
    };
    Result<Location> locate(std::uint64_t address);
    Result<Ref<AddressSpace>> clone_copy_on_write(Payer& payer); // fork

    void activate(); // on this CPU, interrupts off
    struct Usage {
        std::uint64_t mapped_bytes, resident_bytes;
    };
    [[nodiscard]] Usage usage();

    AddressSpace(const AddressSpace&) = delete;

private:
    struct State;
    explicit AddressSpace(State* state) : state_(state) {}
    ~AddressSpace();
    State* state_;
    template <typename T, typename... A>
    friend Result<T*> make(A&&...);
    template <typename T>
    friend void destroy(T*);
};

} // namespace aios::mm
