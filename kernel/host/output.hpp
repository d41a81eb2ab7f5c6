// Where framed output to the host leaves the kernel. The host port is a device and stands above audit and observe, so
// it is asked by an upcall; before it is ready, and on a machine without one, frames go nowhere. Format: abi/messages.cddl
// section 2.
#pragma once

#include <cstdint>

#include "abi/frames.hpp"
#include "base/types.hpp"

namespace aios {

// `body` is a CBOR item, or raw bytes for console and job_output. May block the calling thread; polled in a panic.
// Answered by kernel/dev/host_port.cpp (docs/design/upcalls.md).
namespace upcall {
void send_frame(FrameKind kind, std::uint64_t agent, const char* name, Bytes body);
} // namespace upcall

} // namespace aios
