#include "tools/aios/input/system.hpp"

#include <algorithm>
#include <cstring>
#include <format>
#include <functional>

#include <elf.h>

#include "tools/aios/host/files.hpp"
#include "tools/aios/host/nearest.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kMaxProgram = 256ull << 20;
constexpr std::uint64_t kMaxUnitFile = 1 << 20;
constexpr std::string_view kSystemPath = "etc/system.toml";
constexpr std::string_view kCrewPath = "etc/crew.toml";
constexpr std::uint64_t kNativePersonality = 0;

BundleEntry* find_entry(Bundle& boot, std::string_view path) {
    const auto found = std::ranges::find(boot.entries, path, &BundleEntry::path);
    return found != boot.entries.end() ? &*found : nullptr;
}

// How the user knows a file: AIOS's own from its root, others as they were given.
std::string known_as(const std::filesystem::path& file, const std::filesystem::path& root) {
    const auto relative = root.empty() ? std::filesystem::path() : file.lexically_relative(root);
    const bool inside = !relative.empty() && *relative.begin() != "..";
    return printable((inside ? relative : file).native());
}

Outcome<> add_agents(Bundle& boot, const RunOptions& options) {
    for (const OwnAgent& agent : options.agents) {
        const std::string path = "bin/" + agent.name;
        if (!is_bundle_path(path))
            return failure(Exit::wrong_use, std::format("--agent: '{}' cannot be a name.", printable(agent.name)));
        std::string bytes = HOST_TRY(read_file(agent.binary, kMaxProgram));
        HOST_TRY(check_program(agent.binary, bytes));
        BundleEntry entry{path, std::move(bytes), true, agent.binary};
        if (BundleEntry* old = find_entry(boot, path))
            *old = std::move(entry);
        else
            boot.entries.push_back(std::move(entry));
    }
    return {};
}

Outcome<> replace_crew(Bundle& boot, const RunOptions& options) {
    if (!options.crew) return {};
    BundleEntry entry{std::string(kCrewPath), HOST_TRY(read_file(*options.crew, kMaxUnitFile)), false, *options.crew};
    if (BundleEntry* old = find_entry(boot, kCrewPath))
        *old = std::move(entry);
    else
        boot.entries.push_back(std::move(entry));
    return {};
}

Outcome<SystemText> read_entry(const BundleEntry& entry, const std::filesystem::path& root,
                               const Variables& variables) {
    return read_units(known_as(entry.source, root), entry.bytes, variables);
}

std::uint64_t sum_of(const SystemText& system, auto&& amount_of) {
    std::uint64_t sum = 0;
    for (const UnitText& unit : system.units)
        if (__builtin_add_overflow(sum, std::invoke(amount_of, unit), &sum)) return UINT64_MAX;
    return sum;
}

// An agent that nobody starts is a mistake in the crew's file, or in its name.
Outcome<> check_started(const RunOptions& options, const SystemText& crew) {
    for (const OwnAgent& agent : options.agents) {
        const bool started =
            std::ranges::contains(crew.units, "bin/" + agent.name, [](const UnitText& unit) { return unit.program; });
        if (!started)
            return failure(Exit::bad_input,
                           std::format("no unit of {} starts bin/{}; add [unit.{}] with program = \"bin/{}\" "
                                       "to a copy of it, and give that by --crew.",
                                       crew.file, agent.name, agent.name, agent.name));
    }
    return {};
}

Outcome<> plan_crashes(const Crashes& crashes, SystemText& system, SystemText& crew) {
    for (const auto& [name, crash] : crashes) {
        UnitText* unit = system.find(name);
        if (unit == nullptr) unit = crew.find(name);
        if (unit == nullptr)
            return failure(Exit::wrong_use, std::format("there is no service or agent called '{}' to crash.", name));
        // Crashing on demand is a part of the runtime, which native programs do not link.
        if (unit->personality == kNativePersonality)
            return failure(
                Exit::wrong_use,
                std::format("{} cannot be told to crash: it is a native program, which answers no requests.", name));
        unit->arguments.push_back(std::format("--crash-after={}", crash.request));
        if (crash.always) unit->arguments.emplace_back("--crash-always");
    }
    return {};
}

Outcome<Variables> variables_of(const RunOptions& options, const SystemFacts& facts, const SystemText& crew) {
    const std::uint64_t asked = sum_of(crew, &UnitText::memory);
    const std::uint64_t pool = options.pool_mib ? *options.pool_mib << 20 : asked;
    if (pool < asked)
        return failure(Exit::wrong_use,
                       std::format("the units of {} ask for {} MiB together; give --memory-pool at least "
                                   "that, or leave it out.",
                                   crew.file, (asked + (1 << 20) - 1) >> 20));
    Variables variables{{"TEXT", facts.document_bytes},
                        {"DOCUMENTS", facts.documents},
                        {"CREW_MEMORY", pool},
                        {"CREW_HANDLES", sum_of(crew, &UnitText::handles)},
                        {"CREW_THREADS", sum_of(crew, &UnitText::threads)},
                        {"CREW_AGENTS", sum_of(crew, &UnitText::agents) + crew.units.size()}};
    for (const Resource resource : kSpentResources) { // CREW_TOKENS and so on
        const auto number = static_cast<unsigned>(resource);
        std::string name = "CREW_";
        for (const char c : kResources[number].name)
            name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        variables[name] = sum_of(crew, [number](const UnitText& unit) { return unit.spends[number]; });
    }
    return variables;
}

Outcome<> replace_by_encoded(BundleEntry& entry, const SystemText& system) {
    entry.bytes = HOST_TRY(encode_units(system));
    entry.path = entry.path.substr(0, entry.path.rfind('.')) + ".cbor";
    return {};
}

} // namespace

Outcome<SystemNeeds> make_system(Bundle& boot, const RunOptions& options, const SystemFacts& facts) {
    HOST_TRY(add_agents(boot, options));
    HOST_TRY(replace_crew(boot, options));
    BundleEntry* const system_entry = find_entry(boot, kSystemPath);
    BundleEntry* const crew_entry = find_entry(boot, kCrewPath);
    if (system_entry == nullptr || crew_entry == nullptr)
        return failure(Exit::host_missing, "the bundle holds no unit files; run ./aios clean and build again.");
    SystemText crew =
        HOST_TRY(read_entry(*crew_entry, facts.root, {{"TEXT", facts.document_bytes}, {"DOCUMENTS", facts.documents}}));
    const Variables variables = HOST_TRY(variables_of(options, facts, crew));
    SystemText system = HOST_TRY(read_entry(*system_entry, facts.root, variables));
    std::vector<std::string_view> programs;
    for (const BundleEntry& entry : boot.entries)
        if (entry.executable) programs.push_back(entry.path);
    HOST_TRY(check_programs(system, programs));
    HOST_TRY(check_programs(crew, programs));
    HOST_TRY(check_started(options, crew));
    HOST_TRY(plan_crashes(options.crashes, system, crew));
    HOST_TRY(replace_by_encoded(*system_entry, system));
    HOST_TRY(replace_by_encoded(*crew_entry, crew));
    const std::uint64_t memory = sum_of(system, &UnitText::memory) + system.region_bytes;
    return SystemNeeds{memory, {std::move(system), std::move(crew)}};
}

Outcome<> check_program(const std::filesystem::path& file, std::string_view bytes) {
    const auto wrong = [&](std::string_view what) {
        return failure(Exit::bad_input, std::format("'{}' {}.", printable(file.native()), what));
    };
    Elf64_Ehdr head;
    if (bytes.size() < sizeof head || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0)
        return wrong("is no program: it is not in the format ELF");
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != EM_X86_64) return wrong("is not for x86-64");
    if (head.e_type != ET_EXEC && head.e_type != ET_DYN) return wrong("is not an executable");
    for (std::size_t i = 0; i < head.e_phnum; ++i) {
        Elf64_Phdr segment;
        const std::uint64_t offset = head.e_phoff + i * sizeof segment;
        if (offset > bytes.size() || bytes.size() - offset < sizeof segment) return wrong("is damaged");
        std::memcpy(&segment, bytes.data() + offset, sizeof segment);
        if (segment.p_type == PT_INTERP)
            return wrong("needs a dynamic loader, which AIOS does not have; link it with -static");
    }
    return {};
}

} // namespace aios::host
