// Units: decoding of descriptions, and the pure state machine: order of starts and stops, restart decisions, budgets.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/orchestration/describe.hpp"

namespace aios::orchestration {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

// Starts everything that can start, with ready messages at once; answers the order.
std::string start_all(Decoded& d, std::uint64_t now = 0) {
    std::string order;
    while (const auto unit = d.states.next_to_start(now)) {
        d.states.started(*unit);
        d.states.ready(*unit);
        order += std::string(d.description.units[*unit].name) + " ";
    }
    return order;
}

std::string names_in(const Decoded& d, UnitState state) {
    std::string names;
    for (std::size_t i = 0; i < d.description.units.size(); ++i) {
        if (d.states.state(i) == state) names += std::string(d.description.units[i].name) + " ";
    }
    return names;
}

TEST(Units, DecodesAndOrders) {
    Decoded d({{"desk", {"planner", "memory"}}, {"planner", {"broker"}}, {"memory", {"broker"}}, {"broker", {}}});
    ASSERT_TRUE(d.result) << d.sentence;
    EXPECT_EQ(d.description.units[0].arguments[0], "--verbose");
    EXPECT_EQ(d.description.region_bytes, 4096u);
    EXPECT_EQ(start_all(d), "broker planner memory desk ");
    std::string stops;
    while (const auto unit = d.states.next_to_stop()) {
        stops += std::string(d.description.units[*unit].name) + " ";
        d.states.stopped(*unit);
    }
    EXPECT_EQ(stops, "desk memory planner broker ");
    EXPECT_TRUE(d.states.is_over());
}

TEST(Units, WaitsForReadyMessages) {
    Decoded d({{"a", {}, Restart::never, true}, {"b", {"a"}}});
    EXPECT_EQ(d.states.next_to_start(0), 0u);
    d.states.started(0);
    EXPECT_FALSE(d.states.next_to_start(0));
    d.states.ready(0);
    EXPECT_EQ(d.states.next_to_start(0), 1u);
}

TEST(Units, RefusesWithASentenceThatNamesTheUnit) {
    Decoded cycle({{"a", {"c"}}, {"b", {"a"}}, {"c", {"b"}}, {"d", {"c"}}, {"e", {}}});
    ASSERT_FALSE(cycle.result);
    EXPECT_EQ(cycle.result.error(), Error::bad_argument);
    EXPECT_NE(cycle.sentence.find("cycle"), std::string_view::npos);
    EXPECT_EQ(cycle.sentence.find("unit d"), std::string_view::npos) << "d only leads to the cycle";
    Decoded missing({{"a", {"ghost"}}});
    ASSERT_FALSE(missing.result);
    EXPECT_EQ(missing.sentence, "unit a needs ghost, which does not exist");
    Decoded twice({{"a", {}}, {"a", {}}});
    EXPECT_EQ(twice.result.error(), Error::already_exists);
    EXPECT_EQ(Decoded({{"a", {}}}, Strategy::one_for_one, kMaxIntensity + 1).result.error(), Error::too_large);
}

TEST(Units, SpendsWhatTheFileSaysAndNothingElse) {
    std::vector<Spec> specs{{"a", {}}, {"b", {}}};
    specs[1].tokens = 5000;
    Decoded d(specs);
    ASSERT_TRUE(d.result) << d.sentence;
    EXPECT_EQ(d.description.units[0].quota.tokens, 0u);
    EXPECT_EQ(d.description.units[1].quota.tokens, 5000u);
    EXPECT_EQ(d.description.units[1].quota.money, 0u);
    // Memory is no such resource, and a number that nobody knows is none.
    for (const std::uint64_t resource : {std::uint64_t{0}, std::uint64_t{kResourceCount}, ~std::uint64_t{0}}) {
        messages::owned::SystemText system{.units = {{.name = "a", .program = "bin/a", .weight = 100}}};
        system.units[0].spends = {{{.resource = resource, .amount = 1}}};
        EXPECT_EQ(Decoded(messages::encode(system).value()).result.error(), Error::bad_format) << resource;
    }
}

TEST(Units, HintsAreThoseOfALife) {
    for (const std::uint64_t hint : {3, 4, 5}) { // a deadline is no such thing
        messages::owned::SystemText system{.units = {{.name = "a", .program = "bin/a", .weight = 100}}};
        system.units[0].hint = hint;
        EXPECT_EQ(Decoded(messages::encode(system).value()).result.error(), Error::bad_format) << hint;
    }
}

TEST(Units, EveryTruncationIsRefused) {
    const auto bytes = encode({{"a", {}}, {"b", {"a"}}}, Strategy::one_for_one, 1, 1);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        Decoded d(std::vector(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)));
        EXPECT_FALSE(d.result);
        EXPECT_FALSE(d.sentence.empty());
    }
}

// A thousand units, each of which needs the ten before it: the tables have exactly the room that is asked for.
TEST(Units, AThousandUnits) {
    std::vector<Spec> specs;
    for (int i = 0; i < 1000; ++i) {
        Spec spec{"unit-" + std::to_string(i), {}, Restart::on_failure};
        for (int need = std::max(0, i - 10); need < i; ++need) {
            spec.needs.push_back("unit-" + std::to_string(need));
        }
        specs.push_back(spec);
    }
    Decoded d(specs, Strategy::rest_for_one, kMaxIntensity);
    ASSERT_TRUE(d.result) << d.sentence;
    start_all(d);
    EXPECT_EQ(d.states.over(500, Ending::failed, 1), Verdict::carry_on);
    std::size_t stopping = 0;
    for (std::size_t i = 0; i < 1000; ++i) {
        stopping += d.states.state(i) == UnitState::stopping;
    }
    EXPECT_EQ(stopping, 499u);
}

TEST(Units, RestartStrategies) {
    const std::vector<Spec> specs = {
        {"a", {}, Restart::always}, {"b", {"a"}, Restart::on_failure}, {"c", {}, Restart::never}};
    // A restart of a takes along nobody, everybody, or b, which needs it.
    for (const auto& [strategy, expected, again] : {std::tuple{Strategy::one_for_one, "", "a "},
                                                    {Strategy::one_for_all, "b c ", "a b c "},
                                                    {Strategy::rest_for_one, "b ", "a b "}}) {
        Decoded d(specs, strategy);
        start_all(d);
        EXPECT_EQ(d.states.over(0, Ending::failed, 10), Verdict::carry_on);
        EXPECT_EQ(names_in(d, UnitState::stopping), expected);
        if (*expected != '\0') EXPECT_FALSE(d.states.next_to_start(10)) << "the others have not ended yet";
        for (std::size_t other = 1; other < 3; ++other) {
            d.states.gone(other, 11);
        }
        EXPECT_EQ(start_all(d, 12), again);
    }
}

// Whoever is being started when it is taken along starts afresh as well, and nobody starts before it is gone.
TEST(Units, AStartUnderWayIsTakenAlong) {
    Decoded d({{"a", {}, Restart::always, true}, {"b", {"a"}, Restart::never, true}}, Strategy::rest_for_one);
    d.states.started(0);
    d.states.ready(0);
    d.states.started(1);
    d.states.over(0, Ending::failed, 1);
    EXPECT_EQ(d.states.state(1), UnitState::stopping);
    d.states.ready(1); // said on its way out
    EXPECT_FALSE(d.states.next_to_start(2));
    d.states.gone(1, 2);
    EXPECT_EQ(start_all(d, 2), "a b ");
}

TEST(Units, GivesUpAboveTheIntensity) {
    Decoded d({{"a", {}, Restart::always, false, true}}, Strategy::one_for_one, 2, 1000);
    EXPECT_EQ(d.states.over(0, Ending::failed, 0), Verdict::carry_on);
    EXPECT_EQ(d.states.over(0, Ending::failed, 600 * kMs), Verdict::carry_on);
    EXPECT_EQ(d.states.over(0, Ending::failed, 1100 * kMs), Verdict::carry_on) << "the first is out of the period";
    EXPECT_EQ(d.states.over(0, Ending::failed, 1200 * kMs), Verdict::give_up);
    EXPECT_EQ(
        Decoded({{"a", {}, Restart::always, false, true}}, Strategy::one_for_one, 0).states.over(0, Ending::failed, 0),
        Verdict::give_up);
}

// An optional unit has a budget of its own: it takes nothing from the others, and never ends the whole.
TEST(Units, OptionalUnitsNeverEndTheWhole) {
    Decoded d({{"a", {}, Restart::always, false, true}, {"b", {}, Restart::on_failure}, {"c", {"b"}}, {"d", {}}},
              Strategy::one_for_one, 2, 1000);
    start_all(d);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(d.states.over(1, Ending::failed, 10), Verdict::carry_on);
    }
    EXPECT_EQ(d.states.state(1), UnitState::failed);
    EXPECT_EQ(d.states.over(3, Ending::refused, 10), Verdict::carry_on);
    EXPECT_EQ(d.states.over(0, Ending::failed, 10), Verdict::carry_on);
    EXPECT_EQ(d.states.over(0, Ending::failed, 10), Verdict::carry_on);
    EXPECT_EQ(d.states.over(0, Ending::failed, 10), Verdict::give_up);
}

TEST(Units, RefusedStartsHonourRestartAndIntensity) {
    Decoded d({{"never", {}, Restart::never, false, true}, {"often", {}, Restart::on_failure, false, true}},
              Strategy::one_for_one, 2, 10'000);
    EXPECT_EQ(d.states.over(0, Ending::refused, 0), Verdict::give_up);
    EXPECT_EQ(d.states.over(1, Ending::refused, 0), Verdict::carry_on);
    EXPECT_FALSE(d.states.next_to_start(kStartPause - 1)) << "not at once";
    EXPECT_EQ(d.states.next_try_ns(), kStartPause);
    EXPECT_EQ(d.states.next_to_start(kStartPause), 1u);
    EXPECT_EQ(d.states.over(1, Ending::refused, kStartPause), Verdict::carry_on);
    EXPECT_EQ(d.states.over(1, Ending::refused, 2 * kStartPause), Verdict::give_up);
}

// What a predecessor paid comes back a moment after its end; afterwards a refusal is a refusal.
TEST(Units, LackingResourcesAreExcusedForAMoment) {
    Decoded d({{"a", {}, Restart::always, false, true}, {"b", {"a"}, Restart::never, false, true}},
              Strategy::rest_for_one);
    EXPECT_EQ(Decoded({{"a", {}, Restart::never, false, true}}).states.over(0, Ending::lacking, 0), Verdict::give_up)
        << "nobody has ended yet";
    start_all(d);
    d.states.over(0, Ending::failed, 1);
    d.states.gone(1, 1);
    start_all(d, 1);
    std::uint64_t now = 1;
    for (; now < kSettleTime; now += kStartPause) {
        ASSERT_EQ(d.states.over(1, Ending::lacking, now), Verdict::carry_on);
        ASSERT_FALSE(d.states.next_to_start(now));
        ASSERT_EQ(d.states.next_to_start(now + kStartPause), 1u);
        d.states.started(1);
    }
    EXPECT_EQ(d.states.over(1, Ending::lacking, kSettleTime + 1), Verdict::give_up);
}

TEST(Units, CleanEndsAndEssentialFailures) {
    Decoded d({{"a", {}, Restart::on_failure}, {"b", {}, Restart::never, false, true}});
    start_all(d);
    EXPECT_EQ(d.states.over(0, Ending::well, 1), Verdict::carry_on);
    EXPECT_EQ(d.states.state(0), UnitState::done);
    EXPECT_EQ(d.states.over(1, Ending::failed, 2), Verdict::give_up);
}

// Who needs a unit that has ended well has what it needs; who needs one that has failed never starts, nor do those who
// need that one.
TEST(Units, NeedsOfUnitsThatHaveEnded) {
    Decoded d({{"setup", {}, Restart::never, true}, {"main", {"setup"}}, {"next", {"main"}}});
    d.states.started(0);
    d.states.over(0, Ending::well, 1);
    EXPECT_EQ(start_all(d, 1), "main next ");
    Decoded e({{"setup", {}, Restart::never, true}, {"main", {"setup"}}, {"next", {"main"}}});
    e.states.started(0);
    e.states.over(0, Ending::failed, 1);
    EXPECT_EQ(start_all(e, 1), "");
    std::string doomed;
    while (const auto unit = e.states.fail_next_doomed()) {
        doomed += std::string(e.description.units[unit->unit].name) + " for " +
                  std::string(e.description.units[unit->need].name) + ", ";
    }
    EXPECT_EQ(doomed, "main for setup, next for main, ");
    EXPECT_TRUE(e.states.is_over());
    EXPECT_FALSE(e.states.any_done());
}

} // namespace
} // namespace aios::orchestration
