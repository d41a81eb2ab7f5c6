// Decoding and checking of a system description.
#include <algorithm>
#include <optional>

#include "base/cbor.hpp"
#include "base/format.hpp"
#include "runtime/orchestration/units.hpp"

namespace aios::orchestration {
namespace {

// Needs are names until all units are known.
using Names = std::span<std::string_view>;

template <typename Enum>
Result<Enum> enumerator(cbor::Decoder& in, Enum last) {
    const std::uint64_t value = TRY(in.uint());
    if (value > static_cast<std::uint64_t>(last)) return fail(Error::bad_format);
    return static_cast<Enum>(value);
}

template <std::size_t kRoom>
Result<> texts(cbor::Decoder& in, StaticVector<std::string_view, kRoom>& out) {
    if (TRY(in.array_begin()) > kRoom) return fail(Error::too_large);
    while (TRY(in.array_next())) {
        (void)out.push_back(TRY(in.text()));
    }
    return {};
}

Result<std::uint32_t> small(cbor::Decoder& in) {
    const std::uint64_t value = TRY(in.uint());
    if (value > ~std::uint32_t{0}) return fail(Error::bad_format);
    return static_cast<std::uint32_t>(value);
}

Result<> grants(cbor::Decoder& in, Unit& unit) {
    if (TRY(in.array_begin()) > kMaxGrants) return fail(Error::too_large);
    while (TRY(in.array_next())) {
        if (TRY(in.array_begin()) != 2) return fail(Error::bad_format);
        Grant grant{};
        grant.role = TRY(small(in));
        grant.rights = TRY(small(in));
        TRY(in.end());
        (void)unit.grants.push_back(grant);
    }
    return {};
}

Result<> quota(cbor::Decoder& in, QuotaGrant& out) {
    if (TRY(in.array_begin()) != 4) return fail(Error::bad_format);
    out.memory_bytes = TRY(in.uint());
    out.handles = TRY(in.uint());
    out.threads = TRY(in.uint());
    out.agents = TRY(in.uint());
    return in.end();
}

// In the arena: the names, and room for the indices that they stand for.
Result<Names> needs(cbor::Decoder& in, Arena& arena, Unit& unit) {
    const std::uint64_t count = TRY(in.array_begin());
    if (count > kMaxUnits) return fail(Error::too_large);
    const Names names = TRY(arena.make<std::string_view>(count));
    unit.needs = TRY(arena.make<std::uint32_t>(count));
    for (std::size_t i = 0; TRY(in.array_next()); ++i) {
        names[i] = TRY(in.text());
        if (names[i].empty()) return fail(Error::bad_format);
    }
    return names;
}

Result<Names> decode_unit(cbor::Decoder& in, Arena& arena, Unit& unit) {
    const std::uint64_t pairs = TRY(in.map_begin());
    if (pairs < 11 || pairs > 13) return fail(Error::bad_format);
    TRY(in.expect_key(0));
    unit.name = TRY(in.text());
    if (unit.name.empty() || unit.name.size() >= kMaxNameBytes) return fail(Error::bad_format);
    TRY(in.expect_key(1));
    unit.program = TRY(in.text());
    if (unit.program.empty() || unit.program.size() > kMaxPathBytes) return fail(Error::bad_format);
    TRY(in.expect_key(2));
    TRY(texts(in, unit.arguments));
    TRY(in.expect_key(3));
    const Names names = TRY(needs(in, arena, unit));
    TRY(in.expect_key(4));
    TRY(grants(in, unit));
    TRY(in.expect_key(5));
    TRY(quota(in, unit.quota));
    TRY(in.expect_key(6));
    unit.cpu_weight = TRY(small(in));
    if (unit.cpu_weight == 0 || unit.cpu_weight > 10000) return fail(Error::bad_format);
    TRY(in.expect_key(7));
    unit.personality = TRY(enumerator(in, PersonalityKind::linux_abi));
    TRY(in.expect_key(8));
    unit.restart = TRY(enumerator(in, Restart::always));
    TRY(in.expect_key(9));
    unit.sends_ready = TRY(in.boolean());
    TRY(in.expect_key(10));
    unit.essential = TRY(in.boolean());
    if (pairs >= 12) { // absent: it may offer nothing
        TRY(in.expect_key(11));
        TRY(texts(in, unit.offers));
    }
    if (pairs == 13) { // absent: the usual time
        TRY(in.expect_key(12));
        const std::uint64_t seconds = TRY(in.uint());
        if (seconds == 0 || seconds > kMaxReadyTimeout) return fail(Error::bad_format);
        unit.ready_timeout_ns = seconds * 1'000'000'000;
    }
    TRY(in.end());
    return names;
}

// Up to and with the number of units.
Result<std::size_t> decode_head(cbor::Decoder& in, SystemDescription& out) {
    if (TRY(in.map_begin()) != 6) return fail(Error::bad_format);
    TRY(in.expect_key(0));
    if (TRY(in.uint()) != kDescriptionVersion) return fail(Error::unsupported);
    TRY(in.expect_key(1));
    out.strategy = TRY(enumerator(in, Strategy::rest_for_one));
    TRY(in.expect_key(2));
    out.intensity = TRY(small(in));
    if (out.intensity > kMaxIntensity) return fail(Error::too_large);
    TRY(in.expect_key(3));
    out.period_ns = std::uint64_t{TRY(small(in))} * 1'000'000; // milliseconds on the wire
    TRY(in.expect_key(4));
    const std::uint64_t count = TRY(in.array_begin());
    if (count > kMaxUnits) return fail(Error::too_large);
    return count;
}

Result<> decode_all(cbor::Decoder& in, Arena& arena, SystemDescription& out, std::span<Names>& names) {
    const std::size_t count = TRY(decode_head(in, out));
    names = TRY(arena.make<Names>(count));
    const auto units = TRY(arena.make<Unit>(count));
    for (std::size_t i = 0; TRY(in.array_next()); ++i) {
        out.units = units.first(i + 1); // so that a failure can name the unit
        names[i] = TRY(decode_unit(in, arena, units[i]));
    }
    TRY(in.expect_key(5));
    out.region_bytes = TRY(in.uint());
    TRY(in.end());
    return in.finish();
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

Result<std::size_t> SystemDescription::count_units(Bytes bytes) {
    cbor::Decoder in(bytes);
    SystemDescription head;
    return decode_head(in, head);
}

// A need takes two bytes at least: the head of a text, and a letter.
std::size_t SystemDescription::room_for(std::size_t units, Bytes bytes) {
    const std::size_t each = Arena::room<std::string_view>(0) + Arena::room<std::uint32_t>(0);
    return Arena::room<Unit>(units) + Arena::room<Names>(units) + Arena::room<bool>(units) + units * each +
           bytes.size() / 2 * (sizeof(std::string_view) + sizeof(std::uint32_t));
}

Result<> SystemDescription::decode(Bytes bytes, Arena& arena, SystemDescription& out, std::span<char> why,
                                   std::string_view& sentence) {
    cbor::Decoder in(bytes);
    std::span<Names> names;
    if (const auto decoded = decode_all(in, arena, out, names); !decoded) {
        const std::string_view name = out.units.empty() ? std::string_view("none") : out.units.back().name;
        sentence = aios::format_to(why, "the system description cannot be read at byte {} (last unit: {}): {}",
                                   in.position(), name, error_info(decoded.error()).sentence);
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
