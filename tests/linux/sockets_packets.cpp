// SOCK_SEQPACKET of AF_UNIX: connected like a stream, and each message arrives as it was sent.
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>

#include "tests/linux/child.hpp"
#include "tests/linux/socket_fd.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

std::string receive(int fd, int flags = MSG_DONTWAIT) {
    char got[64];
    const ssize_t bytes = recv(fd, got, sizeof(got), flags);
    return bytes < 0 ? error_name(-errno) : std::string(got, static_cast<std::size_t>(bytes));
}

LINUX_TEST(borders_are_kept) {
    SocketPair pair(SOCK_SEQPACKET);
    CHECK(send(pair.fds[0], "one", 3, 0) == 3 && send(pair.fds[0], "", 0, 0) == 0 &&
          write(pair.fds[0], "three", 5) == 5);
    int waiting = 0;
    CHECK(ioctl(pair.fds[1], FIONREAD, &waiting) == 0 && waiting == 8); // of all
    CHECK(receive(pair.fds[1], MSG_PEEK) == "one" && receive(pair.fds[1]) == "one" && receive(pair.fds[1]).empty());
    char part[2];
    iovec vector{part, 2};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    CHECK(recvmsg(pair.fds[1], &message, 0) == 2 && (message.msg_flags & MSG_TRUNC) != 0); // what does not fit is gone
    CHECK(receive(pair.fds[1]) == "EAGAIN");
    int type = 0;
    socklen_t bytes = sizeof(type);
    CHECK(getsockopt(pair.fds[0], SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 && type == SOCK_SEQPACKET);
    const std::string large(100'000, 'x');
    CHECK(send(pair.fds[0], large.data(), large.size(), 0) == 100'000);
    std::string got(large.size(), '\0');
    CHECK(recv(pair.fds[1], got.data(), got.size(), 0) == 100'000 && got == large);
}

LINUX_TEST(the_end_is_heard) {
    {
        SocketPair pair(SOCK_SEQPACKET);
        CHECK(send(pair.fds[0], "last", 4, 0) == 4);
        pair.end(0);
        CHECK(poll_one(pair.fds[1], POLLIN | POLLRDHUP) == (POLLIN | POLLRDHUP | POLLHUP));
        CHECK(receive(pair.fds[1]) == "last" && receive(pair.fds[1]).empty());
        signal(SIGPIPE, SIG_DFL); // and no signal comes
        CHECK(send(pair.fds[1], "x", 1, 0) == -1 && errno == EPIPE);
    }
    {
        SocketPair pair(SOCK_SEQPACKET); // who goes with something unread resets
        CHECK(send(pair.fds[0], "lost", 4, 0) == 4);
        pair.end(1);
        CHECK(receive(pair.fds[0]) == "ECONNRESET" && receive(pair.fds[0]).empty());
    }
    {
        SocketPair pair(SOCK_SEQPACKET); // who sends hears of it too
        CHECK(send(pair.fds[0], "lost", 4, 0) == 4);
        pair.end(1);
        CHECK(send(pair.fds[0], "x", 1, 0) == -1 && errno == ECONNRESET);
        CHECK(send(pair.fds[0], "x", 1, 0) == -1 && errno == EPIPE);
    }
    SocketPair pair(SOCK_SEQPACKET);
    CHECK(shutdown(pair.fds[0], SHUT_WR) == 0);
    CHECK(receive(pair.fds[1], 0).empty());
    CHECK(send(pair.fds[1], "back", 4, 0) == 4 && receive(pair.fds[0]) == "back");
    CHECK(send(pair.fds[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
}

LINUX_TEST(full_and_waiting) {
    SocketPair pair(SOCK_SEQPACKET | SOCK_NONBLOCK);
    const std::string piece(4096, 'p');
    int sent = 0;
    while (send(pair.fds[0], piece.data(), piece.size(), 0) > 0)
        ++sent;
    CHECK(errno == EAGAIN && sent > 4 && (poll_one(pair.fds[0], POLLOUT) & POLLOUT) == 0);
    CHECK(fcntl(pair.fds[0], F_SETFL, 0) == 0);
    std::thread writer([&] { CHECK(send(pair.fds[0], piece.data(), piece.size(), 0) == 4096); });
    char room[4096];
    int received = 0;
    while (received <= sent) {
        if (recv(pair.fds[1], room, sizeof(room), 0) == 4096) ++received;
    }
    writer.join();
    CHECK(poll_one(pair.fds[0], POLLOUT) == POLLOUT && receive(pair.fds[1]) == "EAGAIN");
}

LINUX_TEST(connects_by_name) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const std::string text = "aios-packets-" + std::to_string(getpid());
    std::memcpy(name.sun_path + 1, text.data(), text.size());
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    const auto* const address = reinterpret_cast<const sockaddr*>(&name); // SAFETY: a name as Linux has them
    const int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    CHECK(listener >= 0 && bind(listener, address, bytes) == 0);
    const int client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CHECK(send(client, "x", 1, MSG_NOSIGNAL) == -1 && errno == ENOTCONN);
    CHECK(receive(client) == "ENOTCONN");
    CHECK(connect(client, address, bytes) == -1 && errno == ECONNREFUSED);
    CHECK(listen(listener, 4) == 0);
    const int stream = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(stream, address, bytes) == -1 && (errno == EPROTOTYPE || errno == ECONNREFUSED));
    close(stream);
    CHECK(connect(client, address, bytes) == 0);
    CHECK(send(client, "early", 5, 0) == 5); // before anybody accepts
    const int accepted = accept(listener, nullptr, nullptr);
    CHECK(accepted >= 0 && receive(accepted, 0) == "early");
    CHECK(send(accepted, "two", 3, 0) == 3 && send(accepted, "three", 5, 0) == 5);
    CHECK(receive(client) == "two" && receive(client) == "three");
    ucred peer{};
    socklen_t size = sizeof(peer);
    CHECK(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getpid());
    close(listener);
    close(accepted);
    CHECK(receive(client).empty());
    close(client);
}

LINUX_TEST(descriptors_travel) {
    SocketPair pair(SOCK_SEQPACKET);
    int ends[2];
    CHECK(pipe(ends) == 0);
    char control[CMSG_SPACE(sizeof(int))]{};
    char byte = 'd';
    iovec vector{&byte, 1};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(head), &ends[1], sizeof(int));
    CHECK(sendmsg(pair.fds[0], &message, 0) == 1);
    close(ends[1]);
    std::memset(control, 0, sizeof(control));
    message.msg_controllen = sizeof(control);
    CHECK(recvmsg(pair.fds[1], &message, 0) == 1 && CMSG_FIRSTHDR(&message) != nullptr);
    int got = -1;
    std::memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    CHECK(write(got, "through", 7) == 7);
    char text[8]{};
    CHECK(read(ends[0], text, 7) == 7 && std::string(text) == "through");
    close(got);
    close(ends[0]);
}

} // namespace

int main() { return run_all("sockets_packets"); }
