// Single characters: which of them are letters, their small forms, and letters that are written as a base and a mark.
// Pure functions of code points (Unicode 15). Latin, Greek and Cyrillic are known; other alphabets stay as they are.
#pragma once

#include <cstdint>
#include <optional>

namespace aios::memory {

enum class Kind : std::uint8_t { separator, letter, ideograph };

// Which part a character plays in a word. Beyond ASCII a few blocks of spaces, punctuation and symbols separate, the
// rest are letters.
[[nodiscard]] Kind kind_of(char32_t code);

// The small letter of a capital; what is none stays. Two letters that are one in sorting and searching (the final
// sigma) are made one.
[[nodiscard]] char32_t small_letter(char32_t code);

constexpr bool is_combining_mark(char32_t code) { return code >= 0x300 && code <= 0x36f; }

// The one character that a small `base` and the combining `mark` behind it stand for (canonical composition of the
// Latin letters in use in western, central and northern Europe); nullopt if there is none.
[[nodiscard]] std::optional<char32_t> composed(char32_t base, char32_t mark);

} // namespace aios::memory
