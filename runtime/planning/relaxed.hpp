// The relaxed task, in which nothing is deleted: estimates of how far a state is from the goal (h_FF over h_add:
// Hoffmann and Nebel 2001, Bonet and Geffner 2001), and which operators a relaxed plan would begin with.
#pragma once

#include "runtime/planning/ground.hpp"

namespace aios::planning {

inline constexpr std::uint32_t kDeadEnd = ~std::uint32_t{0};

enum class CostKind : std::uint8_t {
    as_given,
    plus_one
}; // plus_one: 1 more for each operator, so that length counts too

class Relaxed {
public:
    Relaxed(const GroundTask& task, CostKind kind);

    // The estimate for the state (facts that hold); kDeadEnd: no plan from here. Afterwards applicable() and
    // preferred() speak of it.
    std::uint32_t estimate(const std::vector<FactId>& state);
    [[nodiscard]] const std::vector<OperatorId>& applicable() const { return applicable_; } // not after a dead end
    [[nodiscard]] const std::vector<OperatorId>& preferred() const { return preferred_; }
    // The operators of the last relaxed plan.
    [[nodiscard]] const std::vector<OperatorId>& plan() const { return plan_; }
    // Whether the goal is reachable from `state` without operators that add `without`; `reached` is what is, as a flag
    // for each fact.
    bool reaches_without(const std::vector<FactId>& state, FactId without, std::vector<bool>& reached);
    [[nodiscard]] const Lists& users() const { return users_; }
    [[nodiscard]] std::uint64_t bytes() const;

private:
    struct Fact {
        std::uint32_t cost;
        OperatorId supporter;
        bool marked;
    };
    void enqueue(FactId fact, std::uint32_t cost, OperatorId supporter);
    void explore();
    std::uint32_t extract();

    const GroundTask& task_;
    Lists users_; // of each fact, the operators that need it
    std::vector<OperatorId> unconditional_;
    std::vector<std::uint32_t> base_cost_, start_counter_, counter_, sum_;
    std::vector<Fact> facts_;
    std::vector<std::vector<FactId>> buckets_;
    std::vector<bool> is_goal_, in_plan_;
    std::uint32_t goals_open_ = 0;
    std::vector<OperatorId> applicable_, preferred_, plan_;
    std::vector<FactId> stack_;
};

} // namespace aios::planning
