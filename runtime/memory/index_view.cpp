// Reads an index in place: see index_view.hpp.
#include "runtime/memory/index_view.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <new>

#include "base/bytes.hpp"
#include "base/crc32.hpp"
#include "runtime/memory/limits.hpp"
#include "runtime/memory/semantic_space.hpp"
#include "runtime/memory/vectors.hpp"

namespace aios::memory {
namespace {

// SAFETY: the region holds at least a Lead and is aligned for it (open() checks both). Another agent may write the
// words at the same time: hence the atomic loads.
std::uint64_t load_sequence(Bytes region) {
    return __atomic_load_n(&reinterpret_cast<const Lead*>(region.data())->sequence, __ATOMIC_ACQUIRE);
}
std::uint64_t load_magic(Bytes region) {
    return __atomic_load_n(&reinterpret_cast<const Lead*>(region.data())->magic, __ATOMIC_ACQUIRE);
}

// Bytes that each section must have for the header's counts; UINT64_MAX: any number.
std::array<std::uint64_t, kSectionCount> expected_sizes(const Header& header) {
    constexpr std::uint64_t any = UINT64_MAX;
    const std::uint64_t vector = vector_bytes(header.dimensions);
    return {any,
            any,
            header.documents * sizeof(DocumentRecord),
            header.passages * sizeof(PassageRecord),
            any,
            header.terms * sizeof(ListRecord),
            header.grams * sizeof(ListRecord),
            any,
            any,
            header.passages * vector,
            header.documents * vector};
}

bool is_sound(const Header& header, std::uint64_t region_bytes) {
    if (header.version != kIndexVersion || header.header_bytes != sizeof(Lead) + sizeof(Header)) return false;
    const Bytes bytes = std::as_bytes(std::span(&header, 1));
    if (header.header_crc != crc32c(bytes.first(offsetof(Header, header_crc)))) return false;
    if (header.total_bytes > region_bytes || header.total_bytes < header.header_bytes) return false;
    if (header.documents > kMaxDocuments || header.dimensions > kMaxDimensions || header.dimensions % 4 != 0)
        return false;
    const auto expected = expected_sizes(header);
    for (std::size_t i = 0; i < kSectionCount; ++i) {
        const Section& section = header.sections[i];
        if (section.offset % 8 != 0 || section.offset < header.header_bytes) return false;
        if (section.offset > header.total_bytes || section.bytes > header.total_bytes - section.offset) return false;
        if (expected[i] != UINT64_MAX && section.bytes != expected[i]) return false;
    }
    return true;
}

// The part [offset, offset + bytes) of `whole`; empty if it does not lie in it.
Bytes part(Bytes whole, std::uint64_t offset, std::uint64_t bytes) {
    if (offset > whole.size() || bytes > whole.size() - offset) return {};
    return whole.subspan(offset, bytes);
}

bool contains(Bytes whole, std::uint64_t offset, std::uint64_t bytes) {
    return offset <= whole.size() && bytes <= whole.size() - offset;
}

} // namespace

Result<IndexView> IndexView::open(Bytes region) {
    // SAFETY: the address is only looked at, for its alignment.
    if (reinterpret_cast<std::uintptr_t>(region.data()) % alignof(Lead) != 0) return fail(Error::bad_argument);
    if (region.size() < sizeof(Lead) + sizeof(Header)) return fail(Error::truncated);
    if (load_magic(region) != kIndexMagic) return fail(Error::bad_format);
    const std::uint64_t sequence = load_sequence(region);
    if (sequence % 2 != 0) return fail(Error::busy);
    Header header;
    std::memcpy(&header, region.data() + sizeof(Lead), sizeof header);
    if (!is_sound(header, region.size())) {
        return fail(load_sequence(region) != sequence ? Error::busy : Error::bad_format);
    }
    IndexView view(region, header, sequence);
    try {
        TRY(view.load_tables());
    } catch (const std::bad_alloc&) {
        return fail(Error::out_of_memory);
    }
    if (view.changed()) return fail(Error::busy);
    return view;
}

// Copies the tables and checks that names, texts and passages lie where they must: each document's passages follow
// those of the one before, inside its text.
Result<> IndexView::load_tables() {
    documents_.resize(header_.documents);
    passages_.resize(header_.passages);
    const Bytes documents = section(SectionId::documents);
    const Bytes passages = section(SectionId::passages);
    if (!documents.empty()) std::memcpy(documents_.data(), documents.data(), documents.size());
    if (!passages.empty()) std::memcpy(passages_.data(), passages.data(), passages.size());
    std::uint32_t next = 0;
    for (std::uint32_t at = 0; at < header_.documents; ++at) {
        const DocumentRecord& document = documents_[at];
        if (!contains(section(SectionId::names), document.name_offset, document.name_bytes))
            return fail(Error::bad_format);
        if (!contains(section(SectionId::text), document.text_offset, document.text_bytes))
            return fail(Error::bad_format);
        if (document.language >= kLanguages) return fail(Error::bad_format);
        if (document.passages > 0) languages_ |= language(at);
        if (document.first_passage != next || document.passages > header_.passages - next)
            return fail(Error::bad_format);
        for (; next < document.first_passage + document.passages; ++next) {
            const PassageRecord& passage = passages_[next];
            if (passage.document != at || passage.offset > document.text_bytes ||
                passage.bytes > document.text_bytes - passage.offset || passage.first > passage.last ||
                passage.head.offset > document.text_bytes || passage.head.bytes > kMaxTableHeadBytes ||
                passage.head.bytes > document.text_bytes - passage.head.offset ||
                passage.head.first > passage.head.last) {
                return fail(Error::bad_format);
            }
        }
    }
    if (next != header_.passages) return fail(Error::bad_format);
    return {};
}

Result<> IndexView::verify() const {
    const Bytes body = part(region_, header_.header_bytes, header_.total_bytes - header_.header_bytes);
    if (crc32c(body) != header_.body_crc) return fail(Error::integrity);
    return {};
}

bool IndexView::changed() const {
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return load_sequence(region_) != sequence_;
}

double IndexView::average_stems(std::uint32_t units) const {
    return std::max(1.0, static_cast<double>(header_.stem_tokens) / std::max(units, 1U));
}

double IndexView::average_grams(std::uint32_t units) const {
    return std::max(1.0, static_cast<double>(header_.gram_tokens) / std::max(units, 1U));
}

Bytes IndexView::section(SectionId id) const {
    const Section& place = header_.sections[static_cast<std::size_t>(id)];
    return part(region_, place.offset, place.bytes);
}

std::string_view IndexView::name(std::uint32_t document) const {
    const DocumentRecord& record = documents_[document];
    return as_text(part(section(SectionId::names), record.name_offset, record.name_bytes));
}

std::string_view IndexView::document_text(std::uint32_t document) const {
    const DocumentRecord& record = documents_[document];
    return as_text(part(section(SectionId::text), record.text_offset, record.text_bytes));
}

std::string_view IndexView::passage_text(std::uint32_t passage) const {
    const PassageRecord& record = passages_[passage];
    return as_text(part(as_bytes(document_text(record.document)), record.offset, record.bytes));
}

std::string_view IndexView::table_head_text(std::uint32_t passage) const {
    const PassageRecord& record = passages_[passage];
    return as_text(part(as_bytes(document_text(record.document)), record.head.offset, record.head.bytes));
}

Result<std::uint32_t> IndexView::find_document(std::string_view wanted) const {
    for (std::uint32_t at = 0; at < header_.documents; ++at) {
        if (name(at) == wanted) return at;
    }
    return fail(Error::not_found);
}

template <typename T>
std::optional<T> IndexView::record(SectionId id, std::uint32_t at) const {
    const Bytes bytes = part(section(id), std::uint64_t{at} * sizeof(T), sizeof(T));
    if (bytes.size() != sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

std::optional<IndexView::Term> IndexView::find_stem(std::string_view stem) const {
    const Bytes strings = section(SectionId::term_strings);
    std::uint32_t low = 0;
    std::uint32_t high = header_.terms;
    while (low < high) {
        const std::uint32_t middle = low + (high - low) / 2;
        const auto list = record<ListRecord>(SectionId::terms, middle);
        if (!list) return std::nullopt;
        const std::string_view held = as_text(part(strings, list->key, list->key_bytes));
        if (held == stem) return Term{*list, middle};
        if (held < stem) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return std::nullopt;
}

std::optional<IndexView::Term> IndexView::find_gram(std::uint32_t key) const {
    std::uint32_t low = 0;
    std::uint32_t high = header_.grams;
    while (low < high) {
        const std::uint32_t middle = low + (high - low) / 2;
        const auto list = record<ListRecord>(SectionId::grams, middle);
        if (!list) return std::nullopt;
        if (list->key == key) return Term{*list, middle};
        if (list->key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return std::nullopt;
}

Bytes IndexView::postings(const ListRecord& list) const {
    return part(section(SectionId::postings), list.offset, list.bytes);
}

IndexView::Vector IndexView::vector(SectionId id, std::uint32_t at) const {
    const std::size_t size = vector_bytes(header_.dimensions);
    const Bytes bytes = part(section(id), std::uint64_t{at} * size, size);
    if (bytes.size() <= sizeof(float)) return {0, {}};
    Vector result{0, bytes.subspan(sizeof(float))};
    std::memcpy(&result.scale, bytes.data(), sizeof(float));
    if (!std::isfinite(result.scale)) result.scale = 0;
    return result;
}

} // namespace aios::memory
