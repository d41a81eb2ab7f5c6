// Sockets of AF_UNIX that have names: paths, abstract ones, those that the system chooses; listening, connecting, ends.
#include <atomic>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <memory>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <vector>

#include "tests/linux/socket_fd.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

class Socket : public SocketFd {
public:
    explicit Socket(int flags = 0) : SocketFd(socket(AF_UNIX, SOCK_STREAM | flags, 0)) {}
    using SocketFd::SocketFd;
};

struct Name {
    sockaddr_un address{};
    socklen_t bytes = 0;
    [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&address); } // SAFETY: as the calls take it
    [[nodiscard]] std::string text() const {
        return bytes <= 2 ? std::string() : std::string(address.sun_path, bytes - 2);
    }
};
// A name of a path, or abstract with '@' in front.
Name name_of(const std::string& text) {
    Name name;
    name.address.sun_family = AF_UNIX;
    std::memcpy(name.address.sun_path, text.data(), text.size());
    if (!text.empty() && text[0] == '@') name.address.sun_path[0] = '\0';
    name.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size());
    return name;
}
std::string unique(const char* what) { return "@aios-test-" + std::to_string(getpid()) + what; }
long bind_to(int fd, const std::string& text) {
    Name name = name_of(text);
    return raw(SYS_bind, fd, name.get(), name.bytes);
}
long connect_to(int fd, const std::string& text) {
    Name name = name_of(text);
    return raw(SYS_connect, fd, name.get(), name.bytes);
}
Name own_name(int fd) {
    Name name;
    name.bytes = sizeof(name.address);
    EXPECT(0, SYS_getsockname, fd, name.get(), &name.bytes);
    return name;
}
int option(int fd, int which) {
    int value = -1;
    socklen_t bytes = sizeof(value);
    EXPECT(0, SYS_getsockopt, fd, SOL_SOCKET, which, &value, &bytes);
    return value;
}

LINUX_TEST(abstract) {
    const std::string text = unique("a");
    Socket listener;
    CHECK(poll_one(listener, POLLIN | POLLOUT) == (POLLOUT | POLLHUP));
    CHECK(bind_to(listener, text) == 0);
    CHECK(bind_to(listener, text + "2") == -EINVAL);
    Socket other;
    CHECK(bind_to(other, text) == -EADDRINUSE);
    CHECK(connect_to(other, text) == -ECONNREFUSED);
    EXPECT(0, SYS_listen, listener.fd(), 5);
    CHECK(option(listener, SO_ACCEPTCONN) == 1 && option(other, SO_ACCEPTCONN) == 0);
    CHECK(poll_one(listener, POLLIN | POLLOUT) == 0);
    CHECK(own_name(listener).text() == std::string("\0", 1) + text.substr(1));
    CHECK(connect_to(other, text) == 0);
    CHECK(connect_to(other, text) == -EISCONN);
    CHECK(connect_to(listener, text) == -EINVAL);
    CHECK(poll_one(listener, POLLIN | POLLOUT) == POLLIN);
    CHECK(poll_one(other, POLLIN | POLLOUT | POLLRDHUP) == POLLOUT);
    EXPECT(5, SYS_write, other.fd(), "early", 5);
    Name peer;
    peer.bytes = sizeof(peer.address);
    Socket server(raw(SYS_accept4, listener.fd(), peer.get(), &peer.bytes, SOCK_CLOEXEC | SOCK_NONBLOCK), nullptr);
    CHECK(server >= 0 && peer.bytes == 2);
    CHECK(fcntl(server, F_GETFD) == FD_CLOEXEC && fcntl(server, F_GETFL) == (O_RDWR | O_NONBLOCK));
    CHECK(own_name(server).text() == std::string("\0", 1) + text.substr(1));
    CHECK(own_name(other).bytes == 2);
    Name of_peer;
    of_peer.bytes = sizeof(of_peer.address);
    EXPECT(0, SYS_getpeername, other.fd(), of_peer.get(), &of_peer.bytes);
    CHECK(of_peer.text() == std::string("\0", 1) + text.substr(1));
    char got[8]{};
    EXPECT(5, SYS_read, server.fd(), got, 8);
    CHECK(std::string(got) == "early");
    EXPECT(-EAGAIN, SYS_read, server.fd(), got, 8);
    EXPECT(4, SYS_write, server.fd(), "back", 4);
    EXPECT(4, SYS_read, other.fd(), got, 8);
    ucred who{};
    socklen_t bytes = sizeof(who);
    EXPECT(0, SYS_getsockopt, server.fd(), SOL_SOCKET, SO_PEERCRED, &who, &bytes);
    CHECK(who.pid == getpid() && who.uid == getuid());
    listener.end();
    EXPECT(4, SYS_write, server.fd(), "more", 4); // it goes on
    EXPECT(4, SYS_read, other.fd(), got, 8);
    Socket next;
    CHECK(bind_to(next, text) == 0); // free again
}

LINUX_TEST(paths) {
    TestFolder folder;
    const std::string path = folder.path("socket");
    Socket listener;
    CHECK(bind_to(listener, path) == 0);
    struct stat info{};
    CHECK(stat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode) && info.st_size == 0);
    CHECK(own_name(listener).text() == path + std::string(1, '\0'));
    Socket other;
    CHECK(bind_to(other, path) == -EADDRINUSE);
    CHECK(bind_to(other, folder.path("none/socket")) == -ENOENT);
    CHECK(bind_to(listener, path + "2") == -EINVAL);
    CHECK(stat((path + "2").c_str(), &info) == -1);
    CHECK(connect_to(other, path) == -ECONNREFUSED);
    CHECK(connect_to(other, folder.path("missing")) == -ENOENT);
    EXPECT(-ENXIO, SYS_open, path.c_str(), O_RDWR);
    EXPECT(0, SYS_listen, listener.fd(), 1);
    CHECK(symlink("socket", folder.path("link").c_str()) == 0);
    CHECK(connect_to(other, folder.path("link")) == 0); // links are followed
    Socket server(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
    EXPECT(2, SYS_write, server.fd(), "hi", 2);
    char got[4]{};
    EXPECT(2, SYS_read, other.fd(), got, 4);
    const std::string moved = folder.path("moved");
    CHECK(rename(path.c_str(), moved.c_str()) == 0); // the socket goes where its node goes
    Socket third;
    CHECK(connect_to(third, path) == -ENOENT && connect_to(third, moved) == 0);
    CHECK(unlink(moved.c_str()) == 0);
    Socket fourth;
    CHECK(connect_to(fourth, moved) == -ENOENT);
    CHECK(bind_to(fourth, moved) == 0); // the name is free
    listener.end();
    fourth.end();
    CHECK(stat(moved.c_str(), &info) == 0); // the node stays
    Socket fifth;
    CHECK(bind_to(fifth, moved) == -EADDRINUSE);
    CHECK(connect_to(fifth, moved) == -ECONNREFUSED);
    const int file = creat(folder.path("file").c_str(), 0644);
    close(file);
    CHECK(connect_to(fifth, folder.path("file")) == -ECONNREFUSED);
    CHECK(unlink(moved.c_str()) == 0);
}

LINUX_TEST(arguments) {
    Socket one;
    Name name = name_of(unique("b"));
    EXPECT(-EINVAL, SYS_bind, one.fd(), name.get(), 111);
    EXPECT(-EINVAL, SYS_bind, one.fd(), name.get(), 1);
    EXPECT(-EINVAL, SYS_bind, one.fd(), name.get(), 200);
    EXPECT(-EFAULT, SYS_bind, one.fd(), 8, 20);
    EXPECT(-EBADF, SYS_bind, 999, name.get(), name.bytes);
    EXPECT(-ENOTSOCK, SYS_bind, STDOUT_FILENO, name.get(), name.bytes);
    EXPECT(-EINVAL, SYS_connect, one.fd(), name.get(), 2);
    EXPECT(-EINVAL, SYS_listen, one.fd(), 1); // without a name
    EXPECT(-EINVAL, SYS_accept, one.fd(), nullptr, nullptr);
    EXPECT(-ENOTSOCK, SYS_accept, STDOUT_FILENO, nullptr, nullptr);
    EXPECT(-EINVAL, SYS_accept4, one.fd(), nullptr, nullptr, 1);
    char byte = 0;
    signal(SIGPIPE, SIG_IGN);
    EXPECT(-ENOTCONN, SYS_write, one.fd(), &byte, 1);
    EXPECT(-EINVAL, SYS_read, one.fd(), &byte, 1);
    EXPECT(-ENOTCONN, SYS_getpeername, one.fd(), name.get(), &name.bytes);
    EXPECT(-EOPNOTSUPP, SYS_sendto, one.fd(), &byte, 1, 0, name.get(), name.bytes);
    signal(SIGPIPE, SIG_DFL);
    // The system chooses: five digits.
    sa_family_t family = AF_UNIX;
    EXPECT(0, SYS_bind, one.fd(), &family, 2);
    CHECK(own_name(one).bytes == 2 + 6);
    EXPECT(0, SYS_bind, one.fd(), &family, 2); // it has one
    EXPECT(-EPROTONOSUPPORT, SYS_socket, AF_UNIX, SOCK_STREAM, 77);
    EXPECT(-EAFNOSUPPORT, SYS_socket, 77, SOCK_STREAM, 0);
    EXPECT(-EINVAL, SYS_socket, AF_UNIX, 15, 0);
    EXPECT(-EINVAL, SYS_socket, AF_UNIX, SOCK_STREAM | 0x100, 0);
    EXPECT(-ESOCKTNOSUPPORT, SYS_socket, AF_UNIX, 4, 0);
    Socket listener(SOCK_NONBLOCK);
    CHECK(bind_to(listener, unique("c")) == 0);
    EXPECT(0, SYS_listen, listener.fd(), 1);
    EXPECT(-EAGAIN, SYS_accept, listener.fd(), nullptr, nullptr);
    EXPECT(-ENOTCONN, SYS_write, listener.fd(), &byte, 1);
    EXPECT(-EINVAL, SYS_read, listener.fd(), &byte, 1);
}

LINUX_TEST(backlog) {
    const std::string text = unique("d");
    Socket listener;
    CHECK(bind_to(listener, text) == 0);
    EXPECT(0, SYS_listen, listener.fd(), 1);
    std::vector<std::unique_ptr<Socket>> clients;
    for (int i = 0; i < 2; ++i) {
        clients.push_back(std::make_unique<Socket>(SOCK_NONBLOCK));
        CHECK(connect_to(*clients.back(), text) == 0);
    }
    Socket full(SOCK_NONBLOCK);
    CHECK(connect_to(full, text) == -EAGAIN);
    CHECK(connect_to(full, text) == -EAGAIN);
    Socket waits;
    std::atomic<bool> is_in{false};
    std::thread waiter([&] {
        CHECK(connect_to(waits, text) == 0);
        is_in = true;
    });
    wait_until_blocked();
    CHECK(!is_in);
    Socket first(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
    waiter.join();
    CHECK(connect_to(full, text) == -EAGAIN);
    EXPECT(0, SYS_listen, listener.fd(), 3);
    CHECK(connect_to(full, text) == 0);
    // In the order of coming.
    EXPECT(1, SYS_write, clients[1]->fd(), "1", 1);
    EXPECT(1, SYS_write, waits.fd(), "2", 1);
    EXPECT(1, SYS_write, full.fd(), "3", 1);
    for (const char wanted : {'1', '2', '3'}) {
        Socket next(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
        char got = 0;
        EXPECT(1, SYS_read, next.fd(), &got, 1);
        CHECK(got == wanted);
    }
    CHECK(poll_one(listener, POLLIN) == 0);
}

// Two threads that connect one socket: the second is told so, and neither meets what the other left.
LINUX_TEST(connects_at_once) {
    SKIP_UNLESS(on_aios(), "Linux lets both wait");
    const std::string text = unique("j");
    Socket listener;
    CHECK(bind_to(listener, text) == 0);
    EXPECT(0, SYS_listen, listener.fd(), 0);
    Socket full;
    CHECK(connect_to(full, text) == 0);
    Socket shared;
    timeval time{0, 300'000};
    EXPECT(0, SYS_setsockopt, shared.fd(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
    std::thread first([&] { CHECK(connect_to(shared, text) == -EAGAIN); });
    wait_until_blocked();
    CHECK(connect_to(shared, text) == -EALREADY);
    first.join();
    time = {0, 200};
    EXPECT(0, SYS_setsockopt, shared.fd(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
    std::atomic<int> odd{0};
    const auto attempts = [&] {
        for (int i = 0; i < 200; ++i) {
            const long result = connect_to(shared, text);
            if (result != -EAGAIN && result != -EALREADY) ++odd;
        }
    };
    std::thread a(attempts), b(attempts);
    a.join();
    b.join();
    CHECK(odd == 0);
    // It is as one that never tried.
    Socket taken(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
    CHECK(connect_to(shared, text) == 0);
    EXPECT(1, SYS_write, shared.fd(), "x", 1);
    Socket server(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
    char byte = 0;
    EXPECT(1, SYS_read, server.fd(), &byte, 1);
}

LINUX_TEST(listener_ends) {
    const std::string text = unique("e");
    auto listener = std::make_unique<Socket>();
    CHECK(bind_to(*listener, text) == 0);
    EXPECT(0, SYS_listen, listener->fd(), 0);
    Socket queued, waits;
    CHECK(connect_to(queued, text) == 0);
    std::thread waiter([&] { CHECK(connect_to(waits, text) == -ECONNREFUSED); });
    wait_until_blocked();
    listener->end();
    waiter.join();
    CHECK(poll_one(queued, POLLIN | POLLOUT | POLLRDHUP) == (POLLIN | POLLOUT | POLLRDHUP | POLLHUP | POLLERR));
    char byte = 0;
    EXPECT(-ECONNRESET, SYS_read, queued.fd(), &byte, 1);
    EXPECT(0, SYS_read, queued.fd(), &byte, 1);
    CHECK(connect_to(waits, text) == -ECONNREFUSED);
    // A wait for one who connects ends by shutdown.
    Socket shut;
    CHECK(bind_to(shut, text) == 0);
    EXPECT(0, SYS_listen, shut.fd(), 1);
    std::thread acceptor([&] { EXPECT(-EINVAL, SYS_accept, shut.fd(), nullptr, nullptr); });
    wait_until_blocked();
    EXPECT(0, SYS_shutdown, shut.fd(), SHUT_RDWR);
    acceptor.join();
    CHECK(connect_to(waits, text) == -ECONNREFUSED);
}

LINUX_TEST(clients_end) {
    const std::string text = unique("f");
    Socket listener;
    CHECK(bind_to(listener, text) == 0);
    EXPECT(0, SYS_listen, listener.fd(), 5);
    {
        Socket gone;
        CHECK(connect_to(gone, text) == 0);
        EXPECT(3, SYS_write, gone.fd(), "bye", 3);
    }
    Socket server(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
    char got[8]{};
    EXPECT(3, SYS_read, server.fd(), got, 8);
    EXPECT(0, SYS_read, server.fd(), got, 8);
    // One that leaves with something unread breaks the connection.
    auto other = std::make_unique<Socket>();
    CHECK(connect_to(*other, text) == 0);
    Socket broken(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
    EXPECT(3, SYS_write, broken.fd(), "abc", 3);
    EXPECT(2, SYS_write, other->fd(), "xy", 2);
    other->end();
    EXPECT(2, SYS_read, broken.fd(), got, 8);
    CHECK(option(broken, SO_ERROR) == ECONNRESET && option(broken, SO_ERROR) == 0);
    EXPECT(0, SYS_read, broken.fd(), got, 8);
}

LINUX_TEST(readiness) {
    const std::string text = unique("g");
    Socket listener;
    CHECK(bind_to(listener, text) == 0);
    EXPECT(0, SYS_listen, listener.fd(), 5);
    const int epoll = epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == 0);
    epoll_event got{};
    EXPECT(0, SYS_epoll_wait, epoll, &got, 1, 0);
    Socket first, second;
    CHECK(connect_to(first, text) == 0);
    EXPECT(1, SYS_epoll_wait, epoll, &got, 1, 0);
    EXPECT(0, SYS_epoll_wait, epoll, &got, 1, 0);
    CHECK(connect_to(second, text) == 0);
    EXPECT(1, SYS_epoll_wait, epoll, &got, 1, 0);
    // One that is watched before it is connected.
    Socket third;
    event.events = EPOLLOUT | EPOLLET;
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, third, &event) == 0);
    EXPECT(1, SYS_epoll_wait, epoll, &got, 1, 0);
    CHECK(got.events == (EPOLLOUT | EPOLLHUP));
    CHECK(connect_to(third, text) == 0);
    std::thread waker([&] {
        wait_until_blocked();
        Socket server(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
        Socket server2(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
        Socket server3(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
        EXPECT(1, SYS_write, server3.fd(), "x", 1);
        char byte = 0;
        EXPECT(-ECONNRESET, SYS_read, server3.fd(), &byte, 1); // it leaves something unread
    });
    pollfd entry{third, POLLIN, 0};
    CHECK(poll(&entry, 1, -1) == 1 && entry.revents == POLLIN);
    third.end();
    waker.join();
    close(epoll);
}

LINUX_TEST(times) {
    const std::string text = unique("h");
    Socket listener;
    CHECK(bind_to(listener, text) == 0);
    EXPECT(0, SYS_listen, listener.fd(), 1);
    timeval time{0, 20'000}, told{};
    socklen_t bytes = sizeof(told);
    EXPECT(0, SYS_setsockopt, listener.fd(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
    EXPECT(0, SYS_getsockopt, listener.fd(), SOL_SOCKET, SO_RCVTIMEO, &told, &bytes);
    CHECK(told.tv_sec == 0 && told.tv_usec == 20'000 && bytes == sizeof(told));
    EXPECT(-EAGAIN, SYS_accept, listener.fd(), nullptr, nullptr);
    Socket client;
    CHECK(connect_to(client, text) == 0);
    EXPECT(0, SYS_setsockopt, client.fd(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
    EXPECT(0, SYS_setsockopt, client.fd(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
    char byte = 0;
    EXPECT(-EAGAIN, SYS_read, client.fd(), &byte, 1);
    const std::vector<char> much(1 << 20);
    const long done = raw(SYS_write, client.fd(), much.data(), much.size());
    CHECK(done > 0 && done < static_cast<long>(much.size()));
    EXPECT(-EAGAIN, SYS_write, client.fd(), much.data(), much.size());
}

LINUX_TEST(processes) {
    const std::string text = unique("i");
    Socket listener;
    CHECK(bind_to(listener, text) == 0);
    EXPECT(0, SYS_listen, listener.fd(), 5);
    const pid_t child = fork();
    if (child == 0) {
        Socket client;
        bool is_right = connect_to(client, text) == 0;
        char got[4]{};
        is_right = is_right && write(client, "child", 5) == 5 && read(client, got, 4) == 2;
        _exit(is_right && std::string(got) == "ok" ? 0 : 1);
    }
    Socket server(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
    ucred who{};
    socklen_t bytes = sizeof(who);
    EXPECT(0, SYS_getsockopt, server.fd(), SOL_SOCKET, SO_PEERCRED, &who, &bytes);
    CHECK(who.pid == child);
    char got[8]{};
    EXPECT(5, SYS_read, server.fd(), got, 8);
    EXPECT(2, SYS_write, server.fd(), "ok", 2);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    EXPECT(0, SYS_read, server.fd(), got, 8);
}

// Ill will: as many as there may be, ends in the middle of everything.
LINUX_TEST(hoards) {
    const std::string text = unique("j");
    for (int round = 0; round < 3; ++round) {
        std::vector<std::unique_ptr<Socket>> all;
        for (;;) {
            const long fd = raw(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
            if (fd < 0 || all.size() >= 1200) {
                CHECK(fd == -EMFILE || fd == -ENOMEM || all.size() >= 1200);
                if (fd >= 0) close(static_cast<int>(fd));
                break;
            }
            all.push_back(std::make_unique<Socket>(fd, nullptr));
            if (all.size() == 1) {
                CHECK(bind_to(*all[0], text) == 0);
                EXPECT(0, SYS_listen, all[0]->fd(), 600);
            } else {
                const long result = connect_to(*all.back(), text);
                CHECK(result == 0 || result == -EAGAIN);
                if (result == 0) (void)raw(SYS_write, all.back()->fd(), text.data(), text.size());
            }
        }
        CHECK(all.size() > 900 || !on_aios());
    }
}

LINUX_TEST(storms) {
    const std::string text = unique("k");
    std::atomic<bool> stop{false};
    std::atomic<int> met{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            while (!stop) {
                Socket client(SOCK_NONBLOCK);
                if (connect_to(client, text) == 0) (void)raw(SYS_sendto, client.fd(), "x", 1, MSG_NOSIGNAL, nullptr, 0);
            }
        });
    }
    // Listeners that come and go with somebody in accept.
    for (int round = 0; round < 60; ++round) {
        Socket listener;
        CHECK(bind_to(listener, text) == 0);
        EXPECT(0, SYS_listen, listener.fd(), 3);
        std::thread acceptor([&] {
            for (;;) {
                Socket server(raw(SYS_accept, listener.fd(), nullptr, nullptr), nullptr);
                if (server < 0) break;
                ++met;
            }
        });
        while (met <= round * 2)
            std::this_thread::yield();
        (void)raw(SYS_shutdown, listener.fd(), SHUT_RDWR);
        acceptor.join();
    }
    stop = true;
    for (std::thread& thread : threads)
        thread.join();
    CHECK(met > 0);
}

} // namespace

int main() { return run_all("sockets_unix"); }
