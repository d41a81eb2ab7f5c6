// Single characters: see letters.hpp.
#include "runtime/memory/letters.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace aios::memory {
namespace {

constexpr bool is_ascii_word(char32_t code) {
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || (code >= '0' && code <= '9');
}

constexpr bool between(char32_t code, char32_t low, char32_t high) { return code >= low && code <= high; }

// The letters that a mark makes of small ones, in their order.
struct Mark {
    char32_t code;
    std::string_view bases;
    std::u32string_view letters;
};
constexpr auto kMarks = std::to_array<Mark>({
    {0x300, "aeiou", U"àèìòù"},               // grave
    {0x301, "aceilnorsuyz", U"áćéíĺńóŕśúýź"}, // acute
    {0x302, "aceghijosuwy", U"âĉêĝĥîĵôŝûŵŷ"}, // circumflex
    {0x303, "ainou", U"ãĩñõũ"},               // tilde
    {0x306, "aegiou", U"ăĕğĭŏŭ"},             // breve
    {0x307, "cegz", U"ċėġż"},                 // dot above
    {0x308, "aeiouy", U"äëïöüÿ"},             // diaeresis
    {0x30a, "au", U"åů"},                     // ring
    {0x30b, "ou", U"őű"},                     // double acute
    {0x30c, "cdelnrstz", U"čďěľňřšťž"},       // caron
    {0x327, "cgklnrst", U"çģķļņŗşţ"},         // cedilla
    {0x328, "aeiu", U"ąęįų"},                 // ogonek
});
static_assert(std::ranges::all_of(kMarks, [](const Mark& m) { return m.bases.size() == m.letters.size(); }));

// Capitals with an accent in Greek, which lie apart from their small letters.
constexpr char32_t small_greek(char32_t code) {
    switch (code) {
    case 0x386:
        return 0x3ac;
    case 0x388:
    case 0x389:
    case 0x38a:
        return code + 37;
    case 0x38c:
        return 0x3cc;
    case 0x38e:
    case 0x38f:
        return code + 63;
    case 0x3c2:
        return 0x3c3; // final sigma
    default:
        return between(code, 0x391, 0x3ab) ? code + 32 : code;
    }
}

constexpr char32_t small_latin(char32_t code) {
    if (between(code, 0xc0, 0xde)) return code == 0xd7 ? code : code + 32;
    if (code == 0x130) return 'i';
    if (code == 0x178) return 0xff;
    if (code == 0x17f) return 's'; // long s
    if (between(code, 0x100, 0x137) || between(code, 0x14a, 0x177)) return code | 1;
    if (between(code, 0x139, 0x148) || between(code, 0x179, 0x17e)) return code + (code & 1);
    if (code == 0x218 || code == 0x21a) return code + 1; // of Romanian
    if (code == 0x1e9e) return 0xdf;                     // capital sharp s
    if (between(code, 0x1e00, 0x1e95) || between(code, 0x1ea0, 0x1eff)) return code | 1;
    return code;
}

constexpr char32_t small_cyrillic(char32_t code) {
    if (between(code, 0x400, 0x40f)) return code + 80;
    if (between(code, 0x410, 0x42f)) return code + 32;
    if (between(code, 0x460, 0x481) || between(code, 0x48a, 0x4bf) || between(code, 0x4d0, 0x52f)) return code | 1;
    return code;
}

} // namespace

Kind kind_of(char32_t code) {
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

char32_t small_letter(char32_t code) {
    if (code < 0x80) return between(code, 'A', 'Z') ? code + 32 : code;
    if (code < 0x370 || between(code, 0x1e00, 0x1eff)) return small_latin(code);
    return code < 0x400 ? small_greek(code) : small_cyrillic(code);
}

std::optional<char32_t> composed(char32_t base, char32_t mark) {
    const auto known = std::ranges::find(kMarks, mark, &Mark::code);
    if (known == kMarks.end() || base >= 0x80) return std::nullopt;
    const std::size_t at = known->bases.find(static_cast<char>(base));
    if (at == std::string_view::npos) return std::nullopt;
    return known->letters[at];
}

} // namespace aios::memory
