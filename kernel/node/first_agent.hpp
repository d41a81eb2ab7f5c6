// The last step of the boot: the first agent.
#pragma once

#include "base/result.hpp"

namespace aios::node {

// Needs: memory, scheduler, audit, the bundle, personalities, the host port. Starts reaper and power thread, records
// the boot and starts the bundle's first program (native) with all there is: the root quota and every startup handle.
// not_found, integrity, bad_format: of the bundle and the program.
Result<> start_first_agent();

} // namespace aios::node
