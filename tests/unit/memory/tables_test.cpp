// Long tables: rows that were cut out of the middle of one keep its head, and what an answer quotes stands in the lines
// that it cites.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "runtime/memory/tables.hpp"
#include "tests/unit/memory/support.hpp"

namespace aios::memory {
namespace {

using test::Documents;

constexpr std::string_view kHead = "| station | height in metres | keeper |\n| --- | ---: | --- |";

std::string keeper_of(int row) { return "keeper" + std::to_string(row * 7919 % 100'003); }

// A Markdown table of at least so many bytes below a heading.
std::string markdown_table(std::size_t bytes) {
    std::string text = "# Stations\n\nAll stations of the coast.\n\n" + std::string(kHead) + "\n";
    for (int row = 0; text.size() < bytes; ++row)
        text += "| outpost" + std::to_string(row) + " | " + std::to_string(100 + row) + " | " + keeper_of(row) + " |\n";
    return text + "\nEnd of the stations.\n";
}

std::string separated_table(std::size_t bytes, char separator) {
    std::string text = std::string("station") + separator + "height in metres" + separator + "keeper\n";
    for (int row = 0; text.size() < bytes; ++row)
        text +=
            "outpost" + std::to_string(row) + separator + std::to_string(100 + row) + separator + keeper_of(row) + "\n";
    return text;
}

// Each passage that holds rows holds the head or names its lines.
void check_heads(const std::string& text, Layout layout, std::string_view head) {
    const auto cut = cut_passages(text, layout);
    ASSERT_GT(cut.size(), text.size() / kMaxPassageBytes);
    std::size_t with_head = 0;
    for (const PassageRange& range : cut) {
        ASSERT_LE(range.length, kMaxPassageBytes);
        const std::string_view passage = std::string_view(text).substr(range.offset, range.length);
        if (!passage.contains("outpost")) continue;
        if (passage.contains(head)) {
            EXPECT_EQ(range.head.bytes, 0U);
            continue;
        }
        ++with_head;
        EXPECT_TRUE(passage.starts_with("outpost") || passage.starts_with("| outpost")) << passage.substr(0, 40);
        EXPECT_EQ(text.substr(range.head.offset, range.head.bytes), head);
        EXPECT_EQ(lines_of(text, range.head.first, range.head.last), head);
        EXPECT_LT(range.head.last, range.first);
    }
    EXPECT_GE(with_head + 1, text.size() / kMaxPassageBytes);
}

// What an answer shows: every quotation in its lines, the file's own bytes, and the cited ones in the text in order.
void check_quotations(const Answer& answer, const Documents& documents) {
    std::string text;
    for (const FoundPassage& passage : answer.passages) {
        const auto file = std::ranges::find(documents, passage.file, &Documents::value_type::first);
        ASSERT_NE(file, documents.end());
        EXPECT_TRUE(lines_of(file->second, passage.first, passage.last).contains(passage.text));
        EXPECT_LE(passage.score, &passage == &answer.passages.front() ? 1.0 : (&passage - 1)->score);
    }
    for (const std::uint32_t at : answer.cited)
        text += (text.empty() ? "" : "\n\n") + answer.passages.at(at).text;
    EXPECT_EQ(answer.text, text);
}

Documents with_neighbours(std::string name, std::string text) {
    return {{std::move(name), std::move(text)},
            {"kettle.txt", "The copper kettle holds two litres of water."},
            {"bees.txt", "The hives stand along the south wall."}};
}

TEST(Tables, AreRecognised) {
    EXPECT_EQ(layout_of("a/b.csv"), Layout::separated);
    EXPECT_EQ(layout_of("B.TSV"), Layout::separated);
    EXPECT_EQ(layout_of("a.txt"), Layout::text);
    EXPECT_EQ(layout_of(".csv"), Layout::text);
    EXPECT_EQ(layout_of("csv"), Layout::text);
    EXPECT_TRUE(is_table_row("| a | b |"));
    EXPECT_FALSE(is_table_row("a | b"));
    EXPECT_TRUE(is_table_rule("|---|:-:|"));
    EXPECT_TRUE(is_table_rule("| --- | --- |\r"));
    EXPECT_FALSE(is_table_rule("| - a |"));
    EXPECT_FALSE(is_table_rule("| | |"));
}

TEST(Tables, KeepTheirHeadHoweverLong) {
    for (const std::size_t bytes : {std::size_t{20'000}, std::size_t{200'000}}) {
        check_heads(markdown_table(bytes), Layout::text, kHead);
        check_heads(separated_table(bytes, ','), Layout::separated, "station,height in metres,keeper");
        check_heads(separated_table(bytes, '\t'), Layout::separated, "station\theight in metres\tkeeper");
    }
}

TEST(Tables, AnswersShowTheHeadBeforeTheRows) {
    for (const std::size_t bytes : {std::size_t{20'000}, std::size_t{200'000}}) {
        const Documents documents = with_neighbours("stations.md", markdown_table(bytes));
        const test::Region region = test::sealed(documents);
        const auto view = IndexView::open(region.view());
        ASSERT_TRUE(view);
        const int row = static_cast<int>(bytes / 40);
        const auto answer = search(*view, "What is the height in metres of the station of " + keeper_of(row) + "?");
        ASSERT_TRUE(answer);
        ASSERT_TRUE(answer->answered);
        check_quotations(*answer, documents);
        ASSERT_GE(answer->cited.size(), 2U);
        const FoundPassage& head = answer->passages[answer->cited[0]];
        const FoundPassage& rows = answer->passages[answer->cited[1]];
        EXPECT_EQ(head.text, kHead);
        EXPECT_EQ(head.first, 5U);
        EXPECT_EQ(head.last, 6U);
        EXPECT_TRUE(rows.text.contains("| " + std::to_string(100 + row) + " | " + keeper_of(row) + " |"));
        EXPECT_LE(answer->passages.size(), kDefaultPassages);
        // Each table's head once.
        EXPECT_EQ(std::ranges::count(answer->passages, kHead, &FoundPassage::text), 1);
    }
    const Documents documents = with_neighbours("stations.csv", separated_table(20'000, ','));
    const test::Region region = test::sealed(documents);
    const auto answer = search(IndexView::open(region.view()).value(), "height in metres of outpost123");
    ASSERT_TRUE(answer && answer->answered);
    check_quotations(*answer, documents);
    EXPECT_EQ(answer->passages[answer->cited[0]].text, "station,height in metres,keeper");
    EXPECT_EQ(answer->passages[answer->cited[0]].first, 1U);
    EXPECT_TRUE(answer->passages[answer->cited[1]].text.contains("outpost123,223,"));
}

TEST(Tables, HeadsStayWithinTheLimitOfPassages) {
    const Documents documents = with_neighbours("stations.md", markdown_table(60'000));
    const test::Region region = test::sealed(documents);
    const auto view = IndexView::open(region.view());
    for (const std::uint32_t limit : {1U, 2U, 3U, 10U}) {
        const auto answer = search(*view, "station of " + keeper_of(900) + ", height in metres", limit);
        ASSERT_TRUE(answer && answer->answered);
        check_quotations(*answer, documents);
        EXPECT_EQ(answer->passages.size(), limit);
        EXPECT_TRUE(std::ranges::any_of(
            answer->cited, [&](std::uint32_t at) { return answer->passages[at].text.contains(keeper_of(900)); }));
    }
}

TEST(Tables, AShortOneIsWhole) {
    const Documents documents = with_neighbours("stations.md", markdown_table(2'000));
    const test::Region region = test::sealed(documents);
    const auto answer = search(IndexView::open(region.view()).value(), "height of the station of " + keeper_of(3));
    ASSERT_TRUE(answer && answer->answered);
    EXPECT_TRUE(answer->passages[answer->cited[0]].text.contains(kHead));
    EXPECT_TRUE(answer->passages[answer->cited[0]].text.contains(keeper_of(3)));
}

TEST(Tables, WithoutARuleOrWithAHugeHeadHaveNone) {
    std::string rows;
    while (rows.size() < 20'000)
        rows += "| outpost | 12 |\n";
    for (const PassageRange& range : cut_passages(rows))
        EXPECT_EQ(range.head.bytes, 0U);
    const std::string wide = "| " + std::string(kMaxTableHeadBytes, 'w') + " |\n|---|\n" + rows;
    for (const PassageRange& range : cut_passages(wide))
        EXPECT_EQ(range.head.bytes, 0U);
    // A table has the head above it, not that of the table before; text between them has none.
    const std::string two = "| a |\n|---|\n" + rows + "\nSome words.\n\n| b |\n|---|\n" + rows;
    std::size_t seen_b = 0;
    for (const PassageRange& range : cut_passages(two)) {
        if (range.head.bytes == 0) continue;
        const bool is_second = range.offset > two.find("| b |");
        seen_b += is_second;
        EXPECT_TRUE(two.substr(range.head.offset, range.head.bytes).starts_with(is_second ? "| b |" : "| a |"));
    }
    EXPECT_GT(seen_b, 2U);
}

// A row longer than a passage is cut, and each piece has the head.
TEST(Tables, AnOverlongRowHasTheHeadToo) {
    std::string text = "name,story\n";
    text += "first,short\nsecond,";
    while (text.size() < 20'000)
        text += "Once upon a time. ";
    const auto cut = cut_passages(text + "\n", Layout::separated);
    ASSERT_GT(cut.size(), 3U);
    for (const PassageRange& range : cut)
        if (range.first == 3) EXPECT_EQ(text.substr(range.head.offset, range.head.bytes), "name,story");
}

TEST(Tables, OfAnyBytesKeepTheirPromises) {
    test::Sequence random(11);
    const std::string_view alphabet("ab|- \n\n\r,\t\0\xff", 12);
    for (int round = 0; round < 200; ++round) {
        std::string text;
        const std::uint32_t size = random.below(20'000);
        while (text.size() < size)
            text += random.below(40) == 0 ? "\n|--|\n| a | b\n" : std::string(1, alphabet[random.below(12)]);
        for (const Layout layout : {Layout::text, Layout::separated}) {
            std::size_t end = 0;
            for (const PassageRange& range : cut_passages(text, layout)) {
                ASSERT_GE(range.offset, end);
                end = range.offset + range.length;
                ASSERT_LE(end, text.size());
                if (range.head.bytes == 0) continue;
                ASSERT_LE(range.head.bytes, kMaxTableHeadBytes);
                ASSERT_LE(range.head.offset + range.head.bytes, range.offset);
                const std::string_view lines = lines_of(text, range.head.first, range.head.last);
                ASSERT_TRUE(lines.starts_with(text.substr(range.head.offset, range.head.bytes)));
            }
        }
    }
}

} // namespace
} // namespace aios::memory
