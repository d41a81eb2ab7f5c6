// UTF-8 (RFC 3629; Unicode chapter 3, table 3-7): validation, and iteration in which every maximal ill-formed run
// becomes one U+FFFD, as Unicode section 3.9 recommends. Surrogates, overlong forms and values above U+10FFFF are
// ill-formed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace aios::utf8 {

inline constexpr char32_t kReplacement = 0xfffd;

struct Decoded {
    char32_t code_point; // kReplacement if the bytes are ill-formed
    std::uint8_t length; // bytes consumed, 1 to 4
    bool valid;          // tells a literal U+FFFD from a replacement
};

// Decodes at the start of `text`, which must not be empty.
[[nodiscard]] constexpr Decoded decode(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t lead = at(0);
    if (lead < 0x80) return {lead, 1, true};

    // Only the second byte's range depends on the lead byte.
    unsigned length;
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3;
        if (lead == 0xe0) low = 0xa0;
        if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4;
        if (lead == 0xf0) low = 0x90;
        if (lead == 0xf4) high = 0x8f;
    } else {
        return {kReplacement, 1, false};
    }

    char32_t value = lead & (0x7fu >> length);
    for (unsigned i = 1; i < length; ++i) {
        if (i >= text.size() || at(i) < low || at(i) > high) return {kReplacement, static_cast<std::uint8_t>(i), false};
        value = (value << 6) | (at(i) & 0x3fu);
        low = 0x80;
        high = 0xbf;
    }
    return {value, static_cast<std::uint8_t>(length), true};
}

[[nodiscard]] constexpr bool is_valid(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        // Most text is ASCII: eight bytes at a time without a decode.
        if (!std::is_constant_evaluated() && end - at >= 8) {
            std::uint64_t word;
            __builtin_memcpy(&word, at, sizeof(word));
            if ((word & 0x8080'8080'8080'8080) == 0) {
                at += sizeof(word);
                continue;
            }
        }
        const Decoded next = decode({at, static_cast<std::size_t>(end - at)});
        if (!next.valid) return false;
        at += next.length;
    }
    return true;
}

// Writes `code_point` (a Unicode scalar value; anything else becomes U+FFFD) to `out`, which has room for 4 bytes.
// Returns the number of bytes written.
constexpr std::size_t encode(char32_t code_point, char* out) {
    const auto put = [&](std::size_t i, char32_t value) {
        out[i] = static_cast<char>(static_cast<std::uint8_t>(value));
    };
    if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point <= 0xdfff)) code_point = kReplacement;
    if (code_point < 0x80) {
        put(0, code_point);
        return 1;
    }
    if (code_point < 0x800) {
        put(0, 0xc0 | (code_point >> 6));
        put(1, 0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        put(0, 0xe0 | (code_point >> 12));
        put(1, 0x80 | ((code_point >> 6) & 0x3f));
        put(2, 0x80 | (code_point & 0x3f));
        return 3;
    }
    put(0, 0xf0 | (code_point >> 18));
    put(1, 0x80 | ((code_point >> 12) & 0x3f));
    put(2, 0x80 | ((code_point >> 6) & 0x3f));
    put(3, 0x80 | (code_point & 0x3f));
    return 4;
}

// for (char32_t c : utf8::CodePoints(text)): total over any bytes.
class CodePoints {
public:
    class Iterator {
    public:
        using value_type = char32_t;
        using difference_type = std::ptrdiff_t;

        constexpr Iterator() = default;
        constexpr explicit Iterator(std::string_view rest) : rest_(rest) { load(); }
        constexpr char32_t operator*() const { return current_.code_point; }
        constexpr Iterator& operator++() {
            rest_.remove_prefix(current_.length);
            load();
            return *this;
        }
        constexpr Iterator operator++(int) {
            Iterator old = *this;
            ++*this;
            return old;
        }
        // Iterators of one text are equal if they have the same rest.
        constexpr bool operator==(const Iterator& other) const { return rest_.size() == other.rest_.size(); }
        // The text from the current code point on, and how the current one was coded.
        [[nodiscard]] constexpr std::string_view rest() const { return rest_; }
        [[nodiscard]] constexpr const Decoded& decoded() const { return current_; }

    private:
        constexpr void load() { current_ = rest_.empty() ? Decoded{0, 0, true} : decode(rest_); }
        std::string_view rest_;
        Decoded current_{0, 0, true};
    };

    constexpr explicit CodePoints(std::string_view text) : text_(text) {}
    [[nodiscard]] constexpr Iterator begin() const { return Iterator(text_); }
    [[nodiscard]] constexpr Iterator end() const { return Iterator(text_.substr(text_.size())); }

private:
    std::string_view text_;
};

} // namespace aios::utf8
