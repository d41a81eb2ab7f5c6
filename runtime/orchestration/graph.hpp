// Plans as data: the actions that agents declare, and the execution graph that the planner makes of them. A node may
// run once every node it needs is done; nodes without a path between them may run at the same time. Both travel in
// intents (to_value, from_value).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/ipc/intent.hpp"

namespace aios::orchestration {

inline constexpr std::size_t kMaxActions = 256;
inline constexpr std::size_t kMaxFactsEach = 16; // preconditions or effects of one action, facts of a goal
inline constexpr std::size_t kMaxFactBytes = 64;
inline constexpr std::size_t kMaxGraphNodes = 64;

struct Action {
    std::string intent;                     // what to ask for
    std::vector<std::string> preconditions; // facts that must hold before
    std::vector<std::string> effects;       // facts that hold afterwards; "-fact" no longer holds
    double cost = 1;                        // >= 0, in any unit that all agents share
    bool operator==(const Action&) const = default;
};

struct GraphNode {
    std::string intent;
    std::vector<std::uint32_t> needs; // indices of nodes, all smaller than the own
    double cost = 0;
    bool operator==(const GraphNode&) const = default;
};

struct Graph {
    std::vector<GraphNode> nodes; // in an order in which they could run one after another
    bool operator==(const Graph&) const = default;
    // One line that a person can read: "a; b after a; c after a, b".
    [[nodiscard]] std::string describe() const;
};

[[nodiscard]] ipc::Value to_value(const Action& action);
[[nodiscard]] ipc::Value to_value(const Graph& graph);
// bad_format, too_large; a graph whose needs do not point backwards is bad_format.
[[nodiscard]] Result<Action> action_from(const ipc::Value& value);
[[nodiscard]] Result<Graph> graph_from(const ipc::Value& value);
[[nodiscard]] ipc::Value texts_value(const std::vector<std::string>& texts);
[[nodiscard]] Result<std::vector<std::string>> texts_from(const ipc::Value& value, std::size_t most);

// The run of a graph, as a pure state machine: the owner starts what may start and reports what became of it.
class GraphRun {
public:
    explicit GraphRun(const Graph& graph) : graph_(graph), states_(graph.nodes.size(), State::waiting) {}
    // Nodes that may start now and have not been started.
    [[nodiscard]] std::vector<std::uint32_t> startable() const;
    void started(std::uint32_t node) { states_[node] = State::running; }
    void done(std::uint32_t node) { states_[node] = State::done; }
    void retry(std::uint32_t node) { states_[node] = State::waiting; }
    void failed(std::uint32_t node) { states_[node] = State::failed; }
    [[nodiscard]] bool is_complete() const;
    [[nodiscard]] bool has_failed() const;

private:
    enum class State : std::uint8_t { waiting, running, done, failed };
    const Graph& graph_;
    std::vector<State> states_;
};

} // namespace aios::orchestration
