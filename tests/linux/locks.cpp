// Locks on files between processes: record locks of processes and of open files (fcntl), and flock.
#include <csignal>
#include <functional>
#include <sys/file.h>
#include <sys/wait.h>
#include <vector>

#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

// A child that does what it is told, says so, and stays until it is let go.
class Other {
public:
    explicit Other(const std::function<bool()>& act) : pid_(fork()) {
        if (pid_ == 0) {
            char done = act() ? 'y' : 'n';
            if (write(says_.in(), &done, 1) != 1) _exit(1);
            go_.close_in();
            if (read(go_.out(), &done, 1) < 0) _exit(1);
            _exit(0);
        }
        says_.close_in();
        char answer = 0;
        CHECK(read(says_.out(), &answer, 1) == 1 && answer == 'y');
    }
    Other(const Other&) = delete;
    ~Other() { end(); }
    void end() {
        if (pid_ <= 0) return;
        go_.close_in();
        waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    Pipe says_, go_;
    pid_t pid_;
};

struct flock lock_of(int type, long first = 0, long bytes = 0, int whence = SEEK_SET) {
    struct flock lock{};
    lock.l_type = static_cast<short>(type);
    lock.l_whence = static_cast<short>(whence);
    lock.l_start = first;
    lock.l_len = bytes;
    return lock;
}
long set(int fd, int type, long first = 0, long bytes = 0, int command = F_SETLK, int whence = SEEK_SET) {
    struct flock lock = lock_of(type, first, bytes, whence);
    return raw(SYS_fcntl, fd, command, &lock);
}
struct flock ask(int fd, int type, long first = 0, long bytes = 0, int command = F_GETLK) {
    struct flock lock = lock_of(type, first, bytes);
    if (raw(SYS_fcntl, fd, command, &lock) != 0) lock.l_type = -1;
    return lock;
}

TestFolder folder;
int open_file(const char* name = "file") { return open(folder.path(name).c_str(), O_RDWR | O_CREAT, 0600); }

LINUX_TEST(processes_see_each_other) {
    const int fd = open_file();
    Other other([&] { return set(fd, F_WRLCK, 10, 10) == 0 && set(fd, F_RDLCK, 50, 10) == 0; });
    CHECK(set(fd, F_WRLCK, 0, 10) == 0 && set(fd, F_WRLCK, 20, 10) == 0); // what touches does not overlap
    CHECK(set(fd, F_WRLCK, 19, 1) == -EAGAIN && set(fd, F_RDLCK, 0, 0) == -EAGAIN);
    CHECK(set(fd, F_RDLCK, 55, 100) == 0 && set(fd, F_WRLCK, 55, 1) == -EAGAIN);
    const struct flock found = ask(fd, F_RDLCK, 15, 1);
    CHECK(found.l_type == F_WRLCK && found.l_start == 10 && found.l_len == 10 && found.l_pid == other.pid());
    CHECK(ask(fd, F_RDLCK, 50, 1).l_type == F_UNLCK && ask(fd, F_WRLCK, 50, 1).l_type == F_RDLCK);
    other.end();
    CHECK(set(fd, F_WRLCK, 0, 0) == 0 && close(fd) == 0);
}

LINUX_TEST(pieces) {
    const int fd = open_file();
    CHECK(set(fd, F_WRLCK, 0, 100) == 0 && set(fd, F_UNLCK, 40, 20) == 0 && set(fd, F_RDLCK, 90, 20) == 0);
    Other other([&] {
        const auto is = [&](long at, int type, long first, long bytes) {
            const struct flock found = ask(fd, F_WRLCK, at, 1);
            return found.l_type == type && (type == F_UNLCK || (found.l_start == first && found.l_len == bytes));
        };
        return is(0, F_WRLCK, 0, 40) && is(40, F_UNLCK, 0, 0) && is(59, F_UNLCK, 0, 0) && is(60, F_WRLCK, 60, 30) &&
               is(90, F_RDLCK, 90, 20) && is(110, F_UNLCK, 0, 0) && set(fd, F_WRLCK, 40, 20) == 0;
    });
    other.end();
    CHECK(set(fd, F_WRLCK, 40, 20) == 0 && set(fd, F_WRLCK, 90, 20) == 0); // all of it is one again
    Other after([&] {
        const struct flock found = ask(fd, F_RDLCK, 50, 1);
        return found.l_start == 0 && found.l_len == 110;
    });
    CHECK(close(fd) == 0);
}

LINUX_TEST(places) {
    const int fd = open_file();
    CHECK(ftruncate(fd, 1000) == 0 && lseek(fd, 100, SEEK_SET) == 100);
    CHECK(set(fd, F_WRLCK, -10, 0, F_SETLK, SEEK_END) == 0 && set(fd, F_WRLCK, 5, -10, F_SETLK, SEEK_CUR) == 0);
    Other other([&] {
        const struct flock end = ask(fd, F_WRLCK, 2000, 1), before = ask(fd, F_WRLCK, 100, 1);
        return end.l_start == 990 && end.l_len == 0 && before.l_start == 95 && before.l_len == 10;
    });
    CHECK(set(fd, F_WRLCK, -1) == -EINVAL && set(fd, F_WRLCK, 5, -6) == -EINVAL &&
          set(fd, F_WRLCK, 0, 1, F_SETLK, 7) == -EINVAL);
    CHECK(set(fd, F_WRLCK, INT64_MAX, 2) == -EOVERFLOW && set(fd, F_WRLCK, INT64_MAX, 1) == 0 && set(fd, 7) == -EINVAL);
    CHECK(close(fd) == 0);
}

// The first close of any descriptor of the file gives all of them back, as POSIX has it.
LINUX_TEST(any_close_releases) {
    const auto is_free = [](const char* name) {
        const pid_t child = fork();
        if (child == 0) _exit(ask(open_file(name), F_WRLCK).l_type == F_UNLCK ? 0 : 1);
        int status = -1;
        return waitpid(child, &status, 0) == child && status == 0;
    };
    const int fd = open_file();
    CHECK(set(fd, F_WRLCK) == 0 && !is_free("file"));
    close(open_file()); // another open file of the same
    CHECK(is_free("file") && set(fd, F_WRLCK) == 0);
    const int copy = dup(fd), elsewhere = open_file("elsewhere");
    CHECK(close(elsewhere) == 0 && !is_free("file") && close(copy) == 0 && is_free("file"));
    CHECK(set(fd, F_WRLCK) == 0 && dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), fd) == fd && is_free("file"));
    close(fd);
    Other other([&] { // nothing is inherited, and it ends with its process
        return set(open_file(), F_WRLCK) == 0;
    });
    CHECK(!is_free("file"));
    other.end();
    CHECK(is_free("file"));
}

LINUX_TEST(waiting_for_a_lock) {
    const int fd = open_file();
    const Pipe got;
    CHECK(set(fd, F_WRLCK, 0, 10) == 0);
    const pid_t child = fork();
    if (child == 0) {
        const bool had = set(fd, F_WRLCK, 5, 1, F_SETLKW) == 0;
        _exit(had && write(got.in(), "x", 1) == 1 ? 0 : 1);
    }
    wait_until_blocked();
    CHECK(poll_one(got.out(), POLLIN) == 0 && set(fd, F_UNLCK, 0, 5) == 0);
    wait_until_blocked();
    CHECK(poll_one(got.out(), POLLIN) == 0 && set(fd, F_RDLCK, 5, 5) == 0);
    wait_until_blocked();
    CHECK(poll_one(got.out(), POLLIN) == 0 && set(fd, F_UNLCK) == 0);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0 && close(fd) == 0);
}

LINUX_TEST(waiting_is_interrupted) {
    const int fd = open_file();
    Other other([&] { return set(fd, F_WRLCK) == 0 && flock(open_file("whole"), LOCK_EX) == 0; });
    struct sigaction action{};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, nullptr);
    const pid_t waiter = getpid(), child = fork();
    if (child == 0) {
        wait_until_blocked();
        for (;;) { // until it has waited, and heard
            kill(waiter, SIGUSR1);
            wait_until_blocked();
        }
    }
    CHECK(set(fd, F_WRLCK, 0, 0, F_SETLKW) == -EINTR);
    EXPECT(-EINTR, SYS_flock, open_file("whole"), LOCK_SH);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, nullptr, 0) == child && close(fd) == 0);
}

// A killed waiter leaves nothing behind.
LINUX_TEST(waiter_is_killed) {
    const int fd = open_file();
    CHECK(set(fd, F_WRLCK) == 0);
    const pid_t child = fork();
    if (child == 0) _exit(set(fd, F_WRLCK, 0, 0, F_SETLKW) == 0 ? 0 : 1);
    wait_until_blocked();
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, nullptr, 0) == child && set(fd, F_UNLCK) == 0);
    CHECK(set(fd, F_WRLCK) == 0 && close(fd) == 0);
}

LINUX_TEST(deadlock) {
    const int fd = open_file();
    CHECK(set(fd, F_WRLCK, 0, 1) == 0);
    const Pipe ready;
    const pid_t child = fork();
    if (child == 0) {
        if (set(fd, F_WRLCK, 1, 1) != 0 || write(ready.in(), "x", 1) != 1) _exit(1);
        _exit(set(fd, F_WRLCK, 0, 1, F_SETLKW) == 0 ? 0 : 2); // waits for us
    }
    char c;
    CHECK(read(ready.out(), &c, 1) == 1);
    long got = 0; // until the child waits, ours would only wait: whoever closes the circle hears
    wait_until_blocked();
    got = set(fd, F_WRLCK, 1, 1, F_SETLKW);
    CHECK(got == -EDEADLK || got == 0);
    CHECK(set(fd, F_UNLCK) == 0);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && (got == 0 || status == 0) && close(fd) == 0);
}

LINUX_TEST(locks_of_open_files) {
    const int first = open_file(), second = open_file();
    const auto own = [](int fd, int type, long at = 0, long bytes = 0) {
        return set(fd, type, at, bytes, F_OFD_SETLK);
    };
    CHECK(own(first, F_WRLCK, 0, 10) == 0 && own(second, F_WRLCK, 5, 1) == -EAGAIN && own(second, F_WRLCK, 10, 1) == 0);
    CHECK(set(second, F_WRLCK, 0, 1) == -EAGAIN); // and those of processes see them
    const struct flock found = ask(second, F_WRLCK, 0, 1, F_OFD_GETLK);
    CHECK(found.l_type == F_WRLCK && found.l_pid == -1 && found.l_len == 10);
    struct flock with_pid = lock_of(F_WRLCK);
    with_pid.l_pid = 1;
    EXPECT(-EINVAL, SYS_fcntl, first, F_OFD_SETLK, &with_pid);
    const int copy = dup(first);
    CHECK(close(first) == 0 && own(second, F_WRLCK, 5, 1) == -EAGAIN); // it is the open file's
    Other other([&] { return own(copy, F_UNLCK, 0, 5) == 0; });        // which the child has too
    CHECK(own(second, F_WRLCK, 0, 5) == 0 && own(second, F_WRLCK, 5, 1) == -EAGAIN);
    CHECK(close(copy) == 0 && own(second, F_WRLCK, 5, 1) == -EAGAIN);
    other.end();
    CHECK(own(second, F_WRLCK, 5, 1) == 0 && close(second) == 0);
}

LINUX_TEST(whole_files) {
    const int first = open_file(), second = open_file();
    EXPECT(0, SYS_flock, first, LOCK_EX);
    EXPECT(-EAGAIN, SYS_flock, second, LOCK_SH | LOCK_NB);
    EXPECT(0, SYS_flock, first, LOCK_SH | LOCK_NB);
    EXPECT(0, SYS_flock, second, LOCK_SH | LOCK_NB);
    EXPECT(-EAGAIN, SYS_flock, second, LOCK_EX | LOCK_NB);
    CHECK(set(first, F_WRLCK) == 0); // the others are others
    EXPECT(0, SYS_flock, first, LOCK_UN);
    EXPECT(0, SYS_flock, second, LOCK_EX | LOCK_NB);
    EXPECT(-EINVAL, SYS_flock, first, 0);
    EXPECT(-EINVAL, SYS_flock, first, LOCK_SH | LOCK_EX);
    EXPECT(-EBADF, SYS_flock, 999, LOCK_SH);
    const int path = open(folder.path("file").c_str(), O_PATH), reader = open(folder.path("file").c_str(), O_RDONLY);
    EXPECT(-EBADF, SYS_flock, path, LOCK_SH);
    EXPECT(-EAGAIN, SYS_flock, reader, LOCK_EX | LOCK_NB);
    const int directory = open(folder.root().c_str(), O_RDONLY | O_DIRECTORY);
    EXPECT(0, SYS_flock, directory, LOCK_EX | LOCK_NB);
    Other other([&] { return raw(SYS_flock, second, LOCK_UN) == 0; }); // the same open file
    EXPECT(0, SYS_flock, reader, LOCK_EX | LOCK_NB);
    const pid_t child = fork();
    if (child == 0) _exit(raw(SYS_flock, open_file(), LOCK_SH) == 0 ? 0 : 1); // waits
    wait_until_blocked();
    CHECK(close(reader) == 0);
    const pid_t copied = child; // the child has the open file of `reader` as well
    CHECK(kill(copied, 0) == 0);
    int status = -1;
    kill(copied, SIGKILL);
    CHECK(waitpid(copied, &status, 0) == copied);
    EXPECT(-EAGAIN, SYS_flock, first, LOCK_EX | LOCK_NB); // as the other has it too
    other.end();
    EXPECT(0, SYS_flock, first, LOCK_EX | LOCK_NB);
    for (const int fd : {first, second, path, directory})
        close(fd);
}

LINUX_TEST(whole_file_is_waited_for) {
    const int fd = open_file();
    EXPECT(0, SYS_flock, fd, LOCK_EX);
    const Pipe got;
    const pid_t child = fork();
    if (child == 0) {
        close(fd);
        _exit(raw(SYS_flock, open_file(), LOCK_EX) == 0 && write(got.in(), "x", 1) == 1 ? 0 : 1);
    }
    wait_until_blocked();
    CHECK(poll_one(got.out(), POLLIN) == 0);
    EXPECT(0, SYS_flock, fd, LOCK_UN);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0 && close(fd) == 0);
}

// Many at once, from many sides: a counter in a file, each step under a lock.
LINUX_TEST(counting_under_a_lock) {
    const int fd = open_file("counter");
    constexpr int kProcesses = 4, kSteps = 50;
    std::vector<pid_t> children;
    for (int i = 0; i < kProcesses; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            const int own = open_file("counter");
            for (int step = 0; step < kSteps; ++step) {
                if (i % 2 == 0 ? set(own, F_WRLCK, 0, 1, F_SETLKW) != 0 : set(own, F_WRLCK, 0, 1, F_OFD_SETLKW) != 0)
                    _exit(1);
                int count = 0;
                if (pread(own, &count, sizeof(count), 0) < 0) _exit(1);
                ++count;
                if (pwrite(own, &count, sizeof(count), 0) != sizeof(count)) _exit(1);
                if (i % 2 == 0 ? set(own, F_UNLCK) != 0 : set(own, F_UNLCK, 0, 0, F_OFD_SETLK) != 0) _exit(1);
            }
            _exit(0);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    int count = 0;
    CHECK(pread(fd, &count, sizeof(count), 0) == sizeof(count) && count == kProcesses * kSteps && close(fd) == 0);
}

LINUX_TEST(more_than_there_may_be) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    const int fd = open_file();
    long got = 0;
    int made = 0;
    while (made < 5000 && (got = set(fd, F_WRLCK, 2 * made, 1)) == 0)
        ++made;
    CHECK(got == -ENOLCK && made > 500 && made <= 1024);
    CHECK(set(fd, F_UNLCK, 0, 0) == 0 && set(fd, F_WRLCK, 0, 1) == 0 && close(fd) == 0);
}

} // namespace

int main() { return run_all("locks"); }
