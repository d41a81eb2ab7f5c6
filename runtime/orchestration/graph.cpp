// Graphs: wire form, description, run.
#include "runtime/orchestration/graph.hpp"

#include <algorithm>
#include <cmath>

namespace aios::orchestration {

using ipc::Array;
using ipc::Value;

Value texts_value(const std::vector<std::string>& texts) {
    Array items;
    for (const auto& text : texts) {
        items.emplace_back(text);
    }
    return items;
}

Result<std::vector<std::string>> texts_from(const Value& value, std::size_t most) {
    const Array& items = *TRY(value.array());
    if (items.size() > most) return fail(Error::too_large);
    std::vector<std::string> texts;
    for (const Value& item : items) {
        const std::string_view text = TRY(item.text());
        if (text.empty() || text.size() > kMaxFactBytes) return fail(Error::bad_format);
        texts.emplace_back(text);
    }
    return texts;
}

namespace {

Result<const Array*> fields(const Value& value, std::size_t count) {
    const Array* items = TRY(value.array());
    if (items->size() != count) return fail(Error::bad_format);
    return items;
}

Result<double> cost_from(const Value& value) {
    const double cost = TRY(value.real());
    if (!std::isfinite(cost) || cost < 0) return fail(Error::bad_format);
    return cost;
}

} // namespace

Value to_value(const Action& action) {
    return Array{action.intent, texts_value(action.preconditions), texts_value(action.effects), action.cost};
}

Result<Action> action_from(const Value& value) {
    const Array& items = *TRY(fields(value, 4));
    Action action;
    action.intent = TRY(items[0].text());
    if (action.intent.empty() || action.intent.size() > ipc::kMaxIntentNameBytes) return fail(Error::bad_format);
    action.preconditions = TRY(texts_from(items[1], kMaxFactsEach));
    action.effects = TRY(texts_from(items[2], kMaxFactsEach));
    action.cost = TRY(cost_from(items[3]));
    return action;
}

Value to_value(const Graph& graph) {
    Array nodes;
    for (const GraphNode& node : graph.nodes) {
        Array needs;
        for (const std::uint32_t need : node.needs) {
            needs.emplace_back(need);
        }
        nodes.emplace_back(Array{node.intent, std::move(needs), node.cost});
    }
    return nodes;
}

Result<Graph> graph_from(const Value& value) {
    const Array& items = *TRY(value.array());
    if (items.size() > kMaxGraphNodes) return fail(Error::too_large);
    Graph graph;
    for (const Value& item : items) {
        const Array& parts = *TRY(fields(item, 3));
        GraphNode node;
        node.intent = TRY(parts[0].text());
        for (const Value& need : *TRY(parts[1].array())) {
            const std::int64_t index = TRY(need.integer());
            if (index < 0 || static_cast<std::size_t>(index) >= graph.nodes.size()) return fail(Error::bad_format);
            node.needs.push_back(static_cast<std::uint32_t>(index));
        }
        node.cost = TRY(cost_from(parts[2]));
        graph.nodes.push_back(std::move(node));
    }
    return graph;
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

std::vector<std::uint32_t> GraphRun::startable() const {
    std::vector<std::uint32_t> nodes;
    for (std::uint32_t i = 0; i < states_.size(); ++i) {
        const auto& needs = graph_.nodes[i].needs;
        if (states_[i] == State::waiting &&
            std::ranges::all_of(needs, [&](std::uint32_t need) { return states_[need] == State::done; })) {
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
