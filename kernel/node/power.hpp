// The end of a run: accounts, check counts and the whole audit log go to the host, then the machine stops.
#pragma once

#include "abi/call_types.hpp"

namespace aios::node {

// Asks the power thread to stop the node; returns at once. The first request counts. status 0 is success.
void request_power(PowerAction action, std::uint64_t status, std::uint64_t agent);
void start_power_thread(); // at boot

} // namespace aios::node
