// Frames to the host: whatever the host has for them, sending ends, and the counts say what became of each.
#include "kernel/dev/host_port.hpp"

#include "base/cbor.hpp"
#include "kernel/host/output.hpp"
#include "tests/kernel/test.hpp"

namespace aios {
namespace {

std::byte body[100 << 10];

KERNEL_TEST(host_port_sends_or_counts) {
    const auto before = dev::host_port_counts();
    std::byte note_bytes[64];
    const auto note = cbor::Encoder(note_bytes).text("kernel test").finish();
    KERNEL_EXPECT(note.has_value());
    dev::host_port_send(static_cast<std::uint32_t>(FrameKind::note), 0, "kernel", *note);
    for (std::size_t i = 0; i < sizeof(body); ++i)
        body[i] = static_cast<std::byte>('a' + i % 26);
    // More than the ring holds: the later ones wait for the host.
    for (unsigned i = 0; i < 10; ++i)
        dev::host_port_send(static_cast<std::uint32_t>(FrameKind::console), 1, "test", {body, sizeof(body) - i});
    const auto after = dev::host_port_counts();
    KERNEL_EXPECT(after.frames + after.dropped == before.frames + before.dropped + 11);
    if (after.frames != before.frames) KERNEL_EXPECT(after.bytes - before.bytes > 10 * (sizeof(body) - 10));
    if (after.frames == before.frames) KERNEL_SKIP("no virtio console in this machine");
}

KERNEL_TEST(host_port_drops_what_is_too_long) {
    static std::byte large[kMaxFramePayload];
    const auto before = dev::host_port_counts();
    dev::host_port_send(static_cast<std::uint32_t>(FrameKind::console), 1, "test", large);
    KERNEL_EXPECT(dev::host_port_counts().dropped == before.dropped + 1);
}

} // namespace
} // namespace aios
