#include "tools/aios/bench/rows.hpp"

#include <algorithm>
#include <cmath>
#include <format>

#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr BenchRow kRows[] = {
#define ROW(number, name, group, unit, goal, quick, title, how)                                                        \
    {number, #name, BenchGroup::group, BenchUnit::unit, goal, quick, title, how},
#include "tools/aios/bench/rows.def"
#undef ROW
};

} // namespace

std::span<const BenchRow> bench_rows() { return kRows; }

const BenchRow* find_bench_row(std::string_view name) {
    const auto found = std::ranges::find(kRows, name, &BenchRow::name);
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
