// What stands between the two sides of a terminal: who types (the master) and the programs (the slave). Typed characters
// become lines that can be edited, signals and echo; what programs write becomes what a screen wants. As Linux's n_tty
// does it, by the settings of termios(3).
//
// Two rings of kBytes, which whoever makes it provides: `input` from typing to programs, `output` back. Echo goes to the
// output, of which programs leave it kEchoRoom; echo that has no room is lost, and each piece of it ("^C", "\b \b") goes
// in as a whole. Nothing waits, allocates or fails here: each call takes what it can and says how much. No call makes
// more steps than a ring has bytes, a few each. No locks: the terminal's.
//
// Holds always: tail <= line end <= head of the input, at most kBytes apart. In canonical mode (ICANON) the bytes up to
// the line end can be read, a line at a time; marks stand at the last byte of each line, and a marked NUL is an end of
// file, which is not read itself. Otherwise all bytes can be read and there are no marks.
#pragma once

#include <array>
#include <string_view>

#include "base/types.hpp"
#include "personality/linux/terminal_settings.hpp"

namespace aios::linux_abi {

class LineDiscipline {
public:
    static constexpr std::uint32_t kBytes = 4096, kEchoRoom = 1024;
    using Ring = std::span<std::uint8_t, kBytes>;

    LineDiscipline(Ring input, Ring output) : input_(input), output_(output) {}

    [[nodiscard]] const TerminalSettings& settings() const { return settings_; }
    void set(const TerminalSettings& settings);

    enum class Signal : std::uint8_t { none, interrupt, quit, suspend };
    struct Received {
        std::size_t taken = 0;
        Signal signal = Signal::none; // the last character that was taken asks for it
        bool has_flushed = false;     // and threw away what was waiting both ways
    };
    // Typed: takes characters until there is no room, or one is a signal.
    Received receive(Bytes typed);
    [[nodiscard]] bool takes_input() const; // it would take one

    // A program reads: a line or the rest of one, or in raw mode what there is. 0 of a canonical terminal: end of file.
    std::size_t read(MutableBytes to);
    [[nodiscard]] bool has_input() const { return is_canonical() ? line_end_ != tail_ : head_ != tail_; }
    [[nodiscard]] bool is_readable() const; // as poll has it: VMIN characters in raw mode
    [[nodiscard]] std::uint32_t input_waiting() const;
    [[nodiscard]] bool is_canonical() const { return has_local(kLocalCanonical); }

    // A program writes: how much of it was taken.
    std::size_t write(Bytes written);
    [[nodiscard]] bool takes_output() const;
    // The master reads.
    std::size_t take_output(MutableBytes to);
    [[nodiscard]] std::uint32_t output_waiting() const { return output_head_ - output_tail_; }
    void put_flow_character(unsigned place); // START or STOP, to the master

    void flush_input();
    void flush_output() { output_tail_ = output_head_; }
    [[nodiscard]] bool is_stopped() const { return is_stopped_; } // programs wait with their output
    enum class Flow : bool { goes_on, stopped };
    void set_flow(Flow flow) { is_stopped_ = flow == Flow::stopped; }

private:
    static constexpr std::uint32_t kMask = kBytes - 1, kProgramLimit = kBytes - kEchoRoom;
    static constexpr std::uint8_t kEndOfFileMark = 0;

    [[nodiscard]] bool has_input_flag(std::uint32_t flag) const { return (settings_.input & flag) != 0; }
    [[nodiscard]] bool has_output_flag(std::uint32_t flag) const { return (settings_.output & flag) != 0; }
    [[nodiscard]] bool has_local(std::uint32_t flag) const { return (settings_.local & flag) != 0; }
    // Whether the character is the one at that place of c_cc; NUL there means none.
    [[nodiscard]] bool is_special(std::uint8_t c, unsigned place) const {
        return c != 0 && settings_.characters[place] == c;
    }
    [[nodiscard]] std::uint8_t input_at(std::uint32_t position) const { return input_[position & kMask]; }
    [[nodiscard]] bool is_marked(std::uint32_t position) const;
    void set_mark(std::uint32_t position);
    void clear_mark(std::uint32_t position);
    // The second and later bytes of a character in UTF-8, where the terminal is told that it is that (IUTF8).
    [[nodiscard]] bool is_continuation(std::uint8_t c) const {
        return (c & 0xc0) == 0x80 && has_input_flag(kInputUtf8);
    }

    Signal receive_one(std::uint8_t c);
    [[nodiscard]] Signal signal_of(std::uint8_t c) const;
    bool take_flow(std::uint8_t c);      // true: it was START or STOP
    bool take_canonical(std::uint8_t c); // true: it edits or ends the line
    void put_input(std::uint8_t c);
    void put_plain(std::uint8_t c);
    void end_line(std::uint8_t c);
    void erase(std::uint8_t c);
    void drop_line(std::uint8_t kill);
    void erase_echo(std::uint8_t erased);
    void erase_tab();
    void reprint(std::uint8_t c);

    [[nodiscard]] bool has_room(std::uint32_t bytes, std::uint32_t limit) const {
        return output_waiting() + bytes <= limit;
    }
    void push_output(std::uint8_t c) { output_[output_head_++ & kMask] = c; }
    bool put_output(std::uint8_t c, std::uint32_t limit); // false: no room
    void echo(std::uint8_t c);                            // control characters as ^X
    void echo_raw(std::string_view text);
    void echo_typed(std::uint8_t c);

    const Ring input_, output_;
    TerminalSettings settings_ = kNewTerminal;
    std::array<std::uint64_t, kBytes / 64> marks_{};
    std::uint32_t head_ = 0, line_end_ = 0, tail_ = 0; // positions of the input; they only grow, and may wrap
    std::uint32_t output_head_ = 0, output_tail_ = 0;
    std::uint32_t column_ = 0, line_column_ = 0; // of the screen; where the line that is typed began
    bool is_next_plain_ = false;                 // LNEXT was typed
    bool is_stopped_ = false;
};

} // namespace aios::linux_abi
