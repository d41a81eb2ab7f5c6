// Builds an index of documents. The builder owns ordinary heap memory while documents come in; seal() writes everything
// into a region that the caller hands in, position-independent, so that others search it in place (index_view.hpp).
// Documents may be added after a seal and the region sealed again. Not thread-safe: one agent builds.
//
// Heap: about the size of the text, plus 2.5 bytes for each distinct (passage, word) and (passage, 4-gram) pair, plus
// some 300 bytes for each different word of a language; during seal() 8 bytes for each (passage, word) pair more.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "base/types.hpp"
#include "runtime/memory/index_format.hpp"
#include "runtime/memory/limits.hpp"
#include "runtime/memory/passages.hpp"
#include "runtime/memory/stemmer.hpp"

namespace aios::memory {

class IndexBuilder {
public:
    // Takes in one document. `name` is its path relative to the documents folder, any bytes but empty; `bytes` its
    // contents, any bytes, also none. Errors, all of which leave the builder as it was: bad_argument (empty name),
    // too_large (name or document above its limit), already_exists (a document of this name was added), no_space
    // (documents or text above the limit of an index). out_of_memory: the heap is exhausted; the builder answers
    // bad_state from then on.
    [[nodiscard]] Result<> add(std::string_view name, Bytes bytes);

    // The text of a document that was added. Valid until something is added or replaced.
    [[nodiscard]] std::optional<std::string_view> text_of(std::string_view name) const;

    // Documents with their new texts, in place of those of the same names; all of them or none. Everything is indexed
    // anew, for as long in twice the memory: give all that changed at once. Errors as with add(), and not_found for a
    // name that was not added; all of them leave the builder as it was, out_of_memory too.
    struct Changed {
        std::string name;
        std::string text;
    };
    [[nodiscard]] Result<> replace(std::span<const Changed> changes);

    // Writes the index into `region` (8-byte aligned) and returns the bytes used. no_space: it does not fit, and the
    // region is as it was, a former index in it still valid. bad_argument: the region is not aligned. out_of_memory as
    // with add(), the region as it was. Readers of a former index in the region notice that it changed (Error::busy
    // from their search) and open it anew.
    [[nodiscard]] Result<std::uint64_t> seal(MutableBytes region);

    // The bytes that seal() needs.
    [[nodiscard]] std::uint64_t sealed_bytes() const;

    [[nodiscard]] std::uint32_t documents() const { return static_cast<std::uint32_t>(documents_.size()); }
    [[nodiscard]] std::uint32_t passages() const { return static_cast<std::uint32_t>(passages_.size()); }
    [[nodiscard]] std::uint64_t text_bytes() const { return text_.size(); }

private:
    // What is known of a word that occurred before: its stem and its grams, so that both are found once for each
    // different word.
    struct Word {
        std::uint32_t term;       // kNoTerm: a stop word
        std::uint32_t first_gram; // in word_grams_
        std::uint32_t grams;
    };
    static constexpr std::uint32_t kNoTerm = UINT32_MAX;
    // A posting list that grows.
    struct List {
        std::vector<std::byte> bytes;
        std::uint32_t passages = 0;
        std::uint32_t documents = 0;
        std::uint32_t next_passage = 0; // one past the last one
        std::uint32_t last_document = UINT32_MAX;
    };
    struct StringHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
    };
    struct Plan; // what seal() writes: index_seal.cpp

    void index_document(std::string_view name, std::string_view text);
    void index_passage(std::string_view document, const PassageRange& range, std::size_t opening_end);
    void index_word(std::string_view word, std::uint32_t weight);
    [[nodiscard]] const Word& word_entry(Language language, std::string_view word);
    [[nodiscard]] std::uint32_t term_of(std::string_view stem);
    [[nodiscard]] std::uint32_t gram_of(std::uint32_t key);
    void append(List& list, std::uint32_t count) const;
    [[nodiscard]] Plan make_plan() const;

    std::string names_;
    std::string text_;
    std::vector<DocumentRecord> documents_;
    std::vector<PassageRecord> passages_;
    std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>> known_names_; // document

    Stemmers stemmers_;
    using Words = std::unordered_map<std::string, Word, StringHash, std::equal_to<>>;
    std::array<Words, kLanguages> words_;   // that occurred in documents of each language
    std::vector<std::uint32_t> word_grams_; // gram numbers, word after word
    std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>> term_ids_;
    std::vector<std::string_view> terms_; // views of the keys of term_ids_, which stay where they are
    std::vector<List> term_lists_;
    std::unordered_map<std::uint32_t, std::uint32_t> gram_ids_;
    std::vector<std::uint32_t> grams_;
    std::vector<List> gram_lists_;

    std::uint64_t term_string_bytes_ = 0;
    std::uint64_t posting_bytes_ = 0;
    std::uint64_t joining_terms_ = 0; // that occur in two passages or more
    std::uint64_t stem_tokens_ = 0;
    std::uint64_t gram_tokens_ = 0;
    bool broken_ = false;

    // Of the document at hand, and of the passage at hand identifiers as often as they occur.
    Language language_ = Language::english;
    std::vector<std::uint32_t> stem_occurrences_;
    std::vector<std::uint32_t> gram_occurrences_;
};

} // namespace aios::memory
