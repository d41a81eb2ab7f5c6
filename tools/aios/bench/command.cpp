// `aios bench kernel`: boots AIOS and Linux under the same flags, reads the figures that the programs of bench/kernel
// print, and shows both columns.
#include "tools/aios/bench/command.hpp"

#include <algorithm>
#include <cstdio>
#include <format>

#include "tools/aios/bench/baseline.hpp"
#include "tools/aios/bench/linux.hpp"
#include "tools/aios/bench/measure.hpp"
#include "tools/aios/bench/options.hpp"
#include "tools/aios/bench/table.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kMaxBaseline = 1 << 20;

Outcome<> check_outputs(const BenchOptions& options) {
    if (options.json) HOST_TRY(check_writable(*options.json));
    if (options.markdown) HOST_TRY(check_writable(*options.markdown));
    return {};
}

// The rows, and their variants if those are measured.
std::vector<std::string> all_keys(const BenchOptions& options) {
    std::vector<std::string> keys = options.rows;
    for (const std::string& name : options.rows)
        for (const BenchVariant& variant : bench_variants())
            if (options.variants && has_variant(*find_bench_row(name), variant))
                keys.push_back(variant_key(name, variant.name));
    return keys;
}

std::string percent(const Worse& row) {
    if (row.before == 0) return "from nothing";
    return std::format("{:.1f} %", 100 * (row.now / row.before - 1));
}

// Names each row that got worse; failed_inside if there is one.
Outcome<Exit> judge(const BenchComparison& comparison, const std::string& file) {
    for (const std::string& name : comparison.absent)
        std::fprintf(stderr, "aios: row '%s' is not in '%s'; it was not compared.\n", name.c_str(), file.c_str());
    for (const std::string& name : comparison.better)
        std::fprintf(stderr, "aios: row '%s' got better; write a new baseline with --json.\n", name.c_str());
    if (comparison.compared == 0 && comparison.failed.empty())
        return failure(Exit::bad_input, std::format("'{}' has none of these rows; nothing was compared.", file));
    if (comparison.worse.empty() && comparison.failed.empty()) {
        std::printf("compared with %s: %s, none is worse by more than 3 %% (pairs: 10 %%)\n", file.c_str(),
                    counted(comparison.compared, "row").c_str());
        return Exit::well;
    }
    std::string sentence = "compared with '" + file + "': ";
    for (const Worse& row : comparison.worse) {
        const BenchRow* known = find_bench_row(row.row);
        const BenchUnit unit = known != nullptr ? known->unit : BenchUnit::instructions;
        sentence += std::format("row '{}' got worse by {} ({}, was {}); ", row.row, percent(row),
                                shown_figure(row.now, unit), shown_figure(row.before, unit));
    }
    for (const std::string& name : comparison.failed)
        sentence += std::format("row '{}' has no figure now; ", name);
    sentence.resize(sentence.size() - 2);
    return failure(Exit::failed_inside, sentence + ".");
}

// Those rows of the kernel's own column that were asked for and could not be measured are a failure inside AIOS.
Outcome<Exit> judge_rows(const BenchColumn& own, const std::vector<std::string>& rows, const BenchPlugin& plugin) {
    std::string failed;
    for (const std::string& row : rows) {
        const bool needs_plugin = find_bench_row(row)->group == BenchGroup::pairs || row.ends_with("/third");
        if (!own.figures.contains(row) && !(needs_plugin && plugin.file.empty()))
            failed += (failed.empty() ? "" : ", ") + row;
    }
    if (failed.empty()) return Exit::well;
    return failure(Exit::failed_inside, std::format("there is no figure of AIOS for {}; the reason is above.", failed));
}

} // namespace

Outcome<Exit> bench_kernel(const Places& places, ArgumentList arguments) {
    const BenchOptions options = HOST_TRY(parse_bench(arguments));
    HOST_TRY(check_outputs(options));
    const std::filesystem::path baseline_file =
        options.baseline.value_or(places.root / "bench" / "kernel" / "baseline.json");
    BenchBaseline baseline;
    if (options.compare) {
        const std::string text = HOST_TRY(read_file(baseline_file, kMaxBaseline));
        baseline = HOST_TRY(parse_bench_baseline(baseline_file.native(), text));
    }
    static_cast<void>(HOST_TRY(find_qemu()));
    const Scratch scratch = HOST_TRY(Scratch::create());
    Progress progress;
    BenchMeasurer measurer(places, scratch.path(), progress);
    BenchColumn other;
    other.name = "Linux";
    if (options.without_linux)
        other.skipped = "--without-linux";
    else if (options.quick && !options.linux_kernel)
        other.skipped = "--quick measures AIOS alone; give --linux too";
    else
        HOST_TRY(measurer.find_linux(options.linux_kernel.value_or("")));
    BenchColumn own = HOST_TRY(measurer.measure_aios(options.rows));
    if (options.variants) HOST_TRY(measurer.measure_variants(options.rows, own));
    if (other.skipped.empty()) other = HOST_TRY(measurer.measure_linux(options.rows));
    progress.clear();
    const BenchReport report{bench_machine_name(), options.rows, own, other, measurer.plugin().missing};
    std::fputs(bench_table(report).c_str(), stdout);
    std::fflush(stdout);
    if (options.json) HOST_TRY(replace_file(*options.json, bench_json(report.machine, options.rows, own, other)));
    if (options.markdown) HOST_TRY(replace_file(*options.markdown, bench_markdown(report)));
    if (options.compare)
        static_cast<void>(
            HOST_TRY(judge(compare_bench(baseline, all_keys(options), own), printable(baseline_file.native()))));
    return judge_rows(own, all_keys(options), measurer.plugin());
}

} // namespace aios::host
