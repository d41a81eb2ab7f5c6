// The words of each language that carry no topic, as data. Words are separated by single spaces and written as
// WordReader gives them: in lower case, parted at apostrophes. Single letters of ASCII need not be listed: they are
// function words of every language.
#pragma once

#include <string_view>

#include "runtime/memory/language.hpp"

namespace aios::memory {

struct WordLists {
    std::string_view function_words; // articles, pronouns, prepositions, conjunctions, auxiliaries, question words
    std::string_view generic_words;  // with which people ask and report about any subject, in the forms in use
};

extern const WordLists kEnglishWords;
extern const WordLists kGermanWords;
extern const WordLists kDutchWords;
extern const WordLists kSwedishWords;
extern const WordLists kFrenchWords;
extern const WordLists kSpanishWords;
extern const WordLists kItalianWords;
extern const WordLists kPortugueseWords;

[[nodiscard]] const WordLists& word_lists(Language language);

// Calls `use(word)` for each word of a list.
template <typename Use>
void for_each_listed(std::string_view list, Use use) {
    while (!list.empty()) {
        const std::size_t end = list.find(' ');
        use(list.substr(0, end));
        list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    }
}

} // namespace aios::memory
