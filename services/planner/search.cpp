#include "services/planner/search.hpp"

#include <algorithm>
#include <bitset>
#include <limits>
#include <map>
#include <queue>
#include <unordered_map>

namespace aios::planner {
namespace {

using orchestration::Action;
using Facts = std::bitset<kMaxFacts>;
constexpr double kInfinite = std::numeric_limits<double>::infinity();

struct Operator {
    Facts needs, adds, removes;
    double cost = 0;
    std::size_t action = 0;
};

// Facts by number.
class Dictionary {
public:
    Result<std::size_t> number(const std::string& fact) {
        if (fact.empty() || fact.size() > orchestration::kMaxFactBytes) return fail(Error::bad_format);
        const auto [at, is_new] = numbers_.try_emplace(fact, names_.size());
        if (is_new) {
            if (names_.size() == kMaxFacts) return fail(Error::too_large);
            names_.push_back(fact);
        }
        return at->second;
    }
    Result<Facts> set(const std::vector<std::string>& facts) {
        Facts out;
        for (const auto& fact : facts) {
            out.set(TRY(number(fact)));
        }
        return out;
    }
    [[nodiscard]] const std::string& name(std::size_t number) const { return names_[number]; }
    [[nodiscard]] std::size_t size() const { return names_.size(); }

private:
    std::map<std::string, std::size_t> numbers_;
    std::vector<std::string> names_;
};

Result<Operator> compile(const Action& action, std::size_t index, Dictionary& facts) {
    Operator op;
    op.needs = TRY(facts.set(action.preconditions));
    for (const auto& effect : action.effects) {
        if (effect.starts_with('-')) {
            op.removes.set(TRY(facts.number(effect.substr(1))));
        } else {
            op.adds.set(TRY(facts.number(effect)));
        }
    }
    op.cost = action.cost;
    op.action = index;
    return op;
}

// What each fact costs at least from `state` when nothing is ever taken away (h-max, a fixed point).
std::vector<double> fact_costs(const Facts& state, const std::vector<Operator>& operators, std::size_t count) {
    std::vector<double> costs(count, kInfinite);
    for (std::size_t fact = 0; fact < count; ++fact) {
        if (state.test(fact)) costs[fact] = 0;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (const Operator& op : operators) {
            double dearest = 0;
            for (std::size_t fact = 0; fact < count; ++fact) {
                if (op.needs.test(fact)) dearest = std::max(dearest, costs[fact]);
            }
            if (dearest == kInfinite) continue;
            for (std::size_t fact = 0; fact < count; ++fact) {
                if (op.adds.test(fact) && dearest + op.cost < costs[fact]) {
                    costs[fact] = dearest + op.cost;
                    changed = true;
                }
            }
        }
    }
    return costs;
}

double estimate(const Facts& state, const Facts& goal, const std::vector<Operator>& operators, std::size_t count) {
    const auto costs = fact_costs(state, operators, count);
    double dearest = 0;
    for (std::size_t fact = 0; fact < count; ++fact) {
        if (goal.test(fact)) dearest = std::max(dearest, costs[fact]);
    }
    return dearest;
}

struct Visit {
    Facts state;
    double cost;
    std::size_t parent; // index of a visit; own index for the first
    std::size_t operator_index;
};

struct Open {
    double total;
    std::size_t visit;
    // The cheapest first; among equals the older, so that results do not depend on the heap's whims.
    bool operator<(const Open& other) const { return total != other.total ? total > other.total : visit > other.visit; }
};

// Operators in the order of the cheapest plan.
Result<std::vector<std::size_t>> search(const Facts& initial, const Facts& goal, const std::vector<Operator>& operators,
                                        std::size_t count, double& cost, std::size_t& expansions) {
    std::vector<Visit> visits{{initial, 0, 0, 0}};
    std::unordered_map<Facts, double> best{{initial, 0}};
    std::priority_queue<Open> open;
    open.push({estimate(initial, goal, operators, count), 0});
    while (!open.empty()) {
        const std::size_t index = open.top().visit;
        open.pop();
        const Visit visit = visits[index];
        if (visit.cost > best[visit.state]) continue; // reached cheaper since
        if ((visit.state & goal) == goal) {
            std::vector<std::size_t> steps;
            for (std::size_t at = index; at != 0; at = visits[at].parent) {
                steps.push_back(visits[at].operator_index);
            }
            std::ranges::reverse(steps);
            cost = visit.cost;
            return steps;
        }
        if (++expansions > kMaxExpansions) return fail(Error::too_large);
        for (std::size_t i = 0; i < operators.size(); ++i) {
            const Operator& op = operators[i];
            if ((visit.state & op.needs) != op.needs) continue;
            const Facts next = (visit.state & ~op.removes) | op.adds;
            const double next_cost = visit.cost + op.cost;
            const auto [known, is_new] = best.try_emplace(next, next_cost);
            if (!is_new && known->second <= next_cost) continue;
            known->second = next_cost;
            const double rest = estimate(next, goal, operators, count);
            if (rest == kInfinite) continue;
            visits.push_back({next, next_cost, index, i});
            open.push({next_cost + rest, visits.size() - 1});
        }
    }
    return fail(Error::not_found);
}

// Which steps must come before which, where one gives a fact that the other needs, or takes it away.
std::vector<std::vector<std::uint64_t>> loosen(const std::vector<const Operator*>& steps, std::size_t facts) {
    const std::size_t count = steps.size();
    std::vector<std::vector<bool>> before(count, std::vector<bool>(count, false));
    for (std::size_t j = 0; j < count; ++j) {
        for (std::size_t fact = 0; fact < facts; ++fact) {
            if (!steps[j]->needs.test(fact)) continue;
            // The last step before j that gives the fact is its giver.
            std::size_t giver = count;
            for (std::size_t i = 0; i < j; ++i) {
                if (steps[i]->adds.test(fact)) giver = i;
            }
            if (giver != count) before[giver][j] = true;
            for (std::size_t k = 0; k < count; ++k) {
                if (k == j || !steps[k]->removes.test(fact)) continue;
                if (k > j) before[j][k] = true; // takes it away after j has used it
                if (k < j && giver != count && k < giver)
                    before[k][giver] = true; // took it away before it was given again
            }
        }
    }
    // Orders that follow from others are left out.
    std::vector<std::vector<std::uint64_t>> needs(count);
    std::vector<std::vector<bool>> reach = before;
    for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j < count; ++j) {
                if (reach[i][k] && reach[k][j]) reach[i][j] = true;
            }
        }
    }
    for (std::size_t j = 0; j < count; ++j) {
        for (std::size_t i = 0; i < j; ++i) {
            bool follows = false;
            for (std::size_t k = i + 1; k < j; ++k) {
                if (reach[i][k] && reach[k][j]) follows = true;
            }
            if (before[i][j] && !follows) needs[j].push_back(i);
        }
    }
    return needs;
}

std::string explain(const Facts& initial, const Facts& goal, const std::vector<Operator>& operators,
                    const Dictionary& facts) {
    // Facts that are needed, cannot be reached, and that no action gives at all: those are what is missing.
    const auto costs = fact_costs(initial, operators, facts.size());
    std::string missing;
    for (std::size_t fact = 0; fact < facts.size(); ++fact) {
        const bool is_given = std::ranges::any_of(operators, [&](const Operator& op) { return op.adds.test(fact); });
        const bool is_needed =
            goal.test(fact) || std::ranges::any_of(operators, [&](const Operator& op) { return op.needs.test(fact); });
        if (is_needed && !is_given && costs[fact] == kInfinite)
            missing += (missing.empty() ? "" : ", ") + facts.name(fact);
    }
    if (!missing.empty()) return "no agent gives: " + missing;
    return "the actions that agents offer cannot be put in an order that reaches the goal";
}

} // namespace

Result<Plan> make_plan(const Problem& problem, std::string& why_not) {
    if (problem.actions.size() > orchestration::kMaxActions) {
        why_not = "too many actions";
        return fail(Error::too_large);
    }
    Dictionary facts;
    why_not = "a fact is empty or too long, or there are too many";
    const Facts initial = TRY(facts.set(problem.initial));
    const Facts goal = TRY(facts.set(problem.goal));
    std::vector<Operator> operators;
    for (std::size_t i = 0; i < problem.actions.size(); ++i) {
        operators.push_back(TRY(compile(problem.actions[i], i, facts)));
    }

    Plan plan;
    const auto steps = search(initial, goal, operators, facts.size(), plan.cost, plan.expansions);
    if (!steps) {
        why_not = steps.error() == Error::not_found ? explain(initial, goal, operators, facts)
                                                    : "the search looked at too many states";
        return fail(steps.error());
    }
    if (steps->size() > orchestration::kMaxGraphNodes) {
        why_not = "the plan has too many steps";
        return fail(Error::too_large);
    }
    std::vector<const Operator*> sequence;
    for (const std::size_t step : *steps) {
        sequence.push_back(&operators[step]);
    }
    Operator end; // the goal needs its facts as a step would
    end.needs = goal;
    sequence.push_back(&end);
    auto needs = loosen(sequence, facts.size());
    for (std::size_t i = 0; i < steps->size(); ++i) {
        const Action& action = problem.actions[sequence[i]->action];
        plan.graph.nodes.push_back({action.intent, std::move(needs[i]), action.cost});
    }
    why_not.clear();
    return plan;
}

} // namespace aios::planner
