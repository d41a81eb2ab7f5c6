#include "tools/aios/commands.hpp"

namespace aios::host {

Outcome<Exit> command_test(const Places&, ArgumentList) {
    return failure(Exit::host_missing, "the test runner is not built yet.");
}

} // namespace aios::host
