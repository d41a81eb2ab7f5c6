// The planner's search: the cheapest sequence of actions from a set of facts to a goal (A* with the admissible h-max
// estimate), then loosened into a graph that keeps only the orders that matter: who gives a fact before who needs it,
// and who takes a fact away after who needs it. Bounded by kMaxExpansions states.
#pragma once

#include <string>
#include <vector>

#include "runtime/orchestration/graph.hpp"

namespace aios::planner {

inline constexpr std::size_t kMaxFacts = 256;        // different facts in one problem
inline constexpr std::size_t kMaxExpansions = 20000; // states looked at before the search gives up

struct Problem {
    std::vector<orchestration::Action> actions;
    std::vector<std::string> initial;
    std::vector<std::string> goal;
};

struct Plan {
    orchestration::Graph graph; // empty if the goal holds already
    double cost = 0;
    std::size_t expansions = 0;
};

// not_found (no plan), too_large (limits), bad_format (an empty or overlong fact). On failure `why_not` is a sentence,
// which names the facts that nothing gives.
Result<Plan> make_plan(const Problem& problem, std::string& why_not);

} // namespace aios::planner
