// Decoding and checking of a system description.
#include "base/cbor.hpp"
#include "base/format.hpp"
#include "runtime/orchestration/units.hpp"

namespace aios::orchestration {
namespace {

// Needs are names until all units are known.
struct Names {
    StaticVector<std::string_view, kMaxUnits> of[kMaxUnits];
};

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

Result<> decode_unit(cbor::Decoder& in, Unit& unit, StaticVector<std::string_view, kMaxUnits>& needs) {
    if (TRY(in.map_begin()) != 11) return fail(Error::bad_format);
    TRY(in.expect_key(0));
    unit.name = TRY(in.text());
    if (unit.name.empty() || unit.name.size() >= kMaxNameBytes) return fail(Error::bad_format);
    TRY(in.expect_key(1));
    unit.program = TRY(in.text());
    if (unit.program.empty() || unit.program.size() > kMaxPathBytes) return fail(Error::bad_format);
    TRY(in.expect_key(2));
    TRY(texts(in, unit.arguments));
    TRY(in.expect_key(3));
    TRY(texts(in, needs));
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
    return in.end();
}

Result<> decode_all(cbor::Decoder& in, SystemDescription& out, Names& needs) {
    if (TRY(in.map_begin()) != 6) return fail(Error::bad_format);
    TRY(in.expect_key(0));
    if (TRY(in.uint()) != kDescriptionVersion) return fail(Error::unsupported);
    TRY(in.expect_key(1));
    out.strategy = TRY(enumerator(in, Strategy::rest_for_one));
    TRY(in.expect_key(2));
    out.intensity = TRY(small(in));
    TRY(in.expect_key(3));
    out.period_ns = std::uint64_t{TRY(small(in))} * 1'000'000; // milliseconds on the wire
    TRY(in.expect_key(4));
    if (TRY(in.array_begin()) > kMaxUnits) return fail(Error::too_large);
    while (TRY(in.array_next())) {
        (void)out.units.push_back(Unit{});
        const std::size_t index = out.units.size() - 1;
        TRY(decode_unit(in, out.units[index], needs.of[index]));
    }
    TRY(in.expect_key(5));
    out.region_bytes = TRY(in.uint());
    TRY(in.end());
    return in.finish();
}

std::size_t index_of(const SystemDescription& description, std::string_view name) {
    for (std::size_t i = 0; i < description.units.size(); ++i) {
        if (description.units[i].name == name) return i;
    }
    return kMaxUnits;
}

} // namespace

const Unit* find_cycle(const SystemDescription& description) {
    UnitMask placed = 0;
    const std::size_t count = description.units.size();
    for (std::size_t round = 0; round < count;
         ++round) { // each round places at least one unit, or the rest holds a cycle
        UnitMask before = placed;
        for (std::size_t i = 0; i < count; ++i) {
            if ((description.units[i].needs & ~placed) == 0) placed |= UnitMask{1} << i;
        }
        if (placed == before) break;
    }
    // Walk along unmet needs: after `count` steps the walk is on a cycle.
    std::size_t at = kMaxUnits;
    for (std::size_t i = 0; i < count; ++i) {
        if ((placed & (UnitMask{1} << i)) == 0) at = i;
    }
    if (at == kMaxUnits) return nullptr;
    for (std::size_t step = 0; step < count; ++step) {
        const UnitMask unmet = description.units[at].needs & ~placed;
        at = static_cast<std::size_t>(__builtin_ctz(unmet));
    }
    return &description.units[at];
}

Result<> SystemDescription::decode(Bytes bytes, SystemDescription& out, std::span<char> why,
                                   std::string_view& sentence) {
    cbor::Decoder in(bytes);
    Names needs;
    if (const auto decoded = decode_all(in, out, needs); !decoded) {
        const std::string_view name =
            out.units.size() == 0 ? std::string_view("none") : out.units[out.units.size() - 1].name;
        sentence = format_to(why, "the system description cannot be read at byte {} (last unit: {}): {}", in.position(),
                             name, error_info(decoded.error()).sentence);
        return decoded;
    }
    for (std::size_t i = 0; i < out.units.size(); ++i) {
        Unit& unit = out.units[i];
        if (index_of(out, unit.name) != i) {
            sentence = format_to(why, "two units are called {}", unit.name);
            return fail(Error::already_exists);
        }
        for (const std::string_view need : needs.of[i]) {
            const std::size_t needed = index_of(out, need);
            if (needed == kMaxUnits) {
                sentence = format_to(why, "unit {} needs {}, which does not exist", unit.name, need);
                return fail(Error::not_found);
            }
            unit.needs |= UnitMask{1} << needed;
        }
    }
    if (const Unit* unit = find_cycle(out); unit != nullptr) {
        sentence = format_to(why, "unit {} needs itself through its needs: a cycle", unit->name);
        return fail(Error::bad_argument);
    }
    return {};
}

} // namespace aios::orchestration
