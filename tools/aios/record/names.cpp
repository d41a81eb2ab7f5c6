// Names for the numbers in accounts and checks, from the tables in abi/.
#include <format>

#include "abi/call_types.hpp"
#include "abi/rights.hpp"
#include "tools/aios/record/report.hpp"

namespace aios::host {

namespace {

std::string_view state_name(AgentState state) {
    switch (state) {
    case AgentState::created:
        return "created";
    case AgentState::running:
        return "running";
    case AgentState::waiting:
        return "waiting";
    case AgentState::suspended:
        return "suspended";
    case AgentState::frozen:
        return "frozen";
    case AgentState::stopping:
        return "stopping";
    case AgentState::dead:
        return "dead";
    }
    return "unknown";
}

} // namespace

std::string describe_end(const Account& account) {
    switch (static_cast<EndReason>(account.end_reason)) {
    case EndReason::none:
        return "";
    case EndReason::exited:
        return std::format("exited with {}", account.end_status);
    case EndReason::killed:
        // A signal that the agent sent itself, such as by abort(), has a number; a supervisor's kill has none.
        if (account.end_status != 0) return std::format("ended by its own signal {}", account.end_status);
        return account.after_done ? "ended with the run" : "ended by its supervisor";
    case EndReason::fault:
        return std::format("fault {} at {:#x}", account.end_status, account.fault_address);
    case EndReason::quota:
        return "quota used up";
    case EndReason::integrity:
        return "a changed page";
    case EndReason::parent_ended:
        return account.after_done ? "ended with the run" : "its parent ended";
    }
    return std::format("reason {}", account.end_reason);
}

std::string describe_state(const Account& account) {
    const std::string_view state = state_name(static_cast<AgentState>(account.state));
    const std::string end = describe_end(account);
    if (end == "ended with the run") return end; // nothing is wrong with it
    return end.empty() ? std::string(state) : std::format("{}: {}", state, end);
}

std::string type_name(std::uint64_t type) {
    if (type > 0xff) return std::to_string(type);
    const std::string_view name = object_name(static_cast<ObjectType>(type));
    return name == "unknown" ? std::to_string(type) : std::string(name);
}

std::string resource_name(std::uint64_t number) {
    return number < kResourceCount ? std::string(kResources[number].name) : std::to_string(number);
}

// One past the last right's bit.
constexpr std::uint64_t kNoRight = 0
#define RIGHT(name, bit, sentence) +1
#include "abi/rights.def"
#undef RIGHT
    ;

std::string right_name(std::uint64_t number) {
    switch (number) {
#define RIGHT(name, bit, sentence)                                                                                     \
    case bit:                                                                                                          \
        return #name;
#include "abi/rights.def"
#undef RIGHT
    case kNoRight:
        return "none"; // a check of the type alone
    default:
        return std::to_string(number);
    }
}

} // namespace aios::host
