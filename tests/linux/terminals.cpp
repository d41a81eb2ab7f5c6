// Pseudo-terminals: names, lines, echo, raw mode, windows, ends. Sessions and groups are in terminals_jobs.cpp.
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <vector>

#include "tests/linux/terminals.hpp"

using namespace linux_test;

namespace {

LINUX_TEST(names) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    CHECK(isatty(pty.master()) == 1 && isatty(pty.slave()) == 1);
    char name[64]{};
    CHECK(ttyname_r(pty.slave(), name, sizeof(name)) == 0 && pty.name() == name);
    CHECK(ptsname_r(pty.master(), name, sizeof(name)) == 0 && pty.name() == name);
    struct stat by_name{}, by_file{};
    CHECK(stat(pty.name().c_str(), &by_name) == 0 && fstat(pty.slave(), &by_file) == 0);
    CHECK(S_ISCHR(by_name.st_mode) && major(by_name.st_rdev) == 136 && by_name.st_rdev == by_file.st_rdev);
    CHECK(by_name.st_ino == by_file.st_ino && by_name.st_dev == by_file.st_dev);
    CHECK(stat("/dev/ptmx", &by_name) == 0 && by_name.st_rdev == makedev(5, 2));
    CHECK(stat("/dev/tty", &by_name) == 0 && by_name.st_rdev == makedev(5, 0));
    EXPECT(-ENOENT, SYS_open, "/dev/pts/1000000", O_RDWR);
    EXPECT(-ENOTDIR, SYS_open, (pty.name() + "/x").c_str(), O_RDWR);
    EXPECT(-ESPIPE, SYS_lseek, pty.slave(), 0, SEEK_SET);
}

LINUX_TEST(a_locked_slave_is_not_opened) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    int locked = 1;
    CHECK(ioctl(pty.master(), TIOCSPTLCK, &locked) == 0);
    EXPECT(-EIO, SYS_open, pty.name().c_str(), O_RDWR | O_NOCTTY);
    locked = 0;
    CHECK(ioctl(pty.master(), TIOCSPTLCK, &locked) == 0);
    const int again = open(pty.name().c_str(), O_RDWR | O_NOCTTY);
    CHECK(again >= 0 && close(again) == 0);
    int number = -1;
    EXPECT(-ENOTTY, SYS_ioctl, pty.slave(), TIOCGPTN, &number);
    EXPECT(-EFAULT, SYS_ioctl, pty.master(), TIOCGPTN, 8);
}

LINUX_TEST(settings_of_a_new_terminal) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    termios settings{}, by_master{};
    CHECK(tcgetattr(pty.slave(), &settings) == 0 && tcgetattr(pty.master(), &by_master) == 0);
    CHECK(settings.c_lflag == by_master.c_lflag && settings.c_iflag == by_master.c_iflag);
    CHECK((settings.c_lflag & (ICANON | ECHO | ISIG | IEXTEN)) == (ICANON | ECHO | ISIG | IEXTEN));
    CHECK((settings.c_oflag & (OPOST | ONLCR)) == (OPOST | ONLCR) && (settings.c_iflag & ICRNL) != 0);
    CHECK(settings.c_cc[VINTR] == 3 && settings.c_cc[VEOF] == 4 && settings.c_cc[VERASE] == 0177);
    EXPECT(-EFAULT, SYS_ioctl, pty.slave(), TCGETS, 8);
    EXPECT(-EFAULT, SYS_ioctl, pty.slave(), TCSETS, 8);
    EXPECT(-ENOTTY, SYS_ioctl, pty.slave(), 0x5499, 0);
}

LINUX_TEST(lines_and_echo) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    pty.type("hello");
    CHECK(pty.screen("hello") == "hello");
    CHECK((poll_one(pty.slave(), POLLIN) & POLLIN) == 0); // the line is not ended
    pty.type("\rsecond\n");
    CHECK(pty.screen("second\r\n") == "\r\nsecond\r\n");
    CHECK(pty.line(3) == "hel" && pty.line() == "lo\n" && pty.line() == "second\n");
    pty.type("abc\177\177x\n"); // ERASE
    CHECK(pty.screen("\r\n") == "abc\b \b\b \bx\r\n" && pty.line() == "ax\n");
    pty.type("one two\027three\n"); // WERASE
    CHECK(pty.line() == "one three\n");
    pty.type("gone\025kept\n"); // KILL
    CHECK(pty.line() == "kept\n");
    pty.type("\026\003\n"); // LNEXT, INTR
    CHECK(pty.line() == "\003\n");
}

LINUX_TEST(end_of_file) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    pty.set_quiet();
    pty.type("\004");
    CHECK(pty.line().empty());
    pty.type("part\004rest\n");
    CHECK(pty.line() == "part" && pty.line() == "rest\n");
    CHECK(write(pty.slave(), "a\nb", 3) == 3 && pty.screen("b") == "a\r\nb");
}

LINUX_TEST(raw_mode) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    pty.set_raw();
    pty.type("\003\r\177\n");
    CHECK(pty.line() == "\003\r\177\n");
    CHECK(write(pty.slave(), "\n", 1) == 1 && pty.screen("\n") == "\n");
    pty.set_raw(3);
    pty.type("ab");
    wait_until_blocked();
    CHECK((poll_one(pty.slave(), POLLIN) & POLLIN) == 0);
    pty.type("c");
    CHECK(pty.line() == "abc");
    pty.set_raw(0, 0);
    char text[4];
    EXPECT(0, SYS_read, pty.slave(), text, sizeof(text));
    pty.set_raw(0, 1);
    EXPECT(0, SYS_read, pty.slave(), text, sizeof(text)); // after a tenth of a second
    pty.set_raw(4, 1);
    pty.type("x");
    EXPECT(1, SYS_read, pty.slave(), text, sizeof(text));
}

LINUX_TEST(nothing_to_read) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    CHECK(fcntl(pty.slave(), F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    CHECK(fcntl(pty.master(), F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    char text[4];
    EXPECT(-EAGAIN, SYS_read, pty.slave(), text, sizeof(text));
    EXPECT(-EAGAIN, SYS_read, pty.master(), text, sizeof(text));
    EXPECT(0, SYS_read, pty.slave(), text, 0);
    EXPECT(-EFAULT, SYS_write, pty.slave(), 8, 4);
    long total = 0;
    const std::string much(4096, 'x');
    for (long done = 0; done >= 0 && total < (1 << 20); total += done > 0 ? done : 0)
        done = raw(SYS_write, pty.slave(), much.data(), much.size());
    CHECK(total > 1000 && total < (1 << 20)); // its reader is slow: it does not take all
    CHECK((poll_one(pty.slave(), POLLOUT) & POLLOUT) == 0);
    CHECK((poll_one(pty.master(), POLLIN) & POLLIN) != 0);
}

LINUX_TEST(counts_and_flushes) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    pty.set_quiet();
    pty.type("four\nmore");
    int count = -1;
    pollfd entry{pty.slave(), POLLIN, 0};
    CHECK(::poll(&entry, 1, 3000) == 1);
    CHECK(ioctl(pty.slave(), FIONREAD, &count) == 0 && count == 5);
    CHECK(ioctl(pty.slave(), TIOCOUTQ, &count) == 0);
    CHECK(tcflush(pty.slave(), TCIFLUSH) == 0 && ioctl(pty.slave(), FIONREAD, &count) == 0 && count == 0);
    CHECK(tcdrain(pty.slave()) == 0 && tcsendbreak(pty.slave(), 0) == 0);
    EXPECT(-EINVAL, SYS_ioctl, pty.slave(), TCFLSH, 9);
    EXPECT(-EINVAL, SYS_ioctl, pty.slave(), TCXONC, 9);
    CHECK(tcflow(pty.slave(), TCOOFF) == 0 && fcntl(pty.slave(), F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    EXPECT(-EAGAIN, SYS_write, pty.slave(), "x", 1);
    CHECK(tcflow(pty.slave(), TCOON) == 0);
    EXPECT(1, SYS_write, pty.slave(), "x", 1);
    pty.type("\023"); // STOP
    wait_until_blocked();
    EXPECT(-EAGAIN, SYS_write, pty.slave(), "y", 1);
    pty.type("\021");
    wait_until_blocked();
    EXPECT(1, SYS_write, pty.slave(), "y", 1);
}

LINUX_TEST(windows) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    winsize size{.ws_row = 40, .ws_col = 132, .ws_xpixel = 1, .ws_ypixel = 2}, told{};
    CHECK(ioctl(pty.slave(), TIOCGWINSZ, &told) == 0 && told.ws_row == 0);
    CHECK(ioctl(pty.master(), TIOCSWINSZ, &size) == 0 && ioctl(pty.slave(), TIOCGWINSZ, &told) == 0);
    CHECK(told.ws_row == 40 && told.ws_col == 132 && told.ws_ypixel == 2);
    EXPECT(-EFAULT, SYS_ioctl, pty.master(), TIOCSWINSZ, 8);
}

LINUX_TEST(the_slave_is_closed) {
    SKIP_WITHOUT_TERMINALS();
    Pty pty;
    CHECK(write(pty.slave(), "last", 4) == 4);
    CHECK((poll_one(pty.master(), POLLIN) & POLLHUP) == 0);
    pty.close_slave();
    CHECK(pty.screen("last") == "last");
    char text[4];
    EXPECT(-EIO, SYS_read, pty.master(), text, sizeof(text));
    CHECK((poll_one(pty.master(), POLLIN) & POLLHUP) != 0);
    const int again = open(pty.name().c_str(), O_RDWR | O_NOCTTY);
    CHECK(again >= 0 && (poll_one(pty.master(), POLLIN) & POLLHUP) == 0);
    CHECK(write(again, "new", 3) == 3 && pty.screen("new") == "new");
    close(again);
}

LINUX_TEST(the_master_is_closed) {
    SKIP_WITHOUT_TERMINALS();
    Pty pty;
    const std::string name = pty.name();
    pty.close_master();
    char text[4];
    const long got = raw(SYS_read, pty.slave(), text, sizeof(text));
    CHECK(got == 0 || got == -EIO);
    EXPECT(-EIO, SYS_write, pty.slave(), "x", 1);
    CHECK((poll_one(pty.slave(), POLLIN) & POLLHUP) != 0);
    termios settings{};
    EXPECT(-EIO, SYS_ioctl, pty.slave(), TCGETS, &settings);
    const long opened = raw(SYS_open, name.c_str(), O_RDWR | O_NOCTTY);
    CHECK(opened == -ENOENT || opened == -EIO);
}

LINUX_TEST(who_waits_is_woken) {
    SKIP_WITHOUT_TERMINALS();
    Pty pty;
    pty.set_quiet();
    std::thread typist([&] {
        wait_until_blocked();
        pty.type("here\n");
    });
    char text[16]{};
    CHECK(read(pty.slave(), text, sizeof(text)) == 5 && std::string(text) == "here\n");
    typist.join();
    std::thread closer([&] {
        wait_until_blocked();
        pty.close_slave();
    });
    EXPECT(-EIO, SYS_read, pty.master(), text, sizeof(text));
    closer.join();
}

LINUX_TEST(a_signal_ends_a_read) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    struct sigaction action{};
    action.sa_handler = [](int) {};
    CHECK(sigaction(SIGALRM, &action, nullptr) == 0);
    const itimerval timer{{0, 20'000}, {0, 20'000}};
    CHECK(setitimer(ITIMER_REAL, &timer, nullptr) == 0);
    char text[4];
    EXPECT(-EINTR, SYS_read, pty.slave(), text, sizeof(text));
    EXPECT(-EINTR, SYS_read, pty.master(), text, sizeof(text));
    const itimerval none{};
    CHECK(setitimer(ITIMER_REAL, &none, nullptr) == 0);
}

LINUX_TEST(events) {
    SKIP_WITHOUT_TERMINALS();
    const Pty pty;
    const int queue = epoll_create1(EPOLL_CLOEXEC);
    epoll_event wanted{.events = EPOLLIN | EPOLLET, .data = {.fd = 1}}, got{};
    CHECK(epoll_ctl(queue, EPOLL_CTL_ADD, pty.slave(), &wanted) == 0);
    CHECK(epoll_wait(queue, &got, 1, 0) == 0);
    pty.type("a\n");
    CHECK(epoll_wait(queue, &got, 1, 3000) == 1 && (got.events & EPOLLIN) != 0);
    CHECK(epoll_wait(queue, &got, 1, 0) == 0);
    pty.type("b\n");
    CHECK(epoll_wait(queue, &got, 1, 3000) == 1);
    close(queue);
}

LINUX_TEST(many) {
    SKIP_WITHOUT_TERMINALS();
    std::vector<int> masters;
    int error = 0;
    while (masters.size() < 300) {
        const int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (master < 0) error = errno;
        if (master < 0) break;
        masters.push_back(master);
    }
    if (on_aios()) CHECK(masters.size() == 256 && error == ENOSPC);
    for (const int master : masters)
        close(master);
    const Pty pty;
    CHECK(pty.master() >= 0);
}

} // namespace

int main() { return run_all("terminals"); }
