// English stems: the words of one family (connect, connected, connections) become one. A suffix stripper in the manner
// of M. F. Porter, "An algorithm for suffix stripping", Program 14 (1980), with the refinements of his second English
// stemmer. British and American spellings of -ise/-ize, -yse/-yze and -our/-or meet in one stem. Works in place,
// allocates nothing.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace aios::memory {

// Stems the word in `word` (lower case, as WordReader gives it) in place and returns the stem, a prefix of the buffer.
// A word with a byte outside a-z is returned unchanged, as is one of fewer than three letters. A stem is never longer
// than its word.
[[nodiscard]] std::string_view stem_in_place(std::span<char> word);

} // namespace aios::memory
