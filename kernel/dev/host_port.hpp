// Framed output to the host (abi/messages.cddl section 2): each frame goes whole, in the order of sending, through a
// bounded ring into a virtio console; when the ring is full the caller waits. On a machine without one, frames are
// dropped and counted. What the host sends the other way are bytes, and wait in the device until they are asked for.
#pragma once

#include <cstdint>

#include "base/types.hpp"

namespace aios::dev {

void init_host_port(); // needs frames; frames of host/output.hpp go to it from now on
// FrameKind; `body` is a CBOR item, or raw bytes for console and job output; at most kMaxFramePayload less 128 bytes
// for the rest of the frame, longer ones are dropped. Thread context, no spinlock held; in a panic polled.
void host_port_send(std::uint32_t kind, std::uint64_t agent, const char* name, Bytes body);
// Bytes that the host has sent, at most to.size(); 0 if there are none. Never waits.
std::size_t host_port_receive(MutableBytes to);
// Waits until the host has everything, a few seconds at most. Polled: before switching off, and in a panic.
void drain_host_port();

struct HostPortCounts {
    std::uint64_t frames, bytes, dropped;
};
[[nodiscard]] HostPortCounts host_port_counts();

} // namespace aios::dev
