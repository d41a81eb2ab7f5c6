// A section of the container: its manifest, and its data pages, which are mapped in place and verified at first touch.
// An entry's leaves are checked against its root when the first of its pages is touched, each page against its leaf
// when it is. What was found is remembered: two bits a page (good, bad) and one an entry. A bad page is reported once
// and stays bad. Lock: Rank::bundle for verifying; the bits are read without it.
#pragma once

#include <atomic>

#include "boot/container.hpp"
#include "kernel/fs/manifest.hpp"
#include "kernel/mm/pages.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::fs {

// Records and tells the host that a page did not match its hash; `page` counts from the start of the entry. Implemented
// by integrity.cpp; tests have their own. Called without Rank::bundle.
void report_integrity(std::string_view entry, std::uint64_t page);

// Bits that are set once and read without a lock.
class AtomicBits {
public:
    AtomicBits() = default;
    ~AtomicBits() { mm::heap_free(words_); }
    AtomicBits(const AtomicBits&) = delete;
    Result<> create(std::uint64_t bits);
    [[nodiscard]] bool test(std::uint64_t bit) const {
        return (words_[bit / 64].load(std::memory_order_acquire) >> (bit % 64) & 1) != 0;
    }
    void set(std::uint64_t bit) { words_[bit / 64].fetch_or(1ull << (bit % 64), std::memory_order_release); }

private:
    std::atomic<std::uint64_t>* words_ = nullptr;
};

class Section {
public:
    // `container` starts at `base`; `header` was checked by container_header_check against its size. Verifies the
    // manifest against the header and parses it. integrity; the errors of Manifest::parse.
    static Result<Ref<Section>> open(arch::PhysAddr base, const boot::ContainerSection& header);
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }

    [[nodiscard]] const Manifest& manifest() const { return manifest_; }
    // The frame of page `index` of an entry, verified. integrity; bad_argument behind its end.
    Result<arch::PhysAddr> page(std::uint32_t entry, std::uint64_t index);
    // The same if it is verified already, else not_ready. `first_page` and `pages` are those of the entry.
    Result<arch::PhysAddr> ready_page(std::uint64_t first_page, std::uint64_t pages, std::uint64_t index) const;
    // The contents of an entry as Pages: read-only, mapped in place. The objects are charged. too_large above 1 GiB.
    Result<Ref<mm::Pages>> pages_of(std::uint32_t entry, Payer& payer);

    Section(const Section&) = delete;

private:
    Section(arch::PhysAddr base, const boot::ContainerSection& header) : base_(base), header_(header) {}
    ~Section() = default;
    [[nodiscard]] arch::PhysAddr frame(std::uint64_t page) const {
        return {base_.value + header_.data_offset + page * mm::kPageSize};
    }
    bool verify_locked(const ManifestEntry& entry, std::uint32_t index, std::uint64_t page);

    RefCount references_;
    const arch::PhysAddr base_;
    const boot::ContainerSection header_;
    Manifest manifest_;
    AtomicBits good_, bad_, entries_; // pages, pages, entries whose leaves match their root
    sync::Mutex<sync::Rank::bundle> mutex_;

    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
    template <typename T>
    friend void mm::destroy(T*);
};

} // namespace aios::fs
