// `aios bench crypto [--quick] [--json FILE]`: becomes the benchmark, bench/crypto. It is the same program twice: an
// addon that the fetched Node.js loads, so that OpenSSL 3.5 is measured in the same run, and a program of its own where
// there is no such Node.js.
#include <format>
#include <string>
#include <vector>

#include "tools/aios/become.hpp"
#include "tools/aios/commands.hpp"
#include "tools/aios/files.hpp"
#include "tools/aios/node.hpp"
#include "tools/aios/text.hpp"

namespace aios::host {

namespace {

constexpr std::string_view kLoadAddon = "process.exitCode = require(process.argv[1]).run(process.argv.slice(2))";

} // namespace

Outcome<Exit> command_bench(const Places& places, ArgumentList arguments) {
    if (arguments.empty() || arguments.front() != "crypto")
        return failure(Exit::wrong_use, "bench knows one subject: ./aios bench crypto.");
    std::vector<std::string> options;
    for (std::size_t i = 1; i < arguments.size(); i++) {
        if (arguments[i] == "--yes") continue; // the script acts on it
        options.emplace_back(arguments[i]);
        if (arguments[i] == "--quick") continue;
        if (arguments[i] != "--json")
            return failure(Exit::wrong_use, std::format("bench crypto does not know '{}'; see ./aios bench --help.",
                                                        printable(arguments[i])));
        if (++i == arguments.size()) return failure(Exit::wrong_use, "--json needs a value; see ./aios bench --help.");
        HOST_TRY(check_writable(arguments[i]));
        options.emplace_back(arguments[i]);
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
