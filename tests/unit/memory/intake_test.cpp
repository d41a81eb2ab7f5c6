// Batches of documents: the same once more is no change, a changed text takes the place of the old one, and what is
// searched afterwards is the new one alone.
#include <gtest/gtest.h>

#include "base/cbor.hpp"
#include "messages/view.hpp"
#include "services/memoryd/intake.hpp"
#include "tests/unit/memory/support.hpp"

namespace aios::memory {
namespace {

using test::Documents;
using test::Region;

std::vector<std::byte> batch_of(const Documents& documents) {
    std::vector<std::byte> buffer(17 << 20);
    cbor::Encoder out(buffer);
    out.array(documents.size());
    for (const auto& [name, text] : documents) {
        messages::put(out, messages::view::DocumentText{.name = as_bytes(name), .contents = as_bytes(text)});
    }
    buffer.resize(out.finish().value().size());
    return buffer;
}

Result<> take(IndexBuilder& builder, const Documents& documents) {
    std::string name;
    return take_in(builder, batch_of(documents), name);
}

std::string first_passage(IndexBuilder& builder, std::string_view question) {
    Region region = test::sealed(builder);
    const auto view = IndexView::open(region.view());
    const auto answer = search(*view, question);
    return answer && !answer->passages.empty() ? std::string(answer->passages[0].text) : "";
}

const Documents kLibrary = {{"kettle.txt", "The copper kettle holds two litres of water.\n"},
                            {"lamp.txt", "The lamp of the lighthouse turns once every twelve seconds.\n"},
                            {"bees.txt", "Honey is taken twice, in June and in late August.\n"}};

TEST(Intake, TheSameOnceMoreIsNoChange) {
    IndexBuilder builder;
    ASSERT_TRUE(take(builder, kLibrary));
    const auto bytes = builder.sealed_bytes();
    ASSERT_TRUE(take(builder, kLibrary));
    EXPECT_EQ(builder.documents(), 3u);
    EXPECT_EQ(builder.sealed_bytes(), bytes);
}

TEST(Intake, AChangedTextTakesThePlaceOfTheOldOne) {
    IndexBuilder builder;
    ASSERT_TRUE(take(builder, kLibrary));
    ASSERT_TRUE(take(builder, {{"lamp.txt", "The lamp of the lighthouse turns once every ninety seconds.\n"},
                               {"new.txt", "The railing is painted in May.\n"},
                               {"kettle.txt", kLibrary[0].second}}));
    EXPECT_EQ(builder.documents(), 4u);
    EXPECT_EQ(builder.text_of("lamp.txt"), "The lamp of the lighthouse turns once every ninety seconds.\n");
    EXPECT_EQ(first_passage(builder, "How often does the lamp of the lighthouse turn?"),
              "The lamp of the lighthouse turns once every ninety seconds.");
    // It is as if the new text had been there from the start.
    IndexBuilder afresh;
    Documents all = kLibrary;
    all[1].second = "The lamp of the lighthouse turns once every ninety seconds.\n";
    all.emplace_back("new.txt", "The railing is painted in May.\n");
    ASSERT_TRUE(take(afresh, all));
    Region one = test::sealed(builder), two = test::sealed(afresh);
    EXPECT_TRUE(std::ranges::equal(one.view().subspan(sizeof(Lead)), two.view().subspan(sizeof(Lead))));
}

TEST(Intake, TheLastOfSeveralTextsCounts) {
    IndexBuilder builder;
    ASSERT_TRUE(take(builder, {{"a", "one"}, {"a", "two"}, {"a", "three"}}));
    EXPECT_EQ(builder.documents(), 1u);
    EXPECT_EQ(builder.text_of("a"), "three");
    ASSERT_TRUE(take(builder, {{"a", ""}}));
    EXPECT_EQ(builder.text_of("a"), "");
}

TEST(Intake, ARefusalNamesTheDocumentAndReplacesNothing) {
    IndexBuilder builder;
    ASSERT_TRUE(take(builder, kLibrary));
    std::string name;
    const auto refused = take_in(
        builder, batch_of({{"lamp.txt", "changed"}, {"huge.txt", std::string(kMaxDocumentBytes + 1, 'x')}}), name);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), Error::too_large);
    EXPECT_EQ(name, "huge.txt");
    EXPECT_EQ(builder.text_of("lamp.txt"), kLibrary[1].second);
    EXPECT_EQ(builder.replace(std::vector<IndexBuilder::Changed>{{"nobody.txt", "x"}}).error(), Error::not_found);
    const auto whole = batch_of(kLibrary);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        IndexBuilder other;
        EXPECT_FALSE(take_in(other, Bytes(whole).first(length), name));
    }
}

} // namespace
} // namespace aios::memory
