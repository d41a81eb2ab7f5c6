// planner: makes an execution graph that leads from facts to a goal, out of the actions that agents offer at that
// moment.
#include "runtime/application/agent.hpp"
#include "services/planner/search.hpp"

namespace aios {
namespace {

Result<planner::Problem> read_problem(application::Agent& agent, const ipc::Slots& slots) {
    planner::Problem problem;
    const ipc::Value* initial = slots.find("initial");
    const ipc::Value* goal = slots.find("goal");
    if (initial == nullptr || goal == nullptr) return fail(Error::not_found);
    problem.initial = TRY(orchestration::texts_from(*initial, planner::kMaxFacts));
    problem.goal = TRY(orchestration::texts_from(*goal, orchestration::kMaxFactsEach));
    problem.actions = TRY(agent.actions());
    return problem;
}

application::Reply make(application::Agent& agent, const ipc::Incoming& request) {
    const auto problem = read_problem(agent, request.intent.slots);
    if (!problem)
        return ipc::refuse(request.intent, problem.error(), "plan.make needs initial and goal, arrays of facts");
    std::string why_not;
    const auto plan = planner::make_plan(*problem, why_not);
    if (!plan) return ipc::refuse(request.intent, plan.error(), why_not);
    return ipc::inform(request.intent, {{"graph", orchestration::to_value(plan->graph)},
                                        {"cost", plan->cost},
                                        {"looked_at", plan->expansions},
                                        {"offers", problem->actions.size()}});
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
