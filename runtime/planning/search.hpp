// Search for a plan: first greedily (lazy evaluation, relaxed plans and landmarks in turn, operators of the relaxed
// plan first), then, while time is left and the plan can get cheaper, by weighted A* with falling weights. Structure
// after LAMA (Richter and Westphal 2010). Bounded by the caller's budget; finds whatever plan exists if time and memory
// suffice.
#pragma once

#include <functional>

#include "runtime/planning/ground.hpp"

namespace aios::planning {

struct FoundPlan {
    std::vector<OperatorId> operators;
    std::uint64_t cost = 0;
    std::uint64_t expanded = 0; // states that were looked at in that search
};

enum class Improve : std::uint8_t { no, until_budget_ends };
enum class Answer : std::uint8_t {
    found,
    no_plan,
    gave_up
}; // no_plan: there is none. gave_up: see the budget's reason

// Calls `report` with each plan, each cheaper than the one before.
Answer search(const GroundTask& task, Budget& budget, Improve improve,
              const std::function<void(const FoundPlan&)>& report);

} // namespace aios::planning
