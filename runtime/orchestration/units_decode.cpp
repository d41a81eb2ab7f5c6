// Decoding and checking of a system description.
#include <algorithm>
#include <optional>

#include "base/format.hpp"
#include "messages/view.hpp"
#include "runtime/orchestration/units.hpp"

namespace aios::orchestration {
namespace {

namespace view = messages::view;

// Needs are names until all units are known.
using Names = std::span<std::string_view>;

template <typename Enum>
Result<Enum> enumerator(std::uint64_t value, Enum last) {
    if (value > static_cast<std::uint64_t>(last)) return fail(Error::bad_format);
    return static_cast<Enum>(value);
}

template <std::size_t kRoom>
Result<> texts(const view::List<view::Text>& from, StaticVector<std::string_view, kRoom>& out) {
    if (from.size() > kRoom) return fail(Error::too_large);
    for (const std::string_view text : from)
        TRY(out.push_back(text));
    return {};
}

Result<std::uint32_t> small(std::uint64_t value) {
    if (value > ~std::uint32_t{0}) return fail(Error::bad_format);
    return static_cast<std::uint32_t>(value);
}

Result<> grants(const view::List<view::RoleGrant>& from, Unit& unit) {
    if (from.size() > kMaxGrants) return fail(Error::too_large);
    for (const view::RoleGrant& grant : from) {
        const std::uint32_t role = TRY(small(grant.role)), rights = TRY(small(grant.rights));
        TRY(unit.grants.push_back({role, rights}));
    }
    return {};
}

// In the arena: the names, and room for the indices that they stand for.
Result<Names> needs(const view::List<view::Text>& from, Arena& arena, Unit& unit) {
    if (from.size() > kMaxUnits) return fail(Error::too_large);
    const Names names = TRY(arena.make<std::string_view>(from.size()));
    unit.needs = TRY(arena.make<std::uint32_t>(from.size()));
    std::size_t at = 0;
    for (const std::string_view name : from) {
        if (name.empty()) return fail(Error::bad_format);
        names[at++] = name;
    }
    return names;
}

Result<> spends(const view::List<view::ResourceAmount>& from, Unit& unit) {
    for (const view::ResourceAmount& one : from) {
        if (one.resource >= kResourceCount) return fail(Error::bad_format);
        const auto resource = static_cast<Resource>(one.resource);
        if (kind_of(resource) != ResourceKind::spent) return fail(Error::bad_format);
        unit.quota.set(resource, one.amount);
    }
    return {};
}

Result<Names> read_unit(const view::UnitText& from, Arena& arena, Unit& unit) {
    unit.name = from.name;
    if (unit.name.empty() || unit.name.size() >= kMaxNameBytes) return fail(Error::bad_format);
    unit.program = from.program;
    if (unit.program.empty() || unit.program.size() > kMaxPathBytes) return fail(Error::bad_format);
    TRY(texts(from.arguments, unit.arguments));
    const Names names = TRY(needs(from.needs, arena, unit));
    TRY(grants(from.grants, unit));
    unit.quota = {.memory_bytes = from.quota.memory_bytes,
                  .handles = from.quota.handles,
                  .threads = from.quota.threads,
                  .agents = from.quota.agents};
    if (from.spends) TRY(spends(*from.spends, unit)); // absent: it may spend nothing
    unit.cpu_weight = TRY(small(from.weight));
    if (unit.cpu_weight == 0 || unit.cpu_weight > 10000) return fail(Error::bad_format);
    if (from.hint) unit.hint = TRY(enumerator(*from.hint, AgentHint::batch));
    unit.personality = TRY(enumerator(from.personality, PersonalityKind::linux_abi));
    unit.restart = TRY(enumerator(from.restart, Restart::always));
    unit.sends_ready = from.sends_ready;
    unit.essential = from.essential;
    if (from.offers) TRY(texts(*from.offers, unit.offers)); // absent: it may offer nothing
    if (from.ready_timeout) {                               // absent: the usual time
        const std::uint64_t seconds = *from.ready_timeout;
        if (!from.offers || seconds == 0 || seconds > kMaxReadyTimeout) return fail(Error::bad_format);
        unit.ready_timeout_ns = seconds * 1'000'000'000;
    }
    return names;
}

Result<view::SystemText> decode_text(Bytes bytes) {
    const auto text = TRY(messages::decode<view::SystemText>(bytes));
    if (text.units.size() > kMaxUnits) return fail(Error::too_large);
    return text;
}

Result<> decode_all(Bytes bytes, Arena& arena, SystemDescription& out, std::span<Names>& names) {
    const view::SystemText text = TRY(decode_text(bytes));
    out.strategy = TRY(enumerator(text.strategy, Strategy::rest_for_one));
    out.intensity = TRY(small(text.intensity));
    if (out.intensity > kMaxIntensity) return fail(Error::too_large);
    out.period_ns = std::uint64_t{TRY(small(text.period_ms))} * 1'000'000; // milliseconds on the wire
    out.region_bytes = text.region_bytes;
    names = TRY(arena.make<Names>(text.units.size()));
    const auto units = TRY(arena.make<Unit>(text.units.size()));
    std::size_t at = 0;
    for (const view::UnitText& unit : text.units) {
        out.units = units.first(at + 1); // so that a failure can name the unit
        names[at] = TRY(read_unit(unit, arena, units[at]));
        ++at;
    }
    return {};
}

std::optional<std::size_t> index_of(const SystemDescription& description, std::string_view name) {
    for (std::size_t i = 0; i < description.units.size(); ++i) {
        if (description.units[i].name == name) return i;
    }
    return {};
}

// Names a unit on a cycle of needs, or nothing. `placed` is scratch, one place a unit.
const Unit* find_cycle(const SystemDescription& description, std::span<bool> placed) {
    const auto unmet_need = [&](const Unit& unit) {
        return std::ranges::find_if(unit.needs, [&](std::uint32_t need) { return !placed[need]; });
    };
    // Each round places at least one unit, or the rest holds a cycle.
    for (bool grew = true; grew;) {
        grew = false;
        for (std::size_t i = 0; i < placed.size(); ++i) {
            const Unit& unit = description.units[i];
            if (placed[i] || unmet_need(unit) != unit.needs.end()) continue;
            placed[i] = grew = true;
        }
    }
    const auto left = std::ranges::find_if(placed, [](bool is_placed) { return !is_placed; });
    if (left == placed.end()) return nullptr;
    // Walk along unmet needs: after as many steps as there are units the walk is on a cycle.
    const Unit* at = &description.units[static_cast<std::size_t>(left - placed.begin())];
    for (std::size_t step = 0; step < placed.size(); ++step) {
        at = &description.units[*unmet_need(*at)];
    }
    return at;
}

} // namespace

Result<std::size_t> SystemDescription::count_units(Bytes bytes) { return TRY(decode_text(bytes)).units.size(); }

// A need takes two bytes at least: the head of a text, and a letter.
std::size_t SystemDescription::room_for(std::size_t units, Bytes bytes) {
    const std::size_t each = Arena::room<std::string_view>(0) + Arena::room<std::uint32_t>(0);
    return Arena::room<Unit>(units) + Arena::room<Names>(units) + Arena::room<bool>(units) + units * each +
           bytes.size() / 2 * (sizeof(std::string_view) + sizeof(std::uint32_t));
}

Result<> SystemDescription::decode(Bytes bytes, Arena& arena, SystemDescription& out, std::span<char> why,
                                   std::string_view& sentence) {
    std::span<Names> names;
    if (const auto decoded = decode_all(bytes, arena, out, names); !decoded) {
        const std::string_view name = out.units.empty() ? std::string_view("none") : out.units.back().name;
        sentence = aios::format_to(why, "the system description cannot be read (last unit: {}): {}", name,
                                   error_info(decoded.error()).sentence);
        return decoded;
    }
    for (std::size_t i = 0; i < out.units.size(); ++i) {
        Unit& unit = out.units[i];
        if (index_of(out, unit.name) != i) {
            sentence = aios::format_to(why, "two units are called {}", unit.name);
            return fail(Error::already_exists);
        }
        for (std::size_t k = 0; k < names[i].size(); ++k) {
            const auto needed = index_of(out, names[i][k]);
            if (!needed) {
                sentence = aios::format_to(why, "unit {} needs {}, which does not exist", unit.name, names[i][k]);
                return fail(Error::not_found);
            }
            unit.needs[k] = static_cast<std::uint32_t>(*needed);
        }
    }
    if (const Unit* unit = find_cycle(out, TRY(arena.make<bool>(out.units.size()))); unit != nullptr) {
        sentence = aios::format_to(why, "unit {} needs itself through its needs: a cycle", unit->name);
        return fail(Error::bad_argument);
    }
    return {};
}

} // namespace aios::orchestration
