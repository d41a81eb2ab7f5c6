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
    const Choice fallen_back = registry.choose({.intent = "nobody.offers.this", .meaning = "tell the time of day"});
    ASSERT_FALSE(fallen_back.candidates.empty());
    EXPECT_EQ(fallen_back.candidates[0].offer->agent_name, "clock");
}

// What nobody offers is refused, with the nearest two of different intents; one word in common is not a meaning.
TEST_F(RegistryTest, MeaningHasAFloor) {
    ASSERT_TRUE(registry.offer(make(1, "vowels", "text.vowels", "counts the vowels of a text in French or English")));
    ASSERT_TRUE(registry.offer(make(2, "vowels-2", "text.vowels", "counts the vowels of a text in French or English")));
    ASSERT_TRUE(registry.offer(make(3, "valve", "valve.set", "opens or closes a valve of the plant")));
    for (const char* foreign : {"translate into French", "bake bread with yeast", "open the front door of the house",
                                "count the cars on the bridge"}) {
        const Choice none = registry.choose({.meaning = foreign});
        EXPECT_TRUE(none.candidates.empty()) << foreign << ": " << none.why;
        EXPECT_NE(none.why.find("; nearest: "), std::string::npos) << none.why;
        EXPECT_NE(none.why.find("text.vowels of vowels ("), std::string::npos) << none.why;
        EXPECT_NE(none.why.find("valve.set of valve ("), std::string::npos) << none.why;
    }
    for (const auto& [meant, intent] : {std::pair{"how many vowels does this text have", "text.vowels"},
                                        {"open the valve of tank 4", "valve.set"},
                                        {"vowels", "text.vowels"}}) {
        const Choice choice = registry.choose({.meaning = meant});
        ASSERT_FALSE(choice.candidates.empty()) << meant << ": " << choice.why;
        EXPECT_EQ(choice.candidates[0].offer->intent, intent);
    }
}

// Load decides between offers of one intent, and never makes another intent out of what is meant.
TEST_F(RegistryTest, LoadNeverChangesTheIntent) {
    ASSERT_TRUE(registry.offer(make(1, "busy", "text.count", "counts the words of a text")));
    ASSERT_TRUE(registry.offer(make(2, "busier", "text.count", "counts the words of a text")));
    ASSERT_TRUE(registry.offer(make(3, "idle", "text.vowels", "counts the vowels of a text, word by word")));
    registry.report_load(1, 500);
    registry.report_load(2, 900);
    const Choice choice = registry.choose({.meaning = "count the words of this text"});
    ASSERT_EQ(choice.candidates.size(), 2u);
    EXPECT_EQ(choice.candidates[0].offer->agent_name, "busy");
    EXPECT_EQ(choice.candidates[1].offer->agent_name, "busier");
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

// A caller may insist on one agent, by its name or by its identity, or leave one out.
TEST_F(RegistryTest, CallersCanPin) {
    Offer one = make(1, "reader-1", "question.answer");
    Offer two = make(2, "reader-2", "question.answer");
    one.identity = {std::byte{1}};
    two.identity = {std::byte{2}};
    ASSERT_TRUE(registry.offer(one));
    ASSERT_TRUE(registry.offer(two));
    registry.report_load(2, 100);
    const auto chosen = [&](const Wanted& wanted) {
        const Choice choice = registry.choose(wanted);
        return choice.candidates.empty() ? choice.why : choice.candidates[0].offer->agent_name;
    };
    EXPECT_EQ(chosen({.intent = "question.answer"}), "reader-1");
    EXPECT_EQ(chosen({.intent = "question.answer", .not_agent = 1}), "reader-2");
    EXPECT_EQ(chosen({.intent = "question.answer", .from = "reader-2"}), "reader-2");
    EXPECT_EQ(chosen({.intent = "question.answer", .identity = {std::byte{2}}}), "reader-2");
    EXPECT_EQ(chosen({.intent = "question.answer", .from = "reader-3"}),
              "no agent offers question.answer from reader-3");
    EXPECT_EQ(chosen({.intent = "question.answer", .from = "reader-1", .identity = {std::byte{2}}}),
              "no agent offers question.answer from reader-1");
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
