// Stems by libstemmer: see stemmer.hpp.
#include "runtime/memory/stemmer.hpp"

#include <libstemmer.h>

#include <algorithm>
#include <new>
#include <span>

#include "runtime/memory/english.hpp"

namespace aios::memory {
namespace {

const char* snowball_name(Language language) {
    switch (language) {
    case Language::english:
        return "english";
    case Language::german:
        return "german";
    case Language::dutch:
        return "dutch";
    case Language::swedish:
        return "swedish";
    case Language::french:
        return "french";
    case Language::spanish:
        return "spanish";
    case Language::italian:
        return "italian";
    case Language::portuguese:
        return "portuguese";
    }
    return "english";
}

} // namespace

void Stemmers::Delete::operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }

sb_stemmer& Stemmers::stemmer_of(Language language) {
    auto& stemmer = stemmers_[index_of(language)];
    if (!stemmer) stemmer.reset(sb_stemmer_new(snowball_name(language), "UTF_8"));
    if (!stemmer) throw std::bad_alloc(); // every language is in the library
    return *stemmer;
}

std::string_view Stemmers::stem(Language language, std::string_view word) {
    const bool has_digit = std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; });
    if (has_digit || word.size() < 3 || word.size() > kMaxWordBytes) return word;
    if (language == Language::english) {
        const bool plain = std::ranges::all_of(word, [](char c) { return c >= 'a' && c <= 'z'; });
        if (!plain) return word;
        if (const auto known = english_stem(word)) return *known;
        std::ranges::copy(word, buffer_.begin());
        word = english_form(std::span(buffer_).first(word.size()));
    }
    sb_stemmer& stemmer = stemmer_of(language);
    // SAFETY: bytes as bytes.
    const auto* bytes = reinterpret_cast<const sb_symbol*>(word.data());
    const sb_symbol* stem = sb_stemmer_stem(&stemmer, bytes, static_cast<int>(word.size()));
    if (stem == nullptr) throw std::bad_alloc();
    const auto size = static_cast<std::size_t>(sb_stemmer_length(&stemmer));
    if (size == 0 || size > buffer_.size()) return word;
    // SAFETY: bytes as characters, which the library keeps until it is called again.
    return {reinterpret_cast<const char*>(stem), size};
}

} // namespace aios::memory
