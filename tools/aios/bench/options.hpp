// The command line of `aios bench kernel`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/aios/host/command_line.hpp"
#include "tools/aios/host/outcome.hpp"

namespace aios::host {

struct BenchOptions {
    std::vector<std::string> rows; // in the order of bench_rows.def, never empty
    std::optional<std::filesystem::path> linux_kernel;
    bool without_linux = false;
    std::optional<std::filesystem::path> json;
    std::optional<std::filesystem::path> markdown;
    std::optional<std::filesystem::path> baseline; // none: bench/kernel/baseline.json
    bool compare = false;
    bool quick = false;
    bool variants = true; // not with --quick
};

[[nodiscard]] Outcome<BenchOptions> parse_bench(ArgumentList arguments);

} // namespace aios::host
