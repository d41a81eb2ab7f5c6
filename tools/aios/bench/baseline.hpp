// The figures as JSON, and the stored baseline that they are compared with.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/bench/figures.hpp"
#include "tools/aios/host/outcome.hpp"

namespace aios::host {

// Names of machine and flags, both columns with their totals, what is missing and why.
[[nodiscard]] std::string bench_json(std::string_view machine, const std::vector<std::string>& rows,
                                     const BenchColumn& own, const BenchColumn& other);

// AIOS's figures of such a file, by row or by a variant's key. Refuses with bad_input what is none.
using BenchBaseline = std::map<std::string, double, std::less<>>;
[[nodiscard]] Outcome<BenchBaseline> parse_bench_baseline(std::string_view name, std::string_view text);

// A row that got worse by more than `allowed`, a part of the baseline's figure.
struct Worse {
    std::string row;
    double before = 0;
    double now = 0;
};
struct BenchComparison {
    std::vector<Worse> worse;        // in the order of the rows
    std::vector<std::string> better; // by more than `allowed`: the baseline is out of date
    std::vector<std::string> absent; // rows that were measured and are not in the baseline
    std::vector<std::string> failed; // rows of the baseline that were asked for and have no figure now
    std::size_t compared = 0;
};
inline constexpr double kAllowedWorse = 0.03;
// Of what CPUs do side by side the count differs from run to run.
inline constexpr double kAllowedWorseOfPairs = 0.10;
[[nodiscard]] BenchComparison compare_bench(const BenchBaseline& before, const std::vector<std::string>& rows,
                                            const BenchColumn& now);

} // namespace aios::host
