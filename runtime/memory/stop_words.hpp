// Words that carry no topic, in each language. The lists are about the languages, not about any collection.
#pragma once

#include <string_view>

#include "runtime/memory/language.hpp"

namespace aios::memory {

// The languages of which `word`, as WordReader gives it, is a function word (article, pronoun, preposition, auxiliary,
// question word). A lone letter of ASCII is one of all.
[[nodiscard]] LanguageSet languages_of_stop_word(std::string_view word);

// The languages in whose list of words of any subject (below) it stands as it is.
[[nodiscard]] LanguageSet languages_of_generic_word(std::string_view word);

// Function words are never indexed in a document of their language, and never looked up in one.
[[nodiscard]] inline bool is_stop_word(Language language, std::string_view word) {
    return languages_of_stop_word(word).contains(language);
}

// Stems of words with which people ask and report about any subject (find, give, method, result, possible): they are
// indexed, but that a document has them or lacks them says little about whether it answers. `stem` is as Stemmers gives
// it.
[[nodiscard]] bool is_generic_stem(Language language, std::string_view stem);

} // namespace aios::memory
