// Runs all scenarios, or those whose names contain an argument.
#include <cstdio>
#include <cstdlib>
#include <format>
#include <map>

#include "tests/scenario/scenario.hpp"
#include "tools/aios/commands.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/stop.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::scenario {

void say(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

namespace {

bool run_one(const Scenario& scenario, const std::filesystem::path& root) {
    const auto begin = std::chrono::steady_clock::now();
    auto scratch = host::Scratch::create();
    if (!scratch) {
        say(std::format("TEST {} fail {}", scenario.name, scratch.error().sentence));
        return false;
    }
    World world(root, scratch->path());
    try {
        scenario.run(world);
    } catch (const Skipped& skipped) {
        say(std::format("TEST {} skip {}", scenario.name, skipped.what()));
        return true;
    } catch (const std::exception& wrong) {
        say(std::format("TEST {} fail {}", scenario.name, host::printable(wrong.what())));
        return false;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    say(std::format("{}: {:.1f} s", scenario.name, took.count()));
    say(std::format("TEST {} pass", scenario.name));
    return true;
}

} // namespace
} // namespace aios::scenario

int main(int count, char** values) {
    using namespace aios;
    host::catch_stop_signals();
    const auto places = host::find_places();
    if (!places) {
        std::fprintf(stderr, "%s\n", places.error().sentence.c_str());
        return 2;
    }
    // Sorted by name, so that the order does not depend on the linker.
    std::map<std::string, scenario::Scenario> sorted;
    for (const auto& one : scenario::scenarios())
        sorted.emplace(one.name, one);
    bool good = true;
    for (const auto& [name, one] : sorted) {
        if (host::stop_signal() != 0) return 3;
        if (count > 1 && name.find(values[1]) == std::string::npos) continue;
        good = scenario::run_one(one, places->root) && good;
    }
    return good ? 0 : 1;
}
