// What goes into a run: questions and documents, the container made of them, and the memory that the machine needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/aios/host/outcome.hpp"
#include "tools/aios/host/places.hpp"
#include "tools/aios/input/documents.hpp"
#include "tools/aios/input/quotations.hpp"
#include "tools/aios/input/run_options.hpp"
#include "tools/aios/input/units.hpp"

namespace aios::host {

struct RunInput {
    std::vector<std::string> questions;
    Documents documents;
};

// Checked, and within the limits that --help states. Refuses with bad_input.
[[nodiscard]] Outcome<RunInput> gather_input(const Places& places, const RunOptions& options);

// A container that is written.
struct PackedRun {
    PackedDocuments documents;
    std::uint64_t memory_mib = 0; // for the machine
    UnitFiles files;
};

// Takes the documents' contents out of `input`; counts and names stay there, the contents are in what it answers.
[[nodiscard]] Outcome<PackedRun> pack_run(const Places& places, const RunOptions& options, RunInput& input,
                                          const std::filesystem::path& container);

} // namespace aios::host
