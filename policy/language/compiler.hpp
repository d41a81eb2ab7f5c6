// Compiles policies to the form that the evaluator reads (policy/program.hpp).
#pragma once

#include <expected>
#include <vector>

#include "policy/language/ast.hpp"

namespace aios::policy {

// The block of a program; templates are left out: they decide nothing. Complains when a policy is too large for the
// form.
std::expected<std::vector<std::uint64_t>, Complaint> compile(const PolicySet& set);

} // namespace aios::policy
