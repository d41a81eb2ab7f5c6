// The validator: carries a plan out, step by step, on the task as it was written. It shares nothing with grounding and
// search but the parsed task, so that a mistake of theirs shows.
#pragma once

#include "runtime/planning/ground.hpp"

namespace aios::planning {

struct Checked {
    std::string flaw; // the first thing that is wrong; empty: the plan is valid
    std::uint64_t cost = 0;
};
Checked check_plan(const Task& task, const std::vector<Step>& plan);

// Plans as text: a step a line, "(action object ...)"; lines that begin with ; are comments.
std::expected<std::vector<Step>, Complaint> parse_plan(const Task& task, std::string_view text);

} // namespace aios::planning
