// See test_budget.hpp.
#include "tools/aios/test/budget.hpp"

#include <algorithm>
#include <format>

#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kAllMinutes = 60;

std::string line_of(std::string_view name, std::chrono::duration<double> time, std::uint64_t minutes) {
    const double used = time.count() / 60;
    if (minutes == 0) return std::format("  {:14} {:5.1f} min", name, used);
    return std::format("  {:14} {:5.1f} of {} min{}", name, used, minutes,
                       used > double(minutes) ? ", over budget" : "");
}

} // namespace

Outcome<TestBudget> TestBudget::parse(std::string_view text) {
    TestBudget budget;
    std::uint64_t sum = 0;
    std::string wrong;
    LineCutter lines([&](std::string_view line) {
        if (line.empty() || line.starts_with('#')) return;
        const auto name = line.substr(0, line.find(' '));
        const auto number = line.find_first_not_of(' ', name.size());
        const auto minutes = parse_number(number == std::string_view::npos ? "" : line.substr(number), 1, kAllMinutes);
        if (!minutes || std::ranges::find(budget.levels_, name, &Level::name) != budget.levels_.end()) {
            if (wrong.empty()) wrong = line;
            return;
        }
        sum += *minutes;
        budget.levels_.push_back({std::string(name), *minutes});
    });
    lines.feed(text);
    lines.finish();
    if (!wrong.empty())
        return failure(Exit::bad_input, std::format("the test budget has the line '{}'.", printable(wrong)));
    if (sum > kAllMinutes)
        return failure(Exit::bad_input, std::format("the test budget has {} minutes instead of {}.", sum, kAllMinutes));
    return budget;
}

void TestBudget::spent(std::string_view level, std::chrono::duration<double> time) {
    auto at = std::ranges::find(levels_, level, &Level::name);
    if (at == levels_.end()) at = levels_.insert(at, {std::string(level)});
    at->time += time;
    at->ran = true;
}

std::vector<std::string> TestBudget::lines() const {
    std::vector<std::string> out;
    std::chrono::duration<double> time{};
    std::uint64_t minutes = 0;
    for (const Level& level : levels_) {
        if (!level.ran) continue;
        time += level.time;
        minutes += level.minutes;
        out.push_back(line_of(level.name, level.time, level.minutes));
    }
    if (!out.empty()) out.push_back(line_of("together", time, minutes));
    return out;
}

} // namespace aios::host
