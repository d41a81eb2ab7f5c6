// The stems of a text in one language: how documents, questions and quotations are all read when their words are
// compared.
#pragma once

#include <string_view>

#include "runtime/memory/stemmer.hpp"
#include "runtime/memory/stop_words.hpp"
#include "runtime/memory/text.hpp"

namespace aios::memory {

// Calls `use(stem)` for each word of `text` that is no function word of `language`, in order. The view ends with the
// call.
template <typename Use>
void for_each_stem(Stemmers& stemmers, Language language, std::string_view text, Use use) {
    WordReader reader(text);
    while (reader.next()) {
        if (!is_stop_word(language, reader.word())) use(stemmers.stem(language, reader.word()));
    }
}

} // namespace aios::memory
