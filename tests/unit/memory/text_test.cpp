// Words, stop words and 4-grams.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/memory/grams.hpp"
#include "runtime/memory/stop_words.hpp"
#include "runtime/memory/text.hpp"
#include "runtime/memory/word_lists.hpp"

namespace aios::memory {
namespace {

using Words = std::vector<std::string>;

Words words(std::string_view text) {
    Words found;
    WordReader reader(text);
    while (reader.next())
        found.emplace_back(reader.word());
    return found;
}

std::vector<std::string> grams(std::string_view word) {
    std::vector<std::string> found;
    for_each_gram(word, [&](std::uint32_t key) {
        std::string gram;
        for (int i = 0; i < 4; ++i)
            gram += static_cast<char>(key >> (8 * i));
        found.push_back(gram);
    });
    return found;
}

TEST(Words, AreRunsOfLettersAndDigitsInLowerCase) {
    EXPECT_EQ(words("The quick-brown FOX, 2nd\tof\r\n42!"), (Words{"the", "quick", "brown", "fox", "2nd", "of", "42"}));
    EXPECT_EQ(words("can't snake_case a/b"), (Words{"can", "t", "snake", "case", "a", "b"}));
    EXPECT_EQ(words(""), Words{});
    EXPECT_EQ(words(" .,;\n"), Words{});
}

TEST(Words, FoldCapitalsBeyondAscii) {
    EXPECT_EQ(words("ÄRGER Œuvre ΣΟΦΙΑ МОСКВА Ёлка"), (Words{"ärger", "œuvre", "σοφια", "москва", "ёлка"}));
}

TEST(Words, FoldTheLettersOfEuropeanLanguages) {
    EXPECT_EQ(words("ÄÖÜ ÉÈÊË ÇŒÆ ÑÍÓÚ ÃÕ ÅØ ŁŚŻŹŽ Ÿ"),
              (Words{"äöü", "éèêë", "çœæ", "ñíóú", "ãõ", "åø", "łśżźž", "ÿ"}));
    EXPECT_EQ(words("STRAẞE Straße ΣΟΦΟΣ σοφος σοφός ΣΟΦΌΣ"),
              (Words{"straße", "straße", "σοφοσ", "σοφοσ", "σοφόσ", "σοφόσ"}));
    EXPECT_EQ(words("İstanbul Ș Ț ḂẠ Ґ Ў"), (Words{"istanbul", "ș", "ț", "ḃạ", "ґ", "ў"}));
}

// A letter and its mark, as some systems write names and texts, are the same word as the letter that has one.
TEST(Words, ComposeLettersAndMarks) {
    EXPECT_EQ(words("a\u0308rger A\u0308RGER cafe\u0301 garc\u0327on man\u0303ana a\u030a"),
              (Words{"ärger", "ärger", "café", "garçon", "mañana", "å"}));
    EXPECT_EQ(words("q\u0308x e\u0301\u0323"), (Words{"q\u0308x", "é\u0323"})); // there is no such letter
    EXPECT_EQ(words("\u0308a"), (Words{"\u0308a"}));
    // At the end of the room for a word.
    const std::string almost(kMaxWordBytes - 1, 'x');
    EXPECT_EQ(words(almost + "e\u0301"), (Words{almost}));
    EXPECT_EQ(words(almost + "xe\u0301"), (Words{almost + "x"}));
}

TEST(Words, TakeIdeographsOneByOne) { EXPECT_EQ(words("操作a系统。"), (Words{"操", "作", "a", "系", "统"})); }

TEST(Words, SurviveInvalidUtf8AndNul) {
    using namespace std::string_view_literals;
    EXPECT_EQ(words("ab\xff\xfe cd\0ef\xc3"sv), (Words{"ab", "cd", "ef"}));
    EXPECT_EQ(words("\xed\xa0\x80x\xf5\x80"sv), (Words{"x"}));
    EXPECT_EQ(words("\xe2\x82"sv), Words{});
}

TEST(Words, KeepTheStartOfLongOnes) {
    const std::string lengthy(10'000, 'x');
    ASSERT_EQ(words(lengthy).size(), 1U);
    EXPECT_EQ(words(lengthy)[0], std::string(kMaxWordBytes, 'x'));
    // A character that would straddle the end is left out whole.
    const std::string almost(kMaxWordBytes - 1, 'x');
    EXPECT_EQ(words(almost + "é")[0], almost);
}

TEST(Words, TellWhereTheyStart) {
    WordReader reader("  one two");
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.begin(), 2U);
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.begin(), 6U);
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.next());
}

TEST(StopWords, AreFunctionWordsAndSingleLetters) {
    for (const char* word : {"the", "what", "of", "yourself", "about", "x"})
        EXPECT_TRUE(is_stop_word(Language::english, word)) << word;
    for (const char* word : {"wing", "kernel", "7", "", "thex", "système"})
        EXPECT_FALSE(is_stop_word(Language::english, word)) << word;
    EXPECT_TRUE(is_stop_word(Language::german, "für"));
    EXPECT_FALSE(is_stop_word(Language::english, "für"));
    EXPECT_EQ(languages_of_stop_word("x"), LanguageSet::all());
    EXPECT_TRUE(languages_of_stop_word("die").contains(Language::german));
    EXPECT_TRUE(languages_of_stop_word("die").contains(Language::dutch));
    EXPECT_EQ(languages_of_stop_word("die").size(), 2U);
}

// The lists are data: each of their words must be what WordReader gives, or it is never met.
TEST(StopWords, AreWrittenAsTheyAreRead) {
    for (const Language language : kAllLanguages) {
        std::size_t count = 0;
        for (const std::string_view list : {word_lists(language).function_words, word_lists(language).generic_words}) {
            for_each_listed(list, [&](std::string_view word) {
                EXPECT_EQ(words(word), Words{std::string(word)});
                ++count;
            });
        }
        EXPECT_GE(count, 150U);
    }
}

TEST(GenericStems, AreOfWordsOfAnySubject) {
    for (const char* stem : {"investig", "calcul", "find"})
        EXPECT_TRUE(is_generic_stem(Language::english, stem)) << stem;
    for (const char* stem : {"wing", "schedul", "olymp"})
        EXPECT_FALSE(is_generic_stem(Language::english, stem)) << stem;
}

TEST(Grams, AreWindowsOfFourBytesWithTheSpacesAround) {
    EXPECT_EQ(grams("wing"), (std::vector<std::string>{" win", "wing", "ing "}));
    EXPECT_EQ(grams("ab"), (std::vector<std::string>{" ab "}));
    EXPECT_EQ(grams("7"), (std::vector<std::string>{std::string(" 7 \0", 4)}));
}

} // namespace
} // namespace aios::memory
