// The supervisor over a fake kernel, in virtual time: starts, restarts, refusals, and what it says about them.
#include <gtest/gtest.h>

#include "tests/unit/orchestration/supervised.hpp"

namespace aios::orchestration {
namespace {

using test::CrashPhase;
using test::kMs;
using test::Script;

// The services of a node, with the crew as one unit that says "done".
std::vector<Spec> services() {
    const auto server = static_cast<std::uint32_t>(StartupRole::identity_server);
    return {{"identityd", {}, Restart::on_failure, true, true, 1 << 20, server},
            {"broker", {"identityd"}, Restart::on_failure, true, true},
            {"memory", {"identityd"}, Restart::on_failure, true, true},
            {"planner", {"broker"}, Restart::on_failure, true, true},
            {"crew", {"broker", "memory", "planner"}, Restart::never, true, true}};
}

// The crew is done a second after its start.
Script finishes(const std::string& name) {
    Script script;
    if (name == "crew") {
        script.end_ns = 1000 * kMs;
        script.last_words = "done";
    }
    return script;
}

// What the file says is given at each start, and cannot be changed by the unit; where it says nothing the unit may.
TEST(Supervisor, GivesHintsThatStay) {
    std::vector<Spec> specs = services();
    specs[1].hint = AgentHint::interactive;
    specs[2].hint = AgentHint::none;
    Supervised node(specs, Strategy::rest_for_one, 6, 60'000);
    node.kernel.script = [](const std::string& name, std::uint32_t) { return finishes(name); };
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence();
    const auto hint_of = [&](const char* name) { return static_cast<AgentHint>(node.kernel.newest(name)->hint); };
    EXPECT_EQ(hint_of("broker"), AgentHint::interactive);
    EXPECT_FALSE(node.kernel.newest("broker")->may_hint);
    EXPECT_FALSE(node.kernel.newest("memory")->may_hint);
    EXPECT_EQ(hint_of("planner"), AgentHint::none);
    EXPECT_TRUE(node.kernel.newest("planner")->may_hint);
}

TEST(Supervisor, StartsInOrderAndStopsInReverse) {
    Supervised node(services(), Strategy::rest_for_one, 6, 60'000);
    node.kernel.script = [](const std::string& name, std::uint32_t) { return finishes(name); };
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence();
    EXPECT_EQ(node.sentence(), "crew says so");
    EXPECT_EQ(node.kernel.trace(), "start identityd, ready identityd, start broker, start memory, ready broker, "
                                   "start planner, ready memory, ready planner, start crew, ready crew, end crew, "
                                   "kill planner, kill memory, kill broker, kill identityd, ");
    EXPECT_EQ(node.kernel.living(), 0u);
}

// identityd ends in each of its requests, before and after it has registered the agent and before and after it has
// answered: whoever was being started then starts all the same.
TEST(Supervisor, IdentitydEndsInEveryRequest) {
    for (const Strategy strategy : {Strategy::one_for_one, Strategy::rest_for_one, Strategy::one_for_all}) {
        for (std::uint64_t request = 1; request <= 10; ++request) {
            for (const CrashPhase phase :
                 {CrashPhase::before_registering, CrashPhase::before_answering, CrashPhase::after_answering}) {
                Supervised node(services(), strategy, 6, 60'000);
                node.kernel.script = [](const std::string& name, std::uint32_t) { return finishes(name); };
                node.kernel.identityd_crashes[request] = phase;
                node.run();
                ASSERT_TRUE(node.end && node.end->is_ok)
                    << "request " << request << ": " << node.kernel.trace() << node.sentence();
            }
        }
    }
}

// An identityd that says that it is finished leaves nobody who could name the next unit: it has failed like any other,
// before a unit asks it, while one does, and when all run.
TEST(Supervisor, AnIdentitydThatEndsWithoutAnErrorIsStartedAgain) {
    for (const Strategy strategy : {Strategy::one_for_one, Strategy::rest_for_one, Strategy::one_for_all}) {
        for (std::uint64_t when = 0; when < 100; ++when) {
            Supervised node(services(), strategy, 6, 60'000);
            node.kernel.script = [](const std::string& name, std::uint32_t) { return finishes(name); };
            bool has_ended = false;
            node.kernel.at(when * kMs, [&] {
                const auto identityd = node.kernel.newest("identityd");
                has_ended = identityd && identityd->is_loaded;
                if (has_ended) node.kernel.end(identityd, EndReason::exited, 0);
            });
            node.run();
            ASSERT_TRUE(node.end && node.end->is_ok) << when << " ms: " << node.kernel.trace() << node.sentence();
            EXPECT_EQ(node.kernel.newest("identityd")->start, has_ended ? 2u : 1u);
        }
    }
    std::vector<Spec> once = services();
    once[0].restart = Restart::never;
    Supervised node(once, Strategy::rest_for_one, 6, 60'000);
    node.kernel.script = [](const std::string& name, std::uint32_t) { return finishes(name); };
    node.kernel.at(50 * kMs, [&] { node.kernel.end(node.kernel.newest("identityd"), EndReason::exited, 0); });
    node.run();
    EXPECT_EQ(node.sentence(), "identityd failed for good: it ended with status 0");
}

// The same while spawns are under way, at any time.
TEST(Supervisor, IdentitydEndsWhileOthersAreLoading) {
    for (std::uint64_t when = 0; when < 40; ++when) {
        Supervised node(services(), Strategy::rest_for_one, 6, 60'000);
        node.kernel.script = [](const std::string& name, std::uint32_t) {
            Script script = finishes(name);
            script.load_ns = name == "memory" ? 20 * kMs : 5 * kMs;
            return script;
        };
        node.kernel.at(when * kMs, [&] {
            if (const auto identityd = node.kernel.newest("identityd"); identityd && identityd->is_loaded)
                node.kernel.end(identityd, EndReason::fault, 6);
        });
        node.run();
        ASSERT_TRUE(node.end && node.end->is_ok) << "at " << when << " ms: " << node.kernel.trace();
    }
}

TEST(Supervisor, AnIdentitydThatNeverAnswersIsNamed) {
    Supervised node(services(), Strategy::rest_for_one, 1, 120'000);
    node.kernel.identityd_answers = false;
    node.run();
    ASSERT_TRUE(node.end) << node.kernel.trace();
    EXPECT_FALSE(node.end->is_ok);
    EXPECT_EQ(node.sentence(), "memory failed for good: the deadline passed before the wait was over");
    Supervised refusing(services(), Strategy::rest_for_one, 0, 120'000);
    refusing.kernel.identityd_refuses = true;
    refusing.run();
    ASSERT_TRUE(refusing.end && !refusing.end->is_ok) << refusing.kernel.trace();
    EXPECT_EQ(refusing.kernel.living(), 0u);
}

TEST(Supervisor, AFullQueueOfIdentitydIsTriedAgain) {
    auto specs = services();
    for (int i = 0; i < 50; ++i) {
        specs.push_back({"more-" + std::to_string(i), {"identityd"}, Restart::never, true, true});
        specs[4].needs.push_back(specs.back().name); // the crew's
    }
    Supervised node(specs, Strategy::rest_for_one, 0, 1000);
    node.kernel.identity_room = 1;
    node.kernel.script = [](const std::string& name, std::uint32_t) { return finishes(name); };
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence();
    Supervised never(specs, Strategy::rest_for_one, 0, 1000);
    never.kernel.identity_room = 0;
    never.run();
    ASSERT_TRUE(never.end && !never.end->is_ok);
    EXPECT_NE(never.sentence().find("the deadline passed"), std::string::npos) << never.sentence();
}

TEST(Supervisor, TooLittleMemoryIsNamedWithWhatWasAskedAndWhatIsLeft) {
    Supervised node({{"small", {}, Restart::never, true, true, 1 << 20},
                     {"large", {"small"}, Restart::never, true, true, 64 << 20}},
                    Strategy::one_for_one, 3, 1000);
    node.kernel.memory_limit = 3 << 20;
    node.run();
    ASSERT_TRUE(node.end && !node.end->is_ok);
    EXPECT_EQ(node.sentence(), "large failed for good: it asks for memory = 65536K and sup has 2048K left");

    Supervised tiny({{"tiny", {}, Restart::never, true, true, 64 << 10}}, Strategy::one_for_one, 3, 1000);
    tiny.kernel.script = [](const std::string&, std::uint32_t) {
        Script script;
        script.load_error = Error::quota_exceeded;
        return script;
    };
    tiny.run();
    ASSERT_TRUE(tiny.end && !tiny.end->is_ok);
    EXPECT_EQ(tiny.sentence(),
              "tiny failed for good: its memory = 64K does not hold its program, which alone has 100K");
}

TEST(Supervisor, AnOptionalUnitNeverEndsTheRun) {
    auto specs = services();
    specs.push_back({"guest", {"broker"}, Restart::on_failure, true, false, 64 << 20});
    specs.push_back({"friend", {"guest"}, Restart::on_failure, true, false});
    specs.push_back({"crasher", {}, Restart::always, true, false});
    Supervised node(specs, Strategy::rest_for_one, 2, 60'000);
    node.kernel.memory_limit = 10 << 20;
    node.kernel.script = [](const std::string& name, std::uint32_t) {
        Script script = finishes(name);
        if (name == "crew") script.end_ns = 20'000 * kMs; // when all is decided
        if (name == "crasher") script.end_ns = 5 * kMs, script.end_status = 3;
        return script;
    };
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence();
    EXPECT_NE(node.kernel.console().find("sup: guest failed for good and the others go on: it asks for memory = "
                                         "65536K and sup has"),
              std::string::npos)
        << node.kernel.console();
    EXPECT_NE(node.kernel.console().find("sup: friend is not started: it needs guest, which failed for good"),
              std::string::npos);
    EXPECT_NE(node.kernel.console().find("sup: crasher failed for good and the others go on: it ended with status 3"),
              std::string::npos);
}

// What a unit may spend holds for all its starts together.
TEST(Supervisor, ARestartGetsWhatIsNotSpent) {
    Spec spec{"a", {}, Restart::on_failure, true, true};
    spec.tokens = 100;
    Supervised node({spec}, Strategy::one_for_one, 3, 60'000);
    node.kernel.script = [](const std::string&, std::uint32_t start) {
        Script script;
        script.tokens = start == 1 ? 30 : 200; // the second one passes its limit
        script.end_ns = 10 * kMs;
        script.end_status = start < 3 ? 1 : 0;
        script.last_words = start < 3 ? "" : "done";
        return script;
    };
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence();
    std::vector<std::uint64_t> tokens;
    for (const auto& agent : node.kernel.agents())
        tokens.push_back(agent->tokens);
    EXPECT_EQ(tokens, (std::vector<std::uint64_t>{100, 70, 0}));
}

TEST(Supervisor, WhatCannotBeGivenToSpendIsNamed) {
    Spec spec{"a", {}, Restart::never, true, true};
    spec.tokens = 1001;
    Supervised node({spec}, Strategy::one_for_one, 3, 60'000);
    node.run();
    ASSERT_TRUE(node.end && !node.end->is_ok);
    EXPECT_EQ(node.sentence(), "a failed for good: it asks for tokens = 1001 and sup has 1000 left");
}

// What a predecessor paid may come back late: that is waited for, and counts as no failure.
TEST(Supervisor, MemoryThatComesBackLateIsWaitedFor) {
    Supervised node({{"a", {}, Restart::on_failure, true, true, 8 << 20}}, Strategy::one_for_one, 1, 60'000);
    node.kernel.memory_limit = 10 << 20;
    node.kernel.return_ns = 1500 * kMs;
    node.kernel.script = [](const std::string&, std::uint32_t start) {
        Script script;
        script.end_ns = 10 * kMs;
        script.end_status = start == 1 ? 1 : 0;
        script.last_words = start == 1 ? "" : "done";
        return script;
    };
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence();
    EXPECT_GT(node.kernel.refused_starts("a"), 3u);
}

TEST(Supervisor, NeedsOfAUnitThatEndsByItself) {
    const std::vector<Spec> specs = {{"setup", {}, Restart::on_failure, true, true},
                                     {"main", {"setup"}, Restart::never, true, true}};
    for (const bool says_ready : {true, false}) {
        Supervised node(specs, Strategy::one_for_one, 1, 1000);
        node.kernel.script = [&](const std::string& name, std::uint32_t) {
            Script script;
            script.end_ns = 10 * kMs;
            if (name == "setup" && !says_ready) script.ready_ns = {};
            return script;
        };
        node.run();
        ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence();
        EXPECT_EQ(node.sentence(), "every unit of etc/x.cbor has ended");
        EXPECT_NE(node.kernel.trace().find("start main"), std::string::npos);
    }
    auto failing = specs;
    failing[0].restart = Restart::never;
    failing[0].essential = false;
    Supervised node(failing, Strategy::one_for_one, 1, 1000);
    node.kernel.script = [](const std::string&, std::uint32_t) {
        Script script;
        script.ready_ns = {};
        script.end_ns = 10 * kMs;
        script.end_status = 1;
        return script;
    };
    node.run();
    ASSERT_TRUE(node.end && !node.end->is_ok);
    EXPECT_EQ(node.sentence(), "main cannot start: it needs setup, which failed for good");
}

TEST(Supervisor, FiveHundredUnits) {
    std::vector<Spec> specs;
    for (int i = 0; i < 500; ++i) {
        specs.push_back({"unit-" + std::to_string(i), {}, Restart::on_failure, true, true});
        if (i != 0) specs.back().needs = {"unit-" + std::to_string(i / 2)};
        if (i / 2 == i) specs.back().needs.clear();
    }
    Supervised node(specs, Strategy::rest_for_one, 6, 60'000);
    node.kernel.script = [](const std::string& name, std::uint32_t start) {
        Script script;
        if (name == "unit-7" && start == 1) script.end_ns = 50 * kMs, script.end_status = 1;
        if (name == "unit-499") script.end_ns = 500 * kMs, script.last_words = "done";
        return script;
    };
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok) << node.sentence();
    EXPECT_EQ(node.kernel.living(), 0u);
}

TEST(Supervisor, AFailureThatAUnitReportsIsTheSentence) {
    Supervised node(services(), Strategy::rest_for_one, 6, 60'000);
    node.kernel.script = [](const std::string& name, std::uint32_t) {
        Script script;
        if (name == "memory") script.end_ns = 5 * kMs, script.last_words = "failed", script.end_status = 1;
        return script;
    };
    node.run();
    ASSERT_TRUE(node.end && !node.end->is_ok);
    EXPECT_EQ(node.sentence(), "memory failed: memory says so");
}

// A run that ends while a unit is being loaded waits for it and takes it down.
TEST(Supervisor, TheEndTakesDownWhatIsBeingLoaded) {
    Supervised node({{"quick", {}, Restart::never, true, true}, {"slow", {}, Restart::never, true, true}},
                    Strategy::one_for_one, 1, 1000);
    node.kernel.script = [](const std::string& name, std::uint32_t) {
        Script script;
        if (name == "slow") script.load_ns = 500 * kMs;
        if (name == "quick") script.end_ns = 20 * kMs, script.last_words = "done";
        return script;
    };
    node.run();
    ASSERT_TRUE(node.end && node.end->is_ok);
    EXPECT_EQ(node.kernel.living(), 0u) << node.kernel.trace();
}

} // namespace
} // namespace aios::orchestration
