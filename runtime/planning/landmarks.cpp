// See landmarks.hpp.
#include "runtime/planning/landmarks.hpp"

#include <algorithm>
#include <map>

namespace aios::planning {

namespace {
bool has(const std::uint64_t* set, std::size_t i) { return (set[i / 64] >> (i % 64) & 1) != 0; }
void put(std::uint64_t* set, std::size_t i) { set[i / 64] |= std::uint64_t{1} << (i % 64); }
} // namespace

Landmarks::Landmarks(const GroundTask& task, Relaxed& relaxed, Budget& budget, std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    if (relaxed.estimate(task.initial) == kDeadEnd) return;
    // Every landmark is in every relaxed plan: no others need a look.
    std::vector<bool> candidate(task.fact_count), holds(task.fact_count);
    for (const FactId fact : task.initial)
        holds[fact] = true;
    for (const OperatorId op : relaxed.plan()) {
        for (const FactId fact : task.preconditions[op])
            candidate[fact] = true;
        for (const FactId fact : task.adds[op])
            candidate[fact] = true;
    }
    for (const FactId fact : task.goal)
        candidate[fact] = true;

    std::map<FactId, std::uint32_t> place;
    for (FactId fact = 0; fact < task.fact_count; ++fact) {
        const bool is_goal = std::ranges::binary_search(task.goal, fact);
        const bool late = std::chrono::steady_clock::now() > end || budget.ended() != Budget::Reason::none;
        if (!candidate[fact] || (late && !is_goal)) continue;
        std::vector<bool> reached;
        if (!is_goal && (holds[fact] || relaxed.reaches_without(task.initial, fact, reached))) continue;
        place.emplace(fact, static_cast<std::uint32_t>(facts_.size()));
        facts_.push_back(fact);
        is_goal_.push_back(is_goal);
    }
    before_.resize(facts_.size());
    behind_.resize(facts_.size());
    std::vector<std::vector<OperatorId>> makers(facts_.size());
    for (OperatorId op = 0; op < task.operator_count(); ++op)
        for (const FactId fact : task.adds[op])
            if (const auto at = place.find(fact); at != place.end()) makers[at->second].push_back(op);
    for (std::uint32_t i = 0; i < facts_.size() && std::chrono::steady_clock::now() < end; ++i) {
        if (holds[facts_[i]]) continue;
        std::vector<bool> reached;
        (void)relaxed.reaches_without(task.initial, facts_[i], reached);
        // What all operators need that can be the first to reach it.
        std::map<std::uint32_t, std::size_t> needed;
        std::size_t first_makers = 0;
        for (const OperatorId op : makers[i]) {
            const Lists::Range conditions = task.preconditions[op];
            if (!std::ranges::all_of(conditions, [&](FactId fact) { return reached[fact]; })) continue;
            ++first_makers;
            for (const FactId fact : conditions)
                if (const auto at = place.find(fact); at != place.end()) ++needed[at->second];
        }
        for (const auto& [other, times] : needed) {
            if (times != first_makers || other == i) continue;
            before_[i].push_back(other);
            behind_[other].push_back(i);
        }
    }
}

void Landmarks::initial(const std::vector<bool>& state, std::uint64_t* after) const {
    std::fill_n(after, words(), 0);
    for (std::size_t i = 0; i < facts_.size(); ++i)
        if (state[facts_[i]] && before_[i].empty()) put(after, i);
}

void Landmarks::progress(const std::uint64_t* before, const std::vector<bool>& state, std::uint64_t* after) const {
    std::copy_n(before, words(), after);
    for (std::size_t i = 0; i < facts_.size(); ++i) {
        if (has(before, i) || !state[facts_[i]]) continue;
        if (std::ranges::all_of(before_[i], [&](std::uint32_t one) { return has(before, one); })) put(after, i);
    }
}

std::uint32_t Landmarks::count(const std::uint64_t* reached, const std::vector<bool>& state) const {
    std::uint32_t open = 0;
    for (std::size_t i = 0; i < facts_.size(); ++i) {
        if (!has(reached, i)) {
            ++open;
        } else if (!state[facts_[i]]) {
            const bool again =
                is_goal_[i] || std::ranges::any_of(behind_[i], [&](std::uint32_t one) { return !has(reached, one); });
            open += again ? 1 : 0;
        }
    }
    return open;
}

} // namespace aios::planning
