// The Node.js 24 that the script fetches by npm (tests/interop/package.json) for tests and the benchmark: it brings
// OpenSSL 3.5, which Debian 12 does not have. Nothing else of AIOS needs it.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "tools/aios/host/places.hpp"

namespace aios::host {

// Where the packages are: build/npm.
[[nodiscard]] std::filesystem::path npm_folder(const Places& places);

// The program, or the reason why it is not there.
[[nodiscard]] std::expected<std::filesystem::path, std::string> find_node(const Places& places);

} // namespace aios::host
