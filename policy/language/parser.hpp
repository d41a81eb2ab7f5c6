// Text of the Cedar policy language to a syntax tree.
#pragma once

#include <expected>

#include "policy/language/ast.hpp"

namespace aios::policy {

// Deeper expressions are refused: what follows walks them by recursion.
inline constexpr unsigned kMaxExprDepth = 1000;

// All policies and templates of a text, or the first thing that is wrong in it.
std::expected<PolicySet, Complaint> parse_policies(std::string_view text);

// A policy made of a template: its slots are filled. Complains when a slot is missing or one is given that it does not
// have.
std::expected<Policy, Complaint> link_template(PolicySet& set, const Policy& of, std::string id,
                                               const std::optional<Uid>& principal, const std::optional<Uid>& resource);

} // namespace aios::policy
