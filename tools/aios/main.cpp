// The host program of AIOS, called by the script ./aios.
#include <cstdio>
#include <string_view>
#include <vector>

#include "tools/aios/commands.hpp"
#include "tools/aios/host/stop.hpp"

namespace {

using namespace aios::host;

Outcome<Exit> dispatch(std::string_view command, ArgumentList arguments) {
    const Places places = HOST_TRY(find_places());
    if (command == "run") return command_run(places, arguments);
    if (command == "run-linux") return command_run_linux(places, arguments);
    if (command == "audit") return command_audit(places, arguments);
    if (command == "container") return command_container(places, arguments);
    if (command == "boot") return command_boot(places, arguments);
    if (command == "test") return command_test(places, arguments);
    if (command == "kat") return command_kat(places, arguments);
    if (command == "bench") return command_bench(places, arguments);
    if (command == "policy") return command_policy(places, arguments);
    if (command == "image") return command_image(places, arguments);
    if (command == "plan") return command_plan(places, arguments);
    return failure(Exit::wrong_use,
                   "this program is called by ./aios; its commands are run, run-linux, test, audit, kat, bench, "
                   "policy, plan, image, container.");
}

} // namespace

int main(int count, char** values) {
    catch_stop_signals();
    const std::vector<std::string_view> arguments(values + 1, values + count);
    const std::string_view command = arguments.empty() ? std::string_view() : arguments.front();
    const Outcome<Exit> outcome =
        dispatch(command, arguments.empty() ? ArgumentList() : ArgumentList(arguments).subspan(1));
    if (const int signal = stop_signal(); signal != 0) {
        std::fputs("aios: interrupted.\n", stderr);
        end_by_signal(signal); // a shell shows 130 for Ctrl-C
    }
    if (!outcome) {
        std::fprintf(stderr, "aios: %s\n", outcome.error().sentence.c_str());
        return static_cast<int>(outcome.error().exit);
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        std::fputs("aios: standard output could not be written.\n", stderr);
        return static_cast<int>(Exit::host_missing);
    }
    return static_cast<int>(*outcome);
}
