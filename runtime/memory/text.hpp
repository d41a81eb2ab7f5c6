// Words out of bytes. Documents and questions are UTF-8 that may be invalid: a byte that belongs to no valid character
// separates words and is otherwise ignored. Nothing here allocates on its own or fails.
//
// A word is a run of letters and digits, folded to lower case, a letter and its combining mark as one character where
// Unicode has one; characters of scripts that do not use spaces (CJK) are
// words of one character. Everything else (spaces, punctuation, control characters, NUL) separates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/memory/limits.hpp"

namespace aios::memory {

// Reads the words of a text one after the other.
class WordReader {
public:
    explicit WordReader(std::string_view text) : text_(text) {}

    // Moves to the next word; false at the end of the text.
    [[nodiscard]] bool next();

    // The word, folded, at most kMaxWordBytes long; valid until the next call of next().
    [[nodiscard]] std::string_view word() const { return {buffer_.data(), size_}; }

    // Where the word starts in the text, in bytes.
    [[nodiscard]] std::size_t begin() const { return begin_; }

private:
    void append(char32_t code);
    void append_mark(char32_t mark);
    void append_ascii_run();

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t begin_ = 0;
    std::size_t size_ = 0;
    char32_t last_ = 0;         // the last character of the word; 0: it did not fit
    std::size_t last_size_ = 0; // the word's size before it
    std::array<char, kMaxWordBytes> buffer_{};
};

} // namespace aios::memory
