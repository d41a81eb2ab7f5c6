// What the measured programs and the plugin said, as figures. The guest is not trusted: lines that are none are left
// out, numbers are bounded by their type, and only rows that exist are taken.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/bench/rows.hpp"

namespace aios::host {

// What the plugin counted in one window, on all CPUs, or for one operation.
struct BenchCounts {
    double user = 0;
    double kernel = 0;
    double cr3_writes = 0;
    double msr_accesses = 0;
    double atomics = 0;
    double ipis = 0;
    double apart = 0; // executed by agents that are not measured

    [[nodiscard]] double instructions() const { return user + kernel; }
    [[nodiscard]] BenchCounts divided(double by) const {
        return {user / by, kernel / by, cr3_writes / by, msr_accesses / by, atomics / by, ipis / by, apart / by};
    }
};

struct BenchFigure {
    double value = 0; // an operation
    std::uint64_t total = 0;
    std::uint64_t count = 0;
    std::optional<BenchCounts> beside; // an operation; none without the plugin, or where the row has no window
};

// One system's column.
struct BenchColumn {
    std::map<std::string, BenchFigure, std::less<>> figures; // by row, or a variant's key
    std::map<std::string, std::string, std::less<>> missing; // by row: why there is no figure
    std::string name;                                        // "AIOS", "Linux 6.1.0-56-amd64"
    std::string skipped;                                     // why there is no column at all
};

struct BenchLine {
    std::string row;
    std::uint64_t total = 0;
    std::uint64_t count = 0;
    std::string fail; // why there is no figure
};

// "BENCH row total count" or "BENCH row fail why", at the beginning of a line or behind anything else.
[[nodiscard]] std::optional<BenchLine> parse_bench_line(std::string_view line);

// By number of the window: the sum over the CPUs of the lines "WINDOW number cpu user kernel apart cr3 writes reads
// atomics ipis".
using BenchWindows = std::map<unsigned, BenchCounts>;
[[nodiscard]] BenchWindows parse_bench_windows(std::string_view log);

// Puts a line into the column: total by count, and what the window of that row counted by the same.
void take_bench_line(const BenchLine& line, const BenchWindows& windows, BenchColumn& column);
// The same of a boot that measured a variant. With another agent that runs meanwhile the figure is what the window counted,
// without that agent's instructions: only the plugin can tell them apart.
void take_variant_line(const BenchLine& line, const BenchWindows& windows, const BenchVariant& variant,
                       BenchColumn& column);

} // namespace aios::host
