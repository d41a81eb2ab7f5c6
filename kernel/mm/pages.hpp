// Pages: the contents of a memory object, at most 1 GiB (2^18 pages): anonymous (zero-filled at first touch), or filled by a
// PageSource (bundle entries, verified at first touch). Shared by reference count; mapped by AddressSpace; wrapped into a
// kernel object by object/memory_object. Lock: Rank::pages (mutex), because filling a page may hash 4 KiB.
#pragma once

#include "kernel/mm/mm.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::mm {

// Fills pages of Pages that are not anonymous. The frame it answers may be the bundle's own (mapped in place, never freed).
class PageSource {
public:
    // Error::integrity when the contents do not match their hash (the source has reported it).
    virtual Result<arch::PhysAddr> page(std::uint64_t index) = 0;
    virtual void retain() = 0;
    virtual void release() = 0;

protected:
    ~PageSource() = default;
};

enum class ChargeWhen : std::uint8_t { at_once, at_touch }; // at_touch: Linux reservations that are never used whole

class Pages {
public:
    static Result<Ref<Pages>> create(Payer& payer, std::uint64_t bytes, ChargeWhen when);
    static Result<Ref<Pages>> create_contiguous(Payer& payer, std::uint64_t frames); // FrameAlloc: DMA-able, all present
    static Result<Ref<Pages>> create_from(Ref<PageSource> source, std::uint64_t bytes); // read-only contents, nothing charged
    void retain();
    void release();

    [[nodiscard]] std::uint64_t bytes() const; // the exact size asked for
    [[nodiscard]] std::uint64_t page_count() const;
    // The frame of page `index`, filled. Blocks (mutex). integrity, out_of_memory, quota_exceeded, bad_argument.
    Result<arch::PhysAddr> page(std::uint64_t index);
    // Copies between kernel memory and contents, across pages.
    Result<> read(std::uint64_t offset, void* to, std::size_t bytes);
    Result<> write(std::uint64_t offset, const void* from, std::size_t bytes); // anonymous only
    Result<> resize(std::uint64_t bytes);   // anonymous at_touch only; no page beyond the new end may be mapped
    void discard(std::uint64_t first, std::uint64_t count); // back to zero-fill; gives the charge back where at_touch
    [[nodiscard]] bool is_anonymous() const;
    [[nodiscard]] std::uint64_t resident_pages() const;

    Pages(const Pages&) = delete;

private:
    struct State;
    explicit Pages(State* state) : state_(state) {}
    ~Pages();
    State* state_;
    template <typename T, typename... A>
    friend Result<T*> make(A&&...);
    template <typename T>
    friend void destroy(T*);
};

} // namespace aios::mm
