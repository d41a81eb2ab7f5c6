// The levels whose tests are programs of this machine: unit tests with the fuzz targets, and scenarios.
#include <algorithm>
#include <format>

#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/test/levels.hpp"
#include "tools/aios/test/parts.hpp"

namespace aios::host {

namespace {

// Generous: a busy machine is no failure.
constexpr std::chrono::minutes kProgramLimit{30};
constexpr std::chrono::minutes kFuzzLimit{10};
constexpr std::chrono::minutes kScenarioLimit{120};
constexpr std::size_t kTailKept = 8192;

// Executables in `folder` whose names start with `prefix`, sorted.
std::vector<std::filesystem::path> programs(const std::filesystem::path& folder, std::string_view prefix) {
    std::vector<std::filesystem::path> found;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        const bool program =
            entry.is_regular_file() &&
            (entry.status().permissions() & std::filesystem::perms::owner_exec) != std::filesystem::perms::none;
        if (program && entry.path().filename().native().starts_with(prefix)) found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
}

// What a GoogleTest program prints, as results. Output between the start and the end of a test explains its failure.
class GoogleTestReader {
public:
    explicit GoogleTestReader(TestLog& log) : log_(log) {}

    void line(std::string_view text) {
        if (std::string_view rest = text; strip(rest, "[ RUN      ] ")) {
            running_ = rest;
            said_.clear();
        } else if (rest = text; strip(rest, "[       OK ] ")) {
            end(rest, TestOutcome::passed);
        } else if (rest = text; strip(rest, "[  SKIPPED ] ")) {
            end(rest, TestOutcome::skipped);
        } else if (rest = text; strip(rest, "[  FAILED  ] ")) {
            end(rest, TestOutcome::failed);
        } else {
            said_ += std::string(text) + "\n";
            if (said_.size() > kTailKept) said_.erase(0, said_.size() - kTailKept);
        }
    }

    // A test that was running when the program ended.
    void program_ended(const ProcessResult& result) {
        if (running_.empty() && result.status <= 1 && !result.out_of_time) return;
        log_.result(running_.empty() ? "the program" : running_, TestOutcome::failed,
                    result.out_of_time ? "out of time" : std::format("ended with status {}", result.status));
        log_.explain(said_);
    }

private:
    static bool strip(std::string_view& text, std::string_view prefix) {
        if (!text.starts_with(prefix)) return false;
        text.remove_prefix(prefix.size());
        return true;
    }

    void end(std::string_view name, TestOutcome outcome) {
        name = name.substr(0, name.find(' '));
        if (name != running_) return; // the summary names tests again
        running_.clear();
        std::string detail;
        if (outcome == TestOutcome::skipped) {
            detail = said_;
            std::ranges::replace(detail, '\n', ' ');
        }
        log_.result(name, outcome, detail);
        if (outcome == TestOutcome::failed) log_.explain(said_);
    }

    TestLog& log_;
    std::string running_;
    std::string said_;
};

void run_unit(const std::filesystem::path& program, TestLog& log) {
    log.group(std::format("unit {}", program.filename().native()));
    GoogleTestReader reader(log);
    LineCutter lines([&](std::string_view line) { reader.line(line); });
    const ProcessResult result = run_process({program.native()}, kProgramLimit, [&](std::string_view text) {
        lines.feed(text);
        log.progress().tick();
    });
    lines.finish();
    reader.program_ended(result);
}

// A bounded run from a fixed seed: finds what it finds in a few seconds, the same on every machine of one speed.
void run_fuzz(const Places& places, const std::filesystem::path& program, TestLog& log) {
    log.group("unit fuzz");
    const std::string name = program.filename().native();
    if (!log.wants(name)) return;
    std::string said;
    std::vector<std::string> arguments = {program.native(), "-max_total_time=8", "-seed=1", "-timeout=120",
                                          "-rss_limit_mb=2048"};
    arguments.push_back("-artifact_prefix=" + (places.build / "tests" / "fuzz").native() + "/");
    const auto corpus = places.root / "tests" / "fuzz" / "corpus" / name;
    std::error_code error;
    if (std::filesystem::is_directory(corpus, error)) {
        // The first folder takes new inputs, the second is the one in the tree.
        const auto grown = places.build / "tests" / "fuzz" / (name + ".corpus");
        std::filesystem::create_directories(grown, error);
        arguments.push_back(grown.native());
        arguments.push_back(corpus.native());
    }
    const ProcessResult result = run_process(arguments, kFuzzLimit, [&](std::string_view text) {
        said += text;
        if (said.size() > kTailKept) said.erase(0, said.size() - kTailKept);
    });
    if (result.status == 0) {
        log.result(name, TestOutcome::passed);
        return;
    }
    log.result(name, TestOutcome::failed,
               result.out_of_time ? "out of time" : std::format("ended with status {}", result.status));
    log.explain(said);
}

} // namespace

void test_unit(const Places& places, TestLog& log) {
    const auto tests = programs(places.build / "tests" / "unit", "unit_");
    std::vector<TestPart> parts;
    for (const auto& program : tests)
        parts.emplace_back([&](TestLog& part) { run_unit(program, part); });
    for (const auto& program : programs(places.build / "tests" / "fuzz", "fuzz_"))
        parts.emplace_back([&places, program](TestLog& part) { run_fuzz(places, program, part); });
    run_parts(parts, log);
    if (tests.empty()) log.result("unit tests", TestOutcome::failed, "none were built");
}

void test_scenario(const Places& places, TestLog& log) {
    log.group("scenario");
    const auto program = places.root / "build" / "release" / "tests" / "scenario" / "scenarios";
    bool any = false;
    std::string said;
    LineCutter lines([&](std::string_view line) {
        if (log.take_line(line)) {
            any = true;
            said.clear();
        } else {
            log.progress().print("      | " + printable_lines(line));
        }
    });
    std::vector<std::string> arguments = {program.native()};
    // One that names scenarios keeps the others from running at all.
    const std::string& filter = log.options().filter;
    if (!filter.empty() && !log.group_name().contains(filter)) arguments.push_back(filter);
    const ProcessResult result =
        run_process(arguments, kScenarioLimit, [&](std::string_view text) { lines.feed(text); });
    lines.finish();
    if (result.out_of_time)
        log.trouble("all scenarios", "out of time");
    else if (!any || result.status > 1)
        log.trouble("all scenarios", std::format("the program ended with status {}", result.status));
}

} // namespace aios::host
