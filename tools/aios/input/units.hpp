// Unit files: which programs AIOS starts, in what order, with which grants and how much of everything. People write
// TOML (docs/units.md); initd and agentsupervisor, which have no C library, read compact CBOR (system-description in
// abi/messages.cddl). Everything that can be wrong with a file is found here, and the sentence names the file that the
// user edited, the line and the nearest right word.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "abi/resources.hpp"
#include "tools/aios/host/outcome.hpp"
#include "tools/aios/input/run_options.hpp"
#include "tools/aios/input/sizes.hpp"

namespace aios::host {

inline constexpr std::size_t kMostOffers = 16; // of a unit

struct UnitText {
    std::string name;
    std::uint64_t line = 0; // where it starts in its file
    std::string program;
    std::uint64_t program_line = 0;
    std::vector<std::string> arguments;
    std::vector<std::string> needs;
    std::uint64_t needs_line = 0;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> grants; // role, rights
    std::vector<std::string> offers;                             // intents and namespaces that it may offer
    std::uint64_t memory = 16 << 20, handles = 256, threads = 8, agents = 0, weight = 100;
    std::array<std::uint64_t, kResourceCount> spends{}; // by resource number, of the spent ones
    std::uint64_t personality = 1, restart = 0;
    bool sends_ready = true, essential = true;
    std::optional<std::uint64_t> hint;    // AgentHint that it is given; none: it says itself
    std::uint64_t ready_timeout = 30;     // seconds
    std::uint64_t ready_timeout_line = 0; // 0: the usual one
};

struct SystemText {
    std::string file; // as the user knows it
    std::uint64_t strategy = 0, intensity = 3, period_ms = 10'000, region_bytes = 0;
    std::vector<UnitText> units; // in the order of the file

    [[nodiscard]] UnitText* find(std::string_view name);
    [[nodiscard]] const UnitText* find(std::string_view name) const;
};

// The files of a run.
struct UnitFiles {
    SystemText system; // what initd starts
    SystemText crew;   // what agentsupervisor starts
};

// One file. `file` is for sentences.
[[nodiscard]] Outcome<SystemText> read_units(std::string_view file, std::string_view text, const Variables& variables);

// What only a whole system shows: every program is among `programs` (paths in the bundle).
[[nodiscard]] Outcome<> check_programs(const SystemText& system, const std::vector<std::string_view>& programs);

// The form that the guest reads.
[[nodiscard]] Outcome<std::string> encode_units(const SystemText& system);

// The names of all settings, for the documentation's test: those of a file, and those of a unit.
[[nodiscard]] std::vector<std::string_view> file_settings();
[[nodiscard]] std::vector<std::string_view> unit_settings();

} // namespace aios::host
