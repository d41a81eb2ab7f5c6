#include "tools/aios/machine/host_terminal.hpp"

#include <cerrno>
#include <csignal>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

namespace aios::host {
namespace {

constexpr TerminalWindow kUsualWindow{24, 80};
volatile std::sig_atomic_t window_changed = 0;

void note_window(int) { window_changed = 1; }

bool set_terminal(const termios& settings) {
    while (::tcsetattr(STDIN_FILENO, TCSANOW, &settings) != 0)
        if (errno != EINTR) return false;
    return true;
}

// Also when the terminal belongs to another program by now.
void restore_terminal(const termios& settings) {
    sigset_t output, before;
    sigemptyset(&output);
    sigaddset(&output, SIGTTOU);
    sigprocmask(SIG_BLOCK, &output, &before);
    set_terminal(settings);
    sigprocmask(SIG_SETMASK, &before, nullptr);
}

} // namespace

HostTerminal::HostTerminal(TerminalWindow told) : told_(told) {
    struct sigaction action{};
    action.sa_handler = note_window; // no SA_RESTART: poll returns
    sigaction(SIGWINCH, &action, nullptr);
    window_changed = 1; // perhaps before
    termios settings{};
    if (::tcgetattr(STDIN_FILENO, &settings) != 0) return;
    const termios before = settings;
    cfmakeraw(&settings);
    if (set_terminal(settings)) before_ = before; // in the background it stops here, as others do
}

HostTerminal::~HostTerminal() {
    if (before_) restore_terminal(*before_);
    std::signal(SIGWINCH, SIG_DFL);
}

TerminalWindow HostTerminal::window() {
    for (const int file : {STDIN_FILENO, STDOUT_FILENO}) {
        winsize size{};
        if (::ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_row != 0 && size.ws_col != 0)
            return {size.ws_row, size.ws_col};
    }
    return kUsualWindow;
}

std::optional<TerminalWindow> HostTerminal::changed_window() {
    if (window_changed == 0) return std::nullopt;
    window_changed = 0;
    const TerminalWindow now = window();
    if (std::exchange(told_, now) == now) return std::nullopt;
    return now;
}

} // namespace aios::host
