// Input from the host: pieces that it sends to the guest (abi/messages.cddl, section 2), the other way of abi/frames.hpp. Each
// has a head of 32 bits, little-endian, whose lowest 24 say how many bytes follow and whose highest 8 what they are. A piece is
// answered by ProgramInput once the program's stream has it, but for `stop`; the host has at most kInputWindow bytes of them
// on the way, so that `stop` never waits behind a program that does not read.
#pragma once

#include "abi/frames.hpp"

namespace aios {

enum class InputKind : std::uint8_t {
    data = 0, // of the program's input; no bytes: its end
    stop = 1, // no bytes: the program is to be ended
    window =
        2, // rows and columns, 16 bits each, little-endian: of the terminal that the program has (ProgramRun::terminal)
};
inline constexpr std::size_t kInputWindow = 48 << 10;
struct InputHead {
    InputKind kind = InputKind::data;
    std::uint32_t bytes = 0;
};
[[nodiscard]] constexpr std::uint32_t encode_input_head(InputHead head) {
    return static_cast<std::uint32_t>(head.kind) << 24 | head.bytes;
}
[[nodiscard]] constexpr InputHead decode_input_head(std::uint32_t word) {
    return {static_cast<InputKind>(word >> 24), word & 0xff'ffff};
}

// Why a program was ended before it ended itself (ProgramEnd).
enum class ProgramCut : std::uint32_t { none = 0, out_of_time = 1, stopped = 2 };

} // namespace aios
