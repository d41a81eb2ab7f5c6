// identityd's table (the living are never dropped for the dead) and what may be offered by whom.
#include <gtest/gtest.h>

#include <set>

#include "runtime/security/offers.hpp"
#include "services/identityd/table.hpp"

namespace aios::identity {
namespace {

std::set<std::uint64_t> dead;
bool lives(const std::uint64_t& agent) { return !dead.contains(agent); }
using TestTable = Table<std::uint64_t, lives>;

security::Identity called(std::uint64_t agent) { return {.name = "agent " + std::to_string(agent), .agent = agent}; }

void add(TestTable& table, std::uint64_t agent) {
    ASSERT_TRUE(table.has_room());
    table.add(called(agent), agent);
}

TEST(Table, TheLivingStayHoweverManyCome) {
    dead.clear();
    TestTable table;
    add(table, 1);
    for (std::uint64_t agent = 2; agent < 3 * kMaxRecords; ++agent) {
        add(table, agent);
        if (agent % 100 != 0) dead.insert(agent);
    }
    ASSERT_NE(table.find(1), nullptr) << "the oldest, and alive";
    EXPECT_EQ(table.find(1)->name, "agent 1");
    for (std::uint64_t agent = 100; agent < 3 * kMaxRecords; agent += 100) {
        ASSERT_NE(table.find(agent), nullptr) << agent;
    }
    EXPECT_LT(table.size(), 400u) << "the dead are dropped as others come";
}

TEST(Table, AFullTableOfTheLivingHasNoRoom) {
    dead.clear();
    TestTable table;
    for (std::uint64_t agent = 1; agent <= kMaxRecords; ++agent) {
        add(table, agent);
    }
    EXPECT_FALSE(table.has_room());
    for (std::uint64_t agent = 1; agent <= kMaxRecords; ++agent) {
        ASSERT_NE(table.find(agent), nullptr);
    }
    dead.insert(17);
    EXPECT_TRUE(table.has_room());
    EXPECT_EQ(table.find(17), nullptr);
}

TEST(Table, AnAgentHasOneRecord) {
    dead.clear();
    TestTable table;
    add(table, 1);
    add(table, 1);
    EXPECT_EQ(table.size(), 1u);
}

TEST(Offers, NamesNamespacesAndEverything) {
    using security::covers;
    EXPECT_TRUE(covers("question.answer", "question.answer"));
    EXPECT_FALSE(covers("question.answer", "question.answers"));
    EXPECT_FALSE(covers("question.answer", "question"));
    EXPECT_TRUE(covers("question.*", "question.answer"));
    EXPECT_TRUE(covers("question.*", "question.a.b"));
    EXPECT_FALSE(covers("question.*", "question."));
    EXPECT_FALSE(covers("question.*", "question"));
    EXPECT_FALSE(covers("question.*", "questions.answer"));
    EXPECT_FALSE(covers("question*", "question.answer"));
    EXPECT_FALSE(covers(".*", ".x")) << "a namespace has a name";
    EXPECT_TRUE(covers("*", "anything.at.all"));
    EXPECT_FALSE(covers("", ""));
}

TEST(Offers, NobodyGivesMoreThanItHas) {
    using security::may_pass_on;
    const std::vector<std::string> own = {"text.*", "answer.check"};
    EXPECT_TRUE(may_pass_on(own, "text.count"));
    EXPECT_TRUE(may_pass_on(own, "text.*"));
    EXPECT_TRUE(may_pass_on(own, "text.deep.*"));
    EXPECT_TRUE(may_pass_on(own, "answer.check"));
    EXPECT_FALSE(may_pass_on(own, "answer.*"));
    EXPECT_FALSE(may_pass_on(own, "*"));
    EXPECT_FALSE(may_pass_on(own, "question.answer"));
    EXPECT_FALSE(may_pass_on({}, "text.count"));
    EXPECT_TRUE(may_pass_on(std::vector<std::string>{"*"}, "*"));
}

} // namespace
} // namespace aios::identity
