// System descriptions for tests, as the host program writes them.
#pragma once

#include <string>
#include <vector>

#include "base/cbor.hpp"
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
};

inline std::vector<std::byte> encode(const std::vector<Spec>& specs, Strategy strategy, unsigned intensity,
                                     unsigned period_ms) {
    std::vector<std::byte> buffer(4096 + specs.size() * 512);
    cbor::Encoder out(buffer);
    out.map(6);
    out.key(0).uint(1);
    out.key(1).uint(static_cast<std::uint64_t>(strategy));
    out.key(2).uint(intensity);
    out.key(3).uint(period_ms);
    out.key(4).array(specs.size());
    for (const Spec& spec : specs) {
        out.map(spec.ready_timeout == 0 ? 11 : 13);
        out.key(0).text(spec.name);
        out.key(1).text("bin/" + spec.name);
        out.key(2).array(1).text("--verbose");
        out.key(3).array(spec.needs.size());
        for (const auto& need : spec.needs) {
            out.text(need);
        }
        out.key(4).array(1).array(2).uint(spec.role).uint(3);
        out.key(5).array(4).uint(spec.memory).uint(64).uint(4).uint(0);
        out.key(6).uint(100);
        out.key(7).uint(1);
        out.key(8).uint(static_cast<std::uint64_t>(spec.restart));
        out.key(9).boolean(spec.sends_ready);
        out.key(10).boolean(spec.essential);
        if (spec.ready_timeout == 0) continue;
        out.key(11).array(0);
        out.key(12).uint(spec.ready_timeout);
    }
    out.key(5).uint(4096);
    buffer.resize(out.finish().value().size());
    return buffer;
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
