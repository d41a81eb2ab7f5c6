// A question taken apart: see question.hpp.
#include "runtime/memory/question.hpp"

#include <map>
#include <tuple>
#include <unordered_map>

#include "runtime/memory/grams.hpp"
#include "runtime/memory/stemmer.hpp"
#include "runtime/memory/stop_words.hpp"
#include "runtime/memory/text.hpp"

namespace aios::memory {
namespace {

// A word of the question that a reading may use.
struct Word {
    std::string text;
    std::uint32_t count;
    LanguageSet languages; // whose function word it is not
};

// The different words in their order, without the function words of `own`, the question's language.
std::vector<Word> words_of(std::string_view text, LanguageSet own) {
    std::vector<Word> words;
    std::unordered_map<std::string, std::size_t> places;
    WordReader reader(text);
    while (reader.next()) {
        const auto [place, fresh] = places.try_emplace(std::string(reader.word()), words.size());
        if (!fresh) {
            ++words[place->second].count;
            continue;
        }
        const LanguageSet stopping = languages_of_stop_word(reader.word());
        const bool dropped = !(stopping & own).empty();
        words.push_back({place->first, 1, dropped ? LanguageSet() : LanguageSet::all().without(stopping)});
    }
    return words;
}

std::vector<Question::Stem> read_in(Language language, const std::vector<Word>& words, Stemmers& stemmers) {
    std::vector<Question::Stem> stems;
    std::unordered_map<std::string, std::size_t> places;
    for (const Word& word : words) {
        if (!word.languages.contains(language)) continue;
        const auto [place, fresh] = places.try_emplace(std::string(stemmers.stem(language, word.text)), stems.size());
        if (fresh) {
            stems.push_back({place->first, word.count, is_generic_stem(language, place->first), language});
        } else {
            stems[place->second].count += word.count;
        }
    }
    return stems;
}

// What the readings have in common is put together, so that it is looked up once.
std::vector<Question::Stem> read_in_all(LanguageSet languages, const std::vector<Word>& words) {
    std::vector<Question::Stem> stems;
    std::map<std::tuple<std::string, std::uint32_t, bool>, std::size_t> places;
    Stemmers stemmers;
    languages.for_each([&](Language language) {
        for (Question::Stem& stem : read_in(language, words, stemmers)) {
            const auto [place, fresh] = places.try_emplace({stem.text, stem.count, stem.generic}, stems.size());
            if (fresh) {
                stems.push_back(std::move(stem));
            } else {
                stems[place->second].languages |= language;
            }
        }
    });
    return stems;
}

} // namespace

Question parse_question(std::string_view text, LanguageSet languages) {
    if (languages.empty()) languages = Language::english;
    const auto own = tell_language(text, languages);
    const std::vector<Word> words = words_of(text, own ? *own : LanguageSet());
    Question question{read_in_all(languages, words), {}};
    // 4-grams are of no language: those are looked up whose word no reading leaves out.
    std::map<std::uint32_t, std::uint32_t> grams;
    for (const Word& word : words) {
        const bool wanted = own ? !word.languages.empty() : word.languages.contains(languages);
        if (wanted) for_each_gram(word.text, [&](std::uint32_t key) { grams[key] += word.count; });
    }
    question.grams.reserve(grams.size());
    for (const auto& [key, count] : grams)
        question.grams.push_back({key, count});
    return question;
}

} // namespace aios::memory
