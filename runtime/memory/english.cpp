// English beyond its suffixes: see english.hpp.
#include "runtime/memory/english.hpp"

#include <algorithm>
#include <array>

namespace aios::memory {
namespace {

struct Exception {
    std::string_view word;
    std::string_view stem;
};
constexpr auto kExceptions = std::to_array<Exception>({
    {"gas", "gas"},
    {"gases", "gas"},
    {"gaseous", "gas"},
    {"lens", "lens"},
    {"lenses", "lens"},
    {"matrices", "matrix"},
    {"vertices", "vertex"},
    {"vortices", "vortex"},
    {"indices", "index"},
    {"universe", "universe"},
    {"universes", "universe"},
    {"university", "university"},
    {"universities", "university"},
});

// Irregular forms, each with the word whose rules then apply, which is never longer than the form.
constexpr auto kIrregular = std::to_array<Exception>({
    {"sent", "send"},     {"paid", "pay"},      {"kept", "keep"},     {"held", "hold"},
    {"ran", "run"},       {"written", "write"}, {"wrote", "write"},   {"made", "make"},
    {"given", "give"},    {"gave", "give"},     {"taken", "take"},    {"took", "take"},
    {"chosen", "choose"}, {"lost", "lose"},     {"built", "build"},   {"begun", "begin"},
    {"began", "begin"},   {"broken", "break"},  {"broke", "break"},   {"drawn", "draw"},
    {"driven", "drive"},  {"frozen", "freeze"}, {"grown", "grow"},    {"known", "know"},
    {"knew", "know"},     {"shown", "show"},    {"thrown", "throw"},  {"worn", "wear"},
    {"hidden", "hide"},   {"spoken", "speak"},  {"stolen", "steal"},  {"sold", "sell"},
    {"told", "tell"},     {"bought", "buy"},    {"brought", "bring"}, {"thought", "think"},
    {"taught", "teach"},  {"caught", "catch"},  {"meant", "mean"},    {"dealt", "deal"},
    {"felt", "feel"},     {"became", "become"}, {"came", "come"},     {"understood", "understand"},
});

// -isation, -ise(d/s/r), -ising, -yse(d/r/s), -ysing take a z; -our loses its u where letters enough stand before it.
std::size_t respell(std::span<char> word) {
    const std::string_view text{word.data(), word.size()};
    for (const std::string_view suffix : {"isation", "isations", "ise", "ised", "ises", "iser", "isers", "ising", "yse",
                                          "ysed", "yser", "ysers", "ysing"}) {
        if (text.size() < suffix.size() + 3 || !text.ends_with(suffix)) continue;
        word[text.size() - suffix.size() + 1] = 'z';
        return word.size();
    }
    const std::size_t at = text.find("our", 3);
    if (at == std::string_view::npos) return word.size();
    constexpr auto kAfterOur = std::to_array<std::string_view>({"", "s", "ed", "ing", "al", "able", "ful"});
    if (!std::ranges::contains(kAfterOur, text.substr(at + 3))) return word.size();
    const auto rest = word.subspan(at + 2);
    std::ranges::copy(rest, word.subspan(at + 1).begin());
    return word.size() - 1;
}

} // namespace

std::optional<std::string_view> english_stem(std::string_view word) {
    const auto known = std::ranges::find(kExceptions, word, &Exception::word);
    if (known == kExceptions.end()) return std::nullopt;
    return known->stem;
}

std::string_view english_form(std::span<char> word) {
    const auto irregular = std::ranges::find(kIrregular, std::string_view(word.data(), word.size()), &Exception::word);
    if (irregular != kIrregular.end()) {
        std::ranges::copy(irregular->stem, word.begin());
        word = word.first(irregular->stem.size());
    }
    return {word.data(), respell(word)};
}

} // namespace aios::memory
