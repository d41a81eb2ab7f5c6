// Terminals, sessions and groups: who has a terminal, who is in the foreground, and who is sent what.
#include <fstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <utility>

#include "tests/linux/terminals.hpp"

using namespace linux_test;

namespace {

LINUX_TEST(a_session_gets_its_terminal) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    const pid_t child = start_on(pty, [] {
        if (tcgetpgrp(0) != getpid()) return 1;
        const int own = open("/dev/tty", O_RDWR);
        if (own < 0 || isatty(own) != 1 || write(own, "own", 3) != 3) return 3;
        if (setsid() >= 0) return 4; // it leads one
        return 0;
    });
    CHECK(pty.screen("own") == "own");
    CHECK(has_exited_with(status_of(child), 0));
}

LINUX_TEST(the_first_that_a_leader_opens) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    const pid_t child = fork();
    if (child == 0) {
        setsid();
        if (open("/dev/tty", O_RDWR) >= 0 || errno != ENXIO) _exit(1);
        const int not_taken = open(pty.name().c_str(), O_RDWR | O_NOCTTY);
        if (not_taken < 0 || open("/dev/tty", O_RDWR) >= 0) _exit(2);
        if (tcgetpgrp(not_taken) != -1 || errno != ENOTTY) _exit(3);
        if (open(pty.name().c_str(), O_RDWR) < 0 || open("/dev/tty", O_RDWR) < 0) _exit(4);
        if (ioctl(not_taken, TIOCNOTTY) != 0 && errno != EINTR) _exit(5);
        _exit(open("/dev/tty", O_RDWR) < 0 ? 0 : 6);
    }
    const int status = status_of(child);
    CHECK(has_exited_with(status, 0) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP));
}

LINUX_TEST(who_may_not_take_it) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty, other;
    EXPECT(-ENOTTY, SYS_ioctl, pty.slave(), TIOCNOTTY, 0);
    pid_t group = getpgrp();
    EXPECT(-ENOTTY, SYS_ioctl, pty.slave(), TIOCSPGRP, &group);
    const pid_t child = start_on(pty, [&] {
        if (ioctl(other.slave(), TIOCSCTTY, 0) != -1 || errno != EPERM) return 1; // it has one
        if (ioctl(pty.slave(), TIOCSCTTY, 0) != 0) return 2;                      // its own again
        const pid_t grandchild = fork();
        if (grandchild == 0) {
            setsid();
            _exit(ioctl(pty.slave(), TIOCSCTTY, 0) == -1 && errno == EPERM ? 0 : 3); // another session's
        }
        return has_exited_with(status_of(grandchild), 0) ? 0 : 4;
    });
    CHECK(has_exited_with(status_of(child), 0));
}

LINUX_TEST(typed_signals) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    for (const auto& [typed, signal] : {std::pair{"\003", SIGINT}, {"\034", SIGQUIT}}) {
        const pid_t child = start_on(pty, [] {
            (void)!write(1, "ready", 5);
            for (;;)
                pause();
            return 0;
        });
        CHECK(pty.screen("ready") == "ready");
        pty.type(std::string("lost") + typed);
        const int status = status_of(child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signal);
        CHECK(pty.screen("^").find('^') != std::string::npos);
        CHECK((poll_one(pty.slave(), POLLIN) & POLLIN) == 0);
    }
}

// A shell with one job: the job runs in the foreground, is stopped by what is typed, goes on, and is interrupted.
int one_job(int stopping) {
    signal(SIGTTOU, SIG_IGN);
    const pid_t job = fork();
    if (job == 0) {
        setpgid(0, 0);
        tcsetpgrp(0, getpid());
        signal(SIGTTOU, SIG_DFL);
        (void)!write(1, "job", 3);
        for (;;)
            pause();
    }
    int status = status_of(job, WUNTRACED);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != stopping) return 1;
    if (tcgetpgrp(0) != job || tcsetpgrp(0, getpgrp()) != 0) return 2;
    if (tcsetpgrp(0, job) != 0 || kill(-job, SIGCONT) != 0) return 3;
    (void)!write(1, "again", 5);
    status = status_of(job);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGINT ? 0 : 4;
}

LINUX_TEST(a_job_is_stopped_and_goes_on) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    const pid_t child = start_on(pty, [] { return one_job(SIGTSTP); });
    CHECK(pty.screen("job") == "job");
    pty.type("\032");
    CHECK(pty.screen("again").find("again") != std::string::npos);
    pty.type("\003");
    CHECK(has_exited_with(status_of(child), 0));
}

// Starts `body` in a group of its own, which stays in the background.
template <typename F>
int stop_of_background(F&& body) {
    const pid_t job = fork();
    if (job == 0) {
        setpgid(0, 0);
        _exit(body());
    }
    setpgid(job, job);
    const int status = status_of(job, WUNTRACED);
    kill(job, SIGKILL);
    if (WIFSTOPPED(status)) (void)status_of(job);
    return WIFSTOPPED(status) ? WSTOPSIG(status) : -WEXITSTATUS(status);
}

int read_one() {
    char c;
    return read(0, &c, 1) < 0 ? errno : 0;
}

LINUX_TEST(the_background) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    const pid_t child = start_on(pty, [&] {
        if (stop_of_background(read_one) != SIGTTIN) return 1;
        const int held_off = stop_of_background([] {
            signal(SIGTTIN, SIG_IGN);
            return read_one();
        });
        if (held_off != -EIO) return 2;
        if (stop_of_background([] { return write(1, "x", 1) == 1 ? 0 : 9; }) != 0) return 3;
        pty.change([](termios& settings) { settings.c_lflag |= TOSTOP; });
        if (stop_of_background([] { return write(1, "y", 1) == 1 ? 0 : 9; }) != SIGTTOU) return 4;
        const int set = stop_of_background([] {
            termios settings{};
            return tcgetattr(0, &settings) == 0 && tcsetattr(0, TCSANOW, &settings) == 0 ? 0 : 9;
        });
        return set == SIGTTOU ? 0 : 5;
    });
    CHECK(pty.screen("x") == "x");
    CHECK(has_exited_with(status_of(child), 0));
}

LINUX_TEST(a_new_window_is_told) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, &old);
    const pid_t child = start_on(pty, [&] {
        (void)!write(1, "ready", 5);
        const timespec most{10, 0};
        if (sigtimedwait(&set, nullptr, &most) != SIGWINCH) return 1;
        winsize size{};
        return ioctl(0, TIOCGWINSZ, &size) == 0 && size.ws_col == 7 ? 0 : 2;
    });
    sigprocmask(SIG_SETMASK, &old, nullptr);
    CHECK(pty.screen("ready") == "ready");
    const winsize size{.ws_row = 5, .ws_col = 7, .ws_xpixel = 0, .ws_ypixel = 0};
    CHECK(ioctl(pty.master(), TIOCSWINSZ, &size) == 0);
    CHECK(has_exited_with(status_of(child), 0));
}

LINUX_TEST(hanging_up) {
    SKIP_WITHOUT_TERMINALS();
    Pty pty;
    const pid_t child = start_on(pty, [] {
        (void)!write(1, "ready", 5);
        for (;;)
            pause();
        return 0;
    });
    CHECK(pty.screen("ready") == "ready");
    pty.close_master();
    const int status = status_of(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
}

LINUX_TEST(the_leader_ends) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    const Pipe told;
    const pid_t child = start_on(pty, [&] {
        if (fork() == 0) { // in the foreground group, and ends with it
            signal(SIGHUP, [](int) {
                (void)!write(1, "hup", 3);
                _exit(0);
            });
            (void)!write(told.in(), "x", 1);
            for (;;)
                pause();
        }
        char c;
        return read(told.out(), &c, 1) == 1 ? 0 : 1;
    });
    CHECK(has_exited_with(status_of(child), 0));
    CHECK(pty.screen("hup") == "hup");
    pid_t group = -1;
    CHECK(ioctl(pty.master(), TIOCGSID, &group) == -1); // it is nobody's any more
}

LINUX_TEST(stat_tells_it) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    struct stat info{};
    CHECK(fstat(pty.slave(), &info) == 0);
    const pid_t child = start_on(pty, [&] {
        std::ifstream file("/proc/self/stat");
        std::string line;
        std::getline(file, line);
        int parent = 0, group = 0, session = 0, terminal = 0, foreground = 0;
        char state = 0;
        const std::string rest = line.substr(line.rfind(')') + 2);
        if (std::sscanf(rest.c_str(), "%c %d %d %d %d %d", &state, &parent, &group, &session, &terminal, &foreground) !=
            6)
            return 1;
        return terminal == static_cast<int>(info.st_rdev) && foreground == getpid() ? 0 : 2;
    });
    CHECK(has_exited_with(status_of(child), 0) || !on_aios());
}

} // namespace

int main() { return run_all("terminals_jobs"); }
