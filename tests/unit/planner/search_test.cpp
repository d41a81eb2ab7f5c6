// The planner: cheapest plans against an exhaustive search, graphs that keep only the orders that matter, reasons for
// failure.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "services/planner/search.hpp"

namespace aios::planner {
namespace {

using orchestration::Action;
using orchestration::Graph;
using orchestration::GraphNode;
using State = std::set<std::string>;

bool applicable(const Action& action, const State& state) {
    return std::ranges::all_of(action.preconditions, [&](const auto& fact) { return state.contains(fact); });
}

State apply(const Action& action, State state) {
    for (const auto& effect : action.effects) {
        if (effect.starts_with('-')) state.erase(effect.substr(1));
    }
    for (const auto& effect : action.effects) {
        if (!effect.starts_with('-')) state.insert(effect);
    }
    return state;
}

bool holds(const std::vector<std::string>& goal, const State& state) {
    return std::ranges::all_of(goal, [&](const auto& fact) { return state.contains(fact); });
}

// Cheapest cost by relaxing over all reachable states; negative if there is none.
double exhaustive(const Problem& problem) {
    std::map<State, double> best{{State(problem.initial.begin(), problem.initial.end()), 0}};
    for (bool changed = true; changed;) {
        changed = false;
        const auto known = best;
        for (const auto& [state, cost] : known) {
            for (const Action& action : problem.actions) {
                if (!applicable(action, state)) continue;
                const State next = apply(action, state);
                const auto found = best.find(next);
                if (found == best.end() || cost + action.cost < found->second - 1e-9) {
                    best[next] = cost + action.cost;
                    changed = true;
                }
            }
        }
    }
    double result = -1;
    for (const auto& [state, cost] : best) {
        if (holds(problem.goal, state) && (result < 0 || cost < result)) result = cost;
    }
    return result;
}

const Action& action_of(const Problem& problem, const std::string& intent) {
    return *std::ranges::find(problem.actions, intent, &Action::intent);
}

// Runs the graph in a random order that its needs allow: every precondition must hold when its node runs.
void run_in_random_order(const Problem& problem, const Graph& graph, std::mt19937& random) {
    orchestration::GraphRun run(graph);
    State state(problem.initial.begin(), problem.initial.end());
    while (!run.is_complete()) {
        const auto nodes = run.startable();
        ASSERT_FALSE(nodes.empty());
        const auto node = nodes[random() % nodes.size()];
        const Action& action = action_of(problem, graph.nodes[node].intent);
        ASSERT_TRUE(applicable(action, state)) << action.intent << " in " << graph.describe();
        state = apply(action, state);
        run.started(node);
        run.done(node);
    }
    EXPECT_TRUE(holds(problem.goal, state));
}

TEST(Planner, DeskPlan) {
    const Problem problem{{{"documents.take_in", {"documents.available"}, {"memory.ready"}, 10},
                           {"question.answer", {"memory.ready", "question.asked"}, {"answer.proposed"}, 2},
                           {"answer.check", {"answer.proposed"}, {"answer.checked"}, 1},
                           {"memory.audit", {"memory.ready"}, {"memory.audited"}, 1}},
                          {"documents.available", "question.asked"},
                          {"answer.checked"}};
    std::string why;
    const auto plan = make_plan(problem, why);
    ASSERT_TRUE(plan) << why;
    EXPECT_EQ(plan->graph.describe(),
              "documents.take_in; question.answer after documents.take_in; answer.check after question.answer");
    EXPECT_EQ(plan->cost, 13);
}

TEST(Planner, IndependentStepsAreNotOrdered) {
    const Problem problem{
        {{"left", {}, {"l"}, 1}, {"right", {}, {"r"}, 1}, {"join", {"l", "r"}, {"done"}, 1}}, {}, {"done"}};
    std::string why;
    const auto plan = make_plan(problem, why);
    ASSERT_TRUE(plan);
    ASSERT_EQ(plan->graph.nodes.size(), 3u);
    EXPECT_TRUE(plan->graph.nodes[0].needs.empty());
    EXPECT_TRUE(plan->graph.nodes[1].needs.empty());
    EXPECT_EQ(plan->graph.nodes[2].needs.size(), 2u);
}

TEST(Planner, SaysWhatIsMissing) {
    std::string why;
    const auto plan = make_plan({{{"a", {"x", "y"}, {"goal"}, 1}, {"b", {}, {"x"}, 1}}, {}, {"goal"}}, why);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error(), Error::not_found);
    EXPECT_EQ(why, "no agent gives: y");
}

TEST(Planner, GoalThatHoldsNeedsNothing) {
    std::string why;
    const auto plan = make_plan({{{"a", {}, {"goal"}, 1}}, {"goal"}, {"goal"}}, why);
    ASSERT_TRUE(plan);
    EXPECT_TRUE(plan->graph.nodes.empty());
}

TEST(Planner, RandomProblemsAgainstExhaustiveSearch) {
    std::mt19937 random(7);
    int solved = 0;
    for (int round = 0; round < 300; ++round) {
        Problem problem;
        auto fact = [&] { return std::string(1, static_cast<char>('a' + random() % 6)); };
        for (int i = 0; i < 6; ++i) {
            Action action{"act" + std::to_string(i), {}, {}, 1.0 + random() % 5};
            for (unsigned n = random() % 3; n > 0; --n) {
                action.preconditions.push_back(fact());
            }
            action.effects.push_back(fact());
            if (random() % 2 == 0) action.effects.push_back("-" + fact());
            problem.actions.push_back(action);
        }
        problem.initial = {fact()};
        problem.goal = {fact(), fact()};
        std::string why;
        const auto plan = make_plan(problem, why);
        const double expected = exhaustive(problem);
        ASSERT_EQ(plan.has_value(), expected >= 0) << "round " << round;
        if (!plan) continue;
        ++solved;
        EXPECT_NEAR(plan->cost, expected, 1e-9) << "round " << round;
        for (int order = 0; order < 5; ++order) {
            run_in_random_order(problem, plan->graph, random);
        }
    }
    EXPECT_GT(solved, 50);
}

TEST(Planner, GraphsAreCheckedWhenTheyArrive) {
    const std::vector<GraphNode> steps = {{"a", {}, 1}, {"b", {0}, 2.5}};
    const auto graph = orchestration::checked_graph(steps);
    ASSERT_TRUE(graph);
    EXPECT_EQ(graph->describe(), "a; b after a");
    EXPECT_FALSE(orchestration::checked_graph({{"a", {1}, 1}, {"b", {}, 2.5}}));
    EXPECT_FALSE(orchestration::checked_graph({{"a", {0}, 1}}));
    EXPECT_FALSE(orchestration::checked_graph({{"a", {}, -1}}));
    EXPECT_FALSE(orchestration::checked_graph(std::vector<GraphNode>(orchestration::kMaxGraphNodes + 1)));
    EXPECT_TRUE(orchestration::check_action({"a", {"x"}, {"y", "-x"}, 3}));
    EXPECT_FALSE(orchestration::check_action({"", {"x"}, {"y"}, 3}));
    EXPECT_FALSE(orchestration::check_action({"a", {""}, {"y"}, 3}));
    EXPECT_FALSE(orchestration::check_action({"a", {}, std::vector<std::string>(17, "y"), 3}));
}

} // namespace
} // namespace aios::planner
