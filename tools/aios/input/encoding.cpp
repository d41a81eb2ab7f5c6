#include "tools/aios/input/encoding.hpp"

#include <cstddef>

#include "base/utf8.hpp"

namespace aios::host {

namespace {

constexpr std::string_view kLittleMark = "\xff\xfe";
constexpr std::string_view kBigMark = "\xfe\xff";
constexpr char32_t kReplacement = 0xfffd;
constexpr std::size_t kLooked = 4096; // bytes from which UTF-16 without a mark is told

// windows-1252 where it differs from Latin-1; 0 is unused.
constexpr char16_t kHighControls[32] = {0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                        0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
                                        0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                        0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

void append_utf8(std::string& out, char32_t c) {
    const auto add = [&](char32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) return add(c);
    if (c < 0x800) {
        add(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        add(0xe0 | c >> 12);
        add(0x80 | (c >> 6 & 0x3f));
    } else {
        add(0xf0 | c >> 18);
        add(0x80 | (c >> 12 & 0x3f));
        add(0x80 | (c >> 6 & 0x3f));
    }
    add(0x80 | (c & 0x3f));
}

// How many of every second byte from `first` on are NUL, of those looked at.
bool mostly_nul(std::string_view bytes, std::size_t first) {
    std::size_t nul = 0;
    std::size_t all = 0;
    for (std::size_t i = first; i < bytes.size(); i += 2, ++all)
        nul += bytes[i] == '\0';
    return nul * 10 >= all * 9;
}

Encoding guess_utf16(std::string_view bytes) {
    if (bytes.size() < 4 || bytes.size() % 2 != 0) return Encoding::as_it_is;
    if (bytes.starts_with(kLittleMark)) return Encoding::utf16_little;
    if (bytes.starts_with(kBigMark)) return Encoding::utf16_big;
    const std::string_view looked = bytes.substr(0, kLooked);
    const bool even = mostly_nul(looked, 0);
    const bool odd = mostly_nul(looked, 1);
    if (odd && !even) return Encoding::utf16_little;
    if (even && !odd) return Encoding::utf16_big;
    return Encoding::as_it_is;
}

bool is_latin1(std::string_view bytes) {
    bool high = false;
    while (!bytes.empty()) {
        const utf8::Decoded next = utf8::decode(bytes);
        if (next.valid && next.length > 1) return false;
        high = high || !next.valid;
        bytes.remove_prefix(next.length);
    }
    return high;
}

std::string from_utf16(std::string_view bytes, bool big) {
    const auto unit_at = [&](std::size_t at) {
        const auto one = static_cast<unsigned char>(bytes[at]), two = static_cast<unsigned char>(bytes[at + 1]);
        return static_cast<char32_t>(big ? one << 8 | two : two << 8 | one);
    };
    const auto is_high = [](char32_t unit) { return unit >= 0xd800 && unit < 0xdc00; };
    const auto is_low = [](char32_t unit) { return unit >= 0xdc00 && unit < 0xe000; };
    std::string out;
    for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
        const char32_t unit = unit_at(at);
        if (at == 0 && unit == 0xfeff) continue;
        const char32_t next = at + 3 < bytes.size() ? unit_at(at + 2) : 0;
        if (is_high(unit) && is_low(next)) {
            append_utf8(out, 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00));
            at += 2;
        } else {
            append_utf8(out, is_high(unit) || is_low(unit) ? kReplacement : unit);
        }
    }
    return out;
}

std::string from_latin1(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80 || byte >= 0xa0)
            append_utf8(out, byte);
        else
            append_utf8(out, kHighControls[byte - 0x80] != 0 ? kHighControls[byte - 0x80] : kReplacement);
    }
    return out;
}

} // namespace

Encoding guess_encoding(std::string_view bytes) {
    if (const Encoding utf16 = guess_utf16(bytes); utf16 != Encoding::as_it_is) return utf16;
    if (bytes.contains('\0')) return Encoding::as_it_is;
    return is_latin1(bytes) ? Encoding::latin1 : Encoding::as_it_is;
}

std::string_view encoding_name(Encoding encoding) {
    switch (encoding) {
    case Encoding::as_it_is:
        return "UTF-8";
    case Encoding::utf16_little:
    case Encoding::utf16_big:
        return "UTF-16";
    case Encoding::latin1:
        return "Latin-1";
    }
    return "";
}

std::string convert_to_utf8(std::string_view bytes, Encoding from) {
    switch (from) {
    case Encoding::as_it_is:
        return std::string(bytes);
    case Encoding::utf16_little:
        return from_utf16(bytes, false);
    case Encoding::utf16_big:
        return from_utf16(bytes, true);
    case Encoding::latin1:
        return from_latin1(bytes);
    }
    return std::string(bytes);
}

} // namespace aios::host
