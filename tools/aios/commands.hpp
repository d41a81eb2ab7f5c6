// The commands of the host program. Each takes its own arguments and returns the exit status or a failure, which main
// prints.
#pragma once

#include "tools/aios/host/command_line.hpp"
#include "tools/aios/host/outcome.hpp"
#include "tools/aios/host/places.hpp"

namespace aios::host {

[[nodiscard]] Outcome<Exit> command_run(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_run_linux(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_audit(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_container(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_boot(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_test(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_kat(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_bench(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_policy(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_image(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_plan(const Places& places, ArgumentList arguments);

} // namespace aios::host
