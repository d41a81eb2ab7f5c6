// What a unit file would have to say so that a refused call is allowed: the line, and the unit and file where it goes;
// or why no line would do. Pure functions of the files as they were read for the run and of what was refused.
//
// A line is named only if it would help: its role leads to an object of that kind, the unit does not have it already,
// and whoever starts the unit holds what it would have to hand on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "abi/errors.hpp"
#include "abi/rights.hpp"
#include "tools/aios/input/units.hpp"

namespace aios::host {

// Who starts a unit decides which file it is in.
enum class Starter { initd, agentsupervisor, other };

// A check that failed in the kernel.
struct RefusedCall {
    std::string_view agent;
    Starter starter = Starter::other;
    std::uint64_t call = 0;
    ObjectType type = ObjectType::any;
    Rights needed;
    Error error{};
};

struct GrantLine {
    std::string line;  // grants.region = "read map"; with several that would do, joined by " or "; empty: none would
    std::string place; // "[unit.visitor] of examples/desk/crew.toml"
    std::string why;   // where there is no line
};

[[nodiscard]] GrantLine grant_for_call(const UnitFiles& files, const RefusedCall& refused);

// For an offer of `intent` that the broker refused.
[[nodiscard]] GrantLine grant_for_offer(const UnitFiles& files, std::string_view agent, std::string_view intent);

// The unit's starter, by its name alone: the crew's file first.
[[nodiscard]] Starter starter_of(const UnitFiles& files, std::string_view agent);

// The program that starts the crew's units is this one of the system's.
inline constexpr std::string_view kCrewStarter = "bin/agentsupervisor";

} // namespace aios::host
