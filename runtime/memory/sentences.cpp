// Finds the ends of sentences: see sentences.hpp.
#include "runtime/memory/sentences.hpp"

#include <algorithm>
#include <array>

namespace aios::memory {
namespace {

constexpr std::array<std::string_view, 14> kAbbreviations = {"e.g", "i.e", "cf", "vs",  "mr", "mrs",    "ms",
                                                             "dr",  "st",  "no", "fig", "eq", "approx", "p"};
constexpr std::array<std::string_view, 3> kFullStops = {"\xe3\x80\x82", "\xef\xbc\x81",
                                                        "\xef\xbc\x9f"}; // ideographic . ! ?

constexpr bool is_blank_byte(char c) { return static_cast<unsigned char>(c) <= ' '; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// The word before the mark at `mark`, dots within it included.
bool is_abbreviated(std::string_view text, std::size_t mark) {
    std::size_t begin = mark;
    while (begin > 0 && (is_letter(text[begin - 1]) || text[begin - 1] == '.'))
        --begin;
    const std::string_view word = text.substr(begin, mark - begin);
    const bool is_initial = word.size() == 1 && word.front() >= 'A' && word.front() <= 'Z';
    return is_initial || std::ranges::any_of(kAbbreviations, [&](std::string_view known) {
               return std::ranges::equal(word, known, {}, lower);
           });
}

// Behind the closing quotes and brackets from `at` on.
std::size_t skip_closing(std::string_view text, std::size_t at) {
    while (at < text.size()) {
        if (std::string_view("\"')]*_`").contains(text[at]))
            ++at;
        else if (text.substr(at).starts_with("\xe2\x80\x9d") || text.substr(at).starts_with("\xe2\x80\x99"))
            at += 3;
        else
            break;
    }
    return at;
}

// If a sentence ends with the mark at `mark`: the offset behind it.
std::optional<std::size_t> end_at(std::string_view text, std::size_t mark) {
    const char c = text[mark];
    if (c == '\xe3' || c == '\xef') {
        for (const std::string_view stop : kFullStops)
            if (text.substr(mark).starts_with(stop)) return mark + stop.size();
    }
    if (c != '.' && c != '!' && c != '?') return std::nullopt;
    const std::size_t end = skip_closing(text, mark + 1);
    if (end < text.size() && !is_blank_byte(text[end])) return std::nullopt;
    if (c == '.' && is_abbreviated(text, mark)) return std::nullopt;
    std::size_t next = end;
    while (next < text.size() && is_blank_byte(text[next]))
        ++next;
    if (next < text.size() && text[next] >= 'a' && text[next] <= 'z') return std::nullopt;
    return end;
}

} // namespace

std::optional<std::size_t> last_sentence_end(std::string_view text, std::size_t low) {
    for (std::size_t mark = text.size(); mark-- > low;) {
        const auto end = end_at(text, mark);
        if (end && *end >= low && *end < text.size()) return end;
    }
    return std::nullopt;
}

bool ends_sentence(std::string_view text) {
    constexpr std::size_t kMostClosing = 8; // bytes of quotes and brackets behind the mark
    for (std::size_t back = 1; back <= std::min(kMostClosing, text.size()); ++back) {
        if (end_at(text, text.size() - back) == text.size()) return true;
    }
    return false;
}

std::string without_questions(std::string_view text) {
    std::string out(text);
    std::size_t begin = 0; // of the sentence at hand
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\n' && text.substr(at + 1).starts_with('\n')) begin = at + 1; // a paragraph ends any sentence
        const auto end = end_at(text, at);
        if (!end) continue;
        if (text[at] == '?' || text.substr(at).starts_with(kFullStops[2])) {
            // A title above it, or the end of a fence, is no part of the question.
            const std::size_t line = text.substr(0, at).rfind('\n');
            const std::size_t first = line == std::string_view::npos || line < begin ? begin : line + 1;
            std::ranges::fill(out.begin() + static_cast<std::ptrdiff_t>(first),
                              out.begin() + static_cast<std::ptrdiff_t>(*end), ' ');
        }
        begin = *end;
    }
    return out;
}

} // namespace aios::memory
