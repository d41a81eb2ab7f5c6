// Bracketed expressions, as PDDL is written in. Names are folded to lower case; comments run from ; to the end of the
// line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/planning/pddl.hpp"

namespace aios::planning {

struct Expression {
    unsigned line = 1;
    std::string word;              // empty: a list
    std::vector<Expression> items; // of a list
    [[nodiscard]] bool is_list() const { return word.empty(); }
    [[nodiscard]] bool is(std::string_view name) const { return word == name; }
    // Whether it is a list that begins with this word.
    [[nodiscard]] bool heads(std::string_view name) const {
        return is_list() && !items.empty() && items[0].word == name;
    }
};

inline constexpr unsigned kMaxNesting = 100;

// The one expression that `text` is. Throws a Complaint.
Expression read_expression(std::string_view text);

} // namespace aios::planning
