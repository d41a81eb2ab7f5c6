// Section: opening, and verifying pages at first touch; see section.hpp.
#include "kernel/fs/section.hpp"

#include <cstring>
#include <new>

#include "base/bits.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::fs {

namespace {

// What Pages asks for the pages of one entry.
class EntrySource final : public mm::PageSource {
public:
    static Result<Ref<EntrySource>> create(Payer& payer, Ref<Section> section, std::uint32_t entry) {
        Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<EntrySource>));
        return Ref<EntrySource>::adopt(TRY(mm::make<EntrySource>(std::move(charge), std::move(section), entry)));
    }
    Result<arch::PhysAddr> page(std::uint64_t index) override {
        const Result<arch::PhysAddr> ready = ready_page(index); // most pages were touched before
        return ready ? ready : section_->page(entry_, index);
    }
    Result<arch::PhysAddr> ready_page(std::uint64_t index) override {
        return section_->ready_page(first_page_, pages_, index);
    }
    void retain() override { references_.retain(); }
    void release() override {
        if (references_.release()) mm::destroy(this);
    }

    EntrySource(mm::OnHeap, Reservation charge, Ref<Section> section, std::uint32_t entry)
        : charge_(std::move(charge)), section_(std::move(section)), entry_(entry) {
        const ManifestEntry found = section_->manifest().entry(entry);
        first_page_ = found.first_page;
        pages_ = found.pages();
    }
    ~EntrySource() = default;

private:
    RefCount references_;
    const Reservation charge_;
    const Ref<Section> section_;
    const std::uint32_t entry_;
    std::uint64_t first_page_, pages_;
};

} // namespace

Result<> Findings::create(std::uint64_t count) {
    const std::uint64_t words = div_ceil(count, kInWord) + 1;
    auto* memory = static_cast<std::atomic<std::uint64_t>*>(mm::heap_allocate(words * sizeof(std::uint64_t)));
    if (memory == nullptr) return fail(Error::out_of_memory);
    for (std::uint64_t i = 0; i < words; ++i)
        ::new (&memory[i]) std::atomic<std::uint64_t>(0);
    words_ = memory;
    return {};
}

Findings::Settled Findings::settle(std::uint64_t index, Finding found) {
    std::atomic<std::uint64_t>& word = words_[index / kInWord];
    const std::uint64_t bits = static_cast<std::uint64_t>(found) << (index % kInWord * 2);
    std::uint64_t now = word.load(std::memory_order_acquire);
    while (at(now, index) == Finding::none)
        if (word.compare_exchange_weak(now, now | bits, std::memory_order_acq_rel, std::memory_order_acquire))
            return {found, true};
    return {at(now, index), false};
}

Result<Ref<Section>> Section::open(arch::PhysAddr base, const boot::ContainerSection& header) {
    auto section = Ref<Section>::adopt(TRY(mm::make<Section>(base, header)));
    // SAFETY: the header check has found the manifest inside the container, which is RAM in the physmap.
    const auto* start = static_cast<const std::byte*>(arch::physmap({base.value + header.manifest_offset}));
    const Bytes manifest(start, header.manifest_bytes);
    const crypto::Digest256 digest = crypto::Sha256::hash(manifest);
    if (std::memcmp(digest.data(), header.manifest_sha256, digest.size()) != 0) {
        report_integrity("manifest", 0);
        return fail(Error::integrity);
    }
    TRY(section->manifest_.parse(manifest, header.data_pages));
    TRY(section->pages_.create(header.data_pages));
    TRY(section->entries_.create(section->manifest_.count()));
    return section;
}

Result<arch::PhysAddr> Section::ready_page(std::uint64_t first_page, std::uint64_t pages, std::uint64_t index) const {
    if (index >= pages || pages_.of(first_page + index) != Finding::good) return fail(Error::not_ready);
    return frame(first_page + index);
}

Result<arch::PhysAddr> Section::page(std::uint32_t index, std::uint64_t page) {
    const ManifestEntry entry = manifest_.entry(index);
    if (page >= entry.pages()) return fail(Error::bad_argument);
    const std::uint64_t at = entry.first_page + page;
    Finding known = pages_.of(at);
    if (known == Finding::none) {
        const Findings::Settled settled = pages_.settle(at, verify(entry, index, page));
        known = settled.finding;
        if (settled.is_first && known == Finding::bad) report_integrity(entry.path, page);
    }
    if (known == Finding::good) return frame(at);
    return fail(Error::integrity);
}

Finding Section::verify(const ManifestEntry& entry, std::uint32_t index, std::uint64_t page) {
    // SAFETY: the header check has found leaves and data inside the container; a leaf is 32 bytes without alignment.
    const auto* leaves = static_cast<const crypto::MerkleHash*>(arch::physmap({base_.value + header_.leaves_offset}));
    const std::span<const crypto::MerkleHash> own(leaves + entry.first_page, entry.pages());
    Finding known = entries_.of(index);
    if (known == Finding::none)
        known = entries_.settle(index, crypto::merkle_root(own) == entry.root ? Finding::good : Finding::bad).finding;
    if (known == Finding::bad) return Finding::bad;
    const auto* start = static_cast<const std::byte*>(arch::physmap(frame(entry.first_page + page)));
    return crypto::page_tree_leaf(Bytes(start, mm::kPageSize)) == own[page] ? Finding::good : Finding::bad;
}

Result<Ref<mm::Pages>> Section::pages_of(std::uint32_t entry, Payer& payer) {
    Ref<EntrySource> source = TRY(EntrySource::create(payer, Ref<Section>::share(*this), entry));
    return mm::Pages::create_from(payer, std::move(source), manifest_.entry(entry).bytes);
}

} // namespace aios::fs
