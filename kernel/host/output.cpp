// Where framed output to the host leaves the kernel. See output.hpp.
#include "kernel/host/output.hpp"

namespace aios {

namespace {
constinit FrameSink g_sink = nullptr;
}

void set_frame_sink(FrameSink sink) { g_sink = sink; }
void send_frame(FrameKind kind, std::uint64_t agent, const char* name, Bytes body) {
    if (g_sink != nullptr) g_sink(static_cast<std::uint32_t>(kind), agent, name, body);
}

} // namespace aios
