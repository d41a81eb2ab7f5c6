// Refusals that the broker made, for the person who runs the node: each stands once in the report of the run
// (job-message "refusal" in abi/messages.cddl) and on the console. At most kMaxTold; the last of them says so.
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
    explicit Refusals(Handle host_port) : port_(host_port) {}
    struct Refusal {
        std::string agent, call, object, sentence;
    };
    void tell(const Refusal& refusal);

private:
    Result<> send(const Refusal& refusal);
    Handle port_; // or kNoHandle
    std::set<std::string> told_;
};

} // namespace aios::broker
