// What goes to the guest on its input (abi/input.hpp): bytes of a file, and that it shall stop. A piece at a
// time, the next one when that has gone; of input no more than kInputWindow on the way, so that the other gets through.
#pragma once

#include <cstdint>
#include <string>

#include "abi/input.hpp"
#include "tools/aios/machine/host_terminal.hpp"

namespace aios::host {

class HostInput {
public:
    explicit HostInput(int file) : file_(file) {}
    // What to poll for: the file, if a piece of it is wanted; -1: nothing. `taken`: bytes that the guest says it has passed on.
    [[nodiscard]] int file(std::uint64_t taken) const;
    [[nodiscard]] bool has_piece() const { return !waiting_.empty(); }
    void read(); // from the file, which is ready
    void add_stop() { add({InputKind::stop, 0}, {}); }
    // Whether a piece may be on the way too, as far as the guest has `taken` what went before.
    [[nodiscard]] bool has_room(std::uint64_t taken) const {
        return given_ + kInputHead + kMaxInputPiece <= taken + kInputWindow;
    }
    void add_window(TerminalWindow window); // where there is room
    void send(int guest);                   // what a socket takes now

private:
    void add(InputHead head, std::string_view bytes);
    int file_;
    std::uint64_t given_ = 0; // bytes of pieces that the guest answers
    std::string waiting_;     // a piece of the file, and a few others
};

} // namespace aios::host
