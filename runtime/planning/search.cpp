// See search.hpp.
#include "runtime/planning/search.hpp"

#include <algorithm>
#include <deque>
#include <map>

#include "runtime/planning/landmarks.hpp"
#include "runtime/planning/states.hpp"

namespace aios::planning {

namespace {

struct Edge { // a state that is not made yet: lazy evaluation
    StateId parent;
    OperatorId op;
};

// Edges by key, the oldest of the least key first.
class OpenList {
public:
    void push(std::uint64_t key, Edge edge) {
        buckets_[key].push_back(edge);
        ++size_;
    }
    Edge pop() {
        const auto first = buckets_.begin();
        const Edge edge = first->second.front();
        first->second.pop_front();
        if (first->second.empty()) buckets_.erase(first);
        --size_;
        return edge;
    }
    [[nodiscard]] bool is_empty() const { return size_ == 0; }
    [[nodiscard]] std::uint64_t bytes() const { return size_ * sizeof(Edge); }

    std::int64_t priority = 0; // the list with the least is asked next

private:
    std::map<std::uint64_t, std::deque<Edge>> buckets_;
    std::uint64_t size_ = 0;
};

constexpr std::int64_t kBoost = 1000; // for the lists of preferred operators, at each progress

class LazySearch {
public:
    // `weight` 0: greedy. `bound`: only plans below this cost.
    LazySearch(const GroundTask& task, Relaxed& relaxed, const Landmarks& landmarks, Budget& budget,
               std::uint32_t weight, std::uint64_t bound)
        : task_(task), relaxed_(relaxed), landmarks_(landmarks), budget_(budget), weight_(weight), bound_(bound),
          states_(task.fact_count, landmarks.words()) {}

    Answer run(FoundPlan& plan) {
        std::vector<std::uint64_t> start((task_.fact_count + 63) / 64);
        for (const FactId fact : task_.initial)
            set(start, fact);
        if (visit(start, {kNoState, 0})) return finish(plan, 0);
        while (budget_.allows(bytes())) {
            OpenList* list = nullptr;
            for (OpenList& one : lists_)
                if (!one.is_empty() && (list == nullptr || one.priority < list->priority)) list = &one;
            if (list == nullptr) return Answer::no_plan;
            ++list->priority;
            const Edge edge = list->pop();
            std::vector<std::uint64_t>& facts = scratch_;
            facts.assign(states_.facts(edge.parent), states_.facts(edge.parent) + states_.words());
            for (const FactId fact : task_.deletes[edge.op])
                facts[fact / 64] &= ~(std::uint64_t{1} << (fact % 64));
            for (const FactId fact : task_.adds[edge.op])
                set(facts, fact);
            if (visit(facts, edge)) return finish(plan, goal_);
        }
        return Answer::gave_up;
    }

private:
    static void set(std::vector<std::uint64_t>& facts, FactId fact) {
        facts[fact / 64] |= std::uint64_t{1} << (fact % 64);
    }
    [[nodiscard]] std::uint64_t bytes() const {
        std::uint64_t sum = states_.bytes();
        for (const OpenList& one : lists_)
            sum += one.bytes();
        return sum;
    }

    // A state as it is reached. true: it is a goal.
    bool visit(const std::vector<std::uint64_t>& facts, Edge edge) {
        const std::uint64_t cost =
            edge.parent == kNoState ? 0 : states_.origin(edge.parent).cost + task_.costs[edge.op];
        if (cost >= bound_) return false;
        const auto [id, is_new] = states_.insert(facts);
        States::Origin& origin = states_.origin(id);
        // A* looks at a state again when it is reached more cheaply.
        if (!is_new && (weight_ == 0 || cost >= origin.cost)) return false;
        origin = {edge.parent, edge.op, cost};
        ++expanded_;

        current_.clear();
        flags_.assign(task_.fact_count, false);
        for (std::size_t word = 0; word < facts.size(); ++word) {
            for (std::uint64_t rest = facts[word]; rest != 0; rest &= rest - 1) {
                const auto fact = static_cast<FactId>(word * 64 + static_cast<unsigned>(std::countr_zero(rest)));
                current_.push_back(fact);
                flags_[fact] = true;
            }
        }
        if (std::ranges::all_of(task_.goal, [&](FactId fact) { return flags_[fact]; })) {
            goal_ = id;
            return true;
        }
        if (edge.parent == kNoState) {
            landmarks_.initial(flags_, states_.landmarks(id));
        } else {
            landmarks_.progress(states_.landmarks(edge.parent), flags_, states_.landmarks(id));
        }
        const std::uint32_t far = relaxed_.estimate(current_);
        if (far == kDeadEnd) return false;
        const std::uint32_t open = landmarks_.count(states_.landmarks(id), flags_);
        if (far < best_far_ || open < best_open_)
            for (OpenList* one : {&lists_[1], &lists_[3]})
                one->priority -= kBoost;
        best_far_ = std::min(best_far_, far);
        best_open_ = std::min(best_open_, open);
        const std::uint64_t key_far = weight_ == 0 ? far : cost + std::uint64_t{weight_} * far;
        const std::uint64_t key_open = weight_ == 0 ? open : cost + std::uint64_t{weight_} * open;
        for (const OperatorId op : relaxed_.preferred()) {
            lists_[1].push(key_far, {id, op});
            lists_[3].push(key_open, {id, op});
        }
        for (const OperatorId op : relaxed_.applicable()) {
            lists_[0].push(key_far, {id, op});
            lists_[2].push(key_open, {id, op});
        }
        return false;
    }

    Answer finish(FoundPlan& plan, StateId at) {
        plan = {};
        plan.cost = states_.origin(at).cost;
        plan.expanded = expanded_;
        for (; states_.origin(at).parent != kNoState; at = states_.origin(at).parent)
            plan.operators.push_back(states_.origin(at).op);
        std::ranges::reverse(plan.operators);
        return Answer::found;
    }

    const GroundTask& task_;
    Relaxed& relaxed_;
    const Landmarks& landmarks_;
    Budget& budget_;
    const std::uint32_t weight_;
    const std::uint64_t bound_;
    States states_;
    OpenList lists_[4]; // relaxed plan, its preferred operators; landmarks, the same
    std::vector<std::uint64_t> scratch_;
    std::vector<FactId> current_;
    std::vector<bool> flags_;
    std::uint64_t expanded_ = 0;
    std::uint32_t best_far_ = kDeadEnd, best_open_ = kDeadEnd;
    StateId goal_ = kNoState;
};

} // namespace

Answer search(const GroundTask& task, Budget& budget, Improve improve,
              const std::function<void(const FoundPlan&)>& report) {
    if (!task.solvable) return Answer::no_plan;
    Relaxed relaxed(task, CostKind::plus_one);
    const Landmarks landmarks(task, relaxed, budget, std::max(budget.left() / 10, std::chrono::milliseconds(100)));
    FoundPlan plan;
    const Answer first = LazySearch(task, relaxed, landmarks, budget, 0, ~std::uint64_t{0}).run(plan);
    if (first != Answer::found) return first;
    report(plan);
    if (improve == Improve::no) return Answer::found;
    for (const std::uint32_t weight : {5u, 3u, 2u, 1u}) {
        const Answer next = LazySearch(task, relaxed, landmarks, budget, weight, plan.cost).run(plan);
        if (next == Answer::gave_up || plan.cost == 0) break;
        if (next == Answer::found) report(plan);
    }
    return Answer::found;
}

} // namespace aios::planning
