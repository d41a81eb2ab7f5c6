// What the tests of readiness share.
#pragma once

#include <chrono>
#include <fcntl.h>
#include <poll.h>
#include <thread>

#include "tests/linux/test.hpp"

namespace linux_test {

class Pipe {
public:
    explicit Pipe(int flags = 0) {
        if (pipe2(ends_, flags) != 0) failed("pipe2", __LINE__, std::strerror(errno));
    }
    Pipe(const Pipe&) = delete;
    ~Pipe() {
        close_in();
        close_out();
    }
    [[nodiscard]] int out() const { return ends_[0]; } // to read
    [[nodiscard]] int in() const { return ends_[1]; }  // to write
    void close_out() { end(ends_[0]); }
    void close_in() { end(ends_[1]); }

private:
    static void end(int& fd) {
        if (fd >= 0) close(fd);
        fd = -1;
    }
    int ends_[2] = {-1, -1};
};

// What poll says of one descriptor, without waiting.
inline int poll_one(int fd, int events) {
    pollfd entry{fd, static_cast<short>(events), 0};
    return ::poll(&entry, 1, 0) < 0 ? -1 : entry.revents;
}

// Long enough for another thread to have got into its wait, mostly. Where it has not, a test shows less, but passes.
inline void wait_until_blocked() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

} // namespace linux_test
