// Landmarks: facts that hold at some time in every plan, found by what a relaxed plan cannot do without, with the
// orders in which they must come (greedy-necessary: every operator that first reaches the later one needs the earlier
// one). Their count estimates how far a state on a path is from the goal (Richter, Helmert and Westphal 2008).
#pragma once

#include "runtime/planning/relaxed.hpp"

namespace aios::planning {

class Landmarks {
public:
    // May stop early, when the time for it is over: then there are fewer.
    Landmarks(const GroundTask& task, Relaxed& relaxed, Budget& budget, std::chrono::milliseconds time);

    [[nodiscard]] std::size_t size() const { return facts_.size(); }
    [[nodiscard]] std::size_t words() const { return (facts_.size() + 63) / 64; } // of a set of landmarks, a bit each
    // Which were reached on the way to `state` (flags of its facts): those of the state before, and what newly holds
    // and was due.
    void progress(const std::uint64_t* before, const std::vector<bool>& state, std::uint64_t* after) const;
    void initial(const std::vector<bool>& state, std::uint64_t* after) const;
    // How many are still to come, or must come once more.
    [[nodiscard]] std::uint32_t count(const std::uint64_t* reached, const std::vector<bool>& state) const;

private:
    std::vector<FactId> facts_;
    std::vector<bool> is_goal_;
    std::vector<std::vector<std::uint32_t>> before_, behind_; // orders, by place in facts_
};

} // namespace aios::planning
