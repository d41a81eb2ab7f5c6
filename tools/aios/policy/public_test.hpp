// Tests in the public format of the Cedar project: a JSON file that names policies, entities and a schema, says whether
// the policies validate, and holds requests with the decision, the deciding policies and the failing ones.
#pragma once

#include <filesystem>

#include "tools/aios/host/outcome.hpp"

namespace aios::host {

struct PublicTestResult {
    std::size_t requests = 0;
    std::string difference; // the first; empty: all as expected
};

// Files that a test names are looked for beside it and in the folders above it, by path and then by name. bad_input:
// the test or one of its files cannot be read.
Outcome<PublicTestResult> run_public_test(const std::filesystem::path& file);

} // namespace aios::host
