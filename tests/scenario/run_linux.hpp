// Running `./aios run-linux` from a scenario.
#pragma once

#include <format>

#include "tests/scenario/scenario.hpp"

namespace aios::scenario {

using Words = std::vector<std::string>;

inline host::Captured run_linux(const World& world, const Words& options, const Words& program,
                                std::string_view input = {}) {
    Words words{"run-linux", "--timeout", "240"};
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back("--");
    words.insert(words.end(), program.begin(), program.end());
    // An input of its own, whatever this program's is.
    world.put("input", input);
    std::string line = std::format("exec < '{}'; exec '{}'", world.at("input"), (world.root / "aios").native());
    for (const std::string& word : words) {
        std::string quoted;
        for (const char c : word)
            quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
        line += " '" + quoted + "'";
    }
    return host::capture_process({"/bin/sh", "-c", line}, std::chrono::seconds(300));
}

} // namespace aios::scenario
