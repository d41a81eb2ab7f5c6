// Unit files in the form that the guest reads: system-description in abi/messages.def.
#include <format>

#include "base/bytes.hpp"
#include "messages/owned.hpp"
#include "tools/aios/input/units.hpp"

namespace aios::host {

namespace {

messages::owned::UnitText described(const UnitText& unit) {
    messages::owned::UnitText out{
        .name = unit.name,
        .program = unit.program,
        .arguments = unit.arguments,
        .needs = unit.needs,
        .grants = {},
        .quota = {.memory_bytes = unit.memory, .handles = unit.handles, .threads = unit.threads, .agents = unit.agents},
        .weight = unit.weight,
        .personality = unit.personality,
        .restart = unit.restart,
        .sends_ready = unit.sends_ready,
        .essential = unit.essential,
        .offers = unit.offers,
        .ready_timeout = unit.ready_timeout,
        .spends = {},
        .hint = unit.hint,
    };
    for (const Resource resource : kSpentResources) {
        const auto number = static_cast<unsigned>(resource);
        if (unit.spends[number] == 0) continue;
        if (!out.spends) out.spends.emplace();
        out.spends->push_back({.resource = number, .amount = unit.spends[number]});
    }
    for (const auto& [role, rights] : unit.grants)
        out.grants.push_back({role, rights});
    return out;
}

} // namespace

Outcome<std::string> encode_units(const SystemText& system) {
    messages::owned::SystemText out{.strategy = system.strategy,
                                    .intensity = system.intensity,
                                    .period_ms = system.period_ms,
                                    .units = {},
                                    .region_bytes = system.region_bytes};
    for (const UnitText& unit : system.units)
        out.units.push_back(described(unit));
    const auto encoded = messages::encode(out);
    if (!encoded) return failure(Exit::bad_input, std::format("{}: a text in it is not UTF-8.", system.file));
    return std::string(as_text(*encoded));
}

} // namespace aios::host
