// Units that do not say in time that they are ready: that holds nobody up, counts as a failed start, and is named.
#include <gtest/gtest.h>

#include "tests/unit/orchestration/supervised.hpp"

namespace aios::orchestration {
namespace {

using test::kMs;
using test::Script;

constexpr std::uint64_t kSecond = 1000 * kMs;
constexpr const char* kWhy = "it never became ready: it did not say so within its ready_timeout of 2 seconds";

// With two seconds for "slow", which is essential unless a test says otherwise.
Spec slow(Restart restart = Restart::never) {
    return {
        .name = "slow", .needs = {}, .restart = restart, .sends_ready = true, .essential = true, .ready_timeout = 2};
}
Spec desk() { return {.name = "desk", .needs = {"slow"}, .sends_ready = true, .essential = true}; }

// "slow" is silent on its first `silent` starts; the desk is done a second after its start.
auto silent_for(std::uint32_t silent) {
    return [silent](const std::string& name, std::uint32_t start) {
        Script script;
        if (name == "slow" && start <= silent) script.ready_ns = {};
        if (name == "desk") script.end_ns = 1 * kSecond, script.last_words = "done";
        return script;
    };
}
constexpr std::uint32_t kAlways = ~0u;

TEST(Ready, WhoNeverSaysSoIsNamed) {
    Supervised node({slow(), desk()}, Strategy::one_for_one, 3, 60'000);
    node.kernel.script = silent_for(kAlways);
    node.run();
    ASSERT_TRUE(node.end && !node.end->is_ok) << node.kernel.trace();
    EXPECT_EQ(node.sentence(), std::string("slow failed for good: ") + kWhy);
    EXPECT_EQ(node.kernel.trace(), "start slow, kill slow, ");
    EXPECT_GE(node.kernel.now(), 2 * kSecond);
    EXPECT_LT(node.kernel.now(), 3 * kSecond);
    EXPECT_EQ(node.kernel.living(), 0u);
}

// The time that it was waited for does not count towards the period, which is much shorter here.
TEST(Ready, RestartsAreCounted) {
    for (const Strategy strategy : {Strategy::one_for_one, Strategy::rest_for_one, Strategy::one_for_all}) {
        Supervised node({slow(Restart::on_failure), desk()}, strategy, 3, 1000);
        node.kernel.script = silent_for(kAlways);
        node.run();
        ASSERT_TRUE(node.end && !node.end->is_ok) << node.kernel.trace();
        EXPECT_EQ(node.sentence(), std::string("slow failed for good: ") + kWhy);
        EXPECT_EQ(node.kernel.newest("slow")->start, 4u);
        EXPECT_LT(node.kernel.now(), 9 * kSecond);
    }
}

TEST(Ready, OneOfTheNextStartsMayDo) {
    Supervised node({slow(Restart::on_failure), desk()}, Strategy::rest_for_one, 3, 60'000);
    node.kernel.script = silent_for(2);
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence();
    EXPECT_EQ(node.kernel.trace(), "start slow, kill slow, start slow, kill slow, start slow, ready slow, start desk, "
                                   "ready desk, end desk, kill slow, ");
    EXPECT_NE(node.kernel.console().find(std::string("sup: slow is started again: ") + kWhy), std::string::npos);
}

TEST(Ready, AnOptionalUnitFailsAlone) {
    Spec guest = slow();
    guest.essential = false;
    Spec friendly = desk();
    friendly.name = "friend";
    friendly.essential = false;
    Spec other = desk();
    other.needs = {};
    Supervised node({guest, friendly, other}, Strategy::one_for_one, 3, 60'000);
    node.kernel.script = [](const std::string& name, std::uint32_t) {
        Script script = silent_for(kAlways)(name, 1);
        if (name == "desk") script.end_ns = 10 * kSecond;
        return script;
    };
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence();
    EXPECT_NE(node.kernel.console().find(std::string("sup: slow failed for good and the others go on: ") + kWhy),
              std::string::npos)
        << node.kernel.console();
    EXPECT_NE(node.kernel.console().find("sup: friend is not started: it needs slow, which never became ready"),
              std::string::npos);
    // Who cannot do without it says so.
    Supervised needed({guest, desk()}, Strategy::one_for_one, 3, 60'000);
    needed.kernel.script = silent_for(kAlways);
    needed.run();
    EXPECT_EQ(needed.sentence(), "desk cannot start: it needs slow, which never became ready");
}

// Whoever says it within its time is let alone for ever after.
TEST(Ready, InTimeIsInTime) {
    Supervised node({slow(), desk()}, Strategy::one_for_one, 3, 60'000);
    node.kernel.script = [](const std::string& name, std::uint32_t start) {
        Script script = silent_for(0)(name, start);
        if (name == "slow") script.ready_ns = 2 * kSecond - 1;
        if (name == "desk") script.end_ns = 100 * kSecond;
        return script;
    };
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence();
    // One nanosecond late is late.
    Supervised late({slow(), desk()}, Strategy::one_for_one, 3, 60'000);
    late.kernel.script = [](const std::string&, std::uint32_t) {
        Script script;
        script.ready_ns = 2 * kSecond + 1;
        return script;
    };
    late.run();
    EXPECT_EQ(late.sentence(), std::string("slow failed for good: ") + kWhy);
}

// The time begins when the unit may run: what loading and identityd take is not its own.
TEST(Ready, TheTimeBeginsWhenItMayRun) {
    const Spec identityd{.name = "identityd",
                         .restart = Restart::on_failure,
                         .sends_ready = true,
                         .essential = true,
                         .role = number_of(StartupRole::identity_server)};
    Supervised node({identityd, slow(), desk()}, Strategy::rest_for_one, 3, 60'000);
    node.kernel.register_ns = 10 * kSecond;
    node.kernel.script = [](const std::string& name, std::uint32_t start) {
        Script script = silent_for(0)(name, start);
        if (name == "slow") script.load_ns = 20 * kSecond, script.ready_ns = 1 * kSecond;
        return script;
    };
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence() << node.kernel.trace();
    Supervised silent({identityd, slow(), desk()}, Strategy::rest_for_one, 3, 60'000);
    silent.kernel.script = silent_for(kAlways);
    silent.run();
    EXPECT_EQ(silent.sentence(), std::string("slow failed for good: ") + kWhy);
}

// What a late unit had paid comes back a moment after its end, as of any other.
TEST(Ready, WhatItPaidMayComeBackLate) {
    Spec large = slow(Restart::on_failure);
    large.memory = 8 << 20;
    Supervised node({large, desk()}, Strategy::one_for_one, 1, 60'000);
    node.kernel.memory_limit = 10 << 20;
    node.kernel.return_ns = 1500 * kMs;
    node.kernel.script = silent_for(1);
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence();
    EXPECT_GT(node.kernel.refused_starts("slow"), 3u);
}

// A unit that is to stop for another's restart is not told to be late as well.
TEST(Ready, ARestartBeginsTheTimeAfresh) {
    Spec base = slow(Restart::on_failure);
    base.name = "base";
    Spec waiting = slow();
    waiting.needs = {"base"};
    Supervised node({base, waiting, desk()}, Strategy::rest_for_one, 3, 60'000);
    node.kernel.script = [](const std::string& name, std::uint32_t start) {
        Script script = silent_for(0)(name, start);
        if (name == "base" && start == 1) script.end_ns = 2 * kSecond, script.end_status = 1;
        if (name == "slow") script.ready_ns = start == 1 ? std::optional<std::uint64_t>() : 1 * kSecond;
        return script;
    };
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence() << ": " << node.kernel.trace();
    EXPECT_EQ(node.kernel.newest("slow")->start, 2u);
}

TEST(Ready, OfADescription) {
    Decoded said({slow()});
    ASSERT_TRUE(said.result) << said.sentence;
    EXPECT_EQ(said.description.units[0].ready_timeout_ns, 2 * kSecond);
    Spec usual = slow();
    usual.ready_timeout = 0;
    EXPECT_EQ(Decoded({usual}).description.units[0].ready_timeout_ns, kUsualReadyTimeout * kSecond);
    usual.ready_timeout = kMaxReadyTimeout + 1;
    EXPECT_FALSE(Decoded({usual}).result);
}

} // namespace
} // namespace aios::orchestration
