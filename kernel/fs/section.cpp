// Section: opening, and verifying pages at first touch; see section.hpp.
#include "kernel/fs/section.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/bits.hpp"
#include "kernel/arch/hash_lanes.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::fs {

namespace {

constexpr std::uint64_t kHashedTogether = 8; // pages: as many as there are lanes

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
        const boot::ManifestNode& found = section_->manifest().node(entry);
        first_page_ = found.first;
        pages_ = Manifest::pages(found);
    }
    ~EntrySource() = default;

private:
    RefCount references_;
    const Reservation charge_;
    const Ref<Section> section_;
    const std::uint32_t entry_;
    std::uint64_t first_page_, pages_;
};

// The head of the tree over whole pages.
crypto::MerkleHash hash_pages(Bytes pages) {
    crypto::Sha256BatchWorkspace workspace;
    return crypto::page_tree_root_by({arch::sha256_batch, workspace}, pages);
}

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

std::uint64_t Section::cost_of_opening(const boot::ContainerSection& header) {
    const std::uint64_t most_nodes = header.manifest_bytes / sizeof(boot::ManifestNode);
    return mm::cost_of<Section> + most_nodes * sizeof(std::uint32_t) + (most_nodes + header.data_pages) / 4 + 64;
}

Result<Ref<Section>> Section::open(arch::PhysAddr base, const boot::ContainerSection& header) {
    auto section = Ref<Section>::adopt(TRY(mm::make<Section>(base, header)));
    // SAFETY: the header check has found the manifest inside the container, which is RAM in the physmap.
    const auto* start = static_cast<const std::byte*>(arch::physmap({base.value + header.manifest_offset}));
    const Bytes manifest(start, header.manifest_bytes);
    const crypto::MerkleHash root = hash_pages({start, align_up(header.manifest_bytes, mm::kPageSize)});
    if (std::memcmp(root.data(), header.manifest_root, root.size()) != 0) return fail(Error::integrity);
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
    const boot::ManifestNode& entry = manifest_.node(index);
    if (page >= Manifest::pages(entry)) return fail(Error::bad_argument);
    const std::uint64_t at = std::uint64_t{entry.first} + page;
    Finding known = pages_.of(at);
    if (known == Finding::none) {
        const Findings::Settled settled = verify(entry, index, page);
        known = settled.finding;
        if (settled.is_first && known == Finding::bad) report_integrity(manifest_.path(index), page);
    }
    if (known == Finding::good) return frame(at);
    return fail(Error::integrity);
}

Findings::Settled Section::verify(const boot::ManifestNode& entry, std::uint32_t index, std::uint64_t page) {
    // SAFETY: the header check has found leaves and data inside the container; a leaf is 32 bytes without alignment.
    const auto* leaves = static_cast<const crypto::MerkleHash*>(arch::physmap({base_.value + header_.leaves_offset}));
    const std::span<const crypto::MerkleHash> own(leaves + entry.first, Manifest::pages(entry));
    crypto::Sha256BatchWorkspace workspace;
    const crypto::BatchHasher hash{arch::sha256_batch, workspace};
    Finding leaves_are = entries_.of(index);
    if (leaves_are == Finding::none) {
        const crypto::MerkleHash root = crypto::merkle_root_by(hash, own);
        const bool match = std::memcmp(root.data(), entry.root, root.size()) == 0;
        leaves_are = entries_.settle(index, match ? Finding::good : Finding::bad).finding;
    }
    if (leaves_are == Finding::bad) return pages_.settle(entry.first + page, Finding::bad);

    const std::uint64_t group = arch::has_hash_lanes() ? kHashedTogether : 1;
    const std::uint64_t first = align_down(page, group), end = std::min(first + group, Manifest::pages(entry));
    std::uint64_t pages[kHashedTogether];
    crypto::MerkleHash found[kHashedTogether];
    crypto::Sha256Job jobs[kHashedTogether];
    std::size_t count = 0;
    for (std::uint64_t at = first; at < end; ++at) {
        if (at != page && pages_.of(entry.first + at) != Finding::none) continue;
        const auto* start = static_cast<const std::byte*>(arch::physmap(frame(entry.first + at)));
        jobs[count] = {.prefix = crypto::kMerkleLeafPrefix, .message = {start, mm::kPageSize}, .digest = &found[count]};
        pages[count++] = at;
    }
    hash(std::span(jobs).first(count));
    Findings::Settled answer{};
    for (std::size_t i = 0; i < count; ++i) {
        const bool match = found[i] == own[pages[i]];
        const std::uint64_t at = entry.first + pages[i];
        if (pages[i] == page)
            answer = pages_.settle(at, match ? Finding::good : Finding::bad);
        else if (match)
            (void)pages_.settle(at, Finding::good);
    }
    return answer;
}

Result<Ref<mm::PageSource>> Section::source_of(std::uint32_t entry, Payer& payer) {
    return Ref<mm::PageSource>(TRY(EntrySource::create(payer, Ref<Section>::share(*this), entry)));
}

Result<Ref<mm::Pages>> Section::pages_of(std::uint32_t entry, Payer& payer) {
    return mm::Pages::create_from(payer, TRY(source_of(entry, payer)), manifest_.node(entry).bytes);
}

} // namespace aios::fs
