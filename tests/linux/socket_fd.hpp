// A socket of a test, closed at its end.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/linux/test.hpp"

namespace linux_test {

class SocketFd {
public:
    SocketFd(long fd, std::nullptr_t) : fd_(static_cast<int>(fd)) {} // whatever a call has answered
    SocketFd(const SocketFd&) = delete;
    ~SocketFd() { end(); }
    void end() {
        if (fd_ >= 0) close(fd_);
        fd_ = -1;
    }
    [[nodiscard]] int fd() const { return fd_; }
    operator int() const { return fd_; }

protected:
    explicit SocketFd(long fd) : fd_(static_cast<int>(fd)) {
        if (fd_ < 0) failed("socket", __LINE__, std::strerror(errno));
    }

private:
    int fd_;
};

inline sockaddr_in address_of(const char* ip, int port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, ip, &out.sin_addr);
    return out;
}
inline long bind_to(int fd, const char* ip, int port) {
    const sockaddr_in name = address_of(ip, port);
    return raw(SYS_bind, fd, &name, sizeof(name));
}
inline long connect_to(int fd, const char* ip, int port) {
    const sockaddr_in name = address_of(ip, port);
    return raw(SYS_connect, fd, &name, sizeof(name));
}

// Both ends of a pair of AF_UNIX.
struct SocketPair {
    explicit SocketPair(int type = SOCK_STREAM) {
        if (socketpair(AF_UNIX, type, 0, fds) != 0) failed("socketpair", __LINE__, std::strerror(errno));
    }
    SocketPair(const SocketPair&) = delete;
    ~SocketPair() {
        end(0);
        end(1);
    }
    void end(int side) {
        if (fds[side] >= 0) close(fds[side]);
        fds[side] = -1;
    }
    int operator[](int side) const { return fds[side]; }
    int fds[2] = {-1, -1};
};

} // namespace linux_test
