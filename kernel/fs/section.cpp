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

private:
    EntrySource(Reservation charge, Ref<Section> section, std::uint32_t entry)
        : charge_(std::move(charge)), section_(std::move(section)), entry_(entry) {
        const ManifestEntry found = section_->manifest().entry(entry);
        first_page_ = found.first_page;
        pages_ = found.pages();
    }
    ~EntrySource() = default;
    RefCount references_;
    const Reservation charge_;
    const Ref<Section> section_;
    const std::uint32_t entry_;
    std::uint64_t first_page_, pages_;

    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
    template <typename T>
    friend void mm::destroy(T*);
};

} // namespace

Result<> AtomicBits::create(std::uint64_t bits) {
    const std::uint64_t count = div_ceil(bits, 64) + 1;
    auto* words = static_cast<std::atomic<std::uint64_t>*>(mm::heap_allocate(count * sizeof(std::uint64_t)));
    if (words == nullptr) return fail(Error::out_of_memory);
    for (std::uint64_t i = 0; i < count; ++i)
        ::new (&words[i]) std::atomic<std::uint64_t>(0);
    words_ = words;
    return {};
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
    TRY(section->good_.create(header.data_pages));
    TRY(section->bad_.create(header.data_pages));
    TRY(section->entries_.create(section->manifest_.count()));
    return section;
}

Result<arch::PhysAddr> Section::ready_page(std::uint64_t first_page, std::uint64_t pages, std::uint64_t index) const {
    if (index >= pages || !good_.test(first_page + index)) return fail(Error::not_ready);
    return frame(first_page + index);
}

Result<arch::PhysAddr> Section::page(std::uint32_t index, std::uint64_t page) {
    const ManifestEntry entry = manifest_.entry(index);
    if (page >= entry.pages()) return fail(Error::bad_argument);
    const std::uint64_t at = entry.first_page + page;
    bool is_new = false;
    {
        sync::Mutex<sync::Rank::bundle>::Guard guard(mutex_);
        if (good_.test(at)) return frame(at);
        if (!bad_.test(at)) {
            if (verify_locked(entry, index, page)) {
                good_.set(at);
                return frame(at);
            }
            bad_.set(at);
            is_new = true;
        }
    }
    if (is_new) report_integrity(entry.path, page);
    return fail(Error::integrity);
}

bool Section::verify_locked(const ManifestEntry& entry, std::uint32_t index, std::uint64_t page) {
    // SAFETY: the header check has found leaves and data inside the container; a leaf is 32 bytes without alignment.
    const auto* leaves = static_cast<const crypto::MerkleHash*>(arch::physmap({base_.value + header_.leaves_offset}));
    const std::span<const crypto::MerkleHash> own(leaves + entry.first_page, entry.pages());
    if (!entries_.test(index)) {
        if (crypto::merkle_root(own) != entry.root) return false;
        entries_.set(index);
    }
    const auto* start = static_cast<const std::byte*>(arch::physmap(frame(entry.first_page + page)));
    return crypto::page_tree_leaf(Bytes(start, mm::kPageSize)) == own[page];
}

Result<Ref<mm::Pages>> Section::pages_of(std::uint32_t entry, Payer& payer) {
    Ref<EntrySource> source = TRY(EntrySource::create(payer, Ref<Section>::share(*this), entry));
    return mm::Pages::create_from(payer, std::move(source), manifest_.entry(entry).bytes);
}

} // namespace aios::fs
