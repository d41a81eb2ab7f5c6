#include "tools/aios/record/grants.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <iterator>
#include <optional>
#include <vector>

#include "abi/call_types.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/record/audit_record.hpp"

namespace aios::host {

namespace {

// A role that a unit can be granted, what it leads to, and the rights that go with it where it is of use.
struct Way {
    StartupRole role;
    ObjectType type;
    Rights usual;
    std::string_view call; // the only call that takes it; empty: every call on that type
};
using namespace rights;
constexpr Way kWays[] = {
    {StartupRole::console, ObjectType::device, write, "console_write"},
    {StartupRole::host_port, ObjectType::device, send, "host_send"},
    {StartupRole::power, ObjectType::device, rights::power, "node_power"},
    {StartupRole::frames, ObjectType::device, write, "FrameAlloc"},
    {StartupRole::registers, ObjectType::device, map, "PageMap"},
    {StartupRole::log, ObjectType::log, read, ""},
    {StartupRole::bundle, ObjectType::tree, read | execute, ""},
    {StartupRole::job, ObjectType::tree, read, ""},
    {StartupRole::broker, ObjectType::channel, send | derive | transfer, ""},
    {StartupRole::broker_server, ObjectType::channel, receive | wait, ""},
    {StartupRole::identity, ObjectType::channel, send, ""},
    {StartupRole::identity_server, ObjectType::channel, receive | wait, ""},
    {StartupRole::memory_writer, ObjectType::channel, send, ""},
    {StartupRole::memory_server, ObjectType::channel, receive | wait, ""},
    {StartupRole::region, ObjectType::memory, read | map, ""},
    {StartupRole::region_writer, ObjectType::memory, read | write | map, ""},
};
// Those that a parent does not grant by a unit file: an agent has itself and its parent, and makes temporary trees; streams
// and mounts are made by whoever starts a program with them.
constexpr std::size_t kOtherRoles = 7;
constexpr std::size_t kRoles = 0
#define ROLE(name, number, sentence) +1
#include "abi/roles.def"
#undef ROLE
    ;
static_assert(std::size(kWays) + kOtherRoles == kRoles, "a new role belongs into the table above");

std::string_view role_name(std::uint32_t number) {
    switch (number) {
#define ROLE(name, role, sentence)                                                                                     \
    case role:                                                                                                         \
        return #name;
#include "abi/roles.def"
#undef ROLE
    default:
        return "unknown";
    }
}

// What the unit has of a role; nothing without a grant of it.
std::optional<Rights> held(const UnitText& unit, StartupRole role) {
    const auto grant =
        std::ranges::find(unit.grants, static_cast<std::uint32_t>(role), [](const auto& one) { return one.first; });
    return grant != unit.grants.end() ? std::optional(Rights(grant->second)) : std::nullopt;
}

const UnitText* crew_starter(const UnitFiles& files) {
    const auto& units = files.system.units;
    const auto found = std::ranges::find(units, kCrewStarter, &UnitText::program);
    return found != units.end() ? &*found : nullptr;
}

// initd holds every capability of the node; agentsupervisor what it is granted with the right to hand it on.
bool can_hand_on(const UnitFiles& files, Starter starter, StartupRole role, Rights wanted) {
    if (starter == Starter::initd) return true;
    const UnitText* supervisor = crew_starter(files);
    const auto own = supervisor != nullptr ? held(*supervisor, role) : std::nullopt;
    return own && own->contains(transfer) && own->contains(wanted);
}

bool leads_to(const Way& way, const RefusedCall& refused) {
    if (refused.type == ObjectType::any) return true;
    return way.type == refused.type && (way.call.empty() || way.call == call_name(refused.call));
}

// The rights that the grant would need to have; nothing if it would not help.
std::optional<Rights> helpful(const UnitText& unit, const Way& way, const RefusedCall& refused) {
    if (!leads_to(way, refused)) return std::nullopt;
    const auto has = held(unit, way.role);
    // What every handle may have beside what it is for.
    constexpr Rights kGeneral = derive | transfer | wait | inspect;
    if (!(way.usual | kGeneral).contains(refused.needed)) return std::nullopt;
    if (refused.error == Error::missing_right)
        return has && !has->contains(refused.needed) ? std::optional(*has | refused.needed) : std::nullopt;
    // A handle that is none: as of a role that the unit was not given.
    return has || refused.type == ObjectType::any ? std::nullopt : std::optional(way.usual | refused.needed);
}

const SystemText& file_of(const UnitFiles& files, Starter starter) {
    return starter == Starter::initd ? files.system : files.crew;
}

// The agent chose the name: "*" or "text.*" would be a whole namespace in a unit file, and a blank two names.
bool is_plain_name(std::string_view intent) {
    return !intent.empty() && std::ranges::all_of(intent, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    });
}

std::string place_of(const UnitFiles& files, Starter starter, std::string_view unit) {
    return std::format("[unit.{}] of {}", printable(unit), file_of(files, starter).file);
}

std::string why_none(const RefusedCall& refused, std::string_view starter_lacks) {
    if (!starter_lacks.empty())
        return std::format("agentsupervisor, which starts it, has no grants.{} to hand on", starter_lacks);
    switch (refused.error) {
    case Error::wrong_type:
        return "it gave the call a handle of another kind";
    case Error::revoked:
        return "what it used was taken back by the agent that had given it";
    case Error::missing_right:
        return "the handle did not come from a grant; ask its giver for the right";
    default:
        return "the handle is none of its own, and grants lead to nothing else of that kind";
    }
}

} // namespace

Starter starter_of(const UnitFiles& files, std::string_view agent) {
    if (files.crew.find(agent) != nullptr) return Starter::agentsupervisor;
    return files.system.find(agent) != nullptr ? Starter::initd : Starter::other;
}

GrantLine grant_for_call(const UnitFiles& files, const RefusedCall& refused) {
    const UnitText* unit =
        refused.starter == Starter::other ? nullptr : file_of(files, refused.starter).find(refused.agent);
    if (unit == nullptr) return {.line = "", .place = "", .why = "it is no unit: it has what its parent gives it"};
    GrantLine found;
    std::string_view lacks; // a role that would help, and whoever starts the unit does not have
    bool has_one = false;   // the unit has another of that kind
    if (refused.error == Error::bad_handle || refused.error == Error::missing_right) {
        for (const Way& way : kWays) {
            has_one = has_one || (leads_to(way, refused) && held(*unit, way.role));
            const auto wanted = helpful(*unit, way, refused);
            if (!wanted) continue;
            const std::string_view role = role_name(static_cast<std::uint32_t>(way.role));
            if (!can_hand_on(files, refused.starter, way.role, *wanted)) {
                if (lacks.empty()) lacks = role;
                continue;
            }
            found.line += std::format("{}grants.{} = \"{}\"", found.line.empty() ? "" : " or ", role,
                                      rights_names(wanted->bits()));
        }
    }
    if (found.line.empty())
        found.why = why_none(refused, has_one ? std::string_view() : lacks);
    else
        found.place = place_of(files, refused.starter, unit->name);
    return found;
}

GrantLine grant_for_offer(const UnitFiles& files, std::string_view agent, std::string_view intent) {
    const Starter starter = starter_of(files, agent);
    if (starter == Starter::other)
        return {.line = "", .place = "", .why = "it is no unit: its parent says what it may offer"};
    if (!is_plain_name(intent))
        return {.line = "", .place = "", .why = "what it offers has a name that no unit file should hold"};
    const UnitText& unit = *file_of(files, starter).find(agent);
    if (unit.offers.size() >= kMostOffers)
        return {.line = "", .place = "", .why = "its unit names as many offers as it can; a namespace would be one"};
    std::string offers;
    for (const std::string& offer : unit.offers)
        offers += printable(offer) + " ";
    return {
        .line = std::format("offers = \"{}{}\"", offers, intent), .place = place_of(files, starter, agent), .why = ""};
}

} // namespace aios::host
