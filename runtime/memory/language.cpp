// Guesses the language of a text: see language.hpp. A function word speaks for its language, one that several share for
// each of them in part: "die" is German as much as Dutch, "der" is German alone. A word of any subject speaks half as
// loud.
#include "runtime/memory/language.hpp"

#include <algorithm>

#include "runtime/memory/limits.hpp"
#include "runtime/memory/stop_words.hpp"
#include "runtime/memory/text.hpp"

namespace aios::memory {
namespace {

constexpr std::uint32_t kWhole = 840; // the weight of a word: divisible by every number of languages that may share it
static_assert(kLanguages <= 8);

// Of a document, the function words of its language are at least one in so many.
constexpr std::uint32_t kMostWordsForOne = 20;

struct Tally {
    std::array<std::uint32_t, kLanguages> weights{};
    std::uint32_t words = 0;

    void add(std::string_view text, LanguageSet among);
    void add_word(LanguageSet sharing, std::uint32_t weight);
    [[nodiscard]] std::optional<Language> leader() const;
};

void Tally::add_word(LanguageSet sharing, std::uint32_t weight) {
    sharing.for_each([&](Language language) { weights[index_of(language)] += weight / sharing.size(); });
}

void Tally::add(std::string_view text, LanguageSet among) {
    WordReader reader(text);
    while (reader.next()) {
        ++words;
        const std::string_view word = reader.word();
        if (word.size() < 2) continue; // a lone letter is a variable or an item as often as a word
        add_word(languages_of_stop_word(word) & among, kWhole);
        add_word(languages_of_generic_word(word) & among, kWhole / 2);
    }
}

// Who has more weight than each other; none if there is no such.
std::optional<Language> Tally::leader() const {
    const auto best = std::ranges::max_element(weights);
    if (*best == 0 || std::ranges::count(weights, *best) > 1) return std::nullopt;
    return static_cast<Language>(best - weights.begin());
}

} // namespace

Language guess_language(std::string_view text) {
    Tally tally;
    if (text.size() <= kGuessBytes) {
        tally.add(text, LanguageSet::all());
    } else {
        // Pieces from all over it: a licence or an abstract may stand in front in another language. A word or character
        // that a piece begins within counts for little.
        constexpr std::size_t kPieces = 4;
        for (std::size_t piece = 0; piece < kPieces; ++piece) {
            const std::size_t begin = (text.size() - kGuessBytes / kPieces) / (kPieces - 1) * piece;
            tally.add(text.substr(begin, kGuessBytes / kPieces), LanguageSet::all());
        }
    }
    const auto leader = tally.leader();
    if (!leader) return Language::english;
    const std::uint32_t weight = tally.weights[index_of(*leader)];
    return weight >= tally.words * (kWhole / kMostWordsForOne) ? *leader : Language::english;
}

std::optional<Language> tell_language(std::string_view text, LanguageSet among) {
    Tally tally;
    tally.add(text, among);
    return tally.leader();
}

} // namespace aios::memory
