// A question taken apart: its words as stems and as 4-grams, without function words.
//
// A question is read once in each language that its collection is in: a document is compared with the stems of its own
// language. What a document was taken for is therefore what its questions are read as, right or wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/memory/language.hpp"

namespace aios::memory {

struct Question {
    struct Stem {
        std::string text;
        std::uint32_t count;
        bool generic;          // a word of any subject (stop_words.hpp)
        LanguageSet languages; // of the readings that it belongs to
    };
    struct Gram {
        std::uint32_t key;
        std::uint32_t count;
    };
    // In the order of the question, reading after reading. Within one reading they are different; what two readings
    // have in common stands once.
    std::vector<Stem> stems;
    std::vector<Gram> grams; // different ones, keys ascending
};

// Takes `text` apart. The function words of its own language, where they tell which of `languages` that is, are left
// out of every reading. Linear in the length of the text times the number of languages. No languages are English.
[[nodiscard]] Question parse_question(std::string_view text, LanguageSet languages = Language::english);

} // namespace aios::memory
