// What the tests of terminals share: a pseudo-terminal, and programs on it.
#pragma once

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "tests/linux/test.hpp"
#include "tests/linux/waiting.hpp"

namespace linux_test {

// Whether terminals can be made here: not on every developer's machine.
inline bool has_terminals() {
    const int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master >= 0) close(master);
    return master >= 0;
}
#define SKIP_WITHOUT_TERMINALS() SKIP_UNLESS(has_terminals(), "no /dev/ptmx")

class Pty {
public:
    Pty() {
        master_ = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        int unlocked = 0;
        if (ioctl(master_, TIOCSPTLCK, &unlocked) != 0 || ioctl(master_, TIOCGPTN, &number_) != 0)
            failed("a new terminal", __LINE__, std::strerror(errno));
        slave_ = open(name().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (slave_ < 0) failed("the slave", __LINE__, std::strerror(errno));
    }
    Pty(const Pty&) = delete;
    ~Pty() {
        close_slave();
        close_master();
    }
    [[nodiscard]] int master() const { return master_; }
    [[nodiscard]] int slave() const { return slave_; }
    [[nodiscard]] std::string name() const { return "/dev/pts/" + std::to_string(number_); }
    void close_slave() { end(slave_); }
    void close_master() { end(master_); }

    void type(const std::string& text) const {
        if (write(master_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            failed("typing", __LINE__, std::strerror(errno));
    }
    // What the screen has shown when it says so, or after three seconds.
    [[nodiscard]] std::string screen(const std::string& until) const {
        std::string shown;
        while (shown.find(until) == std::string::npos && is_ready(master_)) {
            char text[512];
            const ssize_t bytes = read(master_, text, sizeof(text));
            if (bytes <= 0) break;
            shown.append(text, static_cast<std::size_t>(bytes));
        }
        return shown;
    }
    // One read of the slave, once it is ready; "(nothing)" after three seconds.
    [[nodiscard]] std::string line(std::size_t most = 4096) const {
        if (!is_ready(slave_)) return "(nothing)";
        std::string text(most, '\0');
        const ssize_t bytes = read(slave_, text.data(), most);
        if (bytes < 0) return std::string("(") + strerrorname_np(errno) + ")";
        text.resize(static_cast<std::size_t>(bytes));
        return text;
    }
    template <typename F>
    void change(F&& with) const {
        termios settings{};
        if (tcgetattr(slave_, &settings) != 0) failed("tcgetattr", __LINE__);
        with(settings);
        if (tcsetattr(slave_, TCSANOW, &settings) != 0) failed("tcsetattr", __LINE__);
    }
    void set_quiet() const {
        change([](termios& settings) { settings.c_lflag &= ~static_cast<tcflag_t>(ECHO); });
    }
    void set_raw(int minimum = 1, int tenths = 0) const {
        change([&](termios& settings) {
            cfmakeraw(&settings);
            settings.c_cc[VMIN] = static_cast<cc_t>(minimum);
            settings.c_cc[VTIME] = static_cast<cc_t>(tenths);
        });
    }

private:
    static bool is_ready(int fd) {
        pollfd entry{fd, POLLIN, 0};
        return ::poll(&entry, 1, 3000) == 1;
    }
    static void end(int& fd) {
        if (fd >= 0) close(fd);
        fd = -1;
    }
    int master_ = -1, slave_ = -1;
    int number_ = -1;
};

// Runs `body` in a child that leads a session with the slave as its terminal and as its standard descriptors; what it
// answers is its exit status.
inline pid_t start_on(const Pty& pty, const std::function<int()>& body) {
    const pid_t child = fork();
    if (child != 0) return child;
    close(pty.master());
    if (setsid() < 0 || ioctl(pty.slave(), TIOCSCTTY, 0) != 0) _exit(90);
    for (const int fd : {0, 1, 2})
        dup2(pty.slave(), fd);
    _exit(body());
}

// As wait4 tells it.
inline int status_of(pid_t child, int options = 0) {
    int status = -1;
    return waitpid(child, &status, options) == child ? status : -1;
}
inline bool has_exited_with(int status, int code) { return WIFEXITED(status) && WEXITSTATUS(status) == code; }

} // namespace linux_test
