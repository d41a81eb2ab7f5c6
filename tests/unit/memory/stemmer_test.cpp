// Stems: families of words meet, different words stay apart, and odd input comes back unharmed.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/memory/stemmer.hpp"
#include "tests/unit/memory/support.hpp"

namespace aios::memory {
namespace {

std::string stem(std::string_view word, Language language = Language::english) {
    Stemmers stemmers;
    return std::string(stemmers.stem(language, word));
}

TEST(Stemmer, BringsFamiliesTogether) {
    const std::vector<std::vector<std::string>> families = {
        {"connect", "connected", "connecting", "connection", "connections"},
        {"schedule", "schedules", "scheduled", "scheduling", "scheduler"},
        {"vibrate", "vibration", "vibrations", "vibrating", "vibrational"},
        {"hop", "hopping", "hopped", "hops"},
        {"hope", "hoped", "hoping", "hopes"},
        {"flutter", "fluttering", "fluttered"},
        {"analyse", "analyze", "analysed", "analyzing"},
        {"linearize", "linearise", "linearised", "linearizing"},
        {"organisation", "organization", "organizations"},
        {"behavior", "behaviour", "behaviours"},
        {"matrix", "matrices"},
        {"happy", "happiness"},
        {"travel", "travelled", "traveling", "travelling"},
        {"city", "cities"},
        {"agreed", "agree", "agreeing", "agrees"},
        {"send", "sends", "sent", "sending"},
        {"universe", "universes"},
        {"rational", "rationality"},
    };
    for (const auto& family : families) {
        for (const std::string& word : family)
            EXPECT_EQ(stem(word), stem(family[0])) << word;
    }
}

TEST(Stemmer, KeepsDifferentWordsApart) {
    EXPECT_NE(stem("universe"), stem("university"));
    EXPECT_NE(stem("universe"), stem("universal"));
    EXPECT_NE(stem("hope"), stem("hop"));
    EXPECT_NE(stem("wing"), stem("win"));
    EXPECT_NE(stem("string"), stem("str"));
    EXPECT_NE(stem("news"), stem("new"));
    EXPECT_NE(stem("process"), stem("proceed"));
}

TEST(Stemmer, LeavesShortWordsAndOtherAlphabetsAlone) {
    for (const char* word : {"", "a", "is", "as", "x86", "größe", "москва", "42nd"})
        EXPECT_EQ(stem(word), word);
}

TEST(Stemmer, BringsFamiliesTogetherInOtherLanguages) {
    const std::vector<std::pair<Language, std::vector<std::string>>> families = {
        {Language::german, {"zeitscheibe", "zeitscheiben"}},
        {Language::german, {"straße", "strasse", "straßen"}},
        {Language::german, {"haus", "häuser", "hauses", "häusern"}},
        {Language::dutch, {"huizen", "huize"}},
        {Language::dutch, {"boten", "bot"}},
        {Language::swedish, {"båt", "båtar", "båten", "båtarna"}},
        {Language::french, {"horloge", "horloges"}},
        {Language::french, {"mesurer", "mesure", "mesurée", "mesures"}},
        {Language::spanish, {"campana", "campanas"}},
        {Language::spanish, {"pintar", "pintaba", "pintado", "pintaron"}},
        {Language::italian, {"orologio", "orologi"}},
        {Language::italian, {"misurare", "misurato", "misurano"}},
        {Language::portuguese, {"relógio", "relógios"}},
        {Language::portuguese, {"pintar", "pintada", "pintaram"}},
    };
    for (const auto& [language, family] : families) {
        for (const std::string& word : family)
            EXPECT_EQ(stem(word, language), stem(family[0], language)) << word;
    }
}

TEST(Stemmer, LeavesNamesOfThingsAloneInAllLanguages) {
    for (const Language language : kAllLanguages) {
        for (const char* word : {"", "a", "é", "x86", "utf8", "42nd", "москва", "操"})
            EXPECT_EQ(stem(word, language), word);
    }
}

TEST(Stemmer, HoldsItsBoundsForLongAndOddWords) {
    Stemmers stemmers;
    test::Sequence random(3);
    const std::vector<std::string> letters = {"a", "e", "i", "s", "n", "t", "u", "y",
                                              "ß", "ä", "é", "î", "ñ", "õ", "я"};
    for (int round = 0; round < 20'000; ++round) {
        std::string word;
        const std::uint32_t size = 1 + random.below(kMaxWordBytes);
        while (word.size() + 2 < size)
            word += letters[random.below(static_cast<std::uint32_t>(letters.size()))];
        for (const Language language : kAllLanguages) {
            const std::string_view stemmed = stemmers.stem(language, word);
            ASSERT_LE(stemmed.size(), kMaxWordBytes) << word;
            ASSERT_EQ(stemmed.empty(), word.empty()) << word;
        }
    }
    const std::string too_long(kMaxWordBytes + 1, 'x');
    EXPECT_EQ(stemmers.stem(Language::german, too_long), too_long);
}

// Every short word over vowels, consonants and letters of suffixes: the stem is never empty or longer, and stays in the
// buffer (the sanitizer watches).
TEST(Stemmer, IsTotal) {
    const std::string letters = "aeiysdlngtz";
    std::string word;
    const auto visit = [&](auto&& self) -> void {
        if (!word.empty()) {
            const std::string stemmed = stem(word);
            ASSERT_FALSE(stemmed.empty()) << word;
            ASSERT_LE(stemmed.size(), word.size()) << word;
        }
        if (word.size() == 5) return;
        for (const char letter : letters) {
            word.push_back(letter);
            self(self);
            word.pop_back();
        }
    };
    visit(visit);
}

} // namespace
} // namespace aios::memory
