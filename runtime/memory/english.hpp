// What the English stemmer of libstemmer does not know: words whose endings only look like suffixes, irregular forms,
// and British beside American spelling.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace aios::memory {

// The stem of a word that is an exception to all rules.
[[nodiscard]] std::optional<std::string_view> english_stem(std::string_view word);

// Rewrites a word of small letters in place: an irregular form becomes the word that it belongs to, and the British
// spellings -ise, -yse and -our become American. The result is never longer.
[[nodiscard]] std::string_view english_form(std::span<char> word);

} // namespace aios::memory
