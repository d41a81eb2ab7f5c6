// Sockets of the Internet within the own loopback: ports, connecting with and without waiting, options, ends.
#include <arpa/inet.h>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <vector>

#include "tests/linux/socket_fd.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

class Socket : public SocketFd {
public:
    explicit Socket(int flags = 0, int family = AF_INET) : SocketFd(socket(family, SOCK_STREAM | flags, 0)) {}
    using SocketFd::SocketFd;
};

sockaddr_in6 address6_of(const char* ip, int port) {
    sockaddr_in6 out{};
    out.sin6_family = AF_INET6;
    out.sin6_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET6, ip, &out.sin6_addr);
    return out;
}
long bind6_to(int fd, const char* ip, int port) {
    const sockaddr_in6 name = address6_of(ip, port);
    return raw(SYS_bind, fd, &name, sizeof(name));
}
long connect6_to(int fd, const char* ip, int port) {
    const sockaddr_in6 name = address6_of(ip, port);
    return raw(SYS_connect, fd, &name, sizeof(name));
}
sockaddr_in name_by(long call, int fd) {
    sockaddr_in name{};
    socklen_t bytes = sizeof(name);
    EXPECT(0, call, fd, &name, &bytes);
    CHECK(bytes == sizeof(name) && name.sin_family == AF_INET);
    return name;
}
std::string ip_of(const sockaddr_in& name) {
    char text[INET_ADDRSTRLEN]{};
    inet_ntop(AF_INET, &name.sin_addr, text, sizeof(text));
    return text;
}
int port_of(int fd) { return ntohs(name_by(SYS_getsockname, fd).sin_port); }
int option(int fd, int level, int which) {
    int value = -1;
    socklen_t bytes = sizeof(value);
    EXPECT(0, SYS_getsockopt, fd, level, which, &value, &bytes);
    return value;
}
long set(int fd, int level, int which, int value) {
    return raw(SYS_setsockopt, fd, level, which, &value, sizeof(value));
}
// A listener at a port of the system's choice; its number.
int listen_at(const Socket& listener, const char* ip = "127.0.0.1", int backlog = 16) {
    CHECK(bind_to(listener, ip, 0) == 0);
    EXPECT(0, SYS_listen, listener.fd(), backlog);
    return port_of(listener);
}
struct Pair {
    Pair() {
        Socket listener;
        const int port = listen_at(listener);
        CHECK(connect_to(client, "127.0.0.1", port) == 0);
        fd = static_cast<int>(raw(SYS_accept, listener.fd(), nullptr, nullptr));
        CHECK(fd >= 0);
    }
    Pair(const Pair&) = delete;
    ~Pair() { end(); }
    void end() {
        if (fd >= 0) close(fd);
        fd = -1;
    }
    Socket client;
    int fd = -1; // the server's side
};

LINUX_TEST(connections) {
    Socket listener;
    CHECK(poll_one(listener, POLLIN | POLLOUT) == (POLLOUT | POLLHUP));
    CHECK(ip_of(name_by(SYS_getsockname, listener)) == "0.0.0.0" && port_of(listener) == 0);
    const int port = listen_at(listener);
    CHECK(port >= 1024);
    CHECK(option(listener, SOL_SOCKET, SO_ACCEPTCONN) == 1);
    Socket client;
    CHECK(connect_to(client, "127.0.0.1", port) == 0);
    CHECK(connect_to(client, "127.0.0.1", port) == -EISCONN);
    CHECK(connect_to(listener, "127.0.0.1", port) == -EISCONN);
    CHECK(poll_one(listener, POLLIN | POLLOUT) == POLLIN);
    sockaddr_in peer{};
    socklen_t bytes = sizeof(peer);
    Socket server(raw(SYS_accept4, listener.fd(), &peer, &bytes, SOCK_CLOEXEC), nullptr);
    CHECK(server >= 0 && fcntl(server, F_GETFD) == FD_CLOEXEC);
    CHECK(bytes == sizeof(peer) && ip_of(peer) == "127.0.0.1" && ntohs(peer.sin_port) == port_of(client));
    CHECK(ntohs(name_by(SYS_getpeername, client).sin_port) == port && port_of(server) == port);
    CHECK(ntohs(name_by(SYS_getpeername, server).sin_port) == port_of(client));
    char got[8]{};
    EXPECT(5, SYS_write, client.fd(), "right", 5);
    EXPECT(5, SYS_read, server.fd(), got, 8);
    CHECK(std::string(got) == "right");
    EXPECT(4, SYS_sendto, server.fd(), "left", 4, 0, nullptr, 0);
    EXPECT(2, SYS_recvfrom, client.fd(), got, 2, MSG_PEEK, nullptr, nullptr);
    int waiting = 0;
    EXPECT(0, SYS_ioctl, client.fd(), FIONREAD, &waiting);
    CHECK(waiting == 4);
    EXPECT(4, SYS_recvfrom, client.fd(), got, 8, 0, nullptr, nullptr);
    CHECK(std::string(got, 4) == "left");
    EXPECT(-EAGAIN, SYS_recvfrom, client.fd(), got, 8, MSG_DONTWAIT, nullptr, nullptr);
    // The whole of 127.0.0.0/8, and 0.0.0.0, is here.
    Socket other;
    CHECK(connect_to(other, "0.0.0.0", port) == 0);
    Socket refused;
    CHECK(connect_to(refused, "127.0.0.2", port) == -ECONNREFUSED);
    Socket wide;
    const int wide_port = listen_at(wide, "0.0.0.0");
    Socket far;
    CHECK(connect_to(far, "127.1.2.3", wide_port) == 0);
    CHECK(ip_of(name_by(SYS_getpeername, far)) == "127.1.2.3");
    Socket near(raw(SYS_accept, wide.fd(), nullptr, nullptr), nullptr);
    CHECK(ip_of(name_by(SYS_getsockname, near)) == "127.1.2.3");
}

LINUX_TEST(arguments) {
    Socket one;
    const sockaddr_in name = address_of("127.0.0.1", 0);
    EXPECT(-EINVAL, SYS_bind, one.fd(), &name, 15);
    EXPECT(-EFAULT, SYS_bind, one.fd(), 8, 16);
    CHECK(bind_to(one, "192.0.2.1", 0) == -EADDRNOTAVAIL);
    const sockaddr_in6 six = address6_of("::1", 0);
    EXPECT(-EAFNOSUPPORT, SYS_bind, one.fd(), &six, sizeof(six));
    EXPECT(-EAFNOSUPPORT, SYS_connect, one.fd(), &six, sizeof(six));
    EXPECT(-EINVAL, SYS_connect, one.fd(), &name, 15);
    EXPECT(-EINVAL, SYS_accept, one.fd(), nullptr, nullptr);
    EXPECT(-ENOTCONN, SYS_getpeername, one.fd(), &one, &one);
    char byte = 0;
    EXPECT(-ENOTCONN, SYS_read, one.fd(), &byte, 1);
    EXPECT(-EPIPE, SYS_sendto, one.fd(), &byte, 1, MSG_NOSIGNAL, nullptr, 0);
    EXPECT(-EPROTONOSUPPORT, SYS_socket, AF_INET, SOCK_STREAM, IPPROTO_UDP);
    EXPECT(-ESOCKTNOSUPPORT, SYS_socket, AF_INET, SOCK_SEQPACKET, 0);
    int fds[2];
    EXPECT(-EOPNOTSUPP, SYS_socketpair, AF_INET, SOCK_STREAM, 0, fds);
    CHECK(bind_to(one, "127.0.0.1", 0) == 0);
    CHECK(bind_to(one, "127.0.0.1", 0) == -EINVAL);
    EXPECT(-ENOTCONN, SYS_shutdown, one.fd(), SHUT_RDWR);
    Socket unbound; // listening gives it a port
    EXPECT(0, SYS_listen, unbound.fd(), 1);
    CHECK(port_of(unbound) != 0);
    EXPECT(-EAGAIN, SYS_accept4, (fcntl(unbound, F_SETFL, O_NONBLOCK), unbound.fd()), nullptr, nullptr, 0);
    EXPECT(-ENOTCONN, SYS_read, unbound.fd(), &byte, 1);
}

LINUX_TEST(elsewhere) {
    SKIP_UNLESS(on_aios(), "goes out to the network");
    for (const char* ip : {"192.0.2.1", "8.8.8.8", "10.0.2.2", "255.255.255.255", "128.0.0.1"}) {
        Socket waits, does_not(SOCK_NONBLOCK);
        CHECK(connect_to(waits, ip, 80) == -EACCES && connect_to(does_not, ip, 80) == -EACCES);
        CHECK(bind_to(waits, ip, 0) == -EADDRNOTAVAIL);
    }
    for (const char* ip : {"2001:db8::1", "fe80::1", "::2", "::ffff:8.8.8.8"}) {
        Socket six(0, AF_INET6);
        CHECK(connect6_to(six, ip, 80) == -EACCES && bind6_to(six, ip, 0) == -EADDRNOTAVAIL);
    }
}

LINUX_TEST(without_waiting) {
    Socket listener;
    const int port = listen_at(listener);
    Socket client(SOCK_NONBLOCK);
    CHECK(connect_to(client, "127.0.0.1", port) == -EINPROGRESS);
    pollfd entry{client, POLLIN | POLLOUT, 0};
    CHECK(poll(&entry, 1, 5000) == 1 && entry.revents == POLLOUT);
    CHECK(option(client, SOL_SOCKET, SO_ERROR) == 0);
    CHECK(connect_to(client, "127.0.0.1", port) == 0);
    CHECK(connect_to(client, "127.0.0.1", port) == -EISCONN);
    EXPECT(1, SYS_write, client.fd(), "x", 1);
    Socket server(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
    char byte = 0;
    EXPECT(1, SYS_read, server.fd(), &byte, 1);
    listener.end();

    constexpr int kAll = POLLIN | POLLOUT | POLLRDHUP;
    Socket refused(SOCK_NONBLOCK);
    CHECK(connect_to(refused, "127.0.0.1", port) == -EINPROGRESS);
    entry = {refused, kAll, 0};
    CHECK(poll(&entry, 1, 5000) == 1 && entry.revents == (kAll | POLLERR | POLLHUP));
    CHECK(option(refused, SOL_SOCKET, SO_ERROR) == ECONNREFUSED && option(refused, SOL_SOCKET, SO_ERROR) == 0);
    CHECK(poll_one(refused, kAll) == (kAll | POLLHUP));
    Socket again(SOCK_NONBLOCK);
    CHECK(connect_to(again, "127.0.0.1", port) == -EINPROGRESS);
    CHECK(poll_one(again, POLLOUT) != 0 && connect_to(again, "127.0.0.1", port) == -ECONNREFUSED);
    Socket waits;
    CHECK(connect_to(waits, "127.0.0.1", port) == -ECONNREFUSED);
    Socket next;
    CHECK(bind_to(next, "127.0.0.1", port) == 0 || !on_aios());
    EXPECT(0, SYS_listen, next.fd(), 1);
    CHECK(connect_to(waits, "127.0.0.1", port_of(next)) == 0); // the same socket may try again
}

LINUX_TEST(ports) {
    Socket first, second;
    const int port = listen_at(first);
    CHECK(bind_to(second, "127.0.0.1", port) == -EADDRINUSE && bind_to(second, "0.0.0.0", port) == -EADDRINUSE);
    CHECK(bind_to(second, "127.0.0.2", port) == 0); // another address
    EXPECT(0, SYS_listen, second.fd(), 1);
    Socket third;
    CHECK(set(third, SOL_SOCKET, SO_REUSEADDR, 1) == 0);
    CHECK(bind_to(third, "127.0.0.1", port) == -EADDRINUSE); // somebody listens there
    first.end();
    CHECK(bind_to(third, "127.0.0.1", port) == 0);
    // Two that say so share an address until one listens.
    Socket a, b;
    CHECK(set(a, SOL_SOCKET, SO_REUSEADDR, 1) == 0 && set(b, SOL_SOCKET, SO_REUSEADDR, 1) == 0);
    CHECK(bind_to(a, "127.0.0.1", 0) == 0 && bind_to(b, "127.0.0.1", port_of(a)) == 0);
    EXPECT(0, SYS_listen, a.fd(), 1);
    EXPECT(-EADDRINUSE, SYS_listen, b.fd(), 1);
    // And those that share a port all listen.
    Socket c, d;
    CHECK(set(c, SOL_SOCKET, SO_REUSEPORT, 1) == 0 && set(d, SOL_SOCKET, SO_REUSEPORT, 1) == 0);
    CHECK(bind_to(c, "127.0.0.1", 0) == 0 && bind_to(d, "127.0.0.1", port_of(c)) == 0);
    EXPECT(0, SYS_listen, c.fd(), 8);
    EXPECT(0, SYS_listen, d.fd(), 8);
    Socket client;
    CHECK(connect_to(client, "127.0.0.1", port_of(c)) == 0);
    CHECK(((poll_one(c, POLLIN) | poll_one(d, POLLIN)) & POLLIN) != 0);
    // A server may come back to the port of its connections.
    Socket old;
    CHECK(set(old, SOL_SOCKET, SO_REUSEADDR, 1) == 0);
    const int old_port = listen_at(old);
    Socket of_old;
    CHECK(connect_to(of_old, "127.0.0.1", old_port) == 0);
    Socket accepted(raw(SYS_accept, old.fd(), nullptr, nullptr), nullptr);
    old.end();
    Socket new_one;
    CHECK(set(new_one, SOL_SOCKET, SO_REUSEADDR, 1) == 0 && bind_to(new_one, "127.0.0.1", old_port) == 0);
    EXPECT(0, SYS_listen, new_one.fd(), 1);
}

// Machines may be set up without it; AIOS always has it.
bool has_version_6() {
    const long fd = raw(SYS_socket, AF_INET6, SOCK_STREAM, 0);
    if (fd < 0) return false;
    const Socket one(fd, nullptr);
    return bind6_to(one, "::1", 0) == 0;
}

LINUX_TEST(version_6) {
    SKIP_UNLESS(on_aios() || has_version_6(), "this machine has no IPv6");
    Socket listener(0, AF_INET6);
    CHECK(option(listener, IPPROTO_IPV6, IPV6_V6ONLY) == 0);
    CHECK(bind6_to(listener, "::", 0) == 0);
    EXPECT(0, SYS_listen, listener.fd(), 4);
    sockaddr_in6 name{};
    socklen_t bytes = sizeof(name);
    EXPECT(0, SYS_getsockname, listener.fd(), &name, &bytes);
    const int port = ntohs(name.sin6_port);
    CHECK(bytes == 28 && port != 0);
    Socket six(0, AF_INET6), four;
    CHECK(connect6_to(six, "::1", port) == 0);
    bytes = sizeof(name);
    Socket server(raw(SYS_accept, listener.fd(), &name, &bytes), nullptr);
    char text[INET6_ADDRSTRLEN]{};
    inet_ntop(AF_INET6, &name.sin6_addr, text, sizeof(text));
    CHECK(std::string(text) == "::1");
    CHECK(connect_to(four, "127.0.0.1", port) == 0); // both versions
    bytes = sizeof(name);
    Socket mapped(raw(SYS_accept, listener.fd(), &name, &bytes), nullptr);
    inet_ntop(AF_INET6, &name.sin6_addr, text, sizeof(text));
    CHECK(std::string(text) == "::ffff:127.0.0.1" && bytes == 28);
    EXPECT(1, SYS_write, four.fd(), "4", 1);
    char byte = 0;
    EXPECT(1, SYS_read, mapped.fd(), &byte, 1);
    Socket taken;
    CHECK(bind_to(taken, "0.0.0.0", port) == -EADDRINUSE);
    Socket only(0, AF_INET6);
    CHECK(set(only, IPPROTO_IPV6, IPV6_V6ONLY, 1) == 0 && bind6_to(only, "::", 0) == 0);
    EXPECT(0, SYS_listen, only.fd(), 4);
    bytes = sizeof(name);
    EXPECT(0, SYS_getsockname, only.fd(), &name, &bytes);
    Socket no, beside;
    CHECK(connect_to(no, "127.0.0.1", ntohs(name.sin6_port)) == -ECONNREFUSED);
    CHECK(bind_to(beside, "0.0.0.0", ntohs(name.sin6_port)) == 0);
    const sockaddr_in wrong = address_of("127.0.0.1", port);
    Socket other(0, AF_INET6);
    EXPECT(-EINVAL, SYS_connect, other.fd(), &wrong, sizeof(wrong)); // too short
}

LINUX_TEST(options) {
    Socket one;
    CHECK(option(one, SOL_SOCKET, SO_TYPE) == SOCK_STREAM && option(one, SOL_SOCKET, SO_DOMAIN) == AF_INET);
    CHECK(option(one, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP && option(one, SOL_SOCKET, SO_ACCEPTCONN) == 0);
    const struct {
        int level, option, value, told;
    } all[] = {
        {SOL_SOCKET, SO_REUSEADDR, 1, 1},
        {SOL_SOCKET, SO_REUSEPORT, 1, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 5, 1},
        {SOL_SOCKET, SO_RCVBUF, 50'000, 100'000},
        {SOL_SOCKET, SO_SNDBUF, 50'000, 100'000},
        {SOL_SOCKET, SO_SNDBUF, 1, 4608},
        {SOL_SOCKET, SO_RCVBUF, 1, 2304},
        {IPPROTO_TCP, TCP_NODELAY, 1, 1},
        {IPPROTO_TCP, TCP_CORK, 1, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 60, 60},
        {IPPROTO_TCP, TCP_KEEPINTVL, 7, 7},
        {IPPROTO_TCP, TCP_KEEPCNT, 3, 3},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, 5000, 5000},
        {IPPROTO_IP, IP_TOS, 0x10, 0x10},
        {IPPROTO_IP, IP_TTL, 12, 12},
    };
    for (const auto& row : all) {
        CHECK(set(one, row.level, row.option, row.value) == 0);
        CHECK(option(one, row.level, row.option) == row.told);
    }
    CHECK(set(one, IPPROTO_TCP, TCP_KEEPCNT, 0) == -EINVAL && set(one, IPPROTO_TCP, TCP_KEEPIDLE, 40000) == -EINVAL);
    CHECK(set(one, IPPROTO_TCP, 999, 1) == -ENOPROTOOPT && set(one, SOL_SOCKET, 999, 1) == -ENOPROTOOPT);
    CHECK(set(one, IPPROTO_IPV6, IPV6_V6ONLY, 1) == -ENOPROTOOPT);
    int value = 0;
    EXPECT(-EINVAL, SYS_setsockopt, one.fd(), SOL_SOCKET, SO_REUSEADDR, &value, 3);
    EXPECT(-EFAULT, SYS_setsockopt, one.fd(), SOL_SOCKET, SO_REUSEADDR, 8, 4);
    linger wanted{1, 7}, told{};
    socklen_t bytes = sizeof(told);
    EXPECT(0, SYS_setsockopt, one.fd(), SOL_SOCKET, SO_LINGER, &wanted, sizeof(wanted));
    EXPECT(0, SYS_getsockopt, one.fd(), SOL_SOCKET, SO_LINGER, &told, &bytes);
    CHECK(told.l_onoff == 1 && told.l_linger == 7 && bytes == sizeof(told));
    // What a listener has, those have that it accepts.
    Socket listener;
    CHECK(set(listener, IPPROTO_TCP, TCP_NODELAY, 1) == 0 && set(listener, SOL_SOCKET, SO_KEEPALIVE, 1) == 0);
    Socket client;
    CHECK(connect_to(client, "127.0.0.1", listen_at(listener)) == 0);
    Socket server(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
    CHECK(option(server, IPPROTO_TCP, TCP_NODELAY) == 1 && option(server, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option(client, IPPROTO_TCP, TCP_NODELAY) == 0);
}

LINUX_TEST(ends) {
    constexpr int kAll = POLLIN | POLLOUT | POLLRDHUP;
    char got[8]{};
    Pair half;
    EXPECT(4, SYS_write, half.client.fd(), "last", 4);
    EXPECT(0, SYS_shutdown, half.client.fd(), SHUT_WR);
    CHECK(poll_one(half.client, kAll) == POLLOUT && poll_one(half.fd, kAll) == kAll);
    EXPECT(-EPIPE, SYS_sendto, half.client.fd(), "x", 1, MSG_NOSIGNAL, nullptr, 0);
    EXPECT(4, SYS_read, half.fd, got, 8);
    EXPECT(0, SYS_read, half.fd, got, 8);
    EXPECT(4, SYS_write, half.fd, "back", 4);
    EXPECT(4, SYS_read, half.client.fd(), got, 8);
    half.end();
    EXPECT(0, SYS_read, half.client.fd(), got, 8);
    CHECK(poll_one(half.client, kAll) == (kAll | POLLHUP));

    Pair closed; // in order: no hang-up until something is sent
    closed.end();
    EXPECT(0, SYS_read, closed.client.fd(), got, 8);
    CHECK(poll_one(closed.client, kAll) == kAll);
    EXPECT(1, SYS_sendto, closed.client.fd(), "x", 1, MSG_NOSIGNAL, nullptr, 0);
    EXPECT(-EPIPE, SYS_sendto, closed.client.fd(), "x", 1, MSG_NOSIGNAL, nullptr, 0);

    Pair unread; // with something unread: broken
    EXPECT(4, SYS_write, unread.client.fd(), "lost", 4);
    unread.end();
    CHECK(poll_one(unread.client, kAll) == (kAll | POLLHUP | POLLERR));
    EXPECT(-ECONNRESET, SYS_read, unread.client.fd(), got, 8);
    EXPECT(0, SYS_read, unread.client.fd(), got, 8);

    Pair hard;
    const linger now{1, 0};
    EXPECT(0, SYS_setsockopt, hard.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    hard.end();
    EXPECT(-ECONNRESET, SYS_sendto, hard.client.fd(), "x", 1, MSG_NOSIGNAL, nullptr, 0);
    EXPECT(-EPIPE, SYS_sendto, hard.client.fd(), "x", 1, MSG_NOSIGNAL, nullptr, 0);

    auto listener = std::make_unique<Socket>();
    Socket queued;
    CHECK(connect_to(queued, "127.0.0.1", listen_at(*listener)) == 0);
    listener->end();
    EXPECT(-ECONNRESET, SYS_read, queued.fd(), got, 8);
    Socket shut;
    (void)listen_at(shut);
    std::thread acceptor([&] { EXPECT(-EINVAL, SYS_accept, shut.fd(), nullptr, nullptr); });
    wait_until_blocked();
    EXPECT(0, SYS_shutdown, shut.fd(), SHUT_RDWR);
    acceptor.join();
}

LINUX_TEST(much) {
    Pair pair;
    std::vector<char> sent(3'000'000), got(sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i)
        sent[i] = static_cast<char>(i * 13 >> 2);
    std::thread writer([&] {
        std::size_t done = 0;
        while (done < sent.size()) {
            const ssize_t part = write(pair.client, sent.data() + done, sent.size() - done);
            if (part <= 0) break;
            done += static_cast<std::size_t>(part);
        }
    });
    EXPECT(sent.size(), SYS_recvfrom, pair.fd, got.data(), got.size(), MSG_WAITALL, nullptr, nullptr);
    writer.join();
    CHECK(got == sent);
}

LINUX_TEST(full_backlog) {
    SKIP_UNLESS(on_aios(), "takes a second for each attempt");
    Socket listener;
    const int port = listen_at(listener, "127.0.0.1", 1);
    Socket first, second, third(SOCK_NONBLOCK), fourth;
    CHECK(connect_to(first, "127.0.0.1", port) == 0 && connect_to(second, "127.0.0.1", port) == 0);
    CHECK(connect_to(third, "127.0.0.1", port) == -EINPROGRESS && connect_to(third, "127.0.0.1", port) == -EALREADY);
    CHECK(poll_one(third, POLLIN | POLLOUT) == 0);
    char byte = 0;
    EXPECT(-EAGAIN, SYS_write, third.fd(), "x", 1);
    EXPECT(-EAGAIN, SYS_read, third.fd(), &byte, 1);
    std::thread waiter([&] {
        CHECK(connect_to(fourth, "127.0.0.1", port) == 0);
        EXPECT(1, SYS_write, fourth.fd(), "4", 1);
    });
    wait_until_blocked();
    Socket one(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
    CHECK(poll_one(third, POLLIN | POLLOUT) == POLLOUT);
    EXPECT(1, SYS_write, third.fd(), "3", 1);
    Socket two(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
    waiter.join();
    for (const char wanted : {'3', '4'}) {
        Socket next(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
        EXPECT(1, SYS_read, next.fd(), &byte, 1);
        CHECK(byte == wanted);
    }
    // Who waits when the listener ends is refused.
    Socket a, b, late(SOCK_NONBLOCK);
    CHECK(connect_to(a, "127.0.0.1", port) == 0 && connect_to(b, "127.0.0.1", port) == 0);
    CHECK(connect_to(late, "127.0.0.1", port) == -EINPROGRESS);
    Socket gone(SOCK_NONBLOCK);
    CHECK(connect_to(gone, "127.0.0.1", port) == -EINPROGRESS);
    gone.end();
    listener.end();
    CHECK((poll_one(late, POLLOUT) & POLLERR) != 0);
    CHECK(option(late, SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
}

LINUX_TEST(processes) {
    Socket listener;
    const int port = listen_at(listener);
    std::vector<pid_t> children;
    for (int i = 0; i < 3; ++i) { // servers that share the listener
        const pid_t child = fork();
        if (child == 0) {
            for (;;) {
                const int fd = accept(listener, nullptr, nullptr);
                char got = 0;
                if (fd < 0 || read(fd, &got, 1) != 1) _exit(1);
                if (got == 'q') _exit(0);
                if (write(fd, &got, 1) != 1) _exit(1);
                close(fd);
            }
        }
        children.push_back(child);
    }
    for (int i = 0; i < 30; ++i) {
        Socket client;
        CHECK(connect_to(client, "127.0.0.1", port) == 0);
        char byte = 'a';
        EXPECT(1, SYS_write, client.fd(), &byte, 1);
        EXPECT(1, SYS_read, client.fd(), &byte, 1);
        EXPECT(0, SYS_read, client.fd(), &byte, 1);
    }
    for (const pid_t child : children) {
        Socket client;
        CHECK(connect_to(client, "127.0.0.1", port) == 0);
        EXPECT(1, SYS_write, client.fd(), "q", 1);
        char byte = 0;
        EXPECT(0, SYS_read, client.fd(), &byte, 1); // until it has ended
        (void)child;
    }
    for (const pid_t child : children) {
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}

// Ill will: all descriptors, all bytes, everybody at once, and ends in the middle.
LINUX_TEST(hoards) {
    for (int round = 0; round < 2; ++round) {
        Socket listener;
        const int port = listen_at(listener, "127.0.0.1", 700);
        std::vector<std::unique_ptr<Socket>> all;
        const std::vector<char> much(64 << 10, 'x');
        while (all.size() < 900) {
            const long fd = raw(SYS_socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            if (fd < 0) break;
            all.push_back(std::make_unique<Socket>(fd, nullptr));
            const long result = connect_to(*all.back(), "127.0.0.1", port);
            CHECK(result == -EINPROGRESS || result == -ENOMEM);
            if (on_aios()) (void)raw(SYS_write, all.back()->fd(), much.data(), much.size());
        }
        CHECK(all.size() >= 600);
    }
}

LINUX_TEST(storms) {
    std::atomic<bool> stop{false};
    std::atomic<int> port{0}, met{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&, i] {
            while (!stop) {
                Socket client(i == 0 ? SOCK_NONBLOCK : 0);
                if (port == 0) continue;
                (void)connect_to(client, "127.0.0.1", port);
                (void)raw(SYS_sendto, client.fd(), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT, nullptr, 0);
            }
        });
    }
    for (int round = 0; round < (on_aios() ? 60 : 10); ++round) {
        Socket listener;
        port = listen_at(listener, "127.0.0.1", on_aios() ? 2 : 100);
        std::thread acceptor([&] {
            for (;;) {
                Socket server(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
                if (server < 0) break;
                ++met;
            }
        });
        while (met <= round * 2)
            std::this_thread::yield();
        port = 0;
        (void)raw(SYS_shutdown, listener.fd(), SHUT_RDWR);
        acceptor.join();
    }
    stop = true;
    for (std::thread& thread : threads)
        thread.join();
}

} // namespace

int main() { return run_all("sockets_inet"); }
