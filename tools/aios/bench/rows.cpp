#include "tools/aios/bench/rows.hpp"

#include <algorithm>
#include <cmath>
#include <format>

#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr BenchRow kRows[] = {
#define ROW(number, name, group, unit, goal, quick, also, title, how, obstacle)                                        \
    {number, #name, BenchGroup::group, BenchUnit::unit, goal, quick, BenchAlso::also, title, how, obstacle},
#include "tools/aios/bench/rows.def"
#undef ROW
};

constexpr BenchVariant kVariants[] = {
    {"third", "third agent",
     "Another agent computes all the time, on the same CPU with the same weight. Its own instructions "
     "are not counted; what the kernel does to share the CPU with it is."},
    {"traced", "traced",
     "The work has a trace (`trace_begin`), which goes with its messages and stands in its records."},
    {"handles", "handles",
     "A handle goes in every tenth message, and its receiver closes it; the records that this makes are "
     "in the log."},
};

} // namespace

std::span<const BenchVariant> bench_variants() { return kVariants; }

bool has_variant(const BenchRow& row, const BenchVariant& variant) {
    switch (row.also) {
    case BenchAlso::alone:
        return false;
    case BenchAlso::beside:
        return variant.name != "handles";
    case BenchAlso::messages:
        return true;
    }
    return false;
}

std::string variant_key(std::string_view row, std::string_view variant) { return std::format("{}/{}", row, variant); }

std::span<const BenchRow> bench_rows() { return kRows; }

const BenchRow* find_bench_row(std::string_view name) {
    const auto found = std::ranges::find(kRows, name.substr(0, name.find('/')), &BenchRow::name);
    return found != std::end(kRows) ? found : nullptr;
}

std::string shown_figure(double value, BenchUnit unit) {
    switch (unit) {
    case BenchUnit::instructions:
        return value >= 1e6 ? std::format("{:.2f} M", value / 1e6)
                            : with_thousands(static_cast<std::uint64_t>(std::llround(value)));
    case BenchUnit::nanoseconds:
        return with_thousands(static_cast<std::uint64_t>(std::llround(value))) + " ns";
    case BenchUnit::bytes:
        return std::format("{:.1f} KiB", value / 1024);
    case BenchUnit::times:
        return std::format("{:.2f} x", value);
    }
    return "";
}

} // namespace aios::host
