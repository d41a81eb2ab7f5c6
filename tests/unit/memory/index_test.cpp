// Building, sealing, opening: what goes in comes out to the letter, limits are refused by name, and BM25 agrees with a
// naive computation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "runtime/memory/numeric.hpp"
#include "runtime/memory/postings.hpp"
#include "runtime/memory/question.hpp"
#include "runtime/memory/ranking.hpp"
#include "runtime/memory/vectors.hpp"
#include "tests/unit/memory/support.hpp"

namespace aios::memory {
namespace {

using test::Documents;
using test::Region;

TEST(Logarithm, AgreesWithTheLibrary) {
    for (double x = 1e-6; x < 1e9; x *= 1.37)
        EXPECT_NEAR(natural_log(x), std::log(x), 1e-14 * (1 + std::fabs(std::log(x))));
    EXPECT_EQ(natural_log(1), 0);
}

TEST(Postings, ComeBackAsWritten) {
    std::vector<std::byte> list;
    const std::vector<std::pair<std::uint32_t, std::uint32_t>> entries = {
        {0, 1}, {1, 200}, {300, 3}, {70'000, 100'000}};
    std::uint32_t next = 0;
    for (const auto& [passage, count] : entries) {
        append_number(list, passage + 1 - next);
        append_number(list, count);
        next = passage + 1;
    }
    PostingReader reader(list, 70'001);
    for (const auto& [passage, count] : entries) {
        ASSERT_TRUE(reader.next());
        EXPECT_EQ(reader.passage(), passage);
        EXPECT_EQ(reader.count(), count);
    }
    EXPECT_FALSE(reader.next());
    // The same list in a smaller collection ends before the passage that is not there.
    PostingReader smaller(list, 70'000);
    int found = 0;
    while (smaller.next())
        ++found;
    EXPECT_EQ(found, 3);
}

TEST(Vectors, ArePackedWithinHalfAStep) {
    std::vector<std::byte> packed;
    const std::vector<float> values = {1, -2, 0.5F, 0};
    append_vector(packed, values);
    ASSERT_EQ(packed.size(), vector_bytes(4));
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_NEAR(static_cast<std::int8_t>(packed[4 + i]) * (2.0 / 127), values[i], 1.0 / 127);
    }
    // What damage makes of floats becomes zero, never a value outside the byte.
    for (const float odd : {1e-45F, 1e-38F, HUGE_VALF, -HUGE_VALF, NAN}) {
        packed.clear();
        append_vector(packed, std::vector<float>{odd, 1e-45F, odd, odd});
        for (std::size_t i = 4; i < 8; ++i)
            EXPECT_EQ(packed[i], std::byte{0}) << odd;
    }
}

TEST(Index, KeepsDocumentsToTheLetter) {
    const std::string odd("caf\xc3\xa9 \xff\xfe\r\nwing\0flap\r\n\r\nend", 26);
    const Documents documents = {
        {"a dir/na me\n.txt", odd}, {"empty", ""}, {"blank", "\n\n"}, {"b.md", "# Wing\nflutter"}};
    const Region region = test::sealed(documents);
    const auto view = IndexView::open(region.view());
    ASSERT_TRUE(view);
    EXPECT_TRUE(view->verify());
    ASSERT_EQ(view->documents(), 4U);
    for (std::uint32_t i = 0; i < 4; ++i) {
        EXPECT_EQ(view->name(i), documents[i].first);
        EXPECT_EQ(view->document_text(i), documents[i].second);
        EXPECT_EQ(view->find_document(documents[i].first).value(), i);
    }
    EXPECT_EQ(view->find_document("none").error(), Error::not_found);
    EXPECT_EQ(view->document(1).passages, 0U);
    EXPECT_EQ(view->document(2).passages, 0U);
    EXPECT_TRUE(view->find_stem("wing"));
    EXPECT_FALSE(view->find_stem("the"));
    EXPECT_FALSE(view->find_stem("zzz"));
}

TEST(Index, OfNothingIsValid) {
    const Region region = test::sealed(Documents{});
    const auto view = IndexView::open(region.view());
    ASSERT_TRUE(view);
    const auto answer = search(*view, "anything at all?");
    ASSERT_TRUE(answer);
    EXPECT_FALSE(answer->answered);
    EXPECT_TRUE(answer->passages.empty());
}

TEST(Index, IsTheSameWhateverTheAddress) {
    IndexBuilder builder;
    test::add_all(builder, {{"a", "the wing flutters"}, {"b", "the tail does not"}});
    Region first = test::sealed(builder);
    Region second = test::sealed(builder);
    EXPECT_TRUE(std::ranges::equal(first.view(), second.view()));
    Region moved(first.view().size());
    std::ranges::copy(first.view(), moved.span().begin());
    EXPECT_EQ(search(IndexView::open(moved.view()).value(), "wing")->passages.at(0).file, "a");
}

TEST(Index, GrowsAndIsSealedAgain) {
    IndexBuilder builder;
    test::add_all(builder, {{"a", "the wing flutters"}});
    Region region(1 << 20);
    ASSERT_TRUE(builder.seal(region.span()));
    const auto old = IndexView::open(region.view());
    ASSERT_TRUE(old);
    EXPECT_FALSE(old->changed());
    test::add_all(builder, {{"b", "the propeller slipstream"}});
    ASSERT_TRUE(builder.seal(region.span()));
    EXPECT_TRUE(old->changed());
    EXPECT_EQ(search(*old, "wing").error(), Error::busy);
    const auto fresh = IndexView::open(region.view());
    ASSERT_TRUE(fresh);
    EXPECT_EQ(fresh->documents(), 2U);
    EXPECT_EQ(search(*fresh, "slipstream")->passages.at(0).file, "b");
}

TEST(Index, ThatDoesNotFitLeavesTheOldOneValid) {
    IndexBuilder builder;
    test::add_all(builder, {{"a", "the wing flutters"}});
    Region region(builder.sealed_bytes());
    ASSERT_TRUE(builder.seal(region.span()));
    const auto view = IndexView::open(region.view());
    test::add_all(builder, {{"b", "the propeller slipstream"}});
    EXPECT_EQ(builder.seal(region.span()).error(), Error::no_space);
    EXPECT_FALSE(view->changed());
    EXPECT_TRUE(view->verify());
    EXPECT_EQ(search(*view, "wing")->passages.at(0).file, "a");
    Region exact(builder.sealed_bytes());
    EXPECT_EQ(builder.seal(exact.span()).value(), exact.view().size());
    Region unaligned(builder.sealed_bytes() + 8);
    EXPECT_EQ(builder.seal(unaligned.span().subspan(1)).error(), Error::bad_argument);
}

TEST(Index, RefusesWhatIsOutsideItsLimits) {
    IndexBuilder builder;
    EXPECT_EQ(builder.add("", as_bytes("x")).error(), Error::bad_argument);
    EXPECT_EQ(builder.add(std::string(kMaxNameBytes + 1, 'n'), as_bytes("x")).error(), Error::too_large);
    EXPECT_EQ(builder.add("big", as_bytes(std::string(kMaxDocumentBytes + 1, ' '))).error(), Error::too_large);
    EXPECT_TRUE(builder.add("a", as_bytes("x")));
    EXPECT_EQ(builder.add("a", as_bytes("y")).error(), Error::already_exists);
    EXPECT_EQ(builder.documents(), 1U);
}

// BM25 computed anew from the texts, as the formula is printed, without the engine's tables.
TEST(Bm25, AgreesWithANaiveComputation) {
    Documents documents;
    test::Sequence random(7);
    const std::vector<std::string> words = {"wing", "tail", "rotor", "blade", "hull", "keel", "mast", "deck"};
    std::vector<std::vector<std::string>> tokens;
    for (int d = 0; d < 40; ++d) {
        std::string text = "zone\n"; // the opening line, which counts twice
        tokens.push_back({"zone", "zone"});
        for (std::uint32_t n = 1 + random.below(60); n > 0; --n) {
            const std::string& word = words[random.below(1 + random.below(static_cast<std::uint32_t>(words.size())))];
            text += word + " ";
            tokens.back().push_back(word);
        }
        documents.emplace_back(std::to_string(d), text);
    }
    const Region region = test::sealed(documents);
    const auto view = IndexView::open(region.view());
    ASSERT_TRUE(view);
    ASSERT_EQ(view->passages(), 40U);

    const std::vector<std::string> question = {"rotor", "blade", "blade", "mast", "zone", "absent"};
    const FieldScores scores = stem_scores(*view, parse_question("rotor blade of the blade mast zone absent"));
    double average = 0;
    std::map<std::string, int> holders;
    for (const auto& document : tokens) {
        average += static_cast<double>(document.size()) / 40;
        std::set<std::string> different(document.begin(), document.end());
        for (const std::string& word : different)
            ++holders[word];
    }
    for (std::size_t d = 0; d < 40; ++d) {
        double expected = 0;
        for (const std::string& word : question) {
            const double tf = static_cast<double>(std::ranges::count(tokens[d], word));
            const double idf = std::log(1 + (40 - holders[word] + 0.5) / (holders[word] + 0.5));
            const double length = static_cast<double>(tokens[d].size());
            if (tf > 0) expected += idf * tf * 2.6 / (tf + 1.6 * (0.25 + 0.75 * length / average));
        }
        EXPECT_NEAR(scores.documents[d], expected, 1e-9) << d;
        EXPECT_NEAR(scores.passages[d], expected, 1e-9) << d;
    }
}

} // namespace
} // namespace aios::memory
