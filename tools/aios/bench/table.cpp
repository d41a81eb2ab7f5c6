#include "tools/aios/bench/table.hpp"

#include <array>
#include <format>
#include <span>

#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

const BenchFigure* figure_of(const BenchColumn& column, std::string_view row) {
    const auto found = column.figures.find(row);
    return found != column.figures.end() ? &found->second : nullptr;
}

// How a row's cells read; "-" where there is nothing.
struct Cells {
    std::string own, goal, other, ratio;
};

Cells cells_of(const BenchReport& report, const BenchRow& row) {
    Cells cells{"-", shown_figure(row.goal, row.unit), "-", "-"};
    const BenchFigure* own = figure_of(report.own, row.name);
    const BenchFigure* other = figure_of(report.other, row.name);
    if (own != nullptr) cells.own = shown_figure(own->value, row.unit);
    if (other != nullptr) cells.other = shown_figure(other->value, row.unit);
    if (own != nullptr && own->value > row.goal) cells.goal += " OVER";
    if (own != nullptr && other != nullptr && other->value > 0)
        cells.ratio = std::format("{:.2f}", own->value / other->value);
    return cells;
}

std::string small(double value) { return value == 0 ? "0" : std::format("{:.2f}", value); }

// What the plugin counted: CR3 writes, MSR accesses, atomics, IPIs.
std::string beside(const BenchFigure* figure) {
    if (figure == nullptr || !figure->beside) return "-";
    const BenchCounts& counts = *figure->beside;
    return std::format("{} / {} / {} / {}", small(counts.cr3_writes), small(counts.msr_accesses), small(counts.atomics),
                       small(counts.ipis));
}

std::string reasons(const BenchColumn& column, const std::vector<std::string>& rows) {
    std::string out;
    if (!column.skipped.empty()) return std::format("the column {} was skipped: {}.\n", column.name, column.skipped);
    for (const std::string& row : rows)
        if (const auto why = column.missing.find(row); why != column.missing.end())
            out += std::format("{}, {}: {}.\n", row, column.name, printable(why->second));
    return out;
}

// A line a row, made by `line` from its eight columns.
template <typename F>
std::string rows_of(const BenchReport& report, F&& line) {
    std::string out;
    for (const std::string& name : report.rows) {
        const BenchRow* row = find_bench_row(name);
        if (row == nullptr) continue;
        const Cells cells = cells_of(report, *row);
        out += line(row->name, row->title, cells.own, cells.goal, cells.other, cells.ratio,
                    beside(figure_of(report.own, name)), beside(figure_of(report.other, name)));
    }
    return out;
}

// A line a row that has variants, made by `line` from its name and the figures: alone, and in each variant.
template <typename F>
std::string variants_of(const BenchReport& report, F&& line) {
    std::string out;
    for (const std::string& name : report.rows) {
        const BenchRow* row = find_bench_row(name);
        if (row == nullptr) continue;
        std::array<std::string, 4> cells;
        bool has_any = false;
        const auto show = [&](std::string& cell, std::string_view key) {
            const BenchFigure* figure = figure_of(report.own, key);
            cell = figure != nullptr ? shown_figure(figure->value, row->unit) : "-";
            return figure != nullptr;
        };
        show(cells[0], name);
        for (std::size_t i = 0; i < bench_variants().size(); ++i)
            has_any = show(cells[i + 1], variant_key(name, bench_variants()[i].name)) || has_any;
        if (has_any) out += line(row->name, cells[0], cells[1], cells[2], cells[3]);
    }
    return out;
}

// Why variants that were asked for have no figure.
std::vector<std::string> variant_keys(const std::vector<std::string>& rows) {
    std::vector<std::string> keys;
    for (const std::string& row : rows)
        for (const BenchVariant& variant : bench_variants())
            keys.push_back(variant_key(row, variant.name));
    return keys;
}

} // namespace

std::string bench_table(const BenchReport& report) {
    std::string out = std::format("{}\n\n{:<16}{:<36}{:>10}  {:<15}{:>11}{:>7}  {:<28}{}\n", report.machine, "row", "",
                                  "AIOS", "goal", "Linux", "ratio", "CR3 / MSR / atomic / IPI", "the same on Linux");
    out += rows_of(report, [](const auto&... column) {
        return std::format("{:<16}{:<36}{:>10}  {:<15}{:>11}{:>7}  {:<28}{}\n", column...);
    });
    out += "\n" + reasons(report.own, report.rows) + reasons(report.other, report.rows);
    const std::string variants = variants_of(
        report, [](const auto&... column) { return std::format("{:<16}{:>10}{:>14}{:>10}{:>10}\n", column...); });
    if (!variants.empty()) {
        const std::span<const BenchVariant> known = bench_variants();
        out += std::format("\n{:<16}{:>10}{:>14}{:>10}{:>10}\n", "once more, AIOS", "alone", known[0].title,
                           known[1].title, known[2].title);
        out += variants;
    }
    if (const std::string why = reasons(report.own, variant_keys(report.rows)); !why.empty()) out += "\n" + why;
    if (!report.without_counts.empty())
        out += std::format("nothing is counted beside the figures: {}.\n", report.without_counts);
    while (out.ends_with("\n\n"))
        out.pop_back();
    return out;
}

std::string bench_markdown(const BenchReport& report) {
    std::string out =
        "# What the kernel's operations cost\n\n"
        "This page is made by `./aios bench kernel --markdown docs/performance.md`; do not edit it. Both systems run "
        "on "
        "the same machine,\nwhose clock advances by one nanosecond with each instruction, so a figure is a number of "
        "instructions (or of bytes, or a time), and is the\nsame on every run and on every host. Only the boots "
        "differ, by less than 1 %, and `pairs`, which runs in "
        "real time:\n\n";
    out += std::format("```\n{}\n```\n\n", report.machine);
    out +=
        "A figure is the total of at least 1,000 operations divided by their number, but for the boots. Instructions "
        "leave out caches, TLB misses and\nwhat an interrupt costs; so writes of CR3, accesses of model-specific "
        "registers, atomic operations and interrupts to other CPUs stand\nbeside them, counted by a plugin of QEMU "
        "(`bench/kernel/plugin.c`). The goal is what AIOS may need at most.\n\n";
    if (report.other.skipped.empty())
        out += std::format("Linux is {}, Debian's kernel with mitigations, hardening and auditing off, and static "
                           "programs of ours.\n\n",
                           report.other.name);
    out += std::format("| row | | AIOS | goal | Linux | AIOS / Linux | CR3 / MSR / atomic / IPI | the same on Linux |\n"
                       "| --- | --- | ---: | ---: | ---: | ---: | --- | --- |\n");
    out += rows_of(report, [](const auto&... column) {
        return std::format("| `{}` | {} | {} | {} | {} | {} | {} | {} |\n", column...);
    });
    const std::string missing = reasons(report.own, report.rows) + reasons(report.other, report.rows);
    if (!missing.empty()) out += "\n```\n" + missing + "```\n";
    const std::string variants = variants_of(
        report, [](const auto&... column) { return std::format("| `{}` | {} | {} | {} | {} |\n", column...); });
    if (!variants.empty()) {
        out += "\n## The same in company\n\nThe rows of AIOS once more, each in a boot of its own:\n\n";
        for (const BenchVariant& variant : bench_variants())
            out += std::format("- {}: {}\n", variant.title, variant.how);
        const std::span<const BenchVariant> known = bench_variants();
        out += std::format("\n| row | alone | {} | {} | {} |\n| --- | ---: | ---: | ---: | ---: |\n", known[0].title,
                           known[1].title, known[2].title);
        out += variants;
    }
    const std::string why = reasons(report.own, variant_keys(report.rows));
    if (!why.empty()) out += "\n```\n" + why + "```\n";
    std::string obstacles;
    for (const std::string& name : report.rows) {
        const BenchRow* row = find_bench_row(name);
        const BenchFigure* figure = figure_of(report.own, name);
        if (row == nullptr || figure == nullptr || figure->value <= row->goal) continue;
        obstacles += std::format("- `{}`: {}\n", row->name, row->obstacle);
    }
    if (!obstacles.empty())
        out += "\n## What stands in the way\n\nOf the rows that are over their goal:\n\n" + obstacles;
    out += "\n## How each row is measured\n\n";
    for (const std::string& name : report.rows)
        if (const BenchRow* row = find_bench_row(name)) out += std::format("- `{}`: {}\n", row->name, row->how);
    out += "\nThe stored baseline is `bench/kernel/baseline.json`; `./aios bench kernel --compare` names each row that "
           "got "
           "more than 3 % worse\n(`pairs`: 10 %, because what CPUs do side by side differs from run to run).\n";
    return out;
}

} // namespace aios::host
