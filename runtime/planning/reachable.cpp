// See reachable.hpp.
#include "runtime/planning/reachable.hpp"

#include <algorithm>

namespace aios::planning {

namespace {
const std::vector<std::uint32_t> kNone;
constexpr std::size_t kMostPreconditions = 64; // of one action: they are a bit mask
constexpr std::uint64_t kBytesEach = 120;      // of an atom or instance, with its indices
} // namespace

Reachability::Reachability(const Task& task, Budget& budget)
    : task_(task), budget_(budget), changes_(task.predicates.size()), positive_(task.actions.size()),
      uses_(task.predicates.size()), of_predicate_(task.predicates.size()) {
    for (std::uint32_t a = 0; a < task.actions.size(); ++a) {
        const Action& action = task.actions[a];
        for (const Atom& atom : action.adds)
            changes_[atom.predicate] = true;
        for (const Atom& atom : action.deletes)
            changes_[atom.predicate] = true;
        for (const Literal& literal : action.precondition.literals) {
            if (literal.negated || positive_[a].size() == kMostPreconditions) continue;
            uses_[literal.atom.predicate].push_back({a, static_cast<std::uint32_t>(positive_[a].size())});
            positive_[a].push_back(literal.atom);
        }
        std::vector<std::vector<bool>>& allowed = allowed_.emplace_back();
        for (const std::vector<Term>& objects : action.parameters) {
            std::vector<bool>& one = allowed.emplace_back(task.objects.size());
            for (const Term object : objects)
                one[static_cast<std::size_t>(object)] = true;
        }
    }
    for (const FunctionValue& value : task.values)
        values_[value.function] = value.value;
}

bool Reachability::run() {
    // What never changes first: joins then meet it whole.
    for (const bool fixed : {true, false})
        for (const Atom& atom : task_.initial)
            if (is_static(atom.predicate) == fixed) add(atom);
    initial_count_ = static_cast<std::uint32_t>(atoms.size());
    for (std::uint32_t a = 0; a < task_.actions.size(); ++a) {
        if (!positive_[a].empty()) continue;
        Binding binding(task_.actions[a].parameters.size(), kFree);
        fill(a, 0, binding);
    }
    for (std::uint32_t number = 0; number < atoms.size() && !stopped_; ++number)
        process(number);
    return !stopped_;
}

void Reachability::add(const Atom& atom) {
    if (numbers_.try_emplace(atom, static_cast<std::uint32_t>(atoms.size())).second) atoms.push_back(atom);
}

void Reachability::process(std::uint32_t number) {
    const Atom fact = atoms[number];
    of_predicate_[fact.predicate].push_back(number);
    for (std::size_t i = 0; i < fact.terms.size(); ++i)
        index_[index_key(fact.predicate, i, fact.terms[i])].push_back(number);
    std::vector<std::size_t> trail;
    for (const Use& use : uses_[fact.predicate]) {
        const Action& action = task_.actions[use.action];
        Binding binding(action.parameters.size(), kFree);
        trail.clear();
        if (!bind(action, positive_[use.action][use.place], fact, binding, trail)) continue;
        const std::size_t count = positive_[use.action].size();
        const std::uint64_t all = count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
        join(use.action, all & ~(std::uint64_t{1} << use.place), number, use.place, binding);
        if (stopped_) return;
    }
}

bool Reachability::allowed(const Action& action, std::size_t parameter, Term object) const {
    const auto index = static_cast<std::size_t>(&action - task_.actions.data());
    return allowed_[index][parameter][static_cast<std::size_t>(object)];
}

// Extends the binding so that the pattern is the fact; what it bound is in `trail`, also when it fails.
bool Reachability::bind(const Action& action, const Atom& pattern, const Atom& fact, Binding& binding,
                        std::vector<std::size_t>& trail) const {
    for (std::size_t i = 0; i < pattern.terms.size(); ++i) {
        const Term term = pattern.terms[i], object = fact.terms[i];
        if (!is_parameter(term)) {
            if (term != object) return false;
            continue;
        }
        const std::size_t parameter = parameter_index(term);
        if (binding[parameter] != kFree) {
            if (binding[parameter] != object) return false;
            continue;
        }
        if (!allowed(action, parameter, object)) return false;
        binding[parameter] = object;
        trail.push_back(parameter);
    }
    auto value = [&](Term term) { return is_parameter(term) ? binding[parameter_index(term)] : term; };
    return std::ranges::all_of(action.precondition.equalities, [&](const Equality& one) {
        const Term left = value(one.left), right = value(one.right);
        return left == kFree || right == kFree || (left == right) != one.negated;
    });
}

// The shortest list of processed atoms that can match the pattern.
const std::vector<std::uint32_t>* Reachability::candidates(const Atom& pattern, const Binding& binding) const {
    const std::vector<std::uint32_t>* best = &of_predicate_[pattern.predicate];
    for (std::size_t i = 0; i < pattern.terms.size(); ++i) {
        const Term term = pattern.terms[i];
        const Term object = is_parameter(term) ? binding[parameter_index(term)] : term;
        if (object == kFree) continue;
        const auto at = index_.find(index_key(pattern.predicate, i, object));
        if (at == index_.end()) return &kNone;
        if (at->second.size() < best->size()) best = &at->second;
    }
    return best;
}

// Joins the preconditions in `open` (a bit each) to what is bound, those with the fewest candidates first.
void Reachability::join(std::uint32_t a, std::uint64_t open, std::uint32_t trigger, std::uint32_t place,
                        Binding& binding) {
    const Action& action = task_.actions[a];
    if (open == 0) return fill(a, 0, binding);
    if (!budget_.allows((atoms.size() + instances.size()) * kBytesEach)) {
        stopped_ = true;
        return;
    }
    std::uint32_t chosen = 0;
    const std::vector<std::uint32_t>* list = nullptr;
    for (std::uint64_t rest = open; rest != 0; rest &= rest - 1) {
        const auto one = static_cast<std::uint32_t>(std::countr_zero(rest));
        const std::vector<std::uint32_t>* found = candidates(positive_[a][one], binding);
        if (list != nullptr && found->size() >= list->size()) continue;
        list = found;
        chosen = one;
    }
    std::vector<std::size_t> trail;
    const std::size_t count = list->size(); // the list may grow while we are in it
    for (std::size_t i = 0; i < count && !stopped_; ++i) {
        const std::uint32_t number = (*list)[i];
        if (number > trigger || (number == trigger && chosen < place)) break;
        trail.clear();
        if (bind(action, positive_[a][chosen], atoms[number], binding, trail))
            join(a, open & ~(std::uint64_t{1} << chosen), trigger, place, binding);
        for (const std::size_t parameter : trail)
            binding[parameter] = kFree;
    }
}

// Parameters that no positive precondition names take every object of their type.
void Reachability::fill(std::uint32_t a, std::size_t parameter, Binding& binding) {
    const Action& action = task_.actions[a];
    while (parameter < binding.size() && binding[parameter] != kFree)
        ++parameter;
    if (parameter == binding.size()) return emit(a, binding);
    for (const Term object : action.parameters[parameter]) {
        if (stopped_) return;
        binding[parameter] = object;
        fill(a, parameter + 1, binding);
    }
    binding[parameter] = kFree;
}

Atom Reachability::bound(const Atom& atom, const std::vector<Term>& arguments) {
    Atom made = atom;
    for (Term& term : made.terms)
        if (is_parameter(term)) term = arguments[parameter_index(term)];
    return made;
}

void Reachability::emit(std::uint32_t a, const Binding& binding) {
    const Action& action = task_.actions[a];
    auto value = [&](Term term) { return is_parameter(term) ? binding[parameter_index(term)] : term; };
    for (const Equality& one : action.precondition.equalities)
        if ((value(one.left) == value(one.right)) == one.negated) return;
    for (const Literal& literal : action.precondition.literals) {
        if (!literal.negated || !is_static(literal.atom.predicate)) continue;
        if (numbers_.contains(bound(literal.atom, binding))) return;
    }
    std::uint64_t cost = task_.has_costs ? 0 : 1;
    for (const Cost& one : action.costs) {
        if (!task_.has_costs) break;
        if (!one.is_function) {
            cost += one.constant;
        } else {
            const auto at = values_.find(bound(one.function, binding));
            if (at == values_.end()) return; // without a value the action is not defined
            cost += at->second;
        }
    }
    if (!budget_.allows((atoms.size() + instances.size()) * kBytesEach)) stopped_ = true;
    instances.push_back({{a, binding}, static_cast<std::uint32_t>(std::min<std::uint64_t>(cost, 1'000'000'000))});
    for (const Atom& atom : action.adds)
        add(bound(atom, binding));
}

} // namespace aios::planning
