// A question taken apart: its words as stems and as 4-grams, without function words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aios::memory {

struct Question {
    struct Stem {
        std::string text;
        std::uint32_t count;
        bool generic; // a word of any subject (stop_words.hpp)
    };
    struct Gram {
        std::uint32_t key;
        std::uint32_t count;
    };
    std::vector<Stem> stems; // different ones, in the order of the question
    std::vector<Gram> grams; // different ones, keys ascending
};

// Takes `text` apart. Linear in its length.
[[nodiscard]] Question parse_question(std::string_view text);

} // namespace aios::memory
