// The level constant-time: the program of tests/constant_time, which runs every secret-key operation of crypto/ with
// marked secrets under valgrind, built by two compilers, with --exhaustive at three levels each.
//
// Two things are asked of each build: valgrind reports nothing, and it reports every function that leaks on purpose.
#include <algorithm>
#include <format>
#include <string>
#include <vector>

#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/test/levels.hpp"
#include "tools/aios/test/parts.hpp"

namespace aios::host {

namespace {

constexpr std::string_view kCompilers[] = {"clang++-19", "g++"};
constexpr std::string_view kOptimisations[] = {"-O2", "-O1", "-O3"};
constexpr std::string_view kUsual = "-O2"; // as AIOS is built; the others run with --exhaustive
constexpr std::chrono::minutes kStepLimit{10};
constexpr int kReported = 99; // valgrind's exit status when it reported something
constexpr std::size_t kTailKept = 8192;

struct Step {
    ProcessResult result;
    std::string text;
};

// What one build and its runs came to.
struct BuildResult {
    bool has_compiler = false;
    Step build; // configuring included
    Step operations;
    Step leaks;
};

Step run_step(const std::vector<std::string>& arguments) {
    Step step;
    step.result = run_process(arguments, kStepLimit, [&](std::string_view text) { step.text += text; });
    return step;
}

BuildResult build_and_run(const Places& places, std::string_view compiler, std::string_view level) {
    BuildResult result;
    result.has_compiler = run_step({std::string(compiler), "--version"}).result.status == 0;
    if (!result.has_compiler) return result;
    const auto folder = places.root / "build" / "constant_time" / std::format("{}{}", compiler, level);
    const std::string program = (folder / "constant_time").native();
    result.build =
        run_step({"cmake", "-S", (places.root / "tests" / "constant_time").native(), "-B", folder.native(), "-G",
                  "Ninja", std::format("-DCMAKE_CXX_COMPILER={}", compiler), std::format("-DAIOS_LEVEL={}", level)});
    if (result.build.result.status == 0) result.build = run_step({"ninja", "-C", folder.native(), "-j", "1"});
    if (result.build.result.status != 0) return result;
    const std::vector<std::string> valgrind = {"valgrind", "-q", "--error-limit=no",
                                               std::format("--error-exitcode={}", kReported), program};
    std::vector<std::string> with_leaks = valgrind;
    with_leaks.emplace_back("--leaks");
    result.leaks = run_step(with_leaks);
    result.operations = run_step(valgrind);
    return result;
}

// Hands the lines "TEST ..." to the log; what stood before a test that failed explains it.
void take_tests(const Step& step, int expected_status, std::string_view name, TestLog& log) {
    std::string said;
    bool any = false;
    LineCutter lines([&](std::string_view line) {
        const std::size_t failed = log.count(TestOutcome::failed);
        if (!log.take_line(line)) {
            said += std::string(line) + "\n";
            if (said.size() > kTailKept) said.resize(kTailKept); // the first report is the one to read
            return;
        }
        any = true;
        if (log.count(TestOutcome::failed) != failed) log.explain(said);
        said.clear();
    });
    lines.feed(step.text);
    lines.finish();
    if (step.result.out_of_time)
        log.result(name, TestOutcome::failed, "out of time");
    else if (!any || step.result.status != expected_status)
        log.result(name, TestOutcome::failed, std::format("ended with status {}", step.result.status));
    else
        log.result(name, TestOutcome::passed);
    if (!any || step.result.status > kReported) log.explain(said);
}

void report(const BuildResult& result, TestLog& log) {
    if (!result.has_compiler) {
        log.result("build", TestOutcome::skipped, "the compiler is not installed; see tools/packages-test.txt");
        return;
    }
    if (result.build.result.status != 0) {
        log.result("build", TestOutcome::failed, result.build.result.out_of_time ? "out of time" : "");
        const std::string& text = result.build.text;
        log.explain(std::string_view(text).substr(text.size() - std::min(text.size(), kTailKept)));
        return;
    }
    take_tests(result.leaks, kReported, "all_leaks_are_reported", log);
    take_tests(result.operations, 0, "no_report", log);
}

} // namespace

void test_constant_time(const Places& places, TestLog& log) {
    if (run_step({"valgrind", "--version"}).result.status != 0) {
        log.group("constant-time");
        log.result("valgrind", TestOutcome::skipped, "valgrind is not installed; see tools/packages-test.txt");
        return;
    }
    std::vector<TestPart> parts;
    for (const auto level : kOptimisations)
        for (const auto compiler : kCompilers)
            parts.emplace_back([&places, compiler, level](TestLog& part) {
                part.group(std::format("constant-time {} {}", compiler, level));
                if (level != kUsual && !part.options().exhaustive)
                    return part.result("operations", TestOutcome::skipped, "a long one: add --exhaustive");
                report(build_and_run(places, compiler, level), part);
            });
    run_parts(parts, log);
}

} // namespace aios::host
