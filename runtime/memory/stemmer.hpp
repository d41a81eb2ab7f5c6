// Stems: the words of one family (connect, connected, connections) become one. The algorithms are Snowball's
// (M. F. Porter and others), by way of libstemmer; English has irregular forms and British spelling before it
// (english.hpp).
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "runtime/memory/language.hpp"
#include "runtime/memory/limits.hpp"

struct sb_stemmer; // libstemmer's

namespace aios::memory {

// The stemmers of all languages, each made at its first use. Not thread-safe: each thread has its own. Both functions
// throw std::bad_alloc where the heap is exhausted.
class Stemmers {
public:
    // The stem of `word`, which is as WordReader gives it: valid UTF-8 in lower case, at most kMaxWordBytes long. A
    // word with a digit is its own stem, as is one below three bytes, and in English one with a byte outside a-z. No
    // stem is longer than kMaxWordBytes. The view ends with the next call, or with the word.
    [[nodiscard]] std::string_view stem(Language language, std::string_view word);

private:
    struct Delete {
        void operator()(sb_stemmer* stemmer) const;
    };
    [[nodiscard]] sb_stemmer& stemmer_of(Language language);

    std::array<std::unique_ptr<sb_stemmer, Delete>, kLanguages> stemmers_;
    std::array<char, kMaxWordBytes> buffer_{};
};

} // namespace aios::memory
