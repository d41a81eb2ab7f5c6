// Checks policies against a schema: strict validation (docs.cedarpolicy.com, "Policy validation"). A policy that passes
// cannot err for a request and entities that conform to the schema, except by overflow and by entities that do not
// exist.
#pragma once

#include <vector>

#include "policy/language/schema.hpp"

namespace aios::policy {

// What is wrong, policy by policy; empty: nothing.
std::vector<Complaint> validate(const PolicySet& set, const Schema& schema);

} // namespace aios::policy
