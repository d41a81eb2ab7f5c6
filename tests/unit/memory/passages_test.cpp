// Cutting documents into passages: what must hold for any text, and where the cuts lie.
#include <gtest/gtest.h>

#include <string>

#include "runtime/memory/limits.hpp"
#include "runtime/memory/passages.hpp"
#include "tests/unit/memory/support.hpp"

namespace aios::memory {
namespace {

std::size_t visible_bytes(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text)
        count += static_cast<unsigned char>(c) > ' ' && c != '\x7f';
    return count;
}

// What passages.hpp promises, for any text.
void check_promises(std::string_view text) {
    std::size_t end = 0;
    std::uint32_t last = 0;
    std::size_t inside = 0;
    for (const PassageRange& range : cut_passages(text)) {
        ASSERT_GE(range.offset, end);
        ASSERT_GT(range.length, 0U);
        ASSERT_LE(range.length, kMaxPassageBytes);
        ASSERT_LE(range.offset + range.length, text.size());
        ASSERT_GE(range.first, 1U);
        ASSERT_GE(range.last, range.first);
        ASSERT_GE(range.first, last);
        const std::string_view passage = text.substr(range.offset, range.length);
        const std::string_view lines = lines_of(text, range.first, range.last);
        ASSERT_NE(lines.find(passage), std::string_view::npos);
        if (range.first != range.last) {
            ASSERT_TRUE(lines == passage || lines == std::string(passage) + "\r");
        }
        end = range.offset + range.length;
        last = range.last;
        inside += visible_bytes(passage);
    }
    ASSERT_EQ(visible_bytes(text), inside) << "a visible byte lies in no passage";
}

TEST(Passages, OfNothingAreNone) {
    EXPECT_TRUE(cut_passages("").empty());
    EXPECT_TRUE(cut_passages("\n \r\n\t\n").empty());
}

TEST(Passages, TakeShortParagraphsTogetherWithTheNext) {
    const std::string body(300, 'b');
    const auto cut = cut_passages("Title\n\n" + body + "\n\n" + body + "\n");
    ASSERT_EQ(cut.size(), 2U);
    EXPECT_EQ(cut[0].first, 1U);
    EXPECT_EQ(cut[0].last, 3U);
    EXPECT_EQ(cut[0].length, 307U);
    EXPECT_EQ(cut[1].first, 5U);
    EXPECT_EQ(cut[1].last, 5U);
}

TEST(Passages, StartAnewAtAHeading) {
    const std::string body(250, 'b');
    const auto cut = cut_passages("# One\n" + body + "\n# Two\n" + body);
    ASSERT_EQ(cut.size(), 2U);
    EXPECT_EQ(cut[1].first, 3U);
}

TEST(Passages, CutLongParagraphsAtLineEnds) {
    std::string text;
    for (int i = 0; i < 100; ++i)
        text += "a line of some forty characters, roughly\n";
    const auto cut = cut_passages(text);
    ASSERT_GT(cut.size(), 2U);
    for (std::size_t i = 1; i < cut.size(); ++i)
        EXPECT_EQ(cut[i].first, cut[i - 1].last + 1);
    EXPECT_EQ(cut.back().last, 100U);
    check_promises(text);
}

TEST(Passages, CutOneHugeLineIntoPiecesThatCiteIt) {
    std::string line;
    while (line.size() < (1 << 20))
        line += "word ";
    const std::string text = "first\n" + line + "\nlast\n";
    const auto cut = cut_passages(text);
    ASSERT_GT(cut.size(), 200U);
    EXPECT_EQ(cut[0].last, 1U);
    EXPECT_EQ(cut[1].first, 2U);
    EXPECT_EQ(cut[1].last, 2U);
    EXPECT_EQ(cut.back().first, 3U);
    check_promises(text);
    check_promises(std::string(1 << 20, 'x'));
    std::string accents;
    for (int i = 0; i < 10'000; ++i)
        accents += "é";
    check_promises(accents);
    for (const PassageRange& range : cut_passages(accents))
        EXPECT_EQ(range.length % 2, 0U);
}

TEST(Passages, KeepCarriageReturnsInside) {
    const std::string text = "one\r\ntwo\r\n";
    const auto cut = cut_passages(text);
    ASSERT_EQ(cut.size(), 1U);
    EXPECT_EQ(text.substr(cut[0].offset, cut[0].length), "one\r\ntwo");
    EXPECT_EQ(cut[0].last, 2U);
}

TEST(Passages, HoldTheirPromisesForAnyBytes) {
    test::Sequence random(1);
    const std::string_view alphabet("ab #\n\n\r\t\0\x80\xff\xc3", 12);
    for (int round = 0; round < 300; ++round) {
        std::string text;
        const std::uint32_t size = random.below(8'000);
        const std::uint32_t letters = 1 + random.below(static_cast<std::uint32_t>(alphabet.size()));
        while (text.size() < size)
            text += alphabet[random.below(letters)];
        check_promises(text);
    }
}

TEST(LinesOf, FindsWholeLines) {
    EXPECT_EQ(lines_of("a\nb\nc\n", 1, 1), "a");
    EXPECT_EQ(lines_of("a\nb\nc\n", 2, 3), "b\nc");
    EXPECT_EQ(lines_of("a\nb", 2, 2), "b");
    EXPECT_EQ(lines_of("a\nb", 2, 3), "");
    EXPECT_EQ(lines_of("a\nb", 0, 1), "");
    EXPECT_EQ(lines_of("a\nb", 2, 1), "");
    EXPECT_EQ(lines_of("", 1, 1), "");
}

} // namespace
} // namespace aios::memory
