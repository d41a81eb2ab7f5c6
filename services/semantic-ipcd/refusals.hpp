// Refusals that the broker made, for the person who runs the node: each is in the audit log (log_refusal, which counts
// those that come often), and stands once in the report of the run (job-message "refusal" in abi/messages.cddl) and on
// the console. There at most kMaxTold; the last of them says so.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "abi/call_types.hpp"
#include "base/result.hpp"

namespace aios::broker {

inline constexpr std::size_t kMaxTold = 64;

class Refusals {
public:
    Refusals(Handle host_port, Handle log) : port_(host_port), log_(log) {}
    struct Refusal {
        std::uint64_t agent_id;
        std::string agent, call, object, sentence;
    };
    void tell(const Refusal& refusal);

private:
    Result<> send(const Refusal& refusal);
    void record(const Refusal& refusal);
    Handle port_, log_; // or kNoHandle
    std::set<std::string> told_;
};

} // namespace aios::broker
