#include "tools/aios/bench/measure.hpp"

#include <algorithm>
#include <array>
#include <format>

#include "tools/aios/bench/linux.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/input/bundle.hpp"
#include "tools/aios/input/run_input.hpp"

namespace aios::host {

namespace {

constexpr unsigned kFromReset = 0; // the plugin's window
constexpr std::string_view kPairs = "pairs", kBoot = "boot", kServices = "services";
constexpr std::size_t kDocuments = 20'000;
constexpr std::size_t kPairBoots = 3;
constexpr std::string_view kAlone = "alone"; // no variant
constexpr std::string_view kSeed = "seed=1";

std::vector<std::string> rows_of(BenchGroup group, const std::vector<std::string>& rows) {
    std::vector<std::string> out;
    for (const std::string& row : rows)
        if (find_bench_row(row)->group == group) out.push_back(row);
    return out;
}

std::string what_of(const std::vector<std::string>& rows) {
    return rows.size() == 1 ? rows.front() : counted(rows.size(), "row");
}

std::string joined(const std::vector<std::string>& rows) {
    std::string out;
    for (const std::string& row : rows)
        out += row + "\n";
    return out;
}

void take_all(const BenchBoot& boot, const std::vector<std::string>& rows, BenchColumn& column) {
    for (const BenchLine& line : boot.lines)
        if (std::ranges::contains(rows, line.row)) take_bench_line(line, boot.windows, column);
    for (const std::string& row : rows) {
        if (column.figures.contains(row) || column.missing.contains(row)) continue;
        column.missing[row] =
            boot.wrong.empty() ? "the programs did not tell" : std::format("of the boot, {}", boot.wrong);
    }
}

// What a call took in the window of the pairs; nothing if the boot went wrong.
std::optional<BenchCounts> per_call(const BenchBoot& boot) {
    const auto window = boot.windows.find(find_bench_row(kPairs)->number);
    const auto line = std::ranges::find(boot.lines, kPairs, &BenchLine::row);
    if (window == boot.windows.end() || line == boot.lines.end() || line->count == 0 || !boot.wrong.empty())
        return std::nullopt;
    return window->second.divided(static_cast<double>(line->count));
}

BenchFigure single(double value) { return {value, static_cast<std::uint64_t>(value), 1, std::nullopt}; }

// As many documents of one line as the row "boot" says.
RunInput many_documents() {
    RunInput input;
    for (std::size_t i = 0; i < kDocuments; ++i) {
        Document document{std::format("{:05}.txt", i), std::format("This is document {} of the benchmark.\n", i)};
        input.documents.total_bytes += document.bytes.size();
        input.documents.list.push_back(std::move(document));
    }
    return input;
}

} // namespace

BenchMeasurer::BenchMeasurer(const Places& places, std::filesystem::path scratch, Progress& progress)
    : places_(places), scratch_(std::move(scratch)), progress_(progress) {
    std::error_code error;
    plugin_.file = places.build / "bench" / "kernel" / "plugin.so";
    if (!std::filesystem::exists(plugin_.file, error)) plugin_ = {{}, "the plugin is not built"};
}

Outcome<BenchBoot> BenchMeasurer::boot_aios(const Rows& rows, std::string_view variant, unsigned processors,
                                            BenchClock clock) {
    progress_.show(std::format("AIOS: measuring {} on {}, {}", what_of(rows), counted(processors, "CPU"), variant));
    Bundle bundle = HOST_TRY(read_boot_list(places_.bundle_list("bench")));
    bundle.entries.push_back({"etc/rows", joined(rows)});
    bundle.entries.push_back({"etc/variant", std::string(variant)});
    bundle.entries.push_back({"etc/pairs", std::format("{}", processors)});
    bundle.entries.push_back({"etc/pages", bench_pages()});
    MachineSpec spec = bench_machine(processors, clock);
    spec.kernel = places_.kernel();
    spec.container = scratch_ / "container";
    spec.command_line = kSeed;
    Bundle job;
    static_cast<void>(HOST_TRY(write_container(spec.container, bundle, job)));
    return boot_bench(std::move(spec), plugin_, scratch_, progress_);
}

Outcome<BenchBoot> BenchMeasurer::boot_linux(const Rows& rows, unsigned processors, BenchClock clock) {
    progress_.show(std::format("Linux: measuring {} on {}", what_of(rows), counted(processors, "CPU")));
    MachineSpec spec = bench_machine(processors, clock);
    spec.kernel = linux_kernel_;
    spec.container = scratch_ / "initramfs";
    spec.command_line = linux_command_line(rows);
    HOST_TRY(write_bench_initramfs(places_, spec.container));
    BenchBoot boot = HOST_TRY(boot_bench(std::move(spec), plugin_, scratch_, progress_));
    const auto began = std::ranges::find(boot.lines, kBoot, &BenchLine::row);
    if (clock == BenchClock::counted && began != boot.lines.end()) {
        linux_began_ = began->total;
        if (const auto window = boot.windows.find(kFromReset); window != boot.windows.end())
            linux_executed_ = window->second.instructions();
    }
    return boot;
}

// The ordinary system, with a crew that looks at the clock.
Outcome<> BenchMeasurer::measure_system(const Rows& rows, BenchColumn& column) {
    progress_.show(std::format("AIOS: booting with {} documents", with_thousands(kDocuments)));
    RunOptions options;
    options.processors = 1;
    options.memory_mib = kBenchMemoryMib;
    options.crew = places_.root / "bench" / "kernel" / "aios" / "crew.toml";
    options.agents = {{"witness", places_.build / "bench" / "kernel" / "witness"}};
    MachineSpec spec = bench_machine(1, BenchClock::counted);
    spec.kernel = places_.kernel();
    spec.container = scratch_ / "container";
    spec.command_line = kSeed;
    RunInput input = many_documents();
    static_cast<void>(HOST_TRY(pack_run(places_, options, input, spec.container)));
    BenchBoot boot = HOST_TRY(boot_bench(std::move(spec), plugin_, scratch_, progress_));
    if (boot.facts) {
        firmware_ = static_cast<double>(boot.facts->entry_tsc);
        if (std::ranges::contains(rows, kBoot))
            column.figures[std::string(kBoot)] =
                single(static_cast<double>(boot.facts->first_user_tsc - boot.facts->entry_tsc));
    }
    boot.windows.clear(); // nothing opens and closes these rows' windows
    take_all(boot, rows, column);
    tell_wrong(column.name, boot);
    return {};
}

void BenchMeasurer::tell_wrong(std::string_view system, const BenchBoot& boot) {
    if (!boot.wrong.empty()) progress_.say(std::format("{}: {}\n{}", system, boot.wrong, boot.tail));
}

template <typename Boot>
Outcome<> BenchMeasurer::measure_rows(const Rows& rows, BenchColumn& column, Boot boot) {
    if (rows.empty()) return {};
    const BenchBoot done = HOST_TRY(boot(rows, 1u, BenchClock::counted));
    take_all(done, rows, column);
    tell_wrong(column.name, done);
    return {};
}

// One pair on one CPU against two pairs on two, both as the plugin counted. Both run in real time, in which a timer
// interrupts after fewer instructions, so that what it costs is in both.
template <typename Boot>
Outcome<> BenchMeasurer::measure_pairs(BenchColumn& column, Boot boot) {
    const std::string row(kPairs);
    const auto missing = [&](std::string why) -> Outcome<> {
        column.missing[row] = std::move(why);
        return {};
    };
    if (plugin_.file.empty()) return missing("only the plugin can count it, and " + plugin_.missing);
    const BenchBoot alone = HOST_TRY(boot(Rows{row}, 1u, BenchClock::real));
    const auto one = per_call(alone);
    if (!one) return missing("one pair alone: " + (alone.wrong.empty() ? "nothing was counted" : alone.wrong));
    std::array<BenchCounts, kPairBoots> both{};
    for (BenchCounts& each : both) {
        const BenchBoot done = HOST_TRY(boot(Rows{row}, 2u, BenchClock::real));
        const auto two = per_call(done);
        if (!two) return missing("two pairs: " + (done.wrong.empty() ? "nothing was counted" : done.wrong));
        each = *two;
    }
    std::ranges::sort(both, {}, &BenchCounts::instructions);
    const BenchCounts& median = both[kPairBoots / 2];
    column.figures[row] = single(median.instructions() / one->instructions());
    column.figures[row].beside = median;
    return {};
}

Outcome<BenchColumn> BenchMeasurer::measure_aios(const Rows& rows) {
    BenchColumn column;
    column.name = "AIOS";
    const auto boot = [this](const Rows& of_boot, unsigned processors, BenchClock clock) {
        return boot_aios(of_boot, kAlone, processors, clock);
    };
    for (const std::string& row : rows) {
        const BenchGroup group = find_bench_row(row)->group;
        if (group == BenchGroup::one || group == BenchGroup::idle) HOST_TRY(measure_rows({row}, column, boot));
    }
    if (const Rows system = rows_of(BenchGroup::system, rows); !system.empty())
        HOST_TRY(measure_system(system, column));
    if (!rows_of(BenchGroup::pairs, rows).empty()) HOST_TRY(measure_pairs(column, boot));
    return column;
}

Outcome<> BenchMeasurer::measure_variants(const Rows& rows, BenchColumn& column) {
    for (const BenchVariant& variant : bench_variants()) {
        for (const std::string& name : rows) {
            const BenchRow& row = *find_bench_row(name);
            if (!has_variant(row, variant)) continue;
            const BenchBoot boot = HOST_TRY(boot_aios({name}, variant.name, 1, BenchClock::counted));
            for (const BenchLine& line : boot.lines)
                if (line.row == name) take_variant_line(line, boot.windows, variant, column);
            const std::string key = variant_key(name, variant.name);
            if (!column.figures.contains(key) && !column.missing.contains(key))
                column.missing[key] = boot.wrong.empty() ? "the programs did not tell" : "of the boot, " + boot.wrong;
            tell_wrong(column.name, boot);
        }
    }
    return {};
}

Outcome<> BenchMeasurer::find_linux(const std::filesystem::path& kernel) {
    auto found = find_bench_linux(places_, kernel, scratch_, progress_);
    if (!found && !kernel.empty())
        return failure(found.error().exit,
                       found.error().sentence + "; give --linux a kernel that starts by PVH, or leave it out.");
    if (!found) {
        linux_skipped_ = found.error().sentence;
        return {};
    }
    linux_kernel_ = found->kernel;
    linux_name_ = found->name;
    return {};
}

Outcome<BenchColumn> BenchMeasurer::measure_linux(const Rows& rows) {
    BenchColumn column;
    column.name = linux_name_;
    column.skipped = linux_skipped_;
    if (!column.skipped.empty()) return column;
    const auto boot = [this](const Rows& of_boot, unsigned processors, BenchClock clock) {
        return boot_linux(of_boot, processors, clock);
    };
    for (const BenchGroup group : {BenchGroup::one, BenchGroup::idle})
        HOST_TRY(measure_rows(rows_of(group, rows), column, boot));
    if (std::ranges::contains(rows, kBoot)) {
        if (!linux_began_) static_cast<void>(HOST_TRY(boot({}, 1u, BenchClock::counted)));
        if (!linux_began_ || !firmware_)
            column.missing[std::string(kBoot)] = "a first program did not begin";
        else
            column.figures[std::string(kBoot)] =
                single(linux_executed_.value_or(static_cast<double>(*linux_began_)) - *firmware_);
    }
    if (std::ranges::contains(rows, kServices)) column.missing[std::string(kServices)] = "there is no such thing";
    if (!rows_of(BenchGroup::pairs, rows).empty()) HOST_TRY(measure_pairs(column, boot));
    return column;
}

} // namespace aios::host
