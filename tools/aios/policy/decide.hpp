// Policies from files to decisions: what the subcommands of `aios policy` share.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "policy/language/parser.hpp"
#include "tools/aios/policy/data.hpp"

namespace aios::host {

struct PolicyDecision {
    bool allowed = false;
    std::vector<std::string> deciding, failing; // ids of the policies that decided, and of those that erred
    std::vector<policy::Verdict> verdicts;      // of all policies that are no templates, in their order
};

// A compiled set and the room to evaluate it in.
class PolicyEngine {
public:
    explicit PolicyEngine(policy::PolicySet set); // throws a policy::Complaint
    [[nodiscard]] PolicyDecision decide(const EntityData& entities, const RequestData& request);
    [[nodiscard]] const policy::PolicySet& set() const { return set_; }
    [[nodiscard]] std::size_t bytes() const { return block_.size() * 8; }

private:
    policy::PolicySet set_;
    std::vector<std::uint64_t> block_;
    policy::Program program_;
    std::vector<policy::Value> stack_;
    std::vector<std::max_align_t> arena_;
};

} // namespace aios::host
