// Words out of bytes: see text.hpp.
#include "runtime/memory/text.hpp"

#include <array>

#include "base/utf8.hpp"
#include "runtime/memory/letters.hpp"

namespace aios::memory {

void WordReader::append(char32_t code) {
    std::array<char, 4> bytes{};
    const std::size_t count = utf8::encode(code, bytes.data());
    last_ = 0;
    if (size_ + count > buffer_.size()) return;
    last_ = code;
    last_size_ = size_;
    for (std::size_t i = 0; i < count; ++i)
        buffer_[size_++] = bytes[i];
}

// A mark becomes one letter with the letter before it, so that both ways to write that letter are the same word.
void WordReader::append_mark(char32_t mark) {
    const auto letter = composed(last_, mark);
    if (letter) size_ = last_size_;
    append(letter.value_or(mark));
}

// Most of most texts is ASCII: its letters and digits are taken without a look at the tables.
void WordReader::append_ascii_run() {
    for (; at_ < text_.size(); ++at_) {
        const char c = text_[at_];
        const bool is_capital = c >= 'A' && c <= 'Z';
        if (!is_capital && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) return;
        last_ = 0;
        if (size_ == buffer_.size()) continue;
        last_size_ = size_;
        buffer_[size_] = is_capital ? static_cast<char>(c + ('a' - 'A')) : c;
        last_ = static_cast<unsigned char>(buffer_[size_++]);
    }
}

bool WordReader::next() {
    size_ = 0;
    while (at_ < text_.size()) {
        if (size_ == 0) begin_ = at_;
        append_ascii_run();
        if (at_ == text_.size()) break;
        if (static_cast<unsigned char>(text_[at_]) < 0x80) { // whatever else of ASCII separates
            if (size_ > 0) return true;
            ++at_;
            continue;
        }
        const utf8::Decoded character = utf8::decode(text_.substr(at_));
        const Kind kind = character.valid ? kind_of(character.code_point) : Kind::separator;
        if (kind != Kind::letter && size_ > 0) return true;
        at_ += character.length;
        if (kind == Kind::separator) continue;
        if (size_ > 0 && is_combining_mark(character.code_point)) {
            append_mark(character.code_point);
        } else {
            append(small_letter(character.code_point));
        }
        if (kind == Kind::ideograph) return true;
    }
    return size_ > 0;
}

} // namespace aios::memory
