// Reads an index in place. The region may be mapped read-only and may be damaged, half-built, or rebuilt by its owner
// at any moment: nothing here reads outside it or trusts a number in it that was not checked. What every search needs
// (the tables of documents and passages) is checked once and copied to the heap at opening: about 80 bytes a passage
// and 70 a document; texts, terms and postings stay in the region.
//
// A view is not thread-safe to open over a region that a build writes at the same time: open() then answers busy, or
// changed() tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/types.hpp"
#include "runtime/memory/index_format.hpp"
#include "runtime/memory/language.hpp"

namespace aios::memory {

class IndexView {
public:
    // Opens the index in `region`, which must outlive the view. bad_format: no index, another version, or damage in
    // header or tables. busy: a build is writing it just now, or was cut off while it wrote; try again later.
    // truncated: the region is shorter than its index.
    [[nodiscard]] static Result<IndexView> open(Bytes region);

    // Checks the checksum over the whole body, which opening does not. integrity: it does not match.
    [[nodiscard]] Result<> verify() const;

    // True if the region was written since the view was opened: what was read from it since may mix two builds.
    [[nodiscard]] bool changed() const;

    [[nodiscard]] std::uint32_t documents() const { return header_.documents; }
    [[nodiscard]] std::uint32_t passages() const { return header_.passages; }
    [[nodiscard]] std::uint32_t terms() const { return header_.terms; }
    [[nodiscard]] std::uint32_t grams() const { return header_.grams; }
    [[nodiscard]] std::uint32_t dimensions() const { return header_.dimensions; }
    [[nodiscard]] std::uint64_t bytes() const { return header_.total_bytes; }
    [[nodiscard]] double average_stems(std::uint32_t units) const;
    [[nodiscard]] double average_grams(std::uint32_t units) const;

    // Tables, numbered from 0; the number must be below documents() or passages().
    [[nodiscard]] const DocumentRecord& document(std::uint32_t at) const { return documents_[at]; }
    [[nodiscard]] const PassageRecord& passage(std::uint32_t at) const { return passages_[at]; }

    // What the document was taken for; and the languages of all documents that have passages.
    [[nodiscard]] Language language(std::uint32_t document) const {
        return static_cast<Language>(documents_[document].language);
    }
    [[nodiscard]] LanguageSet languages() const { return languages_; }

    // Views into the region, valid as long as it is mapped; a rebuild changes them under the reader.
    [[nodiscard]] std::string_view name(std::uint32_t document) const;
    [[nodiscard]] std::string_view document_text(std::uint32_t document) const;
    [[nodiscard]] std::string_view passage_text(std::uint32_t passage) const;
    [[nodiscard]] std::string_view table_head_text(std::uint32_t passage) const; // empty: it has none

    // The number of the document with this name. not_found if there is none. Linear in the number of documents.
    [[nodiscard]] Result<std::uint32_t> find_document(std::string_view name) const;

    // What the index knows of a stem or a 4-gram; nullopt if it holds none.
    struct Term {
        ListRecord list;
        std::uint32_t number; // in the table of terms or grams
    };
    [[nodiscard]] std::optional<Term> find_stem(std::string_view stem) const;
    [[nodiscard]] std::optional<Term> find_gram(std::uint32_t key) const;
    [[nodiscard]] Bytes postings(const ListRecord& list) const;

    // A vector of the semantic space: a scale and bytes (vectors.hpp). Empty if there is no space, or the term is not
    // in it.
    struct Vector {
        float scale;
        Bytes values;
    };
    [[nodiscard]] Vector term_vector(const ListRecord& term) const {
        return vector(SectionId::term_vectors, term.vector);
    }
    [[nodiscard]] Vector passage_vector(std::uint32_t at) const { return vector(SectionId::passage_vectors, at); }
    [[nodiscard]] Vector document_vector(std::uint32_t at) const { return vector(SectionId::document_vectors, at); }

private:
    explicit IndexView(Bytes region, const Header& header, std::uint64_t sequence)
        : region_(region), header_(header), sequence_(sequence) {}

    [[nodiscard]] Bytes section(SectionId id) const;
    [[nodiscard]] Vector vector(SectionId id, std::uint32_t at) const;
    template <typename T>
    [[nodiscard]] std::optional<T> record(SectionId id, std::uint32_t at) const;
    [[nodiscard]] Result<> load_tables();

    Bytes region_;
    Header header_;
    std::uint64_t sequence_;
    std::vector<DocumentRecord> documents_;
    std::vector<PassageRecord> passages_;
    LanguageSet languages_;
};

} // namespace aios::memory
