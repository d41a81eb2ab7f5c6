// Reading of unit files. Each setting is one row of a table: its name, and the function that takes its value.
#include <algorithm>
#include <array>
#include <format>
#include <functional>
#include <ranges>
#include <span>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "abi/call_types.hpp"
#include "abi/rights.hpp"
#include "tools/aios/host/nearest.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/input/units.hpp"

namespace aios::host {

namespace {

struct Named {
    std::string_view name;
    std::uint32_t value;
};

constexpr Named kRoles[] = {
#define ROLE(name, number, sentence) {#name, number},
#include "abi/roles.def"
#undef ROLE
};
constexpr Named kRights[] = {
#define RIGHT(name, bit, sentence) {#name, 1u << (bit)},
#include "abi/rights.def"
#undef RIGHT
};
constexpr Named kStrategies[] = {{"one_for_one", 0}, {"one_for_all", 1}, {"rest_for_one", 2}};
constexpr Named kPersonalities[] = {{"native", 0}, {"linux", 1}};
// AgentHint: what a unit can be for all its life.
constexpr Named kHints[] = {{"none", 0}, {"interactive", 1}, {"batch", 2}};
constexpr Named kRestarts[] = {{"never", 0}, {"on_failure", 1}, {"always", 2}};
constexpr Named kReady[] = {{"start", 0}, {"message", 1}};

// Limits of the guest's decoder (runtime/orchestration/units.hpp).
constexpr std::size_t kMostArguments = 16;
constexpr std::size_t kMostGrants = 16;
constexpr std::uint64_t kMostIntensity = 64;
constexpr std::uint64_t kMostWeight = 10'000;
constexpr std::uint64_t kMostReadyTimeout = 86'400; // seconds: a day

std::uint64_t line_of(const toml::node& node) { return node.source().begin.line; }

// A value of the file, with what is needed to read it and to say what is wrong with it.
class Reader {
public:
    Reader(std::string_view file, const Variables& variables) : file_(file), variables_(variables) {}

    [[nodiscard]] std::unexpected<Failure> wrong(std::uint64_t line, std::string_view what) const {
        std::string sentence = std::format("{}, line {}: {}", file_, line, what);
        if (!sentence.ends_with('?')) sentence += '.';
        return failure(Exit::bad_input, std::move(sentence));
    }
    [[nodiscard]] std::unexpected<Failure> wrong(const toml::node& at, std::string_view what) const {
        return wrong(line_of(at), what);
    }

    [[nodiscard]] Outcome<std::string> text(const toml::node& value) const {
        if (const auto* string = value.as_string()) return string->get();
        return wrong(value, "a text in quotes belongs here");
    }

    [[nodiscard]] Outcome<bool> flag(const toml::node& value) const {
        if (const auto* boolean = value.as_boolean()) return boolean->get();
        return wrong(value, "true or false belongs here");
    }

    // A whole number, or a size in quotes.
    [[nodiscard]] Outcome<std::uint64_t> number(const toml::node& value, std::uint64_t low = 0,
                                                std::uint64_t high = INT64_MAX) const {
        std::uint64_t result = 0;
        if (const auto* integer = value.as_integer(); integer != nullptr && integer->get() >= 0) {
            result = static_cast<std::uint64_t>(integer->get());
        } else if (const auto* string = value.as_string()) {
            const auto size = evaluate_size(string->get(), variables_);
            if (!size) return wrong(value, size.error());
            result = *size;
        } else {
            return wrong(value, "a whole number, or a size such as \"16M\", belongs here");
        }
        if (result < low || result > high)
            return wrong(value, std::format("{} is not from {} to {}", result, low, high));
        return result;
    }

    [[nodiscard]] Outcome<std::uint32_t> word(const toml::node& at, std::string_view word, std::string_view what,
                                              std::span<const Named> names) const {
        const auto found = std::ranges::find(names, word, &Named::name);
        if (found != names.end()) return found->value;
        std::vector<std::string_view> known;
        for (const Named& name : names)
            known.push_back(name.name);
        return wrong(at, std::format("there is no {} '{}'{}", what, printable(word), did_you_mean(word, known)));
    }

    [[nodiscard]] Outcome<std::uint32_t> choice(const toml::node& value, std::string_view what,
                                                std::span<const Named> names) const {
        return word(value, HOST_TRY(text(value)), what, names);
    }

    // A list of texts, or one text of words.
    [[nodiscard]] Outcome<std::vector<std::string>> texts(const toml::node& value) const {
        std::vector<std::string> list;
        if (const auto* string = value.as_string()) {
            for (const auto part : std::views::split(std::string_view(string->get()), ' '))
                if (!part.empty()) list.emplace_back(std::string_view(part));
            return list;
        }
        const auto* array = value.as_array();
        if (array == nullptr) return wrong(value, "a list of texts belongs here: [\"one\", \"two\"]");
        for (const toml::node& item : *array)
            list.push_back(HOST_TRY(text(item)));
        return list;
    }

private:
    std::string_view file_;
    const Variables& variables_;
};

template <typename T>
struct Setting {
    std::string_view name;
    Outcome<> (*take)(const Reader& reader, const toml::node& value, T& out);
};

Outcome<> take_grants(const Reader& reader, const toml::node& value, UnitText& out) {
    const auto* table = value.as_table();
    if (table == nullptr) return reader.wrong(value, "grants belong here by role: grants.console = \"write\"");
    for (const auto& [role, rights] : *table) {
        std::uint32_t bits = 0;
        for (const std::string& right : HOST_TRY(reader.texts(rights)))
            bits |= HOST_TRY(reader.word(rights, right, "right", kRights));
        if (bits == 0) return reader.wrong(rights, std::format("the grant of {} names no right", role.str()));
        out.grants.emplace_back(HOST_TRY(reader.word(rights, role.str(), "role", kRoles)), bits);
    }
    if (out.grants.size() > kMostGrants)
        return reader.wrong(value, std::format("a unit has at most {} grants", kMostGrants));
    return {};
}

// What most rows do: put a value of one kind where it belongs.
template <auto kField>
Outcome<> take_number(const Reader& reader, const toml::node& value, auto& out) {
    out.*kField = HOST_TRY(reader.number(value));
    return {};
}
template <auto kField>
Outcome<> take_count(const Reader& reader, const toml::node& value, auto& out) { // at least one
    out.*kField = HOST_TRY(reader.number(value, 1));
    return {};
}
template <auto kField>
Outcome<> take_flag(const Reader& reader, const toml::node& value, auto& out) {
    out.*kField = HOST_TRY(reader.flag(value));
    return {};
}
template <auto kField, const auto& kNames>
Outcome<> take_choice(const Reader& reader, const toml::node& value, auto& out) {
    out.*kField = HOST_TRY(reader.choice(value, "such value:", kNames));
    return {};
}

Outcome<> take_program(const Reader& reader, const toml::node& value, UnitText& out) {
    out.program = HOST_TRY(reader.text(value));
    out.program_line = line_of(value);
    return {};
}
Outcome<> take_arguments(const Reader& reader, const toml::node& value, UnitText& out) {
    if (!value.is_array()) return reader.wrong(value, "a list of texts belongs here: [\"one\", \"two\"]");
    out.arguments = HOST_TRY(reader.texts(value));
    if (out.arguments.size() > kMostArguments)
        return reader.wrong(value, std::format("a unit has at most {} arguments", kMostArguments));
    return {};
}
Outcome<> take_needs(const Reader& reader, const toml::node& value, UnitText& out) {
    out.needs = HOST_TRY(reader.texts(value));
    out.needs_line = line_of(value);
    return {};
}
Outcome<> take_offers(const Reader& reader, const toml::node& value, UnitText& out) {
    out.offers = HOST_TRY(reader.texts(value));
    if (out.offers.size() > kMostOffers)
        return reader.wrong(value,
                            std::format("a unit has at most {} offers; a namespace is one: \"text.*\"", kMostOffers));
    return {};
}
Outcome<> take_intensity(const Reader& reader, const toml::node& value, SystemText& out) {
    out.intensity = HOST_TRY(reader.number(value, 0, kMostIntensity));
    return {};
}
Outcome<> take_weight(const Reader& reader, const toml::node& value, UnitText& out) {
    out.weight = HOST_TRY(reader.number(value, 1, kMostWeight));
    return {};
}
// The region is one memory object: what is asked for above its limit is cut.
Outcome<> take_region(const Reader& reader, const toml::node& value, SystemText& out) {
    out.region_bytes = std::min(kMaxMemoryBytes, HOST_TRY(reader.number(value)));
    return {};
}
Outcome<> take_ready(const Reader& reader, const toml::node& value, UnitText& out) {
    out.sends_ready = HOST_TRY(reader.choice(value, "such value:", kReady)) != 0;
    return {};
}

Outcome<> take_ready_timeout(const Reader& reader, const toml::node& value, UnitText& out) {
    out.ready_timeout = HOST_TRY(reader.number(value, 1, kMostReadyTimeout));
    out.ready_timeout_line = line_of(value);
    return {};
}

// What may be spent: nothing, unless the file says so.
template <Resource kResource>
Outcome<> take_spent(const Reader& reader, const toml::node& value, UnitText& out) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 62; // what the kernel counts
    out.spends[static_cast<unsigned>(kResource)] = HOST_TRY(reader.number(value, 0, kMost));
    return {};
}

constexpr Setting<SystemText> kFileSettings[] = {
    {"strategy", take_choice<&SystemText::strategy, kStrategies>},
    {"intensity", take_intensity},
    {"period_ms", take_number<&SystemText::period_ms>},
    {"region", take_region},
};

constexpr Setting<UnitText> kUnitSettings[] = {
    {"program", take_program},
    {"arguments", take_arguments},
    {"needs", take_needs},
    {"grants", take_grants},
    {"offers", take_offers},
    {"memory", take_count<&UnitText::memory>},
    {"handles", take_count<&UnitText::handles>},
    {"threads", take_count<&UnitText::threads>},
    {"agents", take_number<&UnitText::agents>},
// A row for each spent resource.
#define SETTING_held(name)
#define SETTING_spent(name) {#name, take_spent<Resource::name>},
#define RESOURCE(name, number, field, kind, unit, sentence) SETTING_##kind(name)
#include "abi/resources.def"
#undef RESOURCE
#undef SETTING_spent
#undef SETTING_held
    {"weight", take_weight},
    {"hint", take_choice<&UnitText::hint, kHints>},
    {"personality", take_choice<&UnitText::personality, kPersonalities>},
    {"restart", take_choice<&UnitText::restart, kRestarts>},
    {"ready", take_ready},
    {"ready_timeout", take_ready_timeout},
    {"essential", take_flag<&UnitText::essential>},
};

template <typename T, std::size_t kCount>
std::vector<std::string_view> names_of(const Setting<T> (&settings)[kCount]) {
    std::vector<std::string_view> names;
    for (const Setting<T>& setting : settings)
        names.push_back(setting.name);
    return names;
}

// A setting by its name; `where` says whose settings they are.
template <typename T, std::size_t kCount>
Outcome<> take_setting(const Reader& reader, const toml::key& key, const toml::node& value, std::string_view where,
                       const Setting<T> (&settings)[kCount], T& out) {
    const auto row = std::ranges::find(settings, key.str(), &Setting<T>::name);
    if (row == std::end(settings))
        return reader.wrong(key.source().begin.line,
                            std::format("{} has no setting '{}'{}", where, printable(key.str()),
                                        did_you_mean(key.str(), names_of(settings))));
    return row->take(reader, value, out);
}

Outcome<UnitText> read_unit(const Reader& reader, const toml::key& key, const toml::node& node) {
    UnitText unit;
    unit.name = key.str();
    unit.line = key.source().begin.line;
    const auto* table = node.as_table();
    if (table == nullptr) return reader.wrong(unit.line, "a unit starts with [unit.NAME]");
    const bool is_printable =
        std::ranges::all_of(unit.name, [](char c) { return c > ' ' && c < '\x7f'; }) && !unit.name.empty();
    if (!is_printable || unit.name.size() >= kMaxNameBytes)
        return reader.wrong(
            unit.line,
            std::format("a unit's name is 1 to {} printable characters of ASCII without blanks", kMaxNameBytes - 1));
    for (const auto& [setting, value] : *table)
        HOST_TRY(take_setting(reader, setting, value, "a unit", kUnitSettings, unit));
    if (unit.ready_timeout_line != 0 && !unit.sends_ready)
        return reader.wrong(
            unit.ready_timeout_line,
            std::format("unit {} is ready as soon as it runs (ready = \"start\"), so nobody waits for it", unit.name));
    if (unit.program.empty()) return reader.wrong(unit.line, std::format("unit {} has no program", unit.name));
    return unit;
}

// Every need is a unit, and no unit needs itself, not even by way of others.
Outcome<> check_needs(const Reader& reader, const SystemText& system) {
    std::vector<std::string_view> names;
    for (const UnitText& unit : system.units)
        names.push_back(unit.name);
    for (const UnitText& unit : system.units)
        for (const std::string& need : unit.needs)
            if (!std::ranges::contains(names, need))
                return reader.wrong(unit.needs_line,
                                    std::format("unit {} needs '{}', which this file does not have{}", unit.name,
                                                printable(need), did_you_mean(need, names)));
    // Units whose needs are all placed are placed, until nothing moves; what is left is on a cycle or behind one.
    std::vector<std::string_view> placed;
    const auto can_be_placed = [&](const UnitText& unit) {
        return !std::ranges::contains(placed, unit.name) &&
               std::ranges::all_of(unit.needs,
                                   [&](const std::string& need) { return std::ranges::contains(placed, need); });
    };
    for (bool moved = true; moved;) {
        moved = false;
        for (const UnitText& unit : system.units)
            if (can_be_placed(unit)) {
                placed.push_back(unit.name);
                moved = true;
            }
    }
    for (const UnitText& unit : system.units)
        if (!std::ranges::contains(placed, unit.name))
            return reader.wrong(unit.needs_line,
                                std::format("unit {} needs itself through its needs: a cycle", unit.name));
    return {};
}

} // namespace

UnitText* SystemText::find(std::string_view name) {
    const auto found = std::ranges::find(units, name, &UnitText::name);
    return found != units.end() ? &*found : nullptr;
}

const UnitText* SystemText::find(std::string_view name) const {
    const auto found = std::ranges::find(units, name, &UnitText::name);
    return found != units.end() ? &*found : nullptr;
}

Outcome<SystemText> read_units(std::string_view file, std::string_view text, const Variables& variables) {
    const Reader reader(file, variables);
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        return reader.wrong(error.source().begin.line, printable(lower_first(error.description())));
    }
    SystemText system;
    system.file = file;
    for (const auto& [key, value] : parsed.table()) {
        if (key.str() != "unit") {
            HOST_TRY(take_setting(reader, key, value, "a unit file", kFileSettings, system));
            continue;
        }
        const auto* units = value.as_table();
        if (units == nullptr) return reader.wrong(value, "a unit starts with [unit.NAME]");
        for (const auto& [name, unit] : *units)
            system.units.push_back(HOST_TRY(read_unit(reader, name, unit)));
    }
    if (system.units.empty()) return failure(Exit::bad_input, std::format("{} describes no unit: [unit.NAME].", file));
    // A table of TOML has no order; a system is started in the order of its file.
    std::ranges::sort(system.units, {}, &UnitText::line);
    HOST_TRY(check_needs(reader, system));
    return system;
}

Outcome<> check_programs(const SystemText& system, const std::vector<std::string_view>& programs) {
    const Reader reader(system.file, {});
    for (const UnitText& unit : system.units)
        if (!std::ranges::contains(programs, unit.program))
            return reader.wrong(unit.program_line,
                                std::format("there is no program '{}' in the bundle{}", printable(unit.program),
                                            did_you_mean(unit.program, programs)));
    return {};
}

std::vector<std::string_view> file_settings() { return names_of(kFileSettings); }
std::vector<std::string_view> unit_settings() { return names_of(kUnitSettings); }

} // namespace aios::host
