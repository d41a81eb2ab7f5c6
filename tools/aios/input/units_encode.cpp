// Unit files in the form that the guest reads: system-description in abi/messages.cddl.
#include <format>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "tools/aios/input/units.hpp"

namespace aios::host {

namespace {

void put_texts(cbor::Encoder& out, const std::vector<std::string>& texts) {
    out.array(texts.size());
    for (const std::string& text : texts)
        out.text(text);
}

void put_unit(cbor::Encoder& out, const UnitText& unit) {
    out.map(13);
    out.key(0).text(unit.name);
    out.key(1).text(unit.program);
    out.key(2);
    put_texts(out, unit.arguments);
    out.key(3);
    put_texts(out, unit.needs);
    out.key(4).array(unit.grants.size());
    for (const auto& [role, rights] : unit.grants)
        out.array(2).uint(role).uint(rights);
    out.key(5).array(4).uint(unit.memory).uint(unit.handles).uint(unit.threads).uint(unit.agents);
    out.key(6).uint(unit.weight);
    out.key(7).uint(unit.personality);
    out.key(8).uint(unit.restart);
    out.key(9).boolean(unit.sends_ready);
    out.key(10).boolean(unit.essential);
    out.key(11);
    put_texts(out, unit.offers);
    out.key(12).uint(unit.ready_timeout);
}

void put(cbor::Encoder& out, const SystemText& system) {
    out.map(6);
    out.key(0).uint(1);
    out.key(1).uint(system.strategy);
    out.key(2).uint(system.intensity);
    out.key(3).uint(system.period_ms);
    out.key(4).array(system.units.size());
    for (const UnitText& unit : system.units)
        put_unit(out, unit);
    out.key(5).uint(system.region_bytes);
}

} // namespace

Outcome<std::string> encode_units(const SystemText& system) {
    auto counting = cbor::Encoder::counting();
    put(counting, system);
    std::string bytes(counting.size(), '\0');
    cbor::Encoder out(std::as_writable_bytes(std::span(bytes)));
    put(out, system);
    if (!out.finish()) return failure(Exit::bad_input, std::format("{}: a text in it is not UTF-8.", system.file));
    return bytes;
}

} // namespace aios::host
