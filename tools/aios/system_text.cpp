#include "tools/aios/system_text.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <ranges>
#include <span>
#include <sstream>
#include <vector>

#include "abi/call_types.hpp"
#include "abi/rights.hpp"
#include "base/cbor.hpp"

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
constexpr Named kRestarts[] = {{"never", 0}, {"on_failure", 1}, {"always", 2}};
constexpr Named kReady[] = {{"start", 0}, {"message", 1}};
constexpr Named kYesNo[] = {{"no", 0}, {"yes", 1}};

struct UnitText {
    std::string name, program;
    std::vector<std::string> arguments, needs, offers;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> grants;
    std::uint64_t memory = 16 << 20, handles = 256, threads = 8, agents = 0, weight = 100;
    std::uint32_t personality = 1, restart = 0;
    bool sends_ready = true, essential = true;
};

struct DescriptionText {
    std::uint64_t strategy = 0, intensity = 3, period_ms = 10'000, region_bytes = 0;
    std::vector<UnitText> units;
};

std::vector<std::string> words_of(std::string_view text) {
    std::istringstream in{std::string(text)};
    std::vector<std::string> words;
    for (std::string word; in >> word;) {
        words.push_back(word);
    }
    return words;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

class Parser {
public:
    Parser(std::string_view file, const Variables& variables) : file_(file), variables_(variables) {}

    Outcome<DescriptionText> parse(std::string_view text) {
        DescriptionText out;
        std::istringstream in{std::string(text)};
        for (std::string raw; std::getline(in, raw);) {
            ++line_;
            const std::string_view line = trimmed(std::string_view(raw).substr(0, raw.find('#')));
            if (line.empty()) continue;
            if (line.front() == '[') {
                if (line.back() != ']' || line.size() < 3) return wrong("a unit starts with [name]");
                out.units.push_back({});
                out.units.back().name = line.substr(1, line.size() - 2);
                continue;
            }
            const auto equals = line.find('=');
            if (equals == std::string_view::npos) return wrong("this is neither [unit] nor key = value");
            const std::string_view key = trimmed(line.substr(0, equals)), value = trimmed(line.substr(equals + 1));
            HOST_TRY(out.units.empty() ? head(out, key, value) : unit(out.units.back(), key, value));
        }
        for (const UnitText& made : out.units) {
            if (made.program.empty()) return wrong(std::format("unit {} has no program", made.name));
        }
        return out;
    }

private:
    std::unexpected<Failure> wrong(std::string_view what) const {
        return failure(Exit::bad_input, std::format("{}, line {}: {}.", file_, line_, what));
    }

    Outcome<std::uint32_t> choice(std::string_view word, std::span<const Named> names) const {
        const auto found = std::ranges::find(names, word, &Named::name);
        if (found == names.end()) return wrong(std::format("'{}' is not known here", word));
        return found->value;
    }

    Outcome<std::uint64_t> number(std::string_view word) const {
        if (word.starts_with('$')) {
            const auto variable = variables_.find(word.substr(1));
            if (variable == variables_.end()) return wrong(std::format("there is no variable {}", word));
            return variable->second;
        }
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
        const std::string_view unit = word.substr(static_cast<std::size_t>(end - word.data()));
        const unsigned shift = unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : 0;
        if (error != std::errc{} || (shift == 0 && !unit.empty()) || value > (UINT64_MAX >> shift)) {
            return wrong(std::format("'{}' is not a number", word));
        }
        return value << shift;
    }

    Outcome<> head(DescriptionText& out, std::string_view key, std::string_view value) {
        if (key == "strategy") {
            out.strategy = HOST_TRY(choice(value, kStrategies));
        } else if (key == "intensity") {
            out.intensity = HOST_TRY(number(value));
        } else if (key == "period_ms") {
            out.period_ms = HOST_TRY(number(value));
        } else if (key == "region_bytes") {
            out.region_bytes = HOST_TRY(number(value));
        } else {
            return wrong(std::format("there is no setting '{}' before the first unit", key));
        }
        return {};
    }

    Outcome<> grant(UnitText& out, std::string_view value) {
        const auto words = words_of(value);
        if (words.size() < 2) return wrong("a grant is a role and at least one right");
        std::uint32_t rights = 0;
        for (const std::string& word : words | std::views::drop(1)) {
            rights |= HOST_TRY(choice(word, kRights));
        }
        out.grants.emplace_back(HOST_TRY(choice(words[0], kRoles)), rights);
        return {};
    }

    Outcome<> unit(UnitText& out, std::string_view key, std::string_view value) {
        if (key == "program") {
            out.program = value;
        } else if (key == "arguments") {
            out.arguments = words_of(value);
        } else if (key == "needs") {
            out.needs = words_of(value);
        } else if (key == "grant") {
            return grant(out, value);
        } else if (key == "offers") {
            out.offers = words_of(value);
        } else if (key == "memory") {
            out.memory = HOST_TRY(number(value));
        } else if (key == "handles") {
            out.handles = HOST_TRY(number(value));
        } else if (key == "threads") {
            out.threads = HOST_TRY(number(value));
        } else if (key == "agents") {
            out.agents = HOST_TRY(number(value));
        } else if (key == "weight") {
            out.weight = HOST_TRY(number(value));
        } else if (key == "personality") {
            out.personality = HOST_TRY(choice(value, kPersonalities));
        } else if (key == "restart") {
            out.restart = HOST_TRY(choice(value, kRestarts));
        } else if (key == "ready") {
            out.sends_ready = HOST_TRY(choice(value, kReady)) != 0;
        } else if (key == "essential") {
            out.essential = HOST_TRY(choice(value, kYesNo)) != 0;
        } else {
            return wrong(std::format("a unit has no setting '{}'", key));
        }
        return {};
    }

    std::string_view file_;
    const Variables& variables_;
    std::size_t line_ = 0;
};

void put_texts(cbor::Encoder& out, const std::vector<std::string>& texts) {
    out.array(texts.size());
    for (const std::string& text : texts) {
        out.text(text);
    }
}

void put(cbor::Encoder& out, const DescriptionText& description) {
    out.map(6);
    out.key(0).uint(1);
    out.key(1).uint(description.strategy);
    out.key(2).uint(description.intensity);
    out.key(3).uint(description.period_ms);
    out.key(4).array(description.units.size());
    for (const UnitText& unit : description.units) {
        out.map(12);
        out.key(0).text(unit.name);
        out.key(1).text(unit.program);
        out.key(2);
        put_texts(out, unit.arguments);
        out.key(3);
        put_texts(out, unit.needs);
        out.key(4).array(unit.grants.size());
        for (const auto& [role, rights] : unit.grants) {
            out.array(2).uint(role).uint(rights);
        }
        out.key(5).array(4).uint(unit.memory).uint(unit.handles).uint(unit.threads).uint(unit.agents);
        out.key(6).uint(unit.weight);
        out.key(7).uint(unit.personality);
        out.key(8).uint(unit.restart);
        out.key(9).boolean(unit.sends_ready);
        out.key(10).boolean(unit.essential);
        out.key(11);
        put_texts(out, unit.offers);
    }
    out.key(5).uint(description.region_bytes);
}

} // namespace

Outcome<std::string> compile_description(std::string_view file, std::string_view text, const Variables& variables,
                                         const Crashes& crashes) {
    DescriptionText description = HOST_TRY(Parser(file, variables).parse(text));
    for (UnitText& unit : description.units) {
        const auto crash = crashes.find(unit.name);
        if (crash == crashes.end()) continue;
        if (unit.personality == 0)
            return failure(Exit::wrong_use, std::format("{} cannot be told to crash: it is a native program, which "
                                                        "answers no requests.",
                                                        unit.name));
        unit.arguments.push_back(std::format("--crash-after={}", crash->second.request));
        if (crash->second.always) unit.arguments.emplace_back("--crash-always");
    }
    auto counting = cbor::Encoder::counting();
    put(counting, description);
    std::vector<std::byte> bytes(counting.size());
    cbor::Encoder out(bytes);
    put(out, description);
    if (!out.finish()) return failure(Exit::bad_input, std::format("{}: a text in it is not UTF-8.", file));
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()); // SAFETY: bytes as characters
}

Outcome<> compile_descriptions(Bundle& boot, const Variables& variables, const Crashes& crashes) {
    constexpr std::string_view kFolder = "etc/", kEnding = ".units";
    for (const auto& [name, crash] : crashes) {
        const bool is_known = std::ranges::any_of(boot.entries, [&](const BundleEntry& entry) {
            return entry.path.ends_with(kEnding) && entry.bytes.find("[" + name + "]") != std::string::npos;
        });
        if (!is_known)
            return failure(Exit::wrong_use, std::format("there is no service or agent called '{}' to crash.", name));
    }
    for (BundleEntry& entry : boot.entries) {
        if (!entry.path.starts_with(kFolder) || !entry.path.ends_with(kEnding)) continue;
        entry.bytes = HOST_TRY(compile_description(entry.path, entry.bytes, variables, crashes));
        entry.path = entry.path.substr(0, entry.path.size() - kEnding.size()) + ".cbor";
    }
    return {};
}

Variables run_variables(std::uint64_t document_count, std::uint64_t document_bytes) {
    // An index takes 3 to 5 times the text, building it about twice that on the heap; a reader keeps tables of 130
    // bytes a passage.
    constexpr std::uint64_t kMib = 1 << 20;
    const std::uint64_t units = document_count + document_bytes / 256; // passages at most
    const std::uint64_t reader = 24 * kMib + 256 * units + document_bytes;
    return {{"REGION_BYTES", std::min(kMaxMemoryBytes, 8 * kMib + 6 * document_bytes + 512 * document_count)},
            {"BUILDER_BYTES", 32 * kMib + 16 * document_bytes + 1024 * document_count},
            {"READER_BYTES", reader},
            {"CREW_BYTES", 160 * kMib + 3 * reader}};
}

} // namespace aios::host
