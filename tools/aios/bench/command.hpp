// `aios bench kernel` as one function, for the command `bench`.
#pragma once

#include "tools/aios/host/command_line.hpp"
#include "tools/aios/host/outcome.hpp"
#include "tools/aios/host/places.hpp"

namespace aios::host {

// `aios bench kernel`; `arguments` are what follows these words.
[[nodiscard]] Outcome<Exit> bench_kernel(const Places& places, ArgumentList arguments);

} // namespace aios::host
