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
// What the host has sent, at most to.size() bytes of it; 0 if there is nothing yet. Answered by the same.
std::size_t receive_from_host(MutableBytes to);
} // namespace upcall

} // namespace aios
