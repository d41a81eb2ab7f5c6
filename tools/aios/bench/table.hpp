// The table of the kernel benchmark, for a terminal and as the page docs/performance.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/bench/figures.hpp"

namespace aios::host {

struct BenchReport {
    std::string machine;
    std::vector<std::string> rows;
    const BenchColumn& own;
    const BenchColumn& other;
    std::string without_counts; // why there is nothing beside the figures; empty if there is
};

[[nodiscard]] std::string bench_table(const BenchReport& report);
[[nodiscard]] std::string bench_markdown(const BenchReport& report);

} // namespace aios::host
