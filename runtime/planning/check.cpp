// See check.hpp.
#include "runtime/planning/check.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "runtime/planning/expression.hpp"

namespace aios::planning {

namespace {

Term object_of(Term term, const std::vector<Term>& arguments) {
    return is_parameter(term) ? arguments[parameter_index(term)] : term;
}

Atom with(const Atom& atom, const std::vector<Term>& arguments) {
    Atom made{atom.predicate, {}};
    for (const Term term : atom.terms)
        made.terms.push_back(object_of(term, arguments));
    return made;
}

std::string text_of(const Task& task, const Atom& atom) {
    std::string out = "(" + task.predicates[atom.predicate];
    for (const Term term : atom.terms)
        out += " " + task.objects[static_cast<std::size_t>(term)];
    return out + ")";
}

class Checker {
public:
    explicit Checker(const Task& task) : task_(task), state_(task.initial.begin(), task.initial.end()) {
        for (const FunctionValue& value : task.values)
            values_[value.function] = value.value;
    }

    Checked run(const std::vector<Step>& plan) {
        for (std::size_t i = 0; i < plan.size() && made_.flaw.empty(); ++i) {
            apply(plan[i]);
            if (!made_.flaw.empty()) made_.flaw = "step " + std::to_string(i + 1) + ": " + made_.flaw;
        }
        if (made_.flaw.empty()) {
            made_.flaw = unmet(task_.goal, {});
            if (!made_.flaw.empty()) made_.flaw = "the goal is not reached: " + made_.flaw;
        }
        return made_;
    }

private:
    // Empty: the condition holds.
    std::string unmet(const Condition& condition, const std::vector<Term>& arguments) const {
        for (const Equality& one : condition.equalities)
            if ((object_of(one.left, arguments) == object_of(one.right, arguments)) == one.negated)
                return "an equality does not hold";
        for (const Literal& one : condition.literals) {
            const Atom atom = with(one.atom, arguments);
            if (state_.contains(atom) == one.negated)
                return text_of(task_, atom) + (one.negated ? " holds" : " does not hold");
        }
        return {};
    }

    void apply(const Step& step) {
        const Action& action = task_.actions[step.action];
        if (step.arguments.size() != action.parameters.size()) {
            made_.flaw = action.name + " takes " + std::to_string(action.parameters.size()) + " objects";
            return;
        }
        for (std::size_t i = 0; i < step.arguments.size(); ++i) {
            if (!std::ranges::binary_search(action.parameters[i], step.arguments[i])) {
                made_.flaw = action.name + " does not take " +
                             task_.objects[static_cast<std::size_t>(step.arguments[i])] + " at place " +
                             std::to_string(i + 1);
                return;
            }
        }
        made_.flaw = unmet(action.precondition, step.arguments);
        if (!made_.flaw.empty()) return;
        if (!task_.has_costs) ++made_.cost;
        for (const Cost& one : action.costs) {
            if (!task_.has_costs) break;
            if (!one.is_function) {
                made_.cost += one.constant;
                continue;
            }
            const auto at = values_.find(with(one.function, step.arguments));
            if (at == values_.end()) {
                made_.flaw = "its cost is not defined";
                return;
            }
            made_.cost += at->second;
        }
        for (const Atom& atom : action.deletes)
            state_.erase(with(atom, step.arguments));
        for (const Atom& atom : action.adds)
            state_.insert(with(atom, step.arguments));
    }

    const Task& task_;
    std::set<Atom> state_;
    std::map<Atom, std::uint32_t> values_;
    Checked made_;
};

} // namespace

Checked check_plan(const Task& task, const std::vector<Step>& plan) { return Checker(task).run(plan); }

std::expected<std::vector<Step>, Complaint> parse_plan(const Task& task, std::string_view text) {
    try {
        const Expression all = read_expression("(" + std::string(text) + "\n)");
        std::vector<Step> plan;
        for (const Expression& one : all.items) {
            if (!one.is_list() || one.items.empty()) throw Complaint{one.line, "has no action where one is expected"};
            const auto action = std::ranges::find(task.actions, one.items[0].word, &Action::name);
            if (action == task.actions.end())
                throw Complaint{one.line, "names the action " + one.items[0].word + ", which the domain does not have"};
            Step step{static_cast<std::uint32_t>(action - task.actions.begin()), {}};
            for (std::size_t i = 1; i < one.items.size(); ++i) {
                const auto object = std::ranges::find(task.objects, one.items[i].word);
                if (object == task.objects.end())
                    throw Complaint{one.line, "names " + one.items[i].word + ", which is no object"};
                step.arguments.push_back(static_cast<Term>(object - task.objects.begin()));
            }
            plan.push_back(std::move(step));
        }
        return plan;
    } catch (Complaint& complaint) {
        complaint.sentence = "plan " + complaint.sentence;
        return std::unexpected(std::move(complaint));
    }
}

} // namespace aios::planning
