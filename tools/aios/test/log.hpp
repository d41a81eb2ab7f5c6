// The results of `aios test`: every test is counted once as passed, failed or skipped, shown as it ends, and those that
// failed or were skipped are named again at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/host/progress.hpp"

namespace aios::host {

enum class TestOutcome { passed, failed, skipped };

// What the command line asks for.
struct TestOptions {
    std::string filter;      // only tests whose name contains it; empty: all
    bool exhaustive = false; // what does not fit into the budget too
    bool quick = false;      // levels that boot do it once: release, two processors
    bool counted = false;    // likewise, but on one processor whose time is counted in instructions
    // If not 0, a boot is ended at the first test that fails, and when for so many seconds none has ended.
    std::uint64_t fail_fast_seconds = 0;
    // Of the level mutation.
    std::uint64_t seed = 1;
    std::uint64_t count = 100;
    std::uint64_t jobs = 1;
};

class TestLog {
public:
    explicit TestLog(TestOptions options) : options_(std::move(options)) {}

    // A level runs the same tests in several boots. One that is skipped in some ("one CPU") and passes in another of
    // the level has been run; end_level counts as skipped only what was skipped everywhere, once.
    void begin_level() { in_level_ = true; }
    void end_level();

    // A log for a part of what this one is for, which shows nothing until take() gives all of it to this one.
    [[nodiscard]] std::unique_ptr<TestLog> part() const;
    void take(TestLog& part);

    // Starts a group, such as one test program or one boot.
    void group(std::string name);
    [[nodiscard]] const std::string& group_name() const { return group_; }
    [[nodiscard]] const TestOptions& options() const { return options_; }

    // True if a test of this name in the current group is wanted; a result that is not wanted is not counted.
    [[nodiscard]] bool wants(std::string_view test) const;
    void result(std::string_view test, TestOutcome outcome, std::string_view detail = {});
    // What kept tests from running to their end: counts as failed, whatever tests are wanted.
    void trouble(std::string_view what, std::string_view why);
    // Takes a line "TEST name pass|fail|skip detail"; false if it is something else. What comes before TEST is passed
    // over.
    bool take_line(std::string_view line);
    // Text that explains a failure, as it is.
    void explain(std::string_view text);

    [[nodiscard]] std::size_t count(TestOutcome outcome) const;
    [[nodiscard]] Progress& progress() { return progress_; }

    // Names what failed and what was skipped, and prints the closing line. True if something ran and nothing failed.
    [[nodiscard]] bool finish();

private:
    struct Named {
        TestOutcome outcome;
        std::string text;
    };
    // A part of another log.
    TestLog(TestOptions options, bool in_level)
        : options_(std::move(options)), in_level_(in_level), progress_(&held_) {}

    TestOptions options_;
    std::string group_;
    bool in_level_ = false;
    std::map<std::string, std::string, std::less<>> skipped_in_level_; // test -> the whole text
    std::set<std::string, std::less<>> passed_in_level_;
    std::vector<Named> named_;
    std::size_t passed_ = 0;
    std::vector<std::string> held_; // of a part: what it will have printed
    Progress progress_;
};

} // namespace aios::host
