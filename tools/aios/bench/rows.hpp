// The rows of `aios bench kernel` as the host sees them: bench_rows.def, and what the units of figures are called.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace aios::host {

// The boots that rows are measured in. `one`: one CPU. `idle`: the same on a machine that has done nothing else before.
// `system`: the ordinary system with many documents. `pairs`: one CPU with one pair, and two with two.
enum class BenchGroup { one, idle, system, pairs };

enum class BenchUnit { instructions, nanoseconds, bytes, times };

// Which variants a row is measured in besides.
enum class BenchAlso { alone, beside, messages };

struct BenchRow {
    unsigned number; // of the plugin's window
    std::string_view name;
    BenchGroup group;
    BenchUnit unit;
    double goal;
    bool quick;
    BenchAlso also;
    std::string_view title;
    std::string_view how;      // for AIOS; after kOfLinux for Linux
    std::string_view obstacle; // where the goal is missed, what stands in the way
};
inline constexpr std::string_view kOfLinux = " Linux: ";

[[nodiscard]] std::span<const BenchRow> bench_rows();

// How a row is measured once more, on AIOS, to see what else the operation costs in company.
struct BenchVariant {
    std::string_view name;
    std::string_view title;
    std::string_view how;
};
[[nodiscard]] std::span<const BenchVariant> bench_variants();
[[nodiscard]] bool has_variant(const BenchRow& row, const BenchVariant& variant);
// "ipc_64/third": under which its figure stands in columns and baselines.
[[nodiscard]] std::string variant_key(std::string_view row, std::string_view variant);

// That of a name or a variant's key; nullptr if there is none.
[[nodiscard]] const BenchRow* find_bench_row(std::string_view name);

// Three or four digits that say something: "149", "2,215", "44.0 KiB", "1.04".
[[nodiscard]] std::string shown_figure(double value, BenchUnit unit);

} // namespace aios::host
