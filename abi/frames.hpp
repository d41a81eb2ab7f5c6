// Frames from the guest to the host, and input from the host (abi/messages.cddl, section 2): what the kernel and the host program agree on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aios {

inline constexpr std::string_view kFrameMagic = "AIOF";
inline constexpr std::size_t kFrameHead = 12; // magic, payload length, CRC-32C
inline constexpr std::size_t kMaxFramePayload = 128 << 10;

enum class FrameKind : std::uint32_t {
    console = 1,
    job_output = 2,
    audit_records = 3,
    audit_head = 4,
    account = 5,
    boot_facts = 6,
    checks = 7,
    note = 8,
};

// The other way go pieces of a program's input: how many bytes (32 bits, little-endian), and they. A piece of no bytes is its end.
inline constexpr std::size_t kInputHead = 4;
inline constexpr std::size_t kMaxInputPiece = 16 << 10;

} // namespace aios
