// Planning tasks in PDDL 3.1 (Kovacs, "BNF definition of PDDL 3.1"), as far as they are STRIPS with types, constants,
// negative preconditions, equality and action costs. Everything else is refused by its name.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace aios::planning {

// A sentence about a text; `line` counts from 1.
struct Complaint {
    unsigned line = 0;
    std::string sentence;
};

// An object (0 and up) or a parameter of an action (-1 the first, -2 the second, ...).
using Term = std::int32_t;
[[nodiscard]] constexpr bool is_parameter(Term term) { return term < 0; }
[[nodiscard]] constexpr std::size_t parameter_index(Term term) { return static_cast<std::size_t>(-term - 1); }

struct Atom {
    std::uint32_t predicate = 0;
    std::vector<Term> terms;
    friend bool operator==(const Atom&, const Atom&) = default;
    friend auto operator<=>(const Atom&, const Atom&) = default;
};
struct Literal {
    Atom atom;
    bool negated = false;
};
struct Equality {
    Term left, right;
    bool negated = false;
};

// Atoms and equalities that must all hold.
struct Condition {
    std::vector<Literal> literals;
    std::vector<Equality> equalities;
};

// What an action adds to total-cost: a number, or a function's value of the initial state.
struct Cost {
    std::uint32_t constant = 0;
    bool is_function = false;
    Atom function; // its `predicate` is the function's number
};

struct Action {
    std::string name;
    std::vector<std::vector<Term>> parameters; // of each, the objects that its type allows, in ascending order
    Condition precondition;
    std::vector<Atom> adds, deletes; // what is in both is added
    std::vector<Cost> costs;
};

struct FunctionValue {
    Atom function;
    std::uint32_t value;
};

struct Task {
    std::vector<std::string> objects, predicates, functions;
    std::vector<Action> actions;
    std::vector<Atom> initial;
    std::vector<FunctionValue> values;
    Condition goal;
    bool has_costs = false; // total-cost is to be minimised; else each action counts one
};

// At most 16 MiB each. The Complaint's sentence begins with "domain" or "problem".
std::expected<Task, Complaint> parse_task(std::string_view domain, std::string_view problem);

[[nodiscard]] std::string text_of(const Task& task, const Action& action,
                                  const std::vector<Term>& arguments); // "(move a b)"

} // namespace aios::planning
