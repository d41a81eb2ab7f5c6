#include "tools/aios/test/log.hpp"

#include <algorithm>
#include <format>
#include <utility>

#include "tools/aios/host/text.hpp"

namespace aios::host {

void TestLog::end_level() {
    for (const auto& [test, text] : skipped_in_level_)
        if (!passed_in_level_.contains(test)) named_.push_back({TestOutcome::skipped, text});
    skipped_in_level_.clear();
    passed_in_level_.clear();
    in_level_ = false;
}

std::unique_ptr<TestLog> TestLog::part() const {
    // SAFETY: owned at once; std::make_unique has no access to the constructor.
    return std::unique_ptr<TestLog>(new TestLog(options_, in_level_));
}

void TestLog::take(TestLog& part) {
    for (const std::string& line : part.held_)
        progress_.print(line);
    part.held_.clear();
    skipped_in_level_.merge(part.skipped_in_level_);
    passed_in_level_.merge(part.passed_in_level_);
    named_.insert(named_.end(), part.named_.begin(), part.named_.end());
    part.named_.clear();
    passed_ += std::exchange(part.passed_, 0);
}

void TestLog::group(std::string name) {
    group_ = std::move(name);
    progress_.print(std::format("== {}", group_));
}

bool TestLog::wants(std::string_view test) const {
    return options_.filter.empty() || std::format("{} {}", group_, test).contains(options_.filter);
}

void TestLog::result(std::string_view test, TestOutcome outcome, std::string_view detail) {
    if (!wants(test)) return;
    const std::string name = std::format("{}: {}", group_, printable(test));
    const std::string why = detail.empty() ? std::string() : " (" + printable(detail) + ")";
    switch (outcome) {
    case TestOutcome::passed:
        ++passed_;
        if (in_level_) passed_in_level_.emplace(test);
        progress_.print("pass  " + name);
        return;
    case TestOutcome::failed:
        trouble(test, detail);
        return;
    case TestOutcome::skipped:
        progress_.print("skip  " + name + why);
        if (in_level_) {
            skipped_in_level_.emplace(test, name + why);
            return;
        }
        break;
    }
    named_.push_back({outcome, name + why});
}

void TestLog::trouble(std::string_view what, std::string_view why) {
    const std::string text =
        std::format("{}: {}{}", group_, printable(what), why.empty() ? "" : " (" + printable(why) + ")");
    progress_.print("FAIL  " + text);
    named_.push_back({TestOutcome::failed, text});
}

bool TestLog::take_line(std::string_view line) {
    constexpr std::string_view kMark = "TEST ";
    const auto at = line.find(kMark);
    if (at == std::string_view::npos || (at != 0 && line[at - 1] != ' ')) return false;
    line.remove_prefix(at + kMark.size());
    const auto word = [&] {
        const auto end = std::min(line.find(' '), line.size());
        const std::string_view found = line.substr(0, end);
        line.remove_prefix(std::min(end + 1, line.size()));
        return found;
    };
    const std::string_view name = word();
    const std::string_view outcome = word();
    if (name.empty()) return false;
    if (outcome == "pass")
        result(name, TestOutcome::passed);
    else if (outcome == "fail")
        result(name, TestOutcome::failed, line);
    else if (outcome == "skip")
        result(name, TestOutcome::skipped, line);
    else
        return false;
    return true;
}

void TestLog::explain(std::string_view text) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        progress_.print("      | " + printable_lines(text.substr(0, end)));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
}

std::size_t TestLog::count(TestOutcome outcome) const {
    if (outcome == TestOutcome::passed) return passed_;
    return static_cast<std::size_t>(std::ranges::count(named_, outcome, &Named::outcome));
}

bool TestLog::finish() {
    const auto list = [&](TestOutcome outcome, std::string_view title) {
        if (count(outcome) == 0) return;
        progress_.print(std::format("\n{}:", title));
        for (const Named& one : named_)
            if (one.outcome == outcome) progress_.print("  " + one.text);
    };
    list(TestOutcome::skipped, "Skipped");
    list(TestOutcome::failed, "Failed");
    const std::size_t failed = count(TestOutcome::failed);
    const std::size_t skipped = count(TestOutcome::skipped);
    progress_.print("");
    progress_.print(std::format("{} passed, {} failed", passed_, failed) +
                    (skipped == 0 ? std::string() : std::format(", {} skipped", skipped)));
    return failed == 0 && passed_ > 0;
}

} // namespace aios::host
