// Writes a builder's index into a region: see index_builder.hpp and index_format.hpp. First everything that can fail is
// done on the heap (the order of the terms, the semantic space), then the region is checked for size, and only then is
// it written.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <new>
#include <numeric>

#include "base/bytes.hpp"
#include "base/crc32.hpp"
#include "runtime/memory/index_builder.hpp"
#include "runtime/memory/numeric.hpp"
#include "runtime/memory/postings.hpp"
#include "runtime/memory/semantic_space.hpp"
#include "runtime/memory/vectors.hpp"

namespace aios::memory {
namespace {

constexpr std::uint64_t align8(std::uint64_t bytes) { return (bytes + 7) & ~std::uint64_t{7}; }

// Copies plain records to a moving place in the region. The caller has checked that all of it fits.
class Writer {
public:
    explicit Writer(MutableBytes to) : to_(to) {}
    void bytes(Bytes from) {
        if (!from.empty()) std::memcpy(to_.data() + at_, from.data(), from.size());
        at_ += from.size();
    }
    template <typename T>
    void record(const T& value) {
        bytes(std::as_bytes(std::span(&value, 1)));
    }

private:
    MutableBytes to_;
    std::size_t at_ = 0;
};

} // namespace

struct IndexBuilder::Plan {
    std::vector<std::uint32_t> term_order;
    std::vector<std::uint32_t> term_vector_numbers; // for each of term_order
    std::vector<std::uint32_t> gram_order;
    std::uint32_t dimensions = 0;
    std::vector<std::byte> term_vectors;
    std::vector<std::byte> passage_vectors;
    std::vector<std::byte> document_vectors;
};

std::uint64_t IndexBuilder::sealed_bytes() const {
    const std::uint64_t vector = vector_bytes(space_dimensions(passages()));
    const std::uint64_t sizes[] = {
        names_.size(),
        text_.size(),
        documents_.size() * sizeof(DocumentRecord),
        passages_.size() * sizeof(PassageRecord),
        term_string_bytes_,
        terms_.size() * sizeof(ListRecord),
        grams_.size() * sizeof(ListRecord),
        posting_bytes_,
        vector == 0 ? 0 : joining_terms_ * vector,
        passages_.size() * vector,
        documents_.size() * vector,
    };
    std::uint64_t total = sizeof(Lead) + sizeof(Header);
    for (const std::uint64_t size : sizes)
        total = align8(total) + size;
    return align8(total);
}

// Sorts the terms and computes the vectors.
IndexBuilder::Plan IndexBuilder::make_plan() const {
    Plan plan;
    plan.term_order.resize(terms_.size());
    plan.gram_order.resize(grams_.size());
    std::iota(plan.term_order.begin(), plan.term_order.end(), 0U);
    std::iota(plan.gram_order.begin(), plan.gram_order.end(), 0U);
    std::ranges::sort(plan.term_order, {}, [&](std::uint32_t id) { return terms_[id]; });
    std::ranges::sort(plan.gram_order, {}, [&](std::uint32_t id) { return grams_[id]; });
    plan.dimensions = space_dimensions(passages());
    if (plan.dimensions == 0) return plan;

    // The matrix of passages and terms, from the lists in two passes: count, then place. A term of one passage joins
    // nothing.
    TermMatrix matrix;
    matrix.starts.resize(passages_.size() + 1);
    std::uint32_t count = 0;
    for (const std::uint32_t id : plan.term_order) {
        plan.term_vector_numbers.push_back(term_lists_[id].passages < 2 ? kNoVector : count++);
    }
    const auto for_each_posting = [&](auto use) {
        for (std::size_t rank = 0; rank < plan.term_order.size(); ++rank) {
            const std::uint32_t number = plan.term_vector_numbers[rank];
            if (number == kNoVector) continue;
            const List& list = term_lists_[plan.term_order[rank]];
            PostingReader reader(list.bytes, passages());
            const double rarity = inverse_frequency(passages(), list.passages);
            while (reader.next())
                use(reader.passage(), number, space_weight(reader.count(), rarity));
        }
    };
    for_each_posting([&](std::uint32_t passage, std::uint32_t, float) { ++matrix.starts[passage + 1]; });
    std::partial_sum(matrix.starts.begin(), matrix.starts.end(), matrix.starts.begin());
    matrix.entries.resize(matrix.starts.back());
    std::vector<std::uint32_t> next(matrix.starts.begin(), matrix.starts.end() - 1);
    for_each_posting([&](std::uint32_t passage, std::uint32_t term, float weight) {
        matrix.entries[next[passage]++] = {term, weight};
    });

    const std::vector<float> space = term_space(matrix, count, plan.dimensions);
    const auto of_term = [&](std::uint32_t term) {
        return std::span(space).subspan(std::size_t{term} * plan.dimensions, plan.dimensions);
    };
    for (std::uint32_t term = 0; term < count; ++term)
        append_vector(plan.term_vectors, of_term(term));
    std::vector<float> sum(plan.dimensions);
    std::vector<float> document_sum(plan.dimensions);
    for (const DocumentRecord& document : documents_) {
        std::ranges::fill(document_sum, 0.0F);
        for (std::uint32_t p = document.first_passage; p < document.first_passage + document.passages; ++p) {
            std::ranges::fill(sum, 0.0F);
            for (const WeightedTerm& entry : matrix.row(p)) {
                const std::span<const float> vector = of_term(entry.term);
                for (std::uint32_t d = 0; d < plan.dimensions; ++d)
                    sum[d] += entry.weight * vector[d];
            }
            for (std::uint32_t d = 0; d < plan.dimensions; ++d)
                document_sum[d] += sum[d];
            append_vector(plan.passage_vectors, sum);
        }
        append_vector(plan.document_vectors, document_sum);
    }
    return plan;
}

Result<std::uint64_t> IndexBuilder::seal(MutableBytes region) {
    if (broken_) return fail(Error::bad_state);
    // SAFETY: the address is only looked at, for its alignment.
    if (reinterpret_cast<std::uintptr_t>(region.data()) % alignof(std::uint64_t) != 0) return fail(Error::bad_argument);
    const std::uint64_t total = sealed_bytes();
    if (total > region.size()) return fail(Error::no_space);
    Plan plan;
    std::vector<ListRecord> lists;
    try {
        plan = make_plan();
        lists.reserve(terms_.size() + grams_.size());
    } catch (const std::bad_alloc&) {
        return fail(Error::out_of_memory);
    }

    Header header{};
    header.version = kIndexVersion;
    header.header_bytes = sizeof(Lead) + sizeof(Header);
    header.total_bytes = total;
    header.documents = documents();
    header.passages = passages();
    header.terms = static_cast<std::uint32_t>(terms_.size());
    header.grams = static_cast<std::uint32_t>(grams_.size());
    header.dimensions = plan.dimensions;
    header.stem_tokens = stem_tokens_;
    header.gram_tokens = gram_tokens_;

    // SAFETY: the region starts with a Lead, is aligned for it and large enough; readers in other address spaces load
    // it atomically too.
    auto* lead = reinterpret_cast<Lead*>(region.data());
    const std::atomic_ref<std::uint64_t> sequence(lead->sequence);
    const bool fresh = std::atomic_ref<std::uint64_t>(lead->magic).load(std::memory_order_relaxed) != kIndexMagic;
    const std::uint64_t before = fresh ? 0 : (sequence.load(std::memory_order_relaxed) | 1) + 1;
    sequence.store(before + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    std::atomic_ref<std::uint64_t>(lead->magic).store(kIndexMagic, std::memory_order_relaxed);

    std::uint64_t at = sizeof(Lead) + sizeof(Header);
    const auto section = [&](SectionId id, std::uint64_t bytes) {
        const std::uint64_t start = align8(at);
        std::fill(region.begin() + static_cast<std::ptrdiff_t>(at), region.begin() + static_cast<std::ptrdiff_t>(start),
                  std::byte{0});
        at = start + bytes;
        header.sections[static_cast<std::size_t>(id)] = {start, bytes};
        return Writer(region.subspan(start, bytes));
    };
    const auto copy = [&](SectionId id, Bytes bytes) { section(id, bytes.size()).bytes(bytes); };
    copy(SectionId::names, as_bytes(names_));
    copy(SectionId::text, as_bytes(text_));
    copy(SectionId::documents, std::as_bytes(std::span(documents_)));
    copy(SectionId::passages, std::as_bytes(std::span(passages_)));

    std::uint64_t postings = 0;
    const auto list_record = [&](const List& list, std::uint32_t key, std::size_t key_bytes, std::uint32_t vector) {
        lists.push_back({postings, static_cast<std::uint32_t>(list.bytes.size()), list.passages, list.documents, key,
                         static_cast<std::uint32_t>(key_bytes), vector});
        postings += list.bytes.size();
    };
    Writer strings = section(SectionId::term_strings, term_string_bytes_);
    std::uint32_t string_at = 0;
    for (std::size_t rank = 0; rank < plan.term_order.size(); ++rank) {
        const std::uint32_t id = plan.term_order[rank];
        const std::uint32_t vector = plan.dimensions == 0 ? kNoVector : plan.term_vector_numbers[rank];
        list_record(term_lists_[id], string_at, terms_[id].size(), vector);
        strings.bytes(as_bytes(terms_[id]));
        string_at += static_cast<std::uint32_t>(terms_[id].size());
    }
    for (const std::uint32_t id : plan.gram_order) {
        list_record(gram_lists_[id], grams_[id], sizeof(std::uint32_t), kNoVector);
    }
    const std::span<const ListRecord> records(lists);
    copy(SectionId::terms, std::as_bytes(records.first(terms_.size())));
    copy(SectionId::grams, std::as_bytes(records.subspan(terms_.size())));
    Writer out = section(SectionId::postings, posting_bytes_);
    for (const std::uint32_t id : plan.term_order)
        out.bytes(term_lists_[id].bytes);
    for (const std::uint32_t id : plan.gram_order)
        out.bytes(gram_lists_[id].bytes);
    copy(SectionId::term_vectors, plan.term_vectors);
    copy(SectionId::passage_vectors, plan.passage_vectors);
    copy(SectionId::document_vectors, plan.document_vectors);
    std::fill(region.begin() + static_cast<std::ptrdiff_t>(at), region.begin() + static_cast<std::ptrdiff_t>(total),
              std::byte{0});

    header.body_crc = crc32c(region.subspan(header.header_bytes, total - header.header_bytes));
    const Bytes header_bytes = std::as_bytes(std::span(&header, 1));
    header.header_crc = crc32c(header_bytes.first(offsetof(Header, header_crc)));
    std::memcpy(region.data() + sizeof(Lead), &header, sizeof header);
    sequence.store(before + 2, std::memory_order_release);
    return total;
}

} // namespace aios::memory
