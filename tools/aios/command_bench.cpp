// `aios bench`: the kernel benchmark is this program's own (bench_command.hpp). `aios bench crypto [--quick] [--json
// FILE]` becomes the benchmark of the crypto library, bench/crypto. It is the same program twice: an addon that the
// fetched Node.js loads, so that OpenSSL 3.5 is measured in the same run, and a program of its own where there is no
// such Node.js.
#include <optional>
#include <string>
#include <vector>

#include "tools/aios/bench/command.hpp"
#include "tools/aios/commands.hpp"
#include "tools/aios/host/become.hpp"
#include "tools/aios/host/command_line.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/machine/node.hpp"

namespace aios::host {

namespace {

constexpr std::string_view kLoadAddon = "process.exitCode = require(process.argv[1]).run(process.argv.slice(2))";

} // namespace

Outcome<Exit> command_bench(const Places& places, ArgumentList arguments) {
    if (!arguments.empty() && arguments.front() == "kernel") return bench_kernel(places, arguments.subspan(1));
    if (arguments.empty() || arguments.front() != "crypto")
        return failure(Exit::wrong_use, "bench knows two subjects: ./aios bench kernel and ./aios bench crypto.");
    CommandLine line("bench crypto");
    bool quick = false;
    std::optional<std::string> json;
    line.flag("--quick", quick);
    line.value("--json", json);
    line.ignored_flag("--yes");
    HOST_TRY(line.parse_options(arguments.subspan(1)));
    std::vector<std::string> options;
    if (quick) options.emplace_back("--quick");
    if (json) {
        HOST_TRY(check_writable(*json));
        options.insert(options.end(), {"--json", *json});
    }
    const std::filesystem::path folder = places.build / "bench";
    const auto node = find_node(places);
    std::vector<std::string> command;
    if (node) {
        command = {node->native(), "-e", std::string(kLoadAddon), "--", (folder / "crypto-bench-addon.node").native()};
    } else {
        command = {(folder / "crypto-bench").native(), "--without-openssl", node.error()};
    }
    command.insert(command.end(), options.begin(), options.end());
    return std::unexpected(become(command));
}

} // namespace aios::host
