// The terminal that this program stands on, while a program in the guest has it: what is typed goes through as it is, without
// echo, lines or signals, which the guest's terminal makes; and changes of the window are noticed.
#pragma once

#include <cstdint>
#include <optional>

#include <termios.h>

namespace aios::host {

struct TerminalWindow {
    std::uint16_t rows = 0, columns = 0; // 0: not known
    bool operator==(const TerminalWindow&) const = default;
};

class HostTerminal {
public:
    // Takes standard input over, where that is a terminal, until the end of its life. `told`: the window that the guest knows.
    explicit HostTerminal(TerminalWindow told);
    ~HostTerminal();
    HostTerminal(const HostTerminal&) = delete;
    HostTerminal& operator=(const HostTerminal&) = delete;

    // Of standard input or, where that is none, of standard output; 24 rows of 80 columns if neither is a terminal.
    [[nodiscard]] static TerminalWindow window();
    // What it is now, if that is another than the guest knows.
    [[nodiscard]] std::optional<TerminalWindow> changed_window();

private:
    std::optional<termios> before_;
    TerminalWindow told_;
};

} // namespace aios::host
