// Sockets of datagrams: AF_UNIX in pairs and with names, the Internet's within the own loopback.
#include <arpa/inet.h>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <memory>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <vector>

#include "tests/linux/socket_fd.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

class Socket : public SocketFd {
public:
    explicit Socket(int family, int flags = 0) : SocketFd(socket(family, SOCK_DGRAM | flags, 0)) {}
    using SocketFd::SocketFd;
};

struct UnixName {
    sockaddr_un address{};
    socklen_t bytes = sizeof(address);
};
UnixName unix_name(const char* what) {
    UnixName name;
    const std::string text = "aios-test-" + std::to_string(getpid()) + what;
    name.address.sun_family = AF_UNIX;
    std::memcpy(name.address.sun_path + 1, text.data(), text.size());
    name.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    return name;
}
long send_to(const Socket& socket, const std::string& text, const char* ip, int port) {
    const sockaddr_in name = address_of(ip, port);
    return raw(SYS_sendto, socket.fd(), text.data(), text.size(), 0, &name, sizeof(name));
}
int port_of(const Socket& socket) {
    sockaddr_in name{};
    socklen_t bytes = sizeof(name);
    EXPECT(0, SYS_getsockname, socket.fd(), &name, &bytes);
    return ntohs(name.sin_port);
}
std::string receive(const Socket& socket, int flags = MSG_DONTWAIT) {
    char got[64];
    const long bytes = raw(SYS_recvfrom, socket.fd(), got, sizeof(got), flags, nullptr, nullptr);
    return bytes < 0 ? error_name(bytes) : std::string(got, static_cast<std::size_t>(bytes));
}

LINUX_TEST(pairs) {
    int fds[2];
    EXPECT(0, SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, fds);
    Socket a(fds[0], nullptr), b(fds[1], nullptr);
    EXPECT(3, SYS_write, a.fd(), "one", 3);
    EXPECT(3, SYS_write, a.fd(), "two", 3);
    EXPECT(0, SYS_sendto, a.fd(), "", 0, 0, nullptr, 0);
    CHECK(poll_one(b.fd(), POLLIN | POLLOUT) == (POLLIN | POLLOUT));
    int waiting = 0;
    EXPECT(0, SYS_ioctl, b.fd(), FIONREAD, &waiting);
    CHECK(waiting == 3);
    CHECK(receive(b, MSG_PEEK) == "one" && receive(b) == "one"); // whole, one by one
    char part[2];
    iovec vector{part, 2};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    EXPECT(2, SYS_recvmsg, b.fd(), &message, 0); // what does not fit is gone
    CHECK(message.msg_flags == MSG_TRUNC && std::string(part, 2) == "tw");
    CHECK(receive(b).empty());
    CHECK(receive(b) == "EAGAIN");
    EXPECT(5, SYS_write, b.fd(), "three", 5);
    EXPECT(5, SYS_recvfrom, a.fd(), part, 2, MSG_TRUNC, nullptr, nullptr);
    b.end();
    EXPECT(-ECONNREFUSED, SYS_write, a.fd(), "x", 1);
}

LINUX_TEST(names) {
    UnixName name = unix_name("a"), other = unix_name("b");
    Socket server(AF_UNIX), client(AF_UNIX);
    EXPECT(0, SYS_bind, server.fd(), &name.address, name.bytes);
    EXPECT(-ECONNREFUSED, SYS_sendto, client.fd(), "x", 1, 0, &other.address, other.bytes);
    EXPECT(-ENOTCONN, SYS_write, client.fd(), "x", 1);
    EXPECT(5, SYS_sendto, client.fd(), "hello", 5, 0, &name.address, name.bytes);
    UnixName from;
    char got[16];
    EXPECT(5, SYS_recvfrom, server.fd(), got, 16, 0, &from.address, &from.bytes);
    CHECK(from.bytes == 0); // it has no name
    EXPECT(0, SYS_bind, client.fd(), &other.address, other.bytes);
    EXPECT(0, SYS_connect, client.fd(), &name.address, name.bytes);
    EXPECT(5, SYS_write, client.fd(), "again", 5);
    from = UnixName();
    EXPECT(5, SYS_recvfrom, server.fd(), got, 16, 0, &from.address, &from.bytes);
    CHECK(from.bytes == other.bytes && std::memcmp(&from.address, &other.address, from.bytes) == 0);
    EXPECT(4, SYS_sendto, server.fd(), "back", 4, 0, &from.address, from.bytes);
    CHECK(receive(client) == "back");
    Socket stranger(AF_UNIX), stream_like(socket(AF_UNIX, SOCK_STREAM, 0), nullptr);
    EXPECT(-EPERM, SYS_sendto, stranger.fd(), "x", 1, 0, &other.address, other.bytes); // it hears its peer alone
    EXPECT(-ECONNREFUSED, SYS_connect, stream_like.fd(), &name.address, name.bytes);
    EXPECT(-EOPNOTSUPP, SYS_listen, server.fd(), 1);
    EXPECT(-EOPNOTSUPP, SYS_accept, server.fd(), nullptr, nullptr);
    server.end();
    EXPECT(-ECONNREFUSED, SYS_write, client.fd(), "x", 1);
}

LINUX_TEST(full) {
    int fds[2];
    EXPECT(0, SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, fds);
    Socket a(fds[0], nullptr), b(fds[1], nullptr);
    const std::vector<char> much(1000);
    long result = 0;
    int sent = 0;
    while (sent < 2000 && result >= 0) {
        result = raw(SYS_sendto, a.fd(), much.data(), much.size(), MSG_DONTWAIT, nullptr, 0);
        if (result >= 0) ++sent;
    }
    CHECK(result == -EAGAIN && sent > 5);
    std::atomic<bool> is_through{false};
    std::thread waiter([&] {
        EXPECT(1, SYS_write, a.fd(), "x", 1);
        is_through = true;
    });
    wait_until_blocked();
    CHECK(!is_through || sent < 200);
    std::vector<char> got(1000);
    for (int i = 0; i < sent; ++i)
        EXPECT(1000, SYS_read, b.fd(), got.data(), got.size());
    EXPECT(1, SYS_read, b.fd(), got.data(), got.size());
    waiter.join();
    std::vector<char> huge(4 << 20);
    EXPECT(-EMSGSIZE, SYS_write, a.fd(), huge.data(), huge.size());
}

LINUX_TEST(internet) {
    Socket server(AF_INET), client(AF_INET);
    CHECK(bind_to(server, "127.0.0.1", 0) == 0);
    const int port = port_of(server);
    CHECK(port != 0 && port_of(client) == 0);
    CHECK(send_to(client, "hello", "127.0.0.1", port) == 5);
    CHECK(port_of(client) != 0);
    sockaddr_in from{};
    socklen_t bytes = sizeof(from);
    char got[16];
    EXPECT(5, SYS_recvfrom, server.fd(), got, 16, 0, &from, &bytes);
    CHECK(bytes == sizeof(from) && ntohs(from.sin_port) == port_of(client) &&
          from.sin_addr.s_addr == htonl(0x7f000001));
    EXPECT(4, SYS_sendto, server.fd(), "back", 4, 0, &from, bytes);
    CHECK(receive(client) == "back" && receive(client) == "EAGAIN");
    EXPECT(-EDESTADDRREQ, SYS_write, client.fd(), "x", 1);
    CHECK(connect_to(client, "127.0.0.1", port) == 0);
    EXPECT(4, SYS_write, client.fd(), "more", 4);
    CHECK(receive(server) == "more");
    Socket stranger(AF_INET);
    CHECK(send_to(stranger, "no", "127.0.0.1", port_of(client)) == 2); // a connected one hears its peer alone
    CHECK(receive(client) == "EAGAIN");
    CHECK(send_to(server, "", "127.0.0.1", port_of(client)) == 0); // nothing is something
    CHECK(poll_one(client.fd(), POLLIN) == POLLIN && receive(client).empty());
    const std::vector<char> large(65507), too_large(65508);
    EXPECT(65507, SYS_write, client.fd(), large.data(), large.size());
    EXPECT(-EMSGSIZE, SYS_write, client.fd(), too_large.data(), too_large.size());
    Socket taken(AF_INET);
    CHECK(bind_to(taken, "127.0.0.1", port) == -EADDRINUSE);
    server.end();
    EXPECT(1, SYS_write, client.fd(), "x", 1); // nobody is there: the next call hears of it
    EXPECT(-ECONNREFUSED, SYS_write, client.fd(), "x", 1);
    CHECK(send_to(stranger, "x", "127.0.0.1", port) == 1);
    CHECK(send_to(stranger, "x", "127.0.0.1", port) == 1);
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    EXPECT(0, SYS_connect, client.fd(), &nobody, sizeof(nobody));
    EXPECT(-EDESTADDRREQ, SYS_write, client.fd(), "x", 1);
}

LINUX_TEST(elsewhere) {
    SKIP_UNLESS(on_aios(), "goes out to the network");
    Socket client(AF_INET);
    CHECK(send_to(client, "x", "192.0.2.1", 53) == -EACCES && connect_to(client, "192.0.2.1", 53) == -EACCES);
    EXPECT(-EPERM, SYS_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

// Ill will: inboxes as full as they get, with everybody at once.
LINUX_TEST(hoards) {
    for (int round = 0; round < 3; ++round) {
        std::vector<std::unique_ptr<Socket>> all;
        const std::vector<char> much(1000, 'x');
        for (int i = 0; i < 400; ++i) {
            int fds[2];
            if (raw(SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds) != 0) break;
            for (const int fd : fds)
                all.push_back(std::make_unique<Socket>(fd, nullptr));
            while (raw(SYS_write, fds[0], much.data(), much.size()) > 0) {
            }
        }
        CHECK(all.size() > 100);
    }
}

LINUX_TEST(storms) {
    Socket first(AF_INET);
    CHECK(bind_to(first, "127.0.0.1", 0) == 0);
    const int port = port_of(first);
    first.end();
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            while (!stop) {
                Socket client(AF_INET);
                (void)connect_to(client, "127.0.0.1", port);
                for (int j = 0; j < 5; ++j)
                    (void)raw(SYS_write, client.fd(), "x", 1);
            }
        });
    }
    for (int round = 0; round < 60; ++round) {
        Socket server(AF_INET);
        if (bind_to(server, "127.0.0.1", port) != 0) continue; // a client may have got it
        for (int i = 0; i < 10; ++i)
            (void)receive(server);
    }
    stop = true;
    for (std::thread& thread : threads)
        thread.join();
}

} // namespace

int main() { return run_all("sockets_datagram"); }
