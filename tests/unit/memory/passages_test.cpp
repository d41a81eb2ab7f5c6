// Cutting documents into passages: what must hold for any text, and where the cuts lie.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "runtime/memory/limits.hpp"
#include "runtime/memory/passages.hpp"
#include "runtime/memory/sentences.hpp"
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
        // It begins in the first of its lines, and ends in the last.
        const std::size_t at = lines.find(passage);
        ASSERT_EQ(lines.substr(0, at).find('\n'), std::string_view::npos);
        ASSERT_EQ(lines.substr(at + passage.size()).find('\n'), std::string_view::npos);
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
        text += "- an item of some forty characters, roughly\n";
    const auto cut = cut_passages(text);
    ASSERT_GT(cut.size(), 2U);
    for (std::size_t i = 1; i < cut.size(); ++i)
        EXPECT_EQ(cut[i].first, cut[i - 1].last + 1);
    EXPECT_EQ(cut.back().last, 100U);
    check_promises(text);
    // Prose without a mark has no better place either, and goes on to the limit.
    text.clear();
    for (int i = 0; i < 400; ++i)
        text += "a line of some forty characters, or more\n";
    const auto prose = cut_passages(text);
    ASSERT_GT(prose.size(), 2U);
    EXPECT_GT(prose[0].length, kMaxPassageBytes - 50);
    EXPECT_EQ(prose[1].first, prose[0].last + 1);
    check_promises(text);
}

// Sentences that do not care for lines, and no blank line anywhere.
TEST(Passages, DoNotEndWithinASentence) {
    test::Sequence random(7);
    std::string text;
    std::size_t column = 0;
    for (int sentence = 0; sentence < 400; ++sentence) {
        const std::uint32_t words = 4 + random.below(30);
        for (std::uint32_t word = 0; word < words; ++word) {
            std::string next = word == 0 ? "Here" : word % 7 == 3 ? "e.g." : "words";
            if (word + 1 == words) next += '.';
            if (column + next.size() > 78) {
                text += '\n';
                column = 0;
            } else if (column > 0) {
                text += ' ';
                ++column;
            }
            text += next;
            column += next.size();
        }
    }
    const auto cut = cut_passages(text);
    ASSERT_GT(cut.size(), 20U);
    for (const PassageRange& range : cut) {
        const std::string_view passage = std::string_view(text).substr(range.offset, range.length);
        EXPECT_TRUE(passage.starts_with("Here")) << passage.substr(0, 40);
        EXPECT_TRUE(passage.ends_with("words.") || passage.ends_with("e.g..") || passage.ends_with("Here."))
            << passage.substr(passage.size() - 40);
        EXPECT_LT(range.length, kTargetPassageBytes + 400);
    }
    check_promises(text);
    // The same as one line.
    std::string line = text;
    std::ranges::replace(line, '\n', ' ');
    for (const PassageRange& range : cut_passages(line)) {
        const std::string_view passage = std::string_view(line).substr(range.offset, range.length);
        const auto last = passage.find_last_not_of(' ');
        EXPECT_EQ(passage[last], '.') << passage.substr(passage.size() - 40);
    }
    check_promises(line);
}

TEST(Passages, KeepATableWithItsHead) {
    std::string text = "Some words before it.\n\n| name | limit in bytes |\n| --- | --- |\n";
    for (int i = 0; i < 60; ++i)
        text += "| a row of the long table with number " + std::to_string(i) + " | 4096 |\n";
    const auto cut = cut_passages(text);
    ASSERT_EQ(cut.size(), 1U);
    EXPECT_EQ(cut[0].last, 64U);
    check_promises(text);
}

TEST(Sentences, End) {
    const auto last = [](std::string_view text) {
        const auto end = last_sentence_end(text, 0);
        return end ? std::string(text.substr(0, *end)) : std::string();
    };
    EXPECT_EQ(last("One. Two"), "One.");
    EXPECT_EQ(last("He said \"go!\" Then"), "He said \"go!\"");
    EXPECT_EQ(last("Version 1.2 is out"), "");
    EXPECT_EQ(last("By J. R. Smith and e.g. Others"), "");
    EXPECT_EQ(last("It ends... or not"), "");
    EXPECT_EQ(last("Whole text."), "");
    EXPECT_EQ(last("\xe4\xb8\x80\xe3\x80\x82\xe4\xba\x8c"), "\xe4\xb8\x80\xe3\x80\x82");
}

TEST(Sentences, QuestionsAreTakenOut) {
    EXPECT_EQ(without_questions("It is. Is it? Yes."), "It is.        Yes.");
    EXPECT_EQ(without_questions("Title\nWhat is it?\nThis."), "Title\n           \nThis.");
    EXPECT_EQ(without_questions("no mark"), "no mark");
    EXPECT_EQ(without_questions("a?b"), "a?b");
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
