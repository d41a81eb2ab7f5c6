// A section of the container: its manifest, and its data pages, which are mapped in place and verified at first touch.
// An entry's leaves are checked against its root when the first of its pages is touched, each page against its leaf
// when it is. What was found is remembered, of each page and each entry. A bad page is reported once and stays bad.
//
// Where eight pages are hashed at the price of one (kernel/arch/hash_lanes.hpp), those beside it of which nothing is known
// are hashed along with it: the eight of which it is one, counted from the start of the entry. Those found good are good; of
// those found bad nothing is remembered, so that whoever touches one finds it himself, is named for it, and no one else is.
//
// No lock: a thread that hashes may lose the CPU for long, and whoever touches a page of the same section is a stranger.
//   1. A thread that finds nothing known hashes by itself, in its own time, for as long as nobody has published.
//   2. It publishes what it found. The first to do so decides, for good; the others take what stands there.
// So several may hash the same page, each once; none waits for another, and all answer the same.
#pragma once

#include <atomic>

#include "boot/container.hpp"
#include "kernel/fs/manifest.hpp"
#include "kernel/mm/pages.hpp"

namespace aios::fs {

// Records and tells the host that a page did not match its hash; `page` counts from the start of the entry. Implemented
// by integrity.cpp; tests have their own.
void report_integrity(std::string_view entry, std::uint64_t page);

// What is known of a number of things: each is settled once, by whoever finds out first, and read without a lock.
enum class Finding : std::uint8_t { none, good, bad };
class Findings {
public:
    Findings() = default;
    ~Findings() { mm::heap_free(words_); }
    Findings(const Findings&) = delete;
    Result<> create(std::uint64_t count);
    [[nodiscard]] Finding of(std::uint64_t index) const { // acquire: pairs with the release in settle()
        return at(words_[index / kInWord].load(std::memory_order_acquire), index);
    }
    // What stands there from now on, and whether it was unknown before.
    struct Settled {
        Finding finding;
        bool is_first;
    };
    Settled settle(std::uint64_t index, Finding found);

private:
    static constexpr unsigned kInWord = 32; // two bits each
    static Finding at(std::uint64_t word, std::uint64_t index) {
        return static_cast<Finding>(word >> (index % kInWord * 2) & 3);
    }
    std::atomic<std::uint64_t>* words_ = nullptr;
};

class Section {
public:
    // `container` starts at `base`; `header` was checked by container_header_check against its size. Verifies the
    // manifest against the header and parses it. Some 5 KiB of stack. integrity, which is the
    // caller's to report; the errors of Manifest::parse.
    static Result<Ref<Section>> open(arch::PhysAddr base, const boot::ContainerSection& header);
    // Bytes that it takes, at most.
    static std::uint64_t cost_of_opening(const boot::ContainerSection& header);
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }

    [[nodiscard]] const Manifest& manifest() const { return manifest_; }
    // The frame of page `index` of an entry, verified. integrity; bad_argument behind its end.
    Result<arch::PhysAddr> page(std::uint32_t entry, std::uint64_t index);
    // The same if it is verified already, else not_ready. `first_page` and `pages` are those of the entry.
    Result<arch::PhysAddr> ready_page(std::uint64_t first_page, std::uint64_t pages, std::uint64_t index) const;
    // The contents of an entry as a source, charged.
    Result<Ref<mm::PageSource>> source_of(std::uint32_t entry, Payer& payer);
    // The contents of an entry as Pages: read-only, mapped in place. The objects are charged. too_large above 1 GiB.
    Result<Ref<mm::Pages>> pages_of(std::uint32_t entry, Payer& payer);

    Section(const Section&) = delete;

    Section(mm::OnHeap, arch::PhysAddr base, const boot::ContainerSection& header) : base_(base), header_(header) {}
    ~Section() = default;

private:
    [[nodiscard]] arch::PhysAddr frame(std::uint64_t page) const {
        return {base_.value + header_.data_offset + page * mm::kPageSize};
    }
    // What is known of page `page` of the entry from now on. What is found of its neighbours is published too.
    Findings::Settled verify(const boot::ManifestNode& entry, std::uint32_t index, std::uint64_t page);

    RefCount references_;
    const arch::PhysAddr base_;
    const boot::ContainerSection header_;
    Manifest manifest_;
    Findings pages_;
    Findings entries_; // whether their leaves match their root
};

// A directory of a section: what a tree is that nobody can change.
struct SectionPlace {
    Ref<Section> section;
    std::uint32_t node;
};

} // namespace aios::fs
