// Looks words up in the lists of the languages: see stop_words.hpp. The tables are made of the lists at first use.
#include "runtime/memory/stop_words.hpp"

#include <string>
#include <unordered_map>
#include <unordered_set>

#include "runtime/memory/stemmer.hpp"
#include "runtime/memory/word_lists.hpp"

namespace aios::memory {
namespace {

struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};

using ListedWords = std::unordered_map<std::string_view, LanguageSet>;
using Stems = std::unordered_set<std::string, StringHash, std::equal_to<>>;

ListedWords all_listed(std::string_view WordLists::* list) {
    ListedWords words;
    for (const Language language : kAllLanguages)
        for_each_listed(word_lists(language).*list, [&](std::string_view word) { words[word] |= language; });
    return words;
}

LanguageSet languages_of(const ListedWords& words, std::string_view word) {
    const auto found = words.find(word);
    return found == words.end() ? LanguageSet() : found->second;
}

std::array<Stems, kLanguages> all_generic_stems() {
    std::array<Stems, kLanguages> stems;
    Stemmers stemmers;
    for (const Language language : kAllLanguages) {
        for_each_listed(word_lists(language).generic_words, [&](std::string_view word) {
            stems[index_of(language)].emplace(stemmers.stem(language, word));
        });
    }
    return stems;
}

} // namespace

const WordLists& word_lists(Language language) {
    switch (language) {
    case Language::english:
        return kEnglishWords;
    case Language::german:
        return kGermanWords;
    case Language::dutch:
        return kDutchWords;
    case Language::swedish:
        return kSwedishWords;
    case Language::french:
        return kFrenchWords;
    case Language::spanish:
        return kSpanishWords;
    case Language::italian:
        return kItalianWords;
    case Language::portuguese:
        return kPortugueseWords;
    }
    return kEnglishWords;
}

LanguageSet languages_of_stop_word(std::string_view word) {
    if (word.size() == 1 && word[0] >= 'a' && word[0] <= 'z') return LanguageSet::all();
    static const ListedWords words = all_listed(&WordLists::function_words);
    return languages_of(words, word);
}

LanguageSet languages_of_generic_word(std::string_view word) {
    static const ListedWords words = all_listed(&WordLists::generic_words);
    return languages_of(words, word);
}

bool is_generic_stem(Language language, std::string_view stem) {
    static const std::array<Stems, kLanguages> stems = all_generic_stems();
    return stems[index_of(language)].contains(stem);
}

} // namespace aios::memory
