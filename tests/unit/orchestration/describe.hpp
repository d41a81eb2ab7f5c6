// System descriptions for tests, as the host program writes them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "messages/owned.hpp"
#include "runtime/orchestration/unit_states.hpp"

namespace aios::orchestration {

struct Spec {
    std::string name;
    std::vector<std::string> needs = {};
    Restart restart = Restart::never;
    bool sends_ready = false;
    bool essential = false;
    std::uint64_t memory = 1 << 20;
    std::uint32_t role = 2;          // of its one grant
    std::uint64_t ready_timeout = 0; // seconds; 0: not said
    std::uint64_t tokens = 0;        // that it may spend
    std::optional<AgentHint> hint = {};
};

inline std::vector<std::byte> encode(const std::vector<Spec>& specs, Strategy strategy, unsigned intensity,
                                     unsigned period_ms) {
    messages::owned::SystemText system{.strategy = static_cast<std::uint64_t>(strategy),
                                       .intensity = intensity,
                                       .period_ms = period_ms,
                                       .units = {},
                                       .region_bytes = 4096};
    for (const Spec& spec : specs) {
        messages::owned::UnitText unit{.name = spec.name,
                                       .program = "bin/" + spec.name,
                                       .arguments = {"--verbose"},
                                       .needs = spec.needs,
                                       .grants = {{spec.role, 3}},
                                       .quota = {spec.memory, 64, 4, 0},
                                       .weight = 100,
                                       .personality = 1,
                                       .restart = static_cast<std::uint64_t>(spec.restart),
                                       .sends_ready = spec.sends_ready,
                                       .essential = spec.essential,
                                       .offers = {},
                                       .ready_timeout = {},
                                       .spends = {},
                                       .hint = {}};
        if (spec.hint) unit.hint = static_cast<std::uint64_t>(*spec.hint);
        if (spec.ready_timeout != 0) {
            unit.offers.emplace();
            unit.ready_timeout = spec.ready_timeout;
        }
        if (spec.tokens != 0)
            unit.spends = {{{.resource = static_cast<std::uint64_t>(Resource::tokens), .amount = spec.tokens}}};
        system.units.push_back(std::move(unit));
    }
    return messages::encode(system).value();
}

// Decoded, with the room that it says it takes and no byte more.
struct Decoded {
    std::vector<std::byte> bytes;
    std::vector<std::byte> room;
    SystemDescription description;
    UnitStates states;
    char why[200];
    std::string_view sentence;
    Result<> result;
    explicit Decoded(const std::vector<Spec>& specs, Strategy strategy = Strategy::one_for_one, unsigned intensity = 3,
                     unsigned period_ms = 1000)
        : Decoded(encode(specs, strategy, intensity, period_ms)) {}
    explicit Decoded(std::vector<std::byte> encoded) : bytes(std::move(encoded)) {
        const std::size_t units = SystemDescription::count_units(bytes).value_or(0);
        room.resize(SystemDescription::room_for(units, bytes) + UnitStates::room_for(units));
        Arena arena{MutableBytes(room)};
        result = SystemDescription::decode(bytes, arena, description, why, sentence);
        if (result) result = states.init(description, arena);
    }
    Decoded(const Decoded&) = delete;
    Decoded& operator=(const Decoded&) = delete;
};

} // namespace aios::orchestration
