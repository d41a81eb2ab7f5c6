// Stems: families of words meet, different words stay apart, and odd input comes back unharmed.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/memory/stemmer.hpp"

namespace aios::memory {
namespace {

std::string stem(std::string word) { return std::string(stem_in_place(word)); }

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
