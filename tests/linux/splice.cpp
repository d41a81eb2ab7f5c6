// splice, tee and vmsplice.
#include <fcntl.h>
#include <signal.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <thread>
#include <unistd.h>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

struct Pipe {
    int ends[2] = {-1, -1};
    explicit Pipe(int flags = 0) { CHECK(pipe2(ends, flags) == 0); }
    ~Pipe() {
        close(ends[0]);
        close(ends[1]);
    }
    [[nodiscard]] int in() const { return ends[0]; }
    [[nodiscard]] int out() const { return ends[1]; }
};

int make_file(const std::string& contents) {
    char name[] = "/tmp/spliceXXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && unlink(name) == 0);
    CHECK(write(fd, contents.data(), contents.size()) == static_cast<ssize_t>(contents.size()));
    return fd;
}

std::string read_all(int fd, std::size_t bytes) {
    std::string got(bytes, '\0');
    std::size_t done = 0;
    while (done < bytes) {
        const ssize_t part = read(fd, got.data() + done, bytes - done);
        if (part <= 0) break;
        done += static_cast<std::size_t>(part);
    }
    return got.substr(0, done);
}

std::string pattern(std::size_t bytes) {
    std::string text(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i)
        text[i] = static_cast<char>(i * 31 % 251);
    return text;
}

LINUX_TEST(contents_into_a_pipe_and_out) {
    const std::string text = pattern(20'000);
    const int from = make_file(text), to = make_file("");
    Pipe pipe;
    off_t at = 5;
    CHECK(splice(from, &at, pipe.out(), nullptr, 10'000, 0) == 10'000 && at == 10'005);
    CHECK(lseek(from, 0, SEEK_CUR) == 20'000); // the position stays where an offset was given
    off_t target = 100;
    CHECK(splice(pipe.in(), nullptr, to, &target, 10'000, 0) == 10'000 && target == 10'100);
    std::string got(10'000, '\0');
    CHECK(pread(to, got.data(), got.size(), 100) == 10'000 && got == text.substr(5, 10'000));
    CHECK(lseek(from, 19'990, SEEK_SET) == 19'990);
    CHECK(splice(from, nullptr, pipe.out(), nullptr, 10'000, 0) == 10 && lseek(from, 0, SEEK_CUR) == 20'000);
    CHECK(splice(from, nullptr, pipe.out(), nullptr, 10'000, 0) == 0); // at its end
    CHECK(read_all(pipe.in(), 10) == text.substr(19'990));
    close(from);
    close(to);
}

LINUX_TEST(more_than_a_pipe_holds) {
    const std::string text = pattern(300'000);
    const int from = make_file(text);
    CHECK(lseek(from, 0, SEEK_SET) == 0);
    Pipe pipe;
    std::string got;
    std::thread reader([&] { got = read_all(pipe.in(), text.size()); });
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t part = splice(from, nullptr, pipe.out(), nullptr, text.size() - done, 0);
        if (part <= 0) break;
        done += static_cast<std::size_t>(part);
    }
    reader.join();
    CHECK(done == text.size() && got == text);
    close(from);
}

LINUX_TEST(pipe_to_pipe_and_socket) {
    Pipe one, two;
    CHECK(write(one.out(), "abcdef", 6) == 6);
    CHECK(tee(one.in(), two.out(), 4, 0) == 4 && read_all(two.in(), 4) == "abcd");
    CHECK(splice(one.in(), nullptr, two.out(), nullptr, 100, 0) == 6 && read_all(two.in(), 6) == "abcdef");
    CHECK(splice(one.in(), nullptr, two.out(), nullptr, 100, SPLICE_F_NONBLOCK) == -1 && errno == EAGAIN);
    int sockets[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0 && write(one.out(), "xyz", 3) == 3);
    CHECK(splice(one.in(), nullptr, sockets[0], nullptr, 100, 0) == 3 && read_all(sockets[1], 3) == "xyz");
    close(sockets[0]);
    close(sockets[1]);
    close(one.ends[1]);
    one.ends[1] = -1;
    CHECK(splice(one.in(), nullptr, two.out(), nullptr, 100, 0) == 0); // nobody writes any more
}

LINUX_TEST(waits_and_is_interrupted) {
    Pipe full, empty(O_NONBLOCK);
    CHECK(fcntl(full.out(), F_SETFL, O_NONBLOCK) == 0);
    const std::string page(4096, 'x');
    while (write(full.out(), page.data(), page.size()) > 0) {
    }
    CHECK(fcntl(full.out(), F_SETFL, 0) == 0);
    const int zeros = open("/dev/zero", O_RDONLY);
    CHECK(splice(zeros, nullptr, full.out(), nullptr, 10, SPLICE_F_NONBLOCK) == -1 && errno == EAGAIN);
    CHECK(splice(empty.in(), nullptr, full.out(), nullptr, 10, 0) == -1 && errno == EAGAIN);
    // Room comes while it waits.
    std::thread reader([&] {
        usleep(20'000);
        (void)read_all(full.in(), 8192);
    });
    const int file = make_file("hello");
    off_t at = 0;
    CHECK(splice(file, &at, full.out(), nullptr, 5, 0) == 5);
    reader.join();
    close(file);
    close(zeros);
}

LINUX_TEST(vectors) {
    Pipe pipe;
    char a[] = "one", b[] = "two";
    const iovec from[] = {{a, 3}, {b, 3}};
    CHECK(vmsplice(pipe.out(), from, 2, 0) == 6);
    char c[4]{}, d[4]{};
    const iovec to[] = {{c, 2}, {d, 4}};
    CHECK(vmsplice(pipe.in(), to, 2, 0) == 6 && std::string(c) == "on" && std::string(d, 4) == "etwo");
    CHECK(vmsplice(pipe.in(), to, 2, SPLICE_F_NONBLOCK) == -1 && errno == EAGAIN);
}

LINUX_TEST(refused) {
    Pipe pipe, other;
    const int file = make_file("text");
    off_t at = 0;
    const iovec vector{&at, sizeof(at)};
    EXPECT(-EINVAL, SYS_splice, file, nullptr, file, nullptr, 1, 0);
    EXPECT(-EINVAL, SYS_splice, pipe.in(), nullptr, pipe.out(), nullptr, 1, 0);
    EXPECT(-EINVAL, SYS_splice, pipe.in(), nullptr, other.out(), nullptr, 1, 16);
    EXPECT(-ESPIPE, SYS_splice, pipe.in(), &at, other.out(), nullptr, 1, 0);
    EXPECT(-EBADF, SYS_splice, pipe.out(), nullptr, other.out(), nullptr, 1, 0);
    EXPECT(-EBADF, SYS_splice, -1, nullptr, other.out(), nullptr, 1, 0);
    EXPECT(0, SYS_splice, pipe.in(), nullptr, other.out(), nullptr, 0, 0);
    EXPECT(-EINVAL, SYS_tee, pipe.in(), pipe.out(), 1, 0);
    EXPECT(-EINVAL, SYS_tee, file, pipe.out(), 1, 0);
    EXPECT(-EBADF, SYS_vmsplice, file, &vector, 1, 0);
    EXPECT(-EFAULT, SYS_splice, file, 8, pipe.out(), nullptr, 1, 0);
    close(file);
    const int appended = open("/tmp/splice-append", O_CREAT | O_WRONLY | O_APPEND, 0600);
    CHECK(write(pipe.out(), "x", 1) == 1);
    EXPECT(-EINVAL, SYS_splice, pipe.in(), nullptr, appended, nullptr, 1, 0);
    close(appended);
    unlink("/tmp/splice-append");
    // What could not be put anywhere is still there.
    close(other.ends[0]);
    other.ends[0] = -1;
    EXPECT(-EPIPE, SYS_splice, pipe.in(), nullptr, other.out(), nullptr, 1, 0);
    CHECK(read_all(pipe.in(), 1) == "x");
}

} // namespace

int main() {
    signal(SIGPIPE, SIG_IGN);
    return run_all("splice");
}
