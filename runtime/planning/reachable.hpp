// Relaxed reachability: all atoms and all actions with objects that are reachable when nothing is deleted. Only for
// ground.cpp.
//
// Atoms are processed in the order of their numbers. An action's instance is found when the last of its positive
// preconditions is processed: the others are joined to it through indices by predicate, place and object, and only
// atoms with smaller numbers (or the same, further right) are taken, so each instance is found once.
#pragma once

#include <unordered_map>

#include "runtime/planning/ground.hpp"

namespace aios::planning {

class Reachability {
public:
    Reachability(const Task& task, Budget& budget);
    [[nodiscard]] bool run(); // false: the budget ended

    struct Instance {
        Step step;
        std::uint32_t cost;
    };
    std::vector<Instance> instances;
    std::vector<Atom> atoms; // by number
    [[nodiscard]] std::optional<std::uint32_t> number_of(const Atom& atom) const {
        const auto at = numbers_.find(atom);
        return at == numbers_.end() ? std::nullopt : std::optional(at->second);
    }
    [[nodiscard]] bool is_initial(const Atom& atom) const {
        const auto number = number_of(atom);
        return number && *number < initial_count_;
    }
    // Whether no action changes the predicate.
    [[nodiscard]] bool is_static(std::uint32_t predicate) const { return !changes_[predicate]; }
    [[nodiscard]] static Atom bound(const Atom& atom, const std::vector<Term>& arguments);

private:
    struct Hash {
        std::size_t operator()(const Atom& atom) const {
            std::size_t hash = atom.predicate * 0x9e37'79b9'7f4a'7c15u;
            for (const Term term : atom.terms)
                hash = (hash ^ static_cast<std::size_t>(term)) * 0x1000'0000'01b3u + (hash >> 29);
            return hash;
        }
    };
    struct Use { // a positive precondition
        std::uint32_t action, place;
    };
    using Binding = std::vector<Term>; // one for each parameter; kFree: none yet
    static constexpr Term kFree = -1;

    void add(const Atom& atom);
    void process(std::uint32_t number);
    bool bind(const Action& action, const Atom& pattern, const Atom& fact, Binding& binding,
              std::vector<std::size_t>& trail) const;
    bool allowed(const Action& action, std::size_t parameter, Term object) const;
    void join(std::uint32_t action, std::uint64_t open, std::uint32_t trigger, std::uint32_t place, Binding& binding);
    void fill(std::uint32_t action, std::size_t parameter, Binding& binding);
    void emit(std::uint32_t action, const Binding& binding);
    const std::vector<std::uint32_t>* candidates(const Atom& pattern, const Binding& binding) const;
    static std::uint64_t index_key(std::uint32_t predicate, std::size_t place, Term object) {
        return (std::uint64_t{predicate} << 40) | (std::uint64_t{place} << 32) | static_cast<std::uint32_t>(object);
    }

    const Task& task_;
    Budget& budget_;
    bool stopped_ = false;
    std::uint32_t initial_count_ = 0;
    std::vector<bool> changes_;
    std::vector<std::vector<Atom>> positive_; // of each action
    std::vector<std::vector<Use>> uses_;      // of each predicate
    std::unordered_map<Atom, std::uint32_t, Hash> numbers_;
    std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> index_; // processed atoms by place and object
    std::vector<std::vector<std::uint32_t>> of_predicate_;                // processed atoms
    std::unordered_map<Atom, std::uint32_t, Hash> values_;                // of functions
    std::vector<std::vector<std::vector<bool>>> allowed_;                 // action, parameter, object
};

} // namespace aios::planning
