// English words that carry no topic. The lists are about the language, not about any collection.
#pragma once

#include <string_view>

namespace aios::memory {

// Function words (articles, pronouns, prepositions, auxiliaries, question words): never indexed, never looked up.
[[nodiscard]] bool is_stop_word(std::string_view word);

// Stems of words with which people ask and report about any subject (find, give, method, result, possible): they are
// indexed, but that a document has them or lacks them says little about whether it answers. `stem` is as stem_in_place
// gives it.
[[nodiscard]] bool is_generic_stem(std::string_view stem);

} // namespace aios::memory
