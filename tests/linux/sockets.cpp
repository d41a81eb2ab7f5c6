// Socket pairs: both directions, ends, messages, options.
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <vector>

#include "tests/linux/socket_fd.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

;

LINUX_TEST(both_directions) {
    SocketPair pair;
    char text[16]{};
    EXPECT(5, SYS_write, pair[0], "right", 5);
    EXPECT(4, SYS_write, pair[1], "left", 4);
    EXPECT(5, SYS_read, pair[1], text, 16);
    CHECK(std::string(text) == "right");
    EXPECT(4, SYS_read, pair[0], text, 16);
    CHECK(std::string(text, 4) == "left");
    struct stat info{};
    CHECK(fstat(pair[0], &info) == 0 && S_ISSOCK(info.st_mode));
    EXPECT(-ESPIPE, SYS_lseek, pair[0], 0, SEEK_SET);
    int waiting = 0;
    EXPECT(5, SYS_write, pair[0], "right", 5);
    EXPECT(0, SYS_ioctl, pair[1], FIONREAD, &waiting);
    CHECK(waiting == 5);
}

LINUX_TEST(arguments) {
    int fds[2];
    EXPECT(-EAFNOSUPPORT, SYS_socketpair, 77, SOCK_STREAM, 0, fds);
    EXPECT(-EPROTONOSUPPORT, SYS_socketpair, AF_UNIX, SOCK_STREAM, 77, fds);
    EXPECT(-ESOCKTNOSUPPORT, SYS_socketpair, AF_UNIX, 9, 0, fds);
    EXPECT(-EINVAL, SYS_socketpair, AF_UNIX, SOCK_STREAM | 0x100, 0, fds);
    EXPECT(-EFAULT, SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8);
    SocketPair pair(SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK), pipe;
    CHECK(fcntl(pair[0], F_GETFD) == FD_CLOEXEC && fcntl(pair[1], F_GETFL) == (O_RDWR | O_NONBLOCK));
    char byte = 0;
    EXPECT(-EAGAIN, SYS_recvfrom, pair[0], &byte, 1, 0, nullptr, nullptr);
    EXPECT(-EAGAIN, SYS_recvfrom, pipe[0], &byte, 1, MSG_DONTWAIT, nullptr, nullptr);
    EXPECT(-ENOTSOCK, SYS_recvfrom, STDOUT_FILENO, &byte, 1, 0, nullptr, nullptr);
    EXPECT(-EBADF, SYS_sendto, 999, &byte, 1, 0, nullptr, 0);
    EXPECT(-ENOTSOCK, SYS_shutdown, STDOUT_FILENO, 0);
    EXPECT(-EINVAL, SYS_shutdown, pair[0], 3);
    sockaddr_un name{};
    socklen_t bytes = sizeof(name);
    EXPECT(0, SYS_getsockname, pair[0], &name, &bytes);
    CHECK(bytes == 2 && name.sun_family == AF_UNIX);
    bytes = sizeof(name);
    EXPECT(0, SYS_getpeername, pair[0], &name, &bytes);
    CHECK(bytes == 2);
    int value = 0;
    bytes = sizeof(value);
    EXPECT(0, SYS_getsockopt, pair[0], SOL_SOCKET, SO_TYPE, &value, &bytes);
    CHECK(value == SOCK_STREAM && bytes == 4);
    EXPECT(0, SYS_getsockopt, pair[0], SOL_SOCKET, SO_DOMAIN, &value, &bytes);
    CHECK(value == AF_UNIX);
    EXPECT(0, SYS_getsockopt, pair[0], SOL_SOCKET, SO_ERROR, &value, &bytes);
    CHECK(value == 0);
    EXPECT(-ENOPROTOOPT, SYS_getsockopt, pair[0], SOL_SOCKET, 9999, &value, &bytes);
    ucred peer{};
    bytes = sizeof(peer);
    EXPECT(0, SYS_getsockopt, pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &bytes);
    CHECK(bytes == sizeof(peer) && peer.pid == getpid());
}

LINUX_TEST(messages) {
    SocketPair pair;
    char a[4]{}, b[8]{};
    iovec parts[] = {{a, 4}, {b, 8}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    EXPECT(6, SYS_sendto, pair[0], "sixone", 6, 0, nullptr, 0);
    EXPECT(3, SYS_recvfrom, pair[1], b, 3, MSG_PEEK, nullptr, nullptr);
    CHECK(std::string(b) == "six");
    EXPECT(6, SYS_recvmsg, pair[1], &message, 0);
    CHECK(std::string(a, 4) == "sixo" && std::string(b, 2) == "ne" && message.msg_namelen == 0);
    EXPECT(12, SYS_sendmsg, pair[1], &message, 0);
    char all[16]{};
    EXPECT(12, SYS_recvfrom, pair[0], all, 16, 0, nullptr, nullptr);
    // Waits for all that was asked for.
    std::thread writer([&] {
        EXPECT(4, SYS_write, pair[1], "half", 4);
        wait_until_blocked();
        EXPECT(4, SYS_write, pair[1], "rest", 4);
    });
    EXPECT(8, SYS_recvfrom, pair[0], all, 8, MSG_WAITALL, nullptr, nullptr);
    CHECK(std::string(all, 8) == "halfrest");
    writer.join();
}

LINUX_TEST(ends) {
    signal(SIGPIPE, SIG_IGN);
    constexpr int kAll = POLLIN | POLLOUT | POLLRDHUP;
    SocketPair pair;
    CHECK(poll_one(pair[0], kAll) == POLLOUT);
    EXPECT(4, SYS_write, pair[0], "last", 4);
    EXPECT(0, SYS_shutdown, pair[0], SHUT_WR);
    CHECK(poll_one(pair[0], kAll) == POLLOUT);
    CHECK(poll_one(pair[1], kAll) == kAll);
    EXPECT(-EPIPE, SYS_write, pair[0], "x", 1);
    char text[8]{};
    EXPECT(4, SYS_read, pair[1], text, 8);
    EXPECT(0, SYS_read, pair[1], text, 8);
    EXPECT(4, SYS_write, pair[1], "back", 4); // the other direction goes on
    EXPECT(4, SYS_read, pair[0], text, 8);
    EXPECT(0, SYS_shutdown, pair[1], SHUT_WR);
    CHECK(poll_one(pair[0], kAll) == (kAll | POLLHUP) && poll_one(pair[1], kAll) == (kAll | POLLHUP));

    SocketPair other;
    EXPECT(0, SYS_shutdown, other[0], SHUT_RD);
    EXPECT(0, SYS_read, other[0], text, 8);
    EXPECT(-EPIPE, SYS_write, other[1], "x", 1);

    SocketPair closed;
    static std::atomic<int> heard;
    heard = 0;
    signal(SIGPIPE, [](int) { ++heard; });
    closed.end(0);
    CHECK(poll_one(closed[1], kAll) == (kAll | POLLHUP));
    EXPECT(0, SYS_read, closed[1], text, 8);
    EXPECT(-EPIPE, SYS_sendto, closed[1], "x", 1, MSG_NOSIGNAL, nullptr, 0);
    CHECK(heard == 0);
    EXPECT(-EPIPE, SYS_write, closed[1], "x", 1);
    CHECK(heard == 1);
    signal(SIGPIPE, SIG_DFL);
}

LINUX_TEST(waits) {
    SocketPair pair;
    std::vector<char> much(400'000), back(400'000);
    for (std::size_t i = 0; i < much.size(); ++i)
        much[i] = static_cast<char>(i * 13 >> 2);
    std::thread writer([&] { EXPECT(400'000, SYS_write, pair[0], much.data(), much.size()); });
    EXPECT(400'000, SYS_recvfrom, pair[1], back.data(), back.size(), MSG_WAITALL, nullptr, nullptr);
    writer.join();
    CHECK(back == much);
    // Edge by edge through epoll.
    const int epoll = epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[1], &event) == 0);
    epoll_event got{};
    EXPECT(1, SYS_epoll_wait, epoll, &got, 1, 0);
    CHECK(got.events == EPOLLOUT);
    EXPECT(0, SYS_epoll_wait, epoll, &got, 1, 0);
    EXPECT(1, SYS_write, pair[0], "x", 1);
    EXPECT(1, SYS_epoll_wait, epoll, &got, 1, 0);
    CHECK(got.events == (EPOLLIN | EPOLLOUT));
    EXPECT(0, SYS_epoll_wait, epoll, &got, 1, 0);
    pair.end(0);
    EXPECT(1, SYS_epoll_wait, epoll, &got, 1, 0);
    CHECK(got.events == (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP));
    close(epoll);
}

} // namespace

int main() { return run_all("sockets"); }
