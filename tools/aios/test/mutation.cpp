// The level `mutation`: tests/mutation/run.py, which breaks the kernel by rule and runs the other levels against it.
// Hours of work: only when it is named, or with --exhaustive.
#include <format>

#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/test/levels.hpp"

namespace aios::host {

namespace {

constexpr std::chrono::hours kLimit{48};

} // namespace

void test_mutation(const Places& places, TestLog& log) {
    log.group("mutation");
    const auto python = run_process({"python3", "--version"}, std::chrono::minutes(1), [](std::string_view) {});
    if (python.status != 0) {
        log.result("mutation", TestOutcome::skipped, "python3 is not installed; see tools/packages-test.txt");
        return;
    }
    const TestOptions& options = log.options();
    bool any = false;
    LineCutter lines([&](std::string_view line) {
        if (log.take_line(line))
            any = true;
        else
            log.explain(line);
    });
    const ProcessResult result =
        run_process({"python3", (places.root / "tests" / "mutation" / "run.py").native(), "--root",
                     places.root.native(), "--seed", std::to_string(options.seed), "--count",
                     std::to_string(options.count), "--jobs", std::to_string(options.jobs), "--only", options.filter},
                    kLimit, [&](std::string_view text) { lines.feed(text); });
    lines.finish();
    if (result.out_of_time || !any || result.status > 1)
        log.result("mutation", TestOutcome::failed, std::format("ended with status {}", result.status));
}

} // namespace aios::host
