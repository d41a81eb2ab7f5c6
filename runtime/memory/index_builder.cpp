// Takes documents into the builder: see index_builder.hpp. Writing the region is in index_seal.cpp.
#include "runtime/memory/index_builder.hpp"

#include <algorithm>
#include <new>

#include "base/bytes.hpp"
#include "runtime/memory/grams.hpp"
#include "runtime/memory/postings.hpp"
#include "runtime/memory/stop_words.hpp"
#include "runtime/memory/text.hpp"

namespace aios::memory {
namespace {

// The end of the opening that begins at `begin`: that line, or the start of it where a line is a whole text. Titles
// stand there, and where there is no title, an author still says first what the text is about.
std::size_t opening_end(std::string_view text, std::size_t begin) {
    return std::min({text.find('\n', begin), text.size(), begin + kOpeningBytes});
}

// Runs of equal values in a sorted vector, as (value, length).
template <typename Use>
void for_each_run(std::vector<std::uint32_t>& values, Use use) {
    std::ranges::sort(values);
    for (std::size_t i = 0; i < values.size();) {
        std::size_t end = i;
        while (end < values.size() && values[end] == values[i])
            ++end;
        use(values[i], static_cast<std::uint32_t>(end - i));
        i = end;
    }
}

} // namespace

std::uint32_t IndexBuilder::term_of(std::string_view stem) {
    if (const auto known = term_ids_.find(stem); known != term_ids_.end()) return known->second;
    const auto id = static_cast<std::uint32_t>(terms_.size());
    terms_.push_back(term_ids_.emplace(std::string(stem), id).first->first);
    term_lists_.emplace_back();
    term_string_bytes_ += stem.size();
    return id;
}

std::uint32_t IndexBuilder::gram_of(std::uint32_t key) {
    const auto [at, fresh] = gram_ids_.try_emplace(key, static_cast<std::uint32_t>(grams_.size()));
    if (fresh) {
        grams_.push_back(key);
        gram_lists_.emplace_back();
    }
    return at->second;
}

const IndexBuilder::Word& IndexBuilder::word_entry(Language language, std::string_view word) {
    Words& words = words_[index_of(language)];
    if (const auto known = words.find(word); known != words.end()) return known->second;
    Word entry{kNoTerm, static_cast<std::uint32_t>(word_grams_.size()), 0};
    if (!is_stop_word(language, word)) {
        for_each_gram(word, [&](std::uint32_t key) { word_grams_.push_back(gram_of(key)); });
        entry.grams = static_cast<std::uint32_t>(word_grams_.size()) - entry.first_gram;
        entry.term = term_of(stemmers_.stem(language, word));
    }
    return words.emplace(std::string(word), entry).first->second;
}

void IndexBuilder::index_word(std::string_view word, std::uint32_t weight) {
    const Word& entry = word_entry(language_, word);
    if (entry.term == kNoTerm) return;
    const std::span grams = std::span(word_grams_).subspan(entry.first_gram, entry.grams);
    for (std::uint32_t i = 0; i < weight; ++i) {
        stem_occurrences_.push_back(entry.term);
        gram_occurrences_.insert(gram_occurrences_.end(), grams.begin(), grams.end());
    }
}

void IndexBuilder::append(List& list, std::uint32_t count) const {
    const auto passage = static_cast<std::uint32_t>(passages_.size());
    const auto document = static_cast<std::uint32_t>(documents_.size());
    append_number(list.bytes, passage + 1 - list.next_passage);
    append_number(list.bytes, count);
    list.next_passage = passage + 1;
    ++list.passages;
    if (list.last_document != document) ++list.documents;
    list.last_document = document;
}

void IndexBuilder::index_passage(std::string_view document, const PassageRange& range, std::size_t opening) {
    stem_occurrences_.clear();
    gram_occurrences_.clear();
    WordReader reader(document.substr(range.offset, range.length));
    while (reader.next())
        index_word(reader.word(), range.offset + reader.begin() < opening ? kOpeningWeight : 1);
    // Rows are found by the names of their columns too.
    WordReader head(document.substr(range.head.offset, range.head.bytes));
    while (head.next())
        index_word(head.word(), 1);
    const auto append_to = [&](std::vector<List>& lists) {
        return [&](std::uint32_t id, std::uint32_t count) {
            const std::size_t before = lists[id].bytes.size();
            append(lists[id], count);
            posting_bytes_ += lists[id].bytes.size() - before;
            if (&lists == &term_lists_ && lists[id].passages == 2) ++joining_terms_;
        };
    };
    for_each_run(stem_occurrences_, append_to(term_lists_));
    for_each_run(gram_occurrences_, append_to(gram_lists_));
    PassageRecord record{};
    record.document = static_cast<std::uint32_t>(documents_.size());
    record.offset = range.offset;
    record.bytes = range.length;
    record.first = range.first;
    record.last = range.last;
    record.head = range.head;
    record.stem_tokens = static_cast<std::uint32_t>(stem_occurrences_.size());
    record.gram_tokens = static_cast<std::uint32_t>(gram_occurrences_.size());
    stem_tokens_ += record.stem_tokens;
    gram_tokens_ += record.gram_tokens;
    passages_.push_back(record);
}

void IndexBuilder::index_document(std::string_view name, std::string_view text) {
    DocumentRecord record{};
    record.text_offset = text_.size();
    record.text_bytes = static_cast<std::uint32_t>(text.size());
    record.name_offset = static_cast<std::uint32_t>(names_.size());
    record.name_bytes = static_cast<std::uint32_t>(name.size());
    record.first_passage = passages();
    language_ = guess_language(text);
    record.language = static_cast<std::uint32_t>(language_);
    names_ += name;
    text_ += text;
    const std::vector<PassageRange> ranges = cut_passages(text, layout_of(name));
    for (const PassageRange& range : ranges) {
        // A document has an opening, and so has each part of it that starts with a heading of Markdown.
        const bool opens = &range == &ranges.front() || text[range.offset] == '#';
        index_passage(text, range, opens ? opening_end(text, range.offset) : range.offset);
        record.stem_tokens += passages_.back().stem_tokens;
        record.gram_tokens += passages_.back().gram_tokens;
    }
    record.passages = passages() - record.first_passage;
    documents_.push_back(record);
}

Result<> IndexBuilder::add(std::string_view name, Bytes bytes) {
    if (broken_) return fail(Error::bad_state);
    if (name.empty()) return fail(Error::bad_argument);
    if (name.size() > kMaxNameBytes || bytes.size() > kMaxDocumentBytes) return fail(Error::too_large);
    if (known_names_.contains(name)) return fail(Error::already_exists);
    if (documents_.size() >= kMaxDocuments || text_.size() + bytes.size() > kMaxTextBytes) return fail(Error::no_space);
    try {
        known_names_.emplace(name, documents());
        index_document(name, as_text(bytes));
    } catch (const std::bad_alloc&) {
        broken_ = true;
        return fail(Error::out_of_memory);
    }
    return {};
}

std::optional<std::string_view> IndexBuilder::text_of(std::string_view name) const {
    const auto known = known_names_.find(name);
    if (known == known_names_.end()) return {};
    const DocumentRecord& record = documents_[known->second];
    return std::string_view(text_).substr(record.text_offset, record.text_bytes);
}

Result<> IndexBuilder::replace(std::span<const Changed> changes) {
    if (broken_) return fail(Error::bad_state);
    try {
        std::unordered_map<std::string_view, std::string_view> texts;
        for (const Changed& changed : changes) {
            if (!known_names_.contains(changed.name)) return fail(Error::not_found);
            texts[changed.name] = changed.text;
        }
        IndexBuilder fresh;
        for (const DocumentRecord& record : documents_) {
            const std::string_view name = std::string_view(names_).substr(record.name_offset, record.name_bytes);
            const auto changed = texts.find(name);
            const std::string_view text = changed != texts.end()
                                              ? changed->second
                                              : std::string_view(text_).substr(record.text_offset, record.text_bytes);
            TRY(fresh.add(name, std::as_bytes(std::span(text))));
        }
        *this = std::move(fresh); // terms_ views the keys of a map: its nodes move along
    } catch (const std::bad_alloc&) {
        return fail(Error::out_of_memory);
    }
    return {};
}

} // namespace aios::memory
