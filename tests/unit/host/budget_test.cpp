// The budget of the test levels.
#include <gtest/gtest.h>

#include "tools/aios/host/files.hpp"
#include "tools/aios/test/budget.hpp"

using namespace aios::host;

TEST(TestBudget, ShowsWhatRanAgainstItsMinutes) {
    auto budget = TestBudget::parse("# comment\n\nunit 2\nguest   1\nlint 1\n");
    ASSERT_TRUE(budget.has_value());
    budget->spent("guest", std::chrono::seconds(90));
    budget->spent("unit", std::chrono::seconds(30));
    budget->spent("unit", std::chrono::seconds(30));
    budget->spent("mutation", std::chrono::minutes(100));
    const auto lines = budget->lines();
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_EQ(lines[0], "  unit             1.0 of 2 min");
    EXPECT_EQ(lines[1], "  guest            1.5 of 1 min, over budget");
    EXPECT_EQ(lines[2], "  mutation       100.0 min");
    EXPECT_EQ(lines[3], "  together       102.5 of 3 min, over budget");
}

TEST(TestBudget, RefusesWhatIsNoBudget) {
    for (const char* text : {"unit\n", "unit x\n", "unit 0\n", "unit 1\nunit 1\n", "unit 1 2\n", "unit 40\nguest 21\n"})
        EXPECT_FALSE(TestBudget::parse(text).has_value()) << text;
    EXPECT_TRUE(TestBudget::parse("unit 40\nguest 20\n").has_value());
}

TEST(TestBudget, TheOneOfTheTreeIsGood) {
    const auto text = read_file(std::filesystem::path(AIOS_SOURCE) / "tests" / "budget.txt", 1 << 20);
    ASSERT_TRUE(text.has_value());
    EXPECT_TRUE(TestBudget::parse(*text).has_value());
}
