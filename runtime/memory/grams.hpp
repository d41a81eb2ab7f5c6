// Character 4-grams of a text: the second key under which it is found. They bridge what stems miss: compound words,
// other spellings, misprints, other languages. A word is set between two spaces, and every window of four bytes of "
// word " is a gram; a word of one byte gives " x " alone, padded with NUL. The key is the four bytes, first byte
// lowest.
#pragma once

#include <cstdint>
#include <string_view>

namespace aios::memory {

// Calls `use(key)` for each gram of `word` (folded, as WordReader gives it).
template <typename Use>
void for_each_gram(std::string_view word, Use use) {
    std::uint32_t key = ' ';
    unsigned held = 1;
    const auto push = [&](unsigned char byte) {
        if (held < 4) {
            key |= std::uint32_t{byte} << (8 * held++);
        } else {
            key = key >> 8 | std::uint32_t{byte} << 24;
        }
        if (held == 4) use(key);
    };
    for (const char c : word)
        push(static_cast<unsigned char>(c));
    push(' ');
    if (held < 4) use(key);
}

} // namespace aios::memory
