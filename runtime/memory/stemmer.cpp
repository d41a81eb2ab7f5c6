// English stems: see stemmer.hpp. The word is split into regions as Porter does: R1 begins after the first consonant
// that follows a vowel, R2 is R1 of R1. A suffix is taken off only where it lies wholly in the region that its rule
// names, so that short words keep their endings.
#include "runtime/memory/stemmer.hpp"

#include <algorithm>
#include <array>

namespace aios::memory {
namespace {

struct Rule {
    std::string_view suffix;
    std::string_view replacement;
};

// One suffix is tried after the other; longer ones stand first where one ends in the other.
constexpr auto kDerived = std::to_array<Rule>({
    {"ization", "ize"}, {"ational", "ate"}, {"fulness", "ful"}, {"ousness", "ous"}, {"iveness", "ive"},
    {"tional", "tion"}, {"biliti", "ble"},  {"lessli", "less"}, {"entli", "ent"},   {"ation", "ate"},
    {"alism", "al"},    {"aliti", "al"},    {"ousli", "ous"},   {"iviti", "ive"},   {"fulli", "ful"},
    {"enci", "ence"},   {"anci", "ance"},   {"abli", "able"},   {"izer", "ize"},    {"ator", "ate"},
    {"alli", "al"},     {"bli", "ble"},     {"logi", "log"},
});
constexpr auto kDerivedTwice = std::to_array<Rule>({
    {"ational", "ate"},
    {"tional", "tion"},
    {"alize", "al"},
    {"icate", "ic"},
    {"iciti", "ic"},
    {"ical", "ic"},
    {"ful", ""},
    {"ness", ""},
});
constexpr auto kResidual = std::to_array<std::string_view>({
    "ement",
    "ance",
    "ence",
    "able",
    "ible",
    "ment",
    "ant",
    "ent",
    "ism",
    "ate",
    "iti",
    "ous",
    "ive",
    "ize",
    "al",
    "er",
    "ic",
});

// Words whose ending only looks like a suffix, or whose family the rules would miss.
struct Exception {
    std::string_view word;
    std::string_view stem;
};
constexpr auto kExceptions = std::to_array<Exception>({
    {"skis", "ski"},
    {"skies", "sky"},
    {"dying", "die"},
    {"lying", "lie"},
    {"tying", "tie"},
    {"news", "news"},
    {"atlas", "atlas"},
    {"cosmos", "cosmos"},
    {"bias", "bias"},
    {"gas", "gas"},
    {"gases", "gas"},
    {"gaseous", "gas"},
    {"series", "series"},
    {"lens", "lens"},
    {"early", "earli"},
    {"only", "onli"},
    {"inning", "inning"},
    {"outing", "outing"},
    {"herring", "herring"},
    {"earring", "earring"},
    {"matrices", "matrix"},
    {"vertices", "vertex"},
    {"vortices", "vortex"},
    {"indices", "index"},
    {"universe", "universe"},
    {"universes", "universe"},
    {"university", "university"},
    {"universities", "university"},
});

// Irregular forms, taken back to the word whose rules then apply. None is longer than its form.
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

class Stemmer {
public:
    explicit Stemmer(std::span<char> word) : word_(word), size_(word.size()) {}

    std::string_view run();

private:
    [[nodiscard]] std::string_view view() const { return {word_.data(), size_}; }

    // A vowel; y is one unless it starts the word or follows a vowel.
    [[nodiscard]] bool vowel(std::size_t at) const {
        switch (word_[at]) {
        case 'a':
        case 'e':
        case 'i':
        case 'o':
        case 'u':
            return true;
        case 'y':
            return at > 0 && !vowel(at - 1);
        default:
            return false;
        }
    }
    [[nodiscard]] bool vowel_before(std::size_t end) const {
        for (std::size_t i = 0; i < end; ++i) {
            if (vowel(i)) return true;
        }
        return false;
    }
    [[nodiscard]] std::size_t region_after(std::size_t from) const {
        for (std::size_t i = from + 1; i < size_; ++i) {
            if (!vowel(i) && vowel(i - 1)) return i + 1;
        }
        return size_;
    }
    // Consonant, vowel, consonant (not w, x, y) at the end, or vowel and consonant alone: a syllable that wants its e
    // back.
    [[nodiscard]] bool short_syllable(std::size_t end) const {
        if (end == 2) return vowel(0) && !vowel(1);
        if (end < 3) return false;
        const char last = word_[end - 1];
        return !vowel(end - 3) && vowel(end - 2) && !vowel(end - 1) && last != 'w' && last != 'x' && last != 'y';
    }
    [[nodiscard]] bool ends(std::string_view suffix) const { return view().ends_with(suffix); }
    void cut(std::size_t count) { size_ -= count; }
    void replace(std::size_t count, std::string_view text) {
        size_ -= count;
        for (const char c : text)
            word_[size_++] = c;
    }
    template <std::size_t N>
    bool apply(const std::array<Rule, N>& rules, std::size_t region) {
        for (const Rule& rule : rules) {
            if (!ends(rule.suffix)) continue;
            if (size_ - rule.suffix.size() >= region) replace(rule.suffix.size(), rule.replacement);
            return true;
        }
        return false;
    }

    void spelling();
    void plural();
    void past_and_gerund();
    void final_y();
    void residual();
    void final_e();

    std::span<char> word_;
    std::size_t size_;
    std::size_t r1_ = 0;
    std::size_t r2_ = 0;
};

// -isation, -ise(d/s/r), -ising, -yse(d/r/s), -ysing take a z; -our loses its u where letters enough stand before it.
void Stemmer::spelling() {
    const auto to_z = [&](std::string_view suffix) {
        if (size_ >= suffix.size() + 3 && ends(suffix)) {
            word_[size_ - suffix.size() + 1] = 'z';
            return true;
        }
        return false;
    };
    for (const std::string_view suffix : {"isation", "isations", "ise", "ised", "ises", "iser", "isers", "ising", "yse",
                                          "ysed", "yser", "ysers", "ysing"}) {
        if (to_z(suffix)) return;
    }
    const std::size_t at = view().find("our", 3);
    if (at == std::string_view::npos) return;
    const std::string_view rest = view().substr(at + 3);
    if (rest.empty() || rest == "s" || rest == "ed" || rest == "ing" || rest == "al" || rest == "able" ||
        rest == "ful") {
        std::copy(word_.begin() + static_cast<std::ptrdiff_t>(at) + 2,
                  word_.begin() + static_cast<std::ptrdiff_t>(size_),
                  word_.begin() + static_cast<std::ptrdiff_t>(at) + 1);
        --size_;
    }
}

void Stemmer::plural() {
    if (ends("sses")) {
        cut(2);
    } else if (ends("ied") || ends("ies")) {
        cut(size_ > 4 ? 2 : 1);
    } else if (ends("s") && !ends("us") && !ends("ss") && size_ >= 2 && vowel_before(size_ - 2)) {
        cut(1);
    }
}

void Stemmer::past_and_gerund() {
    for (const std::string_view suffix : {"eedly", "eed"}) {
        if (!ends(suffix)) continue;
        if (size_ - suffix.size() >= r1_) replace(suffix.size(), "ee");
        return;
    }
    for (const std::string_view suffix : {"ingly", "edly", "ing", "ed"}) {
        if (!ends(suffix)) continue;
        if (!vowel_before(size_ - suffix.size())) return;
        cut(suffix.size());
        if (ends("at") || ends("bl") || ends("iz") || ends("yz")) {
            word_[size_++] = 'e';
            return;
        }
        if (size_ < 2) return;
        const char last = word_[size_ - 1];
        const bool twice = last == word_[size_ - 2] && !vowel(size_ - 1);
        if (twice && last != 'l' && last != 's' && last != 'z') {
            cut(1);
        } else if (twice && last == 'l' && size_ > 5) {
            cut(1); // modelled, travelled: the British doubling; called and rolled keep theirs
        } else if (r1_ >= size_ && short_syllable(size_)) {
            word_[size_++] = 'e';
        }
        return;
    }
}

void Stemmer::final_y() {
    if (size_ > 2 && word_[size_ - 1] == 'y' && !vowel(size_ - 2)) word_[size_ - 1] = 'i';
}

void Stemmer::residual() {
    for (const std::string_view suffix : kResidual) {
        if (!ends(suffix)) continue;
        if (size_ - suffix.size() >= r2_) cut(suffix.size());
        return;
    }
    if (ends("ion") && size_ >= 4 && size_ - 3 >= r2_ && (word_[size_ - 4] == 's' || word_[size_ - 4] == 't')) cut(3);
}

void Stemmer::final_e() {
    if (ends("e")) {
        if (size_ - 1 >= r2_ || (size_ - 1 >= r1_ && !short_syllable(size_ - 1))) cut(1);
    } else if (ends("ll") && size_ - 1 >= r2_) {
        cut(1);
    }
}

std::string_view Stemmer::run() {
    for (const Exception& exception : kExceptions) {
        if (view() != exception.word) continue;
        replace(size_, exception.stem);
        return view();
    }
    const auto irregular = std::ranges::find(kIrregular, view(), &Exception::word);
    if (irregular != kIrregular.end()) replace(size_, irregular->stem);
    spelling();
    r1_ = region_after(0);
    r2_ = region_after(r1_);
    plural();
    past_and_gerund();
    final_y();
    if (!apply(kDerived, r1_) && ends("li") && size_ >= 3 && size_ - 2 >= r1_ &&
        std::string_view("cdeghkmnrt").contains(word_[size_ - 3])) {
        cut(2);
    }
    if (!apply(kDerivedTwice, r1_) && ends("ative") && size_ - 5 >= r2_) cut(5);
    residual();
    final_e();
    return view();
}

} // namespace

std::string_view stem_in_place(std::span<char> word) {
    const std::string_view text{word.data(), word.size()};
    const bool plain = std::ranges::all_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
    if (!plain || text.size() < 3) return text;
    return Stemmer(word).run();
}

} // namespace aios::memory
