// See relaxed.hpp.
#include "runtime/planning/relaxed.hpp"

#include <algorithm>

namespace aios::planning {

namespace {
constexpr std::uint32_t kInfinite = ~std::uint32_t{0};
constexpr std::uint32_t kMostCost = 50'000'000; // sums stay far below 32 bits
constexpr std::size_t kBuckets = 100'000;       // costs above share the last one, which is sorted when it is met
constexpr OperatorId kNobody = ~OperatorId{0};
} // namespace

Relaxed::Relaxed(const GroundTask& task, CostKind kind)
    : task_(task), base_cost_(task.operator_count()), start_counter_(task.operator_count()),
      sum_(task.operator_count()), facts_(task.fact_count), is_goal_(task.fact_count), in_plan_(task.operator_count()) {
    std::vector<std::vector<FactId>> users(task.fact_count);
    for (OperatorId op = 0; op < task.operator_count(); ++op) {
        const std::uint32_t cost = task.costs[op] + (kind == CostKind::plus_one ? 1 : 0);
        base_cost_[op] = std::min(cost, kMostCost);
        start_counter_[op] = static_cast<std::uint32_t>(task.preconditions[op].size());
        if (start_counter_[op] == 0) unconditional_.push_back(op);
        for (const FactId fact : task.preconditions[op])
            users[fact].push_back(op);
    }
    for (const auto& list : users)
        users_.push_list(list);
    for (const FactId fact : task.goal)
        is_goal_[fact] = true;
}

std::uint64_t Relaxed::bytes() const { return users_.bytes() + task_.operator_count() * 18 + task_.fact_count * 20; }

void Relaxed::enqueue(FactId fact, std::uint32_t cost, OperatorId supporter) {
    if (facts_[fact].cost <= cost) return;
    facts_[fact] = {cost, supporter, false};
    const std::size_t bucket = std::min<std::size_t>(cost, kBuckets - 1);
    if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
    buckets_[bucket].push_back(fact);
}

// Dijkstra's algorithm over facts. Stops when all goals are settled. Those facts whose cost lies in the last bucket may
// be settled a little out of order: the estimate is none the worse for it.
void Relaxed::explore() {
    auto settle = [&](OperatorId op) {
        for (const FactId fact : task_.adds[op])
            enqueue(fact, std::min(sum_[op] + base_cost_[op], kMostCost), op);
    };
    for (const OperatorId op : unconditional_) {
        applicable_.push_back(op);
        settle(op);
    }
    for (std::size_t cost = 0; cost < buckets_.size(); ++cost) {
        for (std::size_t i = 0; i < buckets_[cost].size(); ++i) {
            const FactId fact = buckets_[cost][i];
            if (facts_[fact].cost < cost || facts_[fact].marked) continue; // settled before
            facts_[fact].marked = true;
            if (is_goal_[fact] && --goals_open_ == 0) return;
            for (const OperatorId op : users_[fact]) {
                sum_[op] = std::min(sum_[op] + facts_[fact].cost, kMostCost);
                if (--counter_[op] != 0) continue;
                if (sum_[op] == 0 && facts_[fact].supporter == kNobody) applicable_.push_back(op);
                settle(op);
            }
        }
    }
}

std::uint32_t Relaxed::estimate(const std::vector<FactId>& state) {
    counter_ = start_counter_;
    std::ranges::fill(sum_, 0);
    std::ranges::fill(facts_, Fact{kInfinite, kNobody, false});
    for (auto& bucket : buckets_)
        bucket.clear();
    applicable_.clear();
    goals_open_ = static_cast<std::uint32_t>(task_.goal.size());
    for (const FactId fact : state)
        enqueue(fact, 0, kNobody);
    explore();
    if (goals_open_ != 0) return kDeadEnd;
    return extract();
}

// The relaxed plan: for each goal its cheapest supporter, and so on back. Its cost is the estimate.
std::uint32_t Relaxed::extract() {
    plan_.clear();
    preferred_.clear();
    for (Fact& fact : facts_)
        fact.marked = false;
    stack_ = {task_.goal.begin(), task_.goal.end()};
    std::uint64_t total = 0;
    while (!stack_.empty()) {
        const FactId fact = stack_.back();
        stack_.pop_back();
        if (std::exchange(facts_[fact].marked, true)) continue;
        const OperatorId op = facts_[fact].supporter;
        if (op == kNobody || in_plan_[op]) continue;
        in_plan_[op] = true;
        plan_.push_back(op);
        total += base_cost_[op];
        bool first = true;
        for (const FactId before : task_.preconditions[op]) {
            first = first && facts_[before].supporter == kNobody;
            stack_.push_back(before);
        }
        if (first) preferred_.push_back(op);
    }
    for (const OperatorId op : plan_)
        in_plan_[op] = false;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(total, kDeadEnd - 1));
}

bool Relaxed::reaches_without(const std::vector<FactId>& state, FactId without, std::vector<bool>& reached) {
    reached.assign(task_.fact_count, false);
    counter_ = start_counter_;
    std::vector<FactId> open;
    auto reach = [&](FactId fact) {
        if (fact == without || reached[fact]) return;
        reached[fact] = true;
        open.push_back(fact);
    };
    for (const FactId fact : state)
        reach(fact);
    for (const OperatorId op : unconditional_)
        for (const FactId fact : task_.adds[op])
            reach(fact);
    while (!open.empty()) {
        const FactId fact = open.back();
        open.pop_back();
        for (const OperatorId op : users_[fact]) {
            if (--counter_[op] != 0) continue;
            for (const FactId made : task_.adds[op])
                reach(made);
        }
    }
    return std::ranges::all_of(task_.goal, [&](FactId fact) { return reached[fact]; });
}

} // namespace aios::planning
