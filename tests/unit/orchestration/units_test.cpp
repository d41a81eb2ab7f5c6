// Units: decoding of descriptions, order of starts and stops, restart decisions.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/cbor.hpp"
#include "runtime/orchestration/units.hpp"

namespace aios::orchestration {
namespace {

struct Spec {
    std::string name;
    std::vector<std::string> needs;
    Restart restart = Restart::never;
    bool sends_ready = false;
    bool essential = false;
};

std::vector<std::byte> encode(const std::vector<Spec>& specs, Strategy strategy, unsigned intensity,
                              unsigned period_ms) {
    std::vector<std::byte> buffer(65536);
    cbor::Encoder out(buffer);
    out.map(6);
    out.key(0).uint(1);
    out.key(1).uint(static_cast<std::uint64_t>(strategy));
    out.key(2).uint(intensity);
    out.key(3).uint(period_ms);
    out.key(4).array(specs.size());
    for (const Spec& spec : specs) {
        out.map(11);
        out.key(0).text(spec.name);
        out.key(1).text("bin/" + spec.name);
        out.key(2).array(1).text("--verbose");
        out.key(3).array(spec.needs.size());
        for (const auto& need : spec.needs) {
            out.text(need);
        }
        out.key(4).array(1).array(2).uint(2).uint(3);
        out.key(5).array(4).uint(1 << 20).uint(64).uint(4).uint(0);
        out.key(6).uint(100);
        out.key(7).uint(1);
        out.key(8).uint(static_cast<std::uint64_t>(spec.restart));
        out.key(9).boolean(spec.sends_ready);
        out.key(10).boolean(spec.essential);
    }
    out.key(5).uint(4096);
    buffer.resize(out.finish().value().size());
    return buffer;
}

struct Decoded {
    std::vector<std::byte> bytes;
    SystemDescription description;
    char why[200];
    std::string_view sentence;
    Result<> result;
    Decoded(const std::vector<Spec>& specs, Strategy strategy = Strategy::one_for_one, unsigned intensity = 3,
            unsigned period_ms = 1000)
        : bytes(encode(specs, strategy, intensity, period_ms)),
          result(SystemDescription::decode(bytes, description, why, sentence)) {}
};

// Starts everything that can start, with ready messages at once; answers the order.
std::string start_all(const SystemDescription& description, UnitStates& states) {
    std::string order;
    for (std::size_t unit = states.next_to_start(); unit != kMaxUnits; unit = states.next_to_start()) {
        states.started(unit);
        states.ready(unit);
        order += std::string(description.units[unit].name) + " ";
    }
    return order;
}

TEST(Units, DecodesAndOrders) {
    Decoded d({{"desk", {"planner", "memory"}}, {"planner", {"broker"}}, {"memory", {"broker"}}, {"broker", {}}});
    ASSERT_TRUE(d.result) << d.sentence;
    EXPECT_EQ(d.description.units[0].arguments[0], "--verbose");
    EXPECT_EQ(d.description.region_bytes, 4096u);
    UnitStates states(d.description);
    EXPECT_EQ(start_all(d.description, states), "broker planner memory desk ");
    EXPECT_TRUE(states.all_ready());
    std::string stops;
    for (std::size_t unit = states.next_to_stop(); unit != kMaxUnits; unit = states.next_to_stop()) {
        stops += std::string(d.description.units[unit].name) + " ";
        states.stopped(unit);
    }
    EXPECT_EQ(stops, "desk memory planner broker ");
}

TEST(Units, WaitsForReadyMessages) {
    Decoded d({{"a", {}, Restart::never, true}, {"b", {"a"}}});
    UnitStates states(d.description);
    EXPECT_EQ(states.next_to_start(), 0u);
    states.started(0);
    EXPECT_EQ(states.next_to_start(), kMaxUnits);
    states.ready(0);
    EXPECT_EQ(states.next_to_start(), 1u);
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
}

TEST(Units, EveryTruncationIsRefused) {
    const auto bytes = encode({{"a", {}}, {"b", {"a"}}}, Strategy::one_for_one, 1, 1);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        SystemDescription description;
        char why[200];
        std::string_view sentence;
        EXPECT_FALSE(SystemDescription::decode(Bytes(bytes).first(length), description, why, sentence));
        EXPECT_FALSE(sentence.empty());
    }
}

TEST(Units, RestartStrategies) {
    const std::vector<Spec> specs = {
        {"a", {}, Restart::always}, {"b", {"a"}, Restart::on_failure}, {"c", {}, Restart::never}};
    // A restart of a takes along nobody, everybody, or b, which needs it.
    for (const auto& [strategy, expected] : {std::pair{Strategy::one_for_one, 0b000u},
                                             {Strategy::one_for_all, 0b110u},
                                             {Strategy::rest_for_one, 0b010u}}) {
        Decoded d(specs, strategy);
        UnitStates states(d.description);
        start_all(d.description, states);
        const auto decision = states.ended(0, true, 10);
        EXPECT_EQ(decision.restart, expected);
        EXPECT_FALSE(decision.give_up);
        EXPECT_EQ(states.next_to_start(), 0u);
        states.started(0);
        states.ready(0);
        EXPECT_EQ(states.next_to_start(), kMaxUnits) << "the others have not ended yet";
        for (std::size_t other = 1; other < 3; ++other) {
            states.gone(other);
        }
        const std::string again = start_all(d.description, states);
        EXPECT_EQ(again, expected == 0b110u ? "b c " : expected == 0b010u ? "b " : "");
    }
}

TEST(Units, GivesUpAboveTheIntensity) {
    Decoded d({{"a", {}, Restart::always}}, Strategy::one_for_one, 2, 1000);
    UnitStates states(d.description);
    const std::uint64_t ms = 1'000'000;
    EXPECT_FALSE(states.ended(0, true, 0).give_up);
    EXPECT_FALSE(states.ended(0, true, 600 * ms).give_up);
    EXPECT_FALSE(states.ended(0, true, 1100 * ms).give_up) << "the first restart is out of the period";
    EXPECT_TRUE(states.ended(0, true, 1200 * ms).give_up);
}

TEST(Units, CleanEndsAndEssentialFailures) {
    Decoded d({{"a", {}, Restart::on_failure}, {"b", {}, Restart::never, false, true}});
    UnitStates states(d.description);
    start_all(d.description, states);
    EXPECT_EQ(states.ended(0, false, 1).restart, 0u);
    EXPECT_EQ(states.state(0), UnitState::stopped);
    EXPECT_TRUE(states.ended(1, true, 2).give_up);
}

} // namespace
} // namespace aios::orchestration
