// The stems of a text: how documents, questions and quotations are all read when their words are compared.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "runtime/memory/stemmer.hpp"
#include "runtime/memory/stop_words.hpp"
#include "runtime/memory/text.hpp"

namespace aios::memory {

// Calls `use(stem, word)` for each word of `text` that is no stop word, in order. Both views end with the call.
template <typename Use>
void for_each_stem(std::string_view text, Use use) {
    WordReader reader(text);
    while (reader.next()) {
        if (is_stop_word(reader.word())) continue;
        std::array<char, kMaxWordBytes> buffer{};
        std::ranges::copy(reader.word(), buffer.begin());
        use(stem_in_place(std::span(buffer).first(reader.word().size())), reader.word());
    }
}

} // namespace aios::memory
