// The minutes that each level may take (tests/budget.txt), and the time that it did.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/host/outcome.hpp"

namespace aios::host {

class TestBudget {
public:
    // Lines "LEVEL MINUTES"; empty lines and those that start with # say nothing. Refuses (bad_input) any other line, a
    // level that stands there twice, and more than 60 minutes together.
    [[nodiscard]] static Outcome<TestBudget> parse(std::string_view text);

    // A level that is not in the budget, such as one of --exhaustive, is shown without a limit.
    void spent(std::string_view level, std::chrono::duration<double> time);

    // One line a level that ran, in their order, and one for all.
    [[nodiscard]] std::vector<std::string> lines() const;

private:
    struct Level {
        std::string name;
        std::uint64_t minutes = 0; // 0: no limit
        std::chrono::duration<double> time{};
        bool ran = false;
    };
    std::vector<Level> levels_;
};

} // namespace aios::host
