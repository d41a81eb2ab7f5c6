// Words, stop words and 4-grams.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/memory/grams.hpp"
#include "runtime/memory/stop_words.hpp"
#include "runtime/memory/text.hpp"

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
        EXPECT_TRUE(is_stop_word(word)) << word;
    for (const char* word : {"wing", "kernel", "7", "", "thex", "système"})
        EXPECT_FALSE(is_stop_word(word)) << word;
}

TEST(GenericStems, AreOfWordsOfAnySubject) {
    for (const char* stem : {"investig", "calcul", "find"})
        EXPECT_TRUE(is_generic_stem(stem)) << stem;
    for (const char* stem : {"wing", "schedul", "olymp"})
        EXPECT_FALSE(is_generic_stem(stem)) << stem;
}

TEST(Grams, AreWindowsOfFourBytesWithTheSpacesAround) {
    EXPECT_EQ(grams("wing"), (std::vector<std::string>{" win", "wing", "ing "}));
    EXPECT_EQ(grams("ab"), (std::vector<std::string>{" ab "}));
    EXPECT_EQ(grams("7"), (std::vector<std::string>{std::string(" 7 \0", 4)}));
}

} // namespace
} // namespace aios::memory
