// Numbers the facts that matter and lists the operators over them. See ground.hpp.
#include "runtime/planning/ground.hpp"

#include <algorithm>
#include <set>

#include "runtime/planning/reachable.hpp"

namespace aios::planning {

namespace {

class Grounder {
public:
    Grounder(const Task& task, Budget& budget) : task_(task), budget_(budget), reach_(task, budget) {}

    std::optional<GroundTask> run() {
        if (!reach_.run()) return std::nullopt;
        positive_.assign(reach_.atoms.size(), kUnused);
        find_what_is_deleted();
        goal();
        if (!made_.solvable) return std::move(made_);
        find_what_is_asked();
        for (const Reachability::Instance& one : reach_.instances) {
            if (!budget_.allows(made_.preconditions.bytes() + made_.adds.bytes() + made_.deletes.bytes()))
                return std::nullopt;
            add_operator(one);
        }
        initial();
        return std::move(made_);
    }

private:
    static constexpr FactId kUnused = ~FactId{0};

    // An atom that is true at first and that nothing deletes is always so.
    bool is_always(std::uint32_t atom) const { return reach_.is_initial(reach_.atoms[atom]) && !deleted_[atom]; }

    void find_what_is_deleted() {
        deleted_.assign(reach_.atoms.size(), false);
        for (const Reachability::Instance& one : reach_.instances)
            for (const Atom& atom : task_.actions[one.step.action].deletes)
                if (const auto number = reach_.number_of(Reachability::bound(atom, one.step.arguments)))
                    deleted_[*number] = true;
    }

    FactId fact_of(std::uint32_t atom) {
        if (positive_[atom] == kUnused) positive_[atom] = made_.fact_count++;
        return positive_[atom];
    }
    FactId negation_of(std::uint32_t atom) {
        const auto [at, is_new] = negative_.try_emplace(atom, made_.fact_count);
        if (is_new) ++made_.fact_count;
        return at->second;
    }

    // The facts that a condition asks for, into `facts`. False: it can never hold.
    bool facts_of(const Condition& condition, const std::vector<Term>& arguments, std::vector<FactId>& facts) {
        for (const Literal& literal : condition.literals) {
            const auto atom = reach_.number_of(Reachability::bound(literal.atom, arguments));
            if (literal.negated) {
                if (!atom) continue; // never true
                if (is_always(*atom)) return false;
                facts.push_back(negation_of(*atom));
            } else {
                if (!atom) return false;
                if (!is_always(*atom)) facts.push_back(fact_of(*atom));
            }
        }
        std::ranges::sort(facts);
        facts.erase(std::unique(facts.begin(), facts.end()), facts.end());
        return true;
    }

    void goal() {
        for (const Equality& one : task_.goal.equalities)
            if ((one.left == one.right) == one.negated) made_.solvable = false;
        if (!facts_of(task_.goal, {}, made_.goal)) made_.solvable = false;
    }

    void find_what_is_asked() {
        std::vector<FactId> ignored;
        for (const Reachability::Instance& one : reach_.instances) {
            ignored.clear();
            (void)facts_of(task_.actions[one.step.action].precondition, one.step.arguments, ignored);
        }
    }

    void add_operator(const Reachability::Instance& one) {
        const Action& action = task_.actions[one.step.action];
        std::vector<FactId> before;
        if (!facts_of(action.precondition, one.step.arguments, before)) return;
        std::set<FactId> adds, deletes;
        std::set<std::uint32_t> added;
        for (const Atom& atom : action.adds) {
            const std::uint32_t number = *reach_.number_of(Reachability::bound(atom, one.step.arguments));
            added.insert(number);
            if (positive_[number] != kUnused) adds.insert(positive_[number]);
            if (const auto at = negative_.find(number); at != negative_.end()) deletes.insert(at->second);
        }
        for (const Atom& atom : action.deletes) {
            const auto number = reach_.number_of(Reachability::bound(atom, one.step.arguments));
            if (!number || added.contains(*number)) continue;
            if (positive_[*number] != kUnused) deletes.insert(positive_[*number]);
            if (const auto at = negative_.find(*number); at != negative_.end()) adds.insert(at->second);
        }
        // What holds before and after is no effect.
        std::erase_if(adds,
                      [&](FactId fact) { return std::ranges::binary_search(before, fact) && !deletes.contains(fact); });
        if (adds.empty()) return; // it takes away at most
        made_.preconditions.push_list(before);
        made_.adds.push_list({adds.begin(), adds.end()});
        made_.deletes.push_list({deletes.begin(), deletes.end()});
        made_.costs.push_back(one.cost);
        made_.steps.push_back(one.step);
    }

    void initial() {
        for (std::uint32_t atom = 0; atom < reach_.atoms.size(); ++atom) {
            const bool holds = reach_.is_initial(reach_.atoms[atom]);
            if (positive_[atom] != kUnused && holds) made_.initial.push_back(positive_[atom]);
            if (const auto at = negative_.find(atom); at != negative_.end() && !holds)
                made_.initial.push_back(at->second);
        }
        std::ranges::sort(made_.initial);
    }

    const Task& task_;
    Budget& budget_;
    Reachability reach_;
    GroundTask made_;
    std::vector<bool> deleted_;
    std::vector<FactId> positive_; // of each atom
    std::unordered_map<std::uint32_t, FactId> negative_;
};

} // namespace

std::optional<GroundTask> ground(const Task& task, Budget& budget) { return Grounder(task, budget).run(); }

} // namespace aios::planning
