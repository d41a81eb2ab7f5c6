// Words out of bytes: see text.hpp.
#include "runtime/memory/text.hpp"

#include <array>

#include "base/utf8.hpp"

namespace aios::memory {
namespace {

enum class Kind : std::uint8_t { separator, letter, ideograph };

constexpr bool is_ascii_word(char32_t code) {
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || (code >= '0' && code <= '9');
}

constexpr bool between(char32_t code, char32_t low, char32_t high) { return code >= low && code <= high; }

// Which part a character plays. Beyond ASCII a few blocks of spaces, punctuation and symbols separate, the rest are
// letters.
constexpr Kind kind_of(char32_t code) {
    if (code < 0x80) return is_ascii_word(code) ? Kind::letter : Kind::separator;
    if (between(code, 0x80, 0xbf)) return code == 0xaa || code == 0xb5 || code == 0xba ? Kind::letter : Kind::separator;
    if (code == 0xd7 || code == 0xf7) return Kind::separator;
    if (between(code, 0x2000, 0x2bff) || between(code, 0x3000, 0x303f)) return Kind::separator;
    if (between(code, 0xfe30, 0xfe4f) || between(code, 0xff00, 0xff0f) || code == 0xfeff || code == 0xfffd) {
        return Kind::separator;
    }
    if (between(code, 0x1f000, 0x1faff)) return Kind::separator;
    if (between(code, 0x2e80, 0x9fff) || between(code, 0xf900, 0xfaff) || between(code, 0x20000, 0x3ffff)) {
        return Kind::ideograph;
    }
    return Kind::letter;
}

// Lower case of the alphabets that pair capitals regularly: Latin, Greek, Cyrillic. Others stay as they are.
constexpr char32_t fold(char32_t code) {
    if (between(code, 'A', 'Z')) return code + 32;
    if (between(code, 0xc0, 0xde) && code != 0xd7) return code + 32;
    if (between(code, 0x100, 0x137) || between(code, 0x14a, 0x177)) return code | 1;
    if (between(code, 0x139, 0x148)) return code + (code & 1);
    if (between(code, 0x391, 0x3a9)) return code + 32;
    if (between(code, 0x410, 0x42f)) return code + 32;
    if (between(code, 0x400, 0x40f)) return code + 80;
    return code;
}

} // namespace

void WordReader::append(char32_t code) {
    std::array<char, 4> bytes{};
    const std::size_t count = utf8::encode(code, bytes.data());
    if (size_ + count > buffer_.size()) return;
    for (std::size_t i = 0; i < count; ++i)
        buffer_[size_++] = bytes[i];
}

bool WordReader::next() {
    size_ = 0;
    while (at_ < text_.size()) {
        const utf8::Decoded character = utf8::decode(text_.substr(at_));
        const Kind kind = character.valid ? kind_of(character.code_point) : Kind::separator;
        if (kind != Kind::letter && size_ > 0) return true;
        if (kind != Kind::separator && size_ == 0) begin_ = at_;
        at_ += character.length;
        if (kind == Kind::separator) continue;
        append(fold(character.code_point));
        if (kind == Kind::ideograph) return true;
    }
    return size_ > 0;
}

} // namespace aios::memory
