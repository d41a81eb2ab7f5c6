// terminal: the first process of `./aios run-linux -it`. It makes a pseudo-terminal, starts the program on its slave, as the
// leader of a session whose controlling terminal that is, and stands between the host and the master: what is typed at the host
// goes in, what the screen is to show comes out, and the window follows the host's. An ordinary Linux program, which holds no
// more than the program does; where the host's input comes from and what its pieces mean is in abi/input.hpp.
//
//   terminal ROWSxCOLUMNS PROGRAM NAME [ARG...]
//
// It ends as the program did, by the same signal if it was one; what still runs on the terminal then is hung up.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "abi/input.hpp"
#include "base/bytes.hpp"

namespace aios::terminal {
namespace {

constexpr int kCannotRun = 126, kNotFound = 127; // as a shell has them

[[noreturn]] void give_up(std::string_view what) {
    const std::string text = "terminal: " + std::string(what) + ": " + std::strerror(errno) + "\n";
    static_cast<void>(::write(STDERR_FILENO, text.data(), text.size()));
    ::_exit(kCannotRun);
}

winsize window_of(std::string_view text) {
    winsize window{};
    const char* const end = text.data() + text.size();
    const auto rows = std::from_chars(text.data(), end, window.ws_row);
    if (rows.ptr != end) std::from_chars(rows.ptr + 1, end, window.ws_col);
    return window;
}

// In the child: never returns.
[[noreturn]] void become_program(const std::string& slave, char** arguments) {
    ::setsid();
    const int file = ::open(slave.c_str(), O_RDWR | O_NOCTTY);
    if (file < 0 || ::ioctl(file, TIOCSCTTY, 0) != 0) give_up(slave);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        ::dup2(file, standard);
    if (file > STDERR_FILENO) ::close(file);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execv(arguments[0], arguments + 1);
    const int status = errno == ENOENT ? kNotFound : kCannotRun;
    const std::string text = std::string(arguments[0]) + ": " + std::strerror(errno) + "\n";
    static_cast<void>(::write(STDERR_FILENO, text.data(), text.size()));
    ::_exit(status);
}

// What comes from the host: pieces, put together again from what a read happens to give.
class Input {
public:
    enum class State : std::uint8_t { open, ended };
    [[nodiscard]] State state() const { return state_; }
    void read() {
        const ssize_t count = ::read(STDIN_FILENO, bytes_.data() + used_, bytes_.size() - used_);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
        if (count <= 0) {
            state_ = State::ended;
        } else {
            used_ += static_cast<std::size_t>(count);
        }
    }
    struct Piece {
        InputKind kind = InputKind::data;
        std::span<const std::byte> bytes;
    };
    // The next whole piece; drop() before the next one.
    [[nodiscard]] std::optional<Piece> piece() const {
        if (used_ < kInputHead) return std::nullopt;
        const InputHead head = decode_input_head(load_le<std::uint32_t>(bytes_.data()));
        if (head.bytes > kMaxInputPiece || used_ < kInputHead + head.bytes) return std::nullopt;
        return Piece{head.kind, std::span(bytes_).subspan(kInputHead, head.bytes)};
    }
    void drop(const Piece& piece) {
        if (piece.kind == InputKind::data && piece.bytes.empty()) state_ = State::ended;
        const std::size_t size = kInputHead + piece.bytes.size();
        std::memmove(bytes_.data(), bytes_.data() + size, used_ - size);
        used_ -= size;
    }

private:
    std::array<std::byte, kInputHead + kMaxInputPiece> bytes_{};
    std::size_t used_ = 0;
    State state_ = State::open;
};

class Terminal {
public:
    explicit Terminal(const winsize& window) {
        master_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) give_up("no terminal can be made");
        name_ = ::ptsname(master_);
        typed_.reserve(kMaxInputPiece);
        if (window.ws_row != 0 && window.ws_col != 0) ::ioctl(master_, TIOCSWINSZ, &window);
    }

    void start(char** arguments) {
        sigset_t child_ended;
        ::sigemptyset(&child_ended);
        ::sigaddset(&child_ended, SIGCHLD);
        ::sigprocmask(SIG_BLOCK, &child_ended, nullptr);
        children_ = ::signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK);
        // Until the program has opened its side, nobody has: the master would be at its end.
        const int held = ::open(name_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (termios settings{}; held >= 0 && ::tcgetattr(held, &settings) == 0) {
            settings.c_iflag |= IUTF8; // what is typed comes from a terminal of today
            ::tcsetattr(held, TCSANOW, &settings);
        }
        program_ = ::fork();
        if (children_ < 0 || held < 0 || program_ < 0) give_up("the program cannot be started");
        if (program_ == 0) become_program(name_, arguments);
        held_ = held;
    }

    // Until the program has ended and what it wrote is shown.
    int follow() {
        while (!status_) {
            // What is typed waits while the program takes none: at most a piece.
            const bool takes = typed_.empty() && input_.state() == Input::State::open;
            pollfd files[] = {{children_, POLLIN, 0},
                              {takes ? STDIN_FILENO : -1, POLLIN, 0},
                              {master_, static_cast<short>(typed_.empty() ? POLLIN : POLLIN | POLLOUT), 0}};
            if (::poll(files, std::size(files), ends_input() ? pace_ms_ : -1) < 0) continue; // a signal
            if ((files[2].revents & POLLIN) != 0) show();
            if (files[0].revents != 0) reap();
            if (files[1].revents != 0) {
                input_.read();
                take_pieces();
            }
            type();
            if (ends_input()) end_input();
        }
        show(); // all that was written before the end: the terminal holds less than one read takes
        return *status_;
    }

private:
    static constexpr int kFirstPaceMs = 20, kLastPaceMs = 1000;

    void take_pieces() {
        while (typed_.empty()) {
            const auto piece = input_.piece();
            if (!piece) return;
            if (piece->kind == InputKind::window && piece->bytes.size() == sizeof(std::uint16_t) * 2) {
                winsize window{};
                window.ws_row = load_le<std::uint16_t>(piece->bytes.data());
                window.ws_col = load_le<std::uint16_t>(piece->bytes.data() + sizeof(std::uint16_t));
                ::ioctl(master_, TIOCSWINSZ, &window);
            } else if (piece->kind == InputKind::data) {
                // SAFETY: bytes as characters
                typed_.assign(reinterpret_cast<const char*>(piece->bytes.data()), piece->bytes.size());
            }
            input_.drop(*piece);
        }
    }

    void type() {
        while (!typed_.empty()) {
            const ssize_t count = ::write(master_, typed_.data(), typed_.size());
            if (count <= 0) return;
            typed_.erase(0, static_cast<std::size_t>(count));
            take_pieces();
        }
    }

    // The host's input is at its end.
    [[nodiscard]] bool ends_input() const { return input_.state() == Input::State::ended && typed_.empty(); }

    // A terminal has no end: somebody types it, and whoever reads takes it, as it takes what else was typed. So it is typed
    // again, ever more slowly, whenever nothing is left to be read: to the end of a line that was not ended, to each program
    // that reads, and to one that has changed the settings meanwhile.
    void end_input() {
        pollfd unread{held_, POLLIN, 0};
        if (::poll(&unread, 1, 0) != 0) return;
        termios settings{};
        if (::tcgetattr(held_, &settings) != 0) return;
        typed_.assign(1, static_cast<char>(settings.c_cc[VEOF]));
        pace_ms_ = std::min(2 * pace_ms_, kLastPaceMs);
        type();
    }

    // One read of what the screen shows.
    void show() {
        ssize_t count = 0;
        do
            count = ::read(master_, shown_.data(), shown_.size());
        while (count < 0 && errno == EINTR);
        for (ssize_t shown = 0; shown < count;) {
            const ssize_t more = ::write(STDOUT_FILENO, shown_.data() + shown, static_cast<std::size_t>(count - shown));
            if (more < 0 && errno != EINTR) break; // nobody looks any more
            if (more > 0) shown += more;
        }
    }

    // The program and whoever has lost its parent.
    void reap() {
        std::array<signalfd_siginfo, 8> news;
        static_cast<void>(::read(children_, news.data(), sizeof(news)));
        for (;;) {
            int status = 0;
            const pid_t ended = ::waitpid(-1, &status, WNOHANG);
            if (ended <= 0) return;
            if (ended == program_) status_ = status;
        }
    }

    int master_ = -1, children_ = -1;
    int held_ = -1; // a slave of our own, to see what waits in it
    pid_t program_ = -1;
    std::string name_, typed_;
    Input input_;
    int pace_ms_ = kFirstPaceMs;
    std::array<char, 16384> shown_{}; // touched before the program has all the memory
    std::optional<int> status_;
};

[[noreturn]] void end_as(int status) {
    if (WIFSIGNALED(status)) {
        const int signal = WTERMSIG(status);
        std::signal(signal, SIG_DFL);
        sigset_t only;
        ::sigemptyset(&only);
        ::sigaddset(&only, signal);
        ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
        ::raise(signal);
        ::_exit(128 + signal);
    }
    ::_exit(WEXITSTATUS(status));
}

} // namespace
} // namespace aios::terminal

int main(int count, char** arguments) {
    using namespace aios::terminal;
    if (count < 4) {
        errno = EINVAL;
        give_up("ROWSxCOLUMNS PROGRAM NAME [ARG...]");
    }
    int status = 0;
    {
        Terminal terminal(window_of(arguments[1]));
        terminal.start(arguments + 2);
        status = terminal.follow();
    }
    end_as(status);
}
