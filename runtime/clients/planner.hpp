// The planner as others see it: found through the broker, it makes a graph of intents that leads from facts to a goal.
#pragma once

#include "runtime/clients/ask.hpp"
#include "runtime/orchestration/graph.hpp"

namespace aios::clients {

// bad_format or too_large for a graph that cannot be run. `why_not` gets the planner's sentence when there is no plan.
[[nodiscard]] inline Result<orchestration::Graph> make_plan(ipc::Peer& planner, const messages::owned::PlanMake& wanted,
                                                            std::uint64_t deadline, std::string* why_not = nullptr) {
    auto answer = TRY(ask(planner, wanted, {.deadline = deadline, .why_not = why_not}));
    return orchestration::checked_graph(std::move(answer.slots.graph));
}

} // namespace aios::clients
