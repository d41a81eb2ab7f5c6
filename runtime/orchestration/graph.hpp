// Plans as data: the actions that agents declare, and the execution graph that the planner makes of them. A node may
// run once every node it needs is done; nodes without a path between them may run at the same time. Both travel in
// intents (abi/messages.def).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/owned.hpp"
#include "runtime/ipc/intent.hpp"

namespace aios::orchestration {

inline constexpr std::size_t kMaxActions = 256;
inline constexpr std::size_t kMaxFactsEach = 16; // preconditions or effects of one action, facts of a goal
inline constexpr std::size_t kMaxFactBytes = 64;
inline constexpr std::size_t kMaxGraphNodes = 64;

using Action = messages::owned::Action;
using GraphNode = messages::owned::GraphStep;

struct Graph {
    std::vector<GraphNode> nodes; // in an order in which they could run one after another
    // One line that a person can read: "a; b after a; c after a, b".
    [[nodiscard]] std::string describe() const;
};

// Limits on what came from another agent: bad_format, too_large; a graph whose needs do not point backwards is bad_format.
[[nodiscard]] Result<> check_facts(const std::vector<std::string>& facts, std::size_t most);
[[nodiscard]] Result<> check_action(const Action& action);
[[nodiscard]] Result<Graph> checked_graph(std::vector<GraphNode> nodes);

// The run of a graph, as a pure state machine: the owner starts what may start and reports what became of it.
class GraphRun {
public:
    explicit GraphRun(const Graph& graph) : graph_(graph), states_(graph.nodes.size(), State::waiting) {}
    // Nodes that may start now and have not been started.
    [[nodiscard]] std::vector<std::size_t> startable() const;
    void started(std::size_t node) { states_[node] = State::running; }
    void done(std::size_t node) { states_[node] = State::done; }
    void retry(std::size_t node) { states_[node] = State::waiting; }
    void failed(std::size_t node) { states_[node] = State::failed; }
    [[nodiscard]] bool is_complete() const;
    [[nodiscard]] bool has_failed() const;

private:
    enum class State : std::uint8_t { waiting, running, done, failed };
    const Graph& graph_;
    std::vector<State> states_;
};

} // namespace aios::orchestration
