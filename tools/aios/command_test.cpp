// `aios test [levels] [options]`.
#include <algorithm>
#include <cstdlib>
#include <format>

#include "tools/aios/commands.hpp"
#include "tools/aios/host/command_line.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/stop.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/options.hpp"
#include "tools/aios/test/budget.hpp"
#include "tools/aios/test/levels.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kMaxBudgetBytes = 64 << 10;
constexpr std::uint64_t kMaxJobs = 64;
constexpr std::uint64_t kMaxSilence = 3600; // seconds

enum class RunsWhen { always, exhaustive }; // or when it is named

struct LevelRow {
    std::string_view name;
    void (*run)(const Places&, TestLog&);
    RunsWhen when = RunsWhen::always;
};

constexpr LevelRow kLevels[] = {
    {"lint", test_lint},         {"unit", test_unit},
    {"kernel", test_kernel},     {"guest", test_guest},
    {"linux", test_linux},       {"hostile", test_hostile},
    {"scenario", test_scenario}, {"constant-time", test_constant_time},
    {"interop", test_interop},   {"mutation", test_mutation, RunsWhen::exhaustive},
};

struct Wish {
    std::vector<std::string> levels; // empty: all
    TestOptions options;

    [[nodiscard]] bool includes(const LevelRow& level) const {
        if (!levels.empty()) return std::ranges::find(levels, level.name) != levels.end();
        return level.when == RunsWhen::always || options.exhaustive;
    }
};

Outcome<Wish> parse_wish(ArgumentList arguments) {
    CommandLine line("test");
    Wish wish;
    line.value("--filter", wish.options.filter);
    line.flag("--quick", wish.options.quick);
    line.flag("--counted", wish.options.counted);
    line.flag("--exhaustive", wish.options.exhaustive);
    line.number("--fail-fast", wish.options.fail_fast_seconds, 1, kMaxSilence);
    line.number("--seed", wish.options.seed, 1, ~std::uint32_t{0});
    line.number("--count", wish.options.count, 1, 1'000'000);
    line.number("--jobs", wish.options.jobs, 1, kMaxJobs);
    line.ignored_flag("--yes");
    wish.levels = HOST_TRY(line.parse(arguments));
    for (const std::string& name : wish.levels)
        if (std::ranges::find(kLevels, name, &LevelRow::name) == std::end(kLevels)) return line.unknown(name);
    return wish;
}

// What the script says it spent on building, in seconds.
std::chrono::seconds time_of_build() {
    const char* text = std::getenv("AIOS_BUILD_SECONDS");
    return std::chrono::seconds(text != nullptr ? parse_number(text, 0, 1'000'000).value_or(0) : 0);
}

} // namespace

Outcome<Exit> command_test(const Places& places, ArgumentList arguments) {
    const Wish wish = HOST_TRY(parse_wish(arguments));
    const std::string text = HOST_TRY(read_file(places.root / "tests" / "budget.txt", kMaxBudgetBytes));
    TestBudget budget = HOST_TRY(TestBudget::parse(text));
    budget.spent("build", time_of_build());
    // Unit tests are built in the debug preset, scenarios in the other one; levels that boot choose the preset themselves.
    Places debug = places;
    debug.build = places.root / "build" / "debug";
    TestLog log(wish.options);
    for (const LevelRow& level : kLevels) {
        if (!wish.includes(level)) continue;
        const auto begin = std::chrono::steady_clock::now();
        level.run(debug, log);
        budget.spent(level.name, std::chrono::steady_clock::now() - begin);
        if (stop_signal() != 0) return failure(Exit::failed_inside, "the tests were interrupted.");
    }
    log.progress().print("\nTime, and what tests/budget.txt gives:");
    for (const std::string& line : budget.lines())
        log.progress().print(line);
    return log.finish() ? Exit::well : Exit::failed_inside;
}

} // namespace aios::host
