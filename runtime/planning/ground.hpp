// From a task with parameters to one without: every action that can ever be applied when nothing is ever deleted, with
// its objects. What is always so, and what no condition asks for, is left out. A negative condition becomes a fact of
// its own, which is true where the other is not.
#pragma once

#include <optional>

#include "runtime/planning/budget.hpp"
#include "runtime/planning/pddl.hpp"

namespace aios::planning {

using FactId = std::uint32_t;
using OperatorId = std::uint32_t;

// Lists of numbers, one after another in one block.
class Lists {
public:
    void push_list(const std::vector<FactId>& list) {
        items_.insert(items_.end(), list.begin(), list.end());
        ends_.push_back(static_cast<std::uint32_t>(items_.size()));
    }
    [[nodiscard]] std::size_t size() const { return ends_.size(); }
    [[nodiscard]] const FactId* begin_of(std::size_t i) const { return items_.data() + (i == 0 ? 0 : ends_[i - 1]); }
    [[nodiscard]] const FactId* end_of(std::size_t i) const { return items_.data() + ends_[i]; }
    struct Range {
        const FactId *first, *last;
        [[nodiscard]] const FactId* begin() const { return first; }
        [[nodiscard]] const FactId* end() const { return last; }
        [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(last - first); }
    };
    [[nodiscard]] Range operator[](std::size_t i) const { return {begin_of(i), end_of(i)}; }
    [[nodiscard]] std::uint64_t bytes() const { return items_.size() * sizeof(FactId) + ends_.size() * 4; }

private:
    std::vector<FactId> items_;
    std::vector<std::uint32_t> ends_;
};

struct Step { // an action with its objects
    std::uint32_t action;
    std::vector<Term> arguments;
};

struct GroundTask {
    std::uint32_t fact_count = 0;
    Lists preconditions, adds, deletes; // of each operator
    std::vector<std::uint32_t> costs;   // 1 each where the task has no costs
    std::vector<Step> steps;            // what each operator is
    std::vector<FactId> initial, goal;  // sorted
    bool solvable = true;               // false: the goal cannot be reached even when nothing is deleted
    [[nodiscard]] std::size_t operator_count() const { return costs.size(); }
};

// Empty when the budget ended.
std::optional<GroundTask> ground(const Task& task, Budget& budget);

} // namespace aios::planning
