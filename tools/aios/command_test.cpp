// `aios test [levels] [--filter TEXT]`.
#include <algorithm>
#include <format>

#include "tools/aios/commands.hpp"
#include "tools/aios/stop.hpp"
#include "tools/aios/test_levels.hpp"
#include "tools/aios/text.hpp"

namespace aios::host {

namespace {

struct LevelRow {
    std::string_view name;
    void (*run)(const Places&, TestLog&);
};

constexpr LevelRow kLevels[] = {
    {"lint", test_lint},
    {"unit", test_unit},
    {"kernel", test_kernel},
    {"guest", test_guest},
    {"linux", test_linux},
    {"scenario", test_scenario},
    {"constant-time", test_constant_time},
    {"interop", test_interop},
};

} // namespace

Outcome<Exit> command_test(const Places& places, ArgumentList arguments) {
    std::vector<std::string_view> wanted;
    std::string filter;
    for (std::size_t i = 0; i < arguments.size(); i++) {
        const std::string_view argument = arguments[i];
        if (argument == "--yes") continue;
        if (argument == "--filter") {
            if (++i == arguments.size())
                return failure(Exit::wrong_use, "--filter needs a value; see ./aios test --help.");
            filter = arguments[i];
        } else if (std::ranges::find(kLevels, argument, &LevelRow::name) != std::end(kLevels)) {
            wanted.push_back(argument);
        } else {
            return failure(Exit::wrong_use,
                           std::format("test does not know '{}'; see ./aios test --help.", printable(argument)));
        }
    }
    // Unit tests and scenarios are built in the debug preset; levels that boot choose the preset themselves.
    Places debug = places;
    debug.build = places.root / "build" / "debug";
    TestLog log(filter);
    for (const LevelRow& level : kLevels) {
        if (!wanted.empty() && std::ranges::find(wanted, level.name) == wanted.end()) continue;
        level.run(debug, log);
        if (stop_signal() != 0) return failure(Exit::failed_inside, "the tests were interrupted.");
    }
    return log.finish() ? Exit::well : Exit::failed_inside;
}

} // namespace aios::host
