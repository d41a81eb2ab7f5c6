// The system of a run: the boot bundle with the user's agents and crew in it, and its unit files in the form that the
// guest reads.
#pragma once

#include <cstdint>
#include <filesystem>

#include "tools/aios/host/outcome.hpp"
#include "tools/aios/input/bundle.hpp"
#include "tools/aios/input/run_options.hpp"
#include "tools/aios/input/units.hpp"

namespace aios::host {

// What the sizes in unit files follow from.
struct SystemFacts {
    std::uint64_t documents = 0;
    std::uint64_t document_bytes = 0;
    std::filesystem::path root; // of AIOS: its own files are named from there
};

// What the units ask for, so that the machine is made large enough; and what their files say.
struct SystemNeeds {
    std::uint64_t memory_bytes = 0; // of all services, the crew within, and the region
    UnitFiles files;
};

// Puts the user's agents into the bundle as bin/NAME and the user's crew in place of the desk's, replaces
// etc/system.toml and etc/crew.toml by what initd and agentsupervisor read, and gives a unit of `crashes` its argument.
// Refuses: a file that is wrong (with its line), an agent that no unit starts or that cannot run (bad_input), a crash
// of something that cannot crash, a pool smaller than the crew asks for (wrong_use).
[[nodiscard]] Outcome<SystemNeeds> make_system(Bundle& boot, const RunOptions& options, const SystemFacts& facts);

// A static executable for x86-64 in the format ELF: what AIOS can start. Otherwise the sentence says what it is.
[[nodiscard]] Outcome<> check_program(const std::filesystem::path& file, std::string_view bytes);

} // namespace aios::host
