// The broker's choice: by name, by meaning, by type, by load and trust; and what it says when nothing fits.
#include <gtest/gtest.h>

#include "services/semantic-ipcd/registry.hpp"

namespace aios::broker {
namespace {

Offer make(std::uint64_t agent, std::string name, std::string intent, std::string description = "") {
    Offer offer;
    offer.agent = agent;
    offer.agent_name = std::move(name);
    offer.intent = std::move(intent);
    offer.description = std::move(description);
    return offer;
}

class RegistryTest : public testing::Test {
protected:
    cognitive::LexicalEmbedder embedder;
    Registry registry{embedder};
};

TEST_F(RegistryTest, LoadSpreadsABurst) {
    for (std::uint64_t agent = 1; agent <= 3; ++agent) {
        ASSERT_TRUE(registry.offer(make(agent, "reader-" + std::to_string(agent), "question.answer")));
    }
    std::vector<std::uint64_t> routed;
    for (int i = 0; i < 6; ++i) {
        const Choice choice = registry.choose({.intent = "question.answer"});
        ASSERT_EQ(choice.candidates.size(), 3u);
        routed.push_back(choice.candidates[0].offer->agent);
        registry.routed(routed.back());
    }
    EXPECT_EQ(routed, (std::vector<std::uint64_t>{1, 2, 3, 1, 2, 3}));
    for (std::uint64_t agent = 1; agent <= 3; ++agent) {
        registry.report_load(agent, 0);
    }
    registry.routed(1);
    registry.report_load(1, 0);
    EXPECT_EQ(registry.choose({.intent = "question.answer"}).candidates[0].offer->agent, 2u) << "asked longest ago";
    registry.report_load(1, 2);
    registry.report_load(3, 2);
    const Choice choice = registry.choose({.intent = "question.answer"});
    EXPECT_EQ(choice.candidates[0].offer->agent_name, "reader-2");
    EXPECT_NE(choice.why.find("load 0.00 against"), std::string::npos) << choice.why;
}

TEST_F(RegistryTest, MeaningFindsWhatNoNameMatches) {
    ASSERT_TRUE(
        registry.offer(make(1, "reader", "question.answer", "answers questions by quoting passages of documents")));
    ASSERT_TRUE(registry.offer(make(2, "librarian", "documents.take_in", "takes documents into the memory")));
    ASSERT_TRUE(registry.offer(make(3, "clock", "time.tell", "tells the time of day")));
    const Choice choice = registry.choose({.meaning = "who can answer a question by quotation from documents"});
    ASSERT_FALSE(choice.candidates.empty());
    EXPECT_EQ(choice.candidates[0].offer->agent_name, "reader");
    EXPECT_NE(choice.why.find("closest in meaning"), std::string::npos);
    const Choice none = registry.choose({.meaning = "bake bread with yeast"});
    EXPECT_TRUE(none.candidates.empty());
    EXPECT_EQ(none.why, "no agent offers \"bake bread with yeast\"");
}

TEST_F(RegistryTest, TypesAreAHardFilter) {
    Offer offer = make(1, "reader", "question.answer");
    offer.inputs = {{"question", ipc::ValueType::text}};
    ASSERT_TRUE(registry.offer(offer));
    EXPECT_EQ(
        registry.choose({.intent = "question.answer", .slots = {{"question", ipc::ValueType::text}}}).candidates.size(),
        1u);
    const Choice none =
        registry.choose({.intent = "question.answer", .slots = {{"question", ipc::ValueType::integer}}});
    EXPECT_TRUE(none.candidates.empty());
    EXPECT_NE(none.why.find("needs slot question of type text"), std::string::npos) << none.why;
}

TEST_F(RegistryTest, TrustBreaksTies) {
    Offer stranger = make(1, "stranger", "question.answer");
    Offer known = make(2, "known", "question.answer");
    known.is_identified = true;
    ASSERT_TRUE(registry.offer(stranger));
    ASSERT_TRUE(registry.offer(known));
    EXPECT_EQ(registry.choose({.intent = "question.answer"}).candidates[0].offer->agent_name, "known");
    EXPECT_EQ(registry.choose({.intent = "question.answer", .not_agent = 2}).candidates[0].offer->agent_name,
              "stranger");
}

TEST_F(RegistryTest, EndedAgentsAndLimits) {
    ASSERT_TRUE(registry.offer(make(1, "a", "x")));
    registry.routed(1);
    registry.agent_ended(1);
    EXPECT_TRUE(registry.choose({.intent = "x"}).candidates.empty());
    EXPECT_EQ(registry.offer(make(1, "a", "")).error(), Error::bad_format);
    for (std::size_t i = 0; i < kMaxOffersEach; ++i) {
        ASSERT_TRUE(registry.offer(make(2, "many", "intent" + std::to_string(i))));
    }
    EXPECT_EQ(registry.offer(make(2, "many", "one more")).error(), Error::too_large);
    EXPECT_TRUE(registry.offer(make(2, "many", "intent0"))) << "replacing is no growth";
}

} // namespace
} // namespace aios::broker
