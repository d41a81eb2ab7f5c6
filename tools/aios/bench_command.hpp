// `aios bench kernel` as one function, for the command `bench`.
#pragma once

#include "tools/aios/commands.hpp"
#include "tools/aios/outcome.hpp"

namespace aios::host {

// `aios bench kernel`; `arguments` are what follows these words.
[[nodiscard]] Outcome<Exit> bench_kernel(const Places& places, ArgumentList arguments);

} // namespace aios::host
