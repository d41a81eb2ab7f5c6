// Graphs: limits, description, run.
#include "runtime/orchestration/graph.hpp"

#include <algorithm>

namespace aios::orchestration {

namespace {

Result<> check_cost(double cost) { return cost < 0 ? fail(Error::bad_format) : Result<>(); }

} // namespace

Result<> check_facts(const std::vector<std::string>& facts, std::size_t most) {
    if (facts.size() > most) return fail(Error::too_large);
    for (const std::string& fact : facts)
        if (fact.empty() || fact.size() > kMaxFactBytes) return fail(Error::bad_format);
    return {};
}

Result<> check_action(const Action& action) {
    if (action.intent.empty() || action.intent.size() > ipc::kMaxIntentNameBytes) return fail(Error::bad_format);
    TRY(check_facts(action.preconditions, kMaxFactsEach));
    TRY(check_facts(action.effects, kMaxFactsEach));
    return check_cost(action.cost);
}

Result<Graph> checked_graph(std::vector<GraphNode> nodes) {
    if (nodes.size() > kMaxGraphNodes) return fail(Error::too_large);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        for (const std::uint64_t need : nodes[i].needs)
            if (need >= i) return fail(Error::bad_format);
        TRY(check_cost(nodes[i].cost));
    }
    return Graph{std::move(nodes)};
}

std::string Graph::describe() const {
    std::string text;
    for (const GraphNode& node : nodes) {
        if (!text.empty()) text += "; ";
        text += node.intent;
        for (std::size_t i = 0; i < node.needs.size(); ++i) {
            text += (i == 0 ? " after " : ", ") + nodes[node.needs[i]].intent;
        }
    }
    return text;
}

std::vector<std::size_t> GraphRun::startable() const {
    std::vector<std::size_t> nodes;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const auto& needs = graph_.nodes[i].needs;
        if (states_[i] == State::waiting &&
            std::ranges::all_of(needs, [&](std::uint64_t need) { return states_[need] == State::done; })) {
            nodes.push_back(i);
        }
    }
    return nodes;
}

bool GraphRun::is_complete() const {
    return std::ranges::all_of(states_, [](State state) { return state == State::done; });
}

bool GraphRun::has_failed() const {
    return std::ranges::any_of(states_, [](State state) { return state == State::failed; });
}

} // namespace aios::orchestration
