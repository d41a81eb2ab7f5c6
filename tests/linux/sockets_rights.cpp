// What travels beside the bytes of AF_UNIX: open files (SCM_RIGHTS), and who sends (SCM_CREDENTIALS).
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <vector>

#include "tests/linux/socket_fd.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

;

long send_files(int fd, const std::string& text, const std::vector<int>& files, int flags = MSG_NOSIGNAL) {
    std::vector<char> control(CMSG_SPACE(files.size() * sizeof(int)));
    std::string copy = text;
    iovec vector{copy.data(), copy.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(files.size() * sizeof(int));
    std::memcpy(CMSG_DATA(head), files.data(), files.size() * sizeof(int));
    return raw(SYS_sendmsg, fd, &message, flags);
}

struct Got {
    std::string text;
    std::vector<int> files;
    ucred who{};
    bool has_who = false;
    int flags = 0;
};
Got receive(int fd, std::size_t bytes = 64, std::size_t room = 1024, int flags = MSG_DONTWAIT) {
    std::vector<char> control(room);
    std::vector<char> data(bytes);
    iovec vector{data.data(), bytes};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = room;
    const long done = raw(SYS_recvmsg, fd, &message, flags);
    Got got;
    got.text = done < 0 ? error_name(done) : std::string(data.data(), static_cast<std::size_t>(done));
    got.flags = message.msg_flags;
    if (done < 0) return got;
    for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET) continue;
        if (head->cmsg_type == SCM_RIGHTS) {
            const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            got.files.resize(count);
            std::memcpy(got.files.data(), CMSG_DATA(head), count * sizeof(int));
        } else if (head->cmsg_type == SCM_CREDENTIALS) {
            std::memcpy(&got.who, CMSG_DATA(head), sizeof(got.who));
            got.has_who = true;
        }
    }
    return got;
}
void let_go(const Got& got) {
    for (const int fd : got.files)
        close(fd);
}

void check_type(int type) {
    SocketPair pair(type);
    Pipe pipe;
    CHECK(send_files(pair[0], "x", {pipe.in(), pipe.out()}) == 1);
    const Got got = receive(pair[1]);
    CHECK(got.text == "x" && got.files.size() == 2 && got.flags == 0);
    if (got.files.size() != 2) return;
    struct stat a{}, b{};
    CHECK(fstat(pipe.in(), &a) == 0 && fstat(got.files[0], &b) == 0 && a.st_ino == b.st_ino);
    CHECK(fcntl(got.files[0], F_GETFD) == 0);
    pipe.close_in();
    char byte = 0;
    EXPECT(1, SYS_write, got.files[0], "p", 1); // the same file
    EXPECT(1, SYS_read, pipe.out(), &byte, 1);
    let_go(got);
    EXPECT(0, SYS_read, pipe.out(), &byte, 1); // the last of its writers
    CHECK(send_files(pair[0], "y", {STDOUT_FILENO}) == 1);
    const Got closing = receive(pair[1], 64, 1024, MSG_CMSG_CLOEXEC);
    CHECK(closing.files.size() == 1 && fcntl(closing.files[0], F_GETFD) == FD_CLOEXEC);
    let_go(closing);
}

LINUX_TEST(files) {
    check_type(SOCK_STREAM);
    check_type(SOCK_DGRAM);
}

LINUX_TEST(places) {
    SocketPair pair;
    const int event = eventfd(0, 0);
    EXPECT(3, SYS_write, pair[0], "one", 3);
    CHECK(send_files(pair[0], "two", {event}) == 3);
    EXPECT(5, SYS_write, pair[0], "three", 5);
    CHECK(send_files(pair[0], "four", {event, event}) == 4);
    std::string text;
    std::vector<std::size_t> at;
    while (text.size() < 15) { // a byte at a time: with the first of its message
        const Got got = receive(pair[1], 1);
        if (got.text.size() != 1) break;
        for (std::size_t i = 0; i < got.files.size(); ++i)
            at.push_back(text.size());
        text += got.text;
        let_go(got);
    }
    CHECK(text == "onetwothreefour" && at == std::vector<std::size_t>({3, 11, 11}));
    CHECK(send_files(pair[0], "a", {event}) == 1 && send_files(pair[0], "b", {event}) == 1);
    const Got first = receive(pair[1]); // never two together
    CHECK(first.text == "a" && first.files.size() == 1);
    let_go(first);
    char got[8];
    EXPECT(1, SYS_read, pair[1], got, 8); // who does not ask loses it
    CHECK(receive(pair[1]).text == "EAGAIN");
    close(event);
}

LINUX_TEST(arguments) {
    SocketPair pair;
    CHECK(send_files(pair[0], "x", {999}) == -EBADF);
    CHECK(send_files(pair[0], "x", std::vector<int>(254, STDOUT_FILENO)) == -EINVAL);
    CHECK(receive(pair[1]).text == "EAGAIN");
    Pipe pipe;
    CHECK(send_files(pair[0], "x", {pipe.in(), pipe.out()}) == 1);
    const Got small = receive(pair[1], 8, CMSG_LEN(sizeof(int))); // room for one
    CHECK(small.files.size() == 1 && small.flags == MSG_CTRUNC);
    let_go(small);
    CHECK(send_files(pair[0], "x", {pipe.in()}) == 1);
    const Got none = receive(pair[1], 8, 0);
    CHECK(none.text == "x" && none.flags == MSG_CTRUNC);
    pair.end(1);
    CHECK(send_files(pair[0], "x", {pipe.in()}) == -EPIPE);
}

LINUX_TEST(credentials) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        SocketPair pair(type);
        const int on = 1;
        EXPECT(0, SYS_setsockopt, pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
        EXPECT(1, SYS_write, pair[0], "x", 1);
        const Got got = receive(pair[1]);
        CHECK(got.has_who && got.who.pid == getpid() && got.who.uid == getuid());
        Pipe pipe;
        CHECK(send_files(pair[0], "y", {pipe.in()}) == 1);
        const Got both = receive(pair[1]);
        CHECK(both.has_who && both.files.size() == 1);
        let_go(both);
    }
}

LINUX_TEST(processes) {
    SocketPair pair;
    Pipe pipe;
    const pid_t child = fork();
    if (child == 0) {
        const Got got = receive(pair[1], 8, 1024, 0);
        _exit(got.files.size() == 1 && write(got.files[0], "child", 5) == 5 ? 0 : 1);
    }
    const int again = dup(pipe.in());
    CHECK(send_files(pair[0], "x", {again}) == 1);
    close(again);
    char got[8];
    EXPECT(5, SYS_read, pipe.out(), got, 8);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

LINUX_TEST(no_circles) {
    SKIP_UNLESS(on_aios(), "Linux collects circles");
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        SocketPair pair(type), other(type);
        CHECK(send_files(pair[0], "x", {pair[1]}) == -ETOOMANYREFS &&
              send_files(pair[0], "x", {other[0]}) == -ETOOMANYREFS);
        CHECK(send_files(pair[0], "x", {STDOUT_FILENO, other[0]}) == -ETOOMANYREFS);
    }
    SocketPair pair;
    const int inet = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(send_files(pair[0], "x", {inet}) == 1); // those of the Internet hold nothing on its way
    close(inet);
}

// What is never received goes back with its socket: the pipe hears that nobody can write any more.
LINUX_TEST(never_received) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        Pipe pipe;
        SocketPair pair(type);
        CHECK(send_files(pair[0], "x", {pipe.in()}) == 1);
        pipe.close_in();
        CHECK(poll_one(pipe.out(), POLLIN) == 0);
        pair.end(1);
        CHECK(poll_one(pipe.out(), POLLIN) == POLLHUP);
    }
}

// Ill will: as many files on their way as there may be, and all that is left behind at the end.
LINUX_TEST(hoards) {
    for (int round = 0; round < 3; ++round) {
        SocketPair pair;
        long result = 0;
        int sent = 0;
        const std::vector<int> files(round == 0 ? 1 : 100, STDOUT_FILENO);
        while (sent < 1100 && result >= 0) {
            result = send_files(pair[0], "x", files, MSG_DONTWAIT);
            if (result >= 0) sent += static_cast<int>(files.size());
        }
        CHECK(sent >= 100 && (result == -ETOOMANYREFS || result == -EAGAIN || result == -ENOMEM || sent >= 1000));
        if (round == 2) {
            while (!receive(pair[1], 1, 64).text.starts_with("EAGAIN")) { // one fits, and stays open
                if (fcntl(900, F_GETFD) >= 0) break;
            }
        }
    }
    for (int fd = 3; fd < 1024; ++fd)
        close(fd);
}

LINUX_TEST(storms) {
    SocketPair pair;
    Pipe pipe;
    std::thread sender([&] {
        for (int i = 0; i < 2000; ++i) {
            long result = 0;
            while ((result = send_files(pair[0], "x", {pipe.in(), pipe.out()})) == -ETOOMANYREFS)
                std::this_thread::yield(); // as many as may be are on their way
            CHECK(result == 1);
        }
        EXPECT(0, SYS_shutdown, pair[0], SHUT_WR);
    });
    std::vector<std::thread> receivers;
    std::atomic<int> received{0};
    for (int i = 0; i < 2; ++i) {
        receivers.emplace_back([&] {
            for (;;) {
                const Got got = receive(pair[1], 8, 128, 0);
                if (got.text.empty()) break;
                received += static_cast<int>(got.files.size());
                let_go(got);
            }
        });
    }
    sender.join();
    for (std::thread& thread : receivers)
        thread.join();
    CHECK(received == 4000);
}

} // namespace

int main() { return run_all("sockets_rights"); }
