// planner: makes an execution graph that leads from facts to a goal, out of the actions that agents offer at that
// moment.
#include "runtime/application/agent.hpp"
#include "runtime/ipc/slots_codec.hpp"
#include "services/planner/search.hpp"

namespace aios {
namespace {

Result<planner::Problem> read_problem(application::Agent& agent, const ipc::Slots& slots) {
    const auto asked = TRY(ipc::from_slots<messages::owned::PlanMake>(slots));
    TRY(orchestration::check_facts(asked.initial, planner::kMaxFacts));
    TRY(orchestration::check_facts(asked.goal, orchestration::kMaxFactsEach));
    return planner::Problem{.actions = TRY(agent.actions()), .initial = asked.initial, .goal = asked.goal};
}

application::Reply make(application::Agent& agent, const ipc::Incoming& request) {
    const auto problem = read_problem(agent, request.intent.slots);
    if (!problem)
        return ipc::refuse(request.intent, problem.error(), "plan.make needs initial and goal, arrays of facts");
    std::string why_not;
    const auto plan = planner::make_plan(*problem, why_not);
    if (!plan) return ipc::refuse(request.intent, plan.error(), why_not);
    return ipc::inform(request.intent, messages::owned::PlanMade{.cost = plan->cost,
                                                                 .graph = plan->graph.nodes,
                                                                 .offers = problem->actions.size(),
                                                                 .looked_at = plan->expansions});
}

} // namespace
} // namespace aios

int main() {
    aios::application::Agent agent;
    agent.offer({.intent = "plan.make",
                 .description = "makes a plan, an execution graph of actions, from facts to a goal",
                 .inputs = {{"initial", aios::ipc::ValueType::array}, {"goal", aios::ipc::ValueType::array}}},
                [&](auto& request) { return aios::make(agent, request); });
    return agent.run();
}
