// Pipes: order and atomicity of bytes, ends that close, O_NONBLOCK, sizes, signals. Threads are the peers.
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <thread>
#include <vector>

#include "tests/linux/test.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

LINUX_TEST(bytes_come_in_their_order) {
    Pipe pipe;
    EXPECT(5, SYS_write, pipe.in(), "hello", 5);
    char text[16]{};
    EXPECT(2, SYS_read, pipe.out(), text, 2);
    EXPECT(3, SYS_read, pipe.out(), text + 2, 14);
    CHECK(std::string(text) == "hello");
    EXPECT(0, SYS_write, pipe.in(), nullptr, 0);
    EXPECT(0, SYS_read, pipe.out(), nullptr, 0);
    EXPECT(-EBADF, SYS_write, pipe.out(), "x", 1);
    EXPECT(-EBADF, SYS_read, pipe.in(), text, 1);
    EXPECT(-ESPIPE, SYS_lseek, pipe.in(), 0, SEEK_SET);
    EXPECT(-ESPIPE, SYS_pread64, pipe.out(), text, 1, 0);
    EXPECT(-ESPIPE, SYS_pwrite64, pipe.in(), text, 1, 0);
    EXPECT(-EINVAL, SYS_ftruncate, pipe.in(), 0);
    struct stat info{};
    CHECK(fstat(pipe.in(), &info) == 0 && S_ISFIFO(info.st_mode) && info.st_size == 0);
    struct stat other{};
    CHECK(fstat(pipe.out(), &other) == 0 && info.st_ino == other.st_ino);
}

LINUX_TEST(flags) {
    int ends[2] = {-1, -1};
    EXPECT(-EINVAL, SYS_pipe2, ends, O_APPEND);
    EXPECT(-EINVAL, SYS_pipe2, ends, O_RDWR);
    EXPECT(-EFAULT, SYS_pipe2, 8, 0);
    EXPECT(-EFAULT, SYS_pipe, nullptr);
    CHECK(ends[0] == -1 && ends[1] == -1);
    const int before = open("/dev/null", O_RDONLY); // what a failed call made is closed again
    close(before);
    EXPECT(-EFAULT, SYS_pipe2, 8, O_CLOEXEC);
    const int after = open("/dev/null", O_RDONLY);
    close(after);
    CHECK(before == after);
    Pipe pipe(O_CLOEXEC | O_NONBLOCK);
    CHECK(fcntl(pipe.out(), F_GETFD) == FD_CLOEXEC && fcntl(pipe.in(), F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(pipe.out(), F_GETFL) == (O_RDONLY | O_NONBLOCK));
    CHECK(fcntl(pipe.in(), F_GETFL) == (O_WRONLY | O_NONBLOCK));
    char byte = 0;
    EXPECT(-EAGAIN, SYS_read, pipe.out(), &byte, 1);
    // The flag belongs to the open file, not to the descriptor.
    const int twin = dup(pipe.out());
    CHECK(fcntl(twin, F_SETFL, 0) == 0 && fcntl(pipe.out(), F_GETFL) == O_RDONLY);
    int on = 1;
    EXPECT(0, SYS_ioctl, twin, FIONBIO, &on);
    CHECK((fcntl(pipe.out(), F_GETFL) & O_NONBLOCK) != 0);
    on = 0;
    EXPECT(0, SYS_ioctl, pipe.out(), FIONBIO, &on);
    CHECK(fcntl(twin, F_GETFL) == O_RDONLY);
    EXPECT(-EFAULT, SYS_ioctl, twin, FIONBIO, 8);
    close(twin);
}

LINUX_TEST(every_kind_of_file_remembers_not_to_wait) {
    const int file = open("/tmp", O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    CHECK((fcntl(file, F_GETFL) & O_NONBLOCK) != 0);
    CHECK(fcntl(file, F_SETFL, 0) == 0 && (fcntl(file, F_GETFL) & O_NONBLOCK) == 0);
    int on = 1;
    EXPECT(0, SYS_ioctl, file, FIONBIO, &on);
    CHECK((fcntl(file, F_GETFL) & O_NONBLOCK) != 0);
    close(file);
}

LINUX_TEST(bytes_that_wait) {
    Pipe pipe;
    int waiting = -1;
    EXPECT(0, SYS_ioctl, pipe.out(), FIONREAD, &waiting);
    CHECK(waiting == 0);
    EXPECT(3, SYS_write, pipe.in(), "abc", 3);
    EXPECT(0, SYS_ioctl, pipe.out(), FIONREAD, &waiting);
    CHECK(waiting == 3);
    EXPECT(-EFAULT, SYS_ioctl, pipe.out(), FIONREAD, 8);
    EXPECT(-ENOTTY, SYS_ioctl, pipe.out(), TCGETS, &waiting);
    TestFolder folder;
    const int file = open(folder.path("f").c_str(), O_RDWR | O_CREAT, 0600);
    CHECK(write(file, "contents", 8) == 8 && lseek(file, 3, SEEK_SET) == 3);
    EXPECT(0, SYS_ioctl, file, FIONREAD, &waiting);
    CHECK(waiting == 5);
    close(file);
}

LINUX_TEST(a_full_pipe) {
    Pipe pipe(O_NONBLOCK);
    CHECK(fcntl(pipe.in(), F_GETPIPE_SZ) == 65536);
    std::vector<char> much(200'000, 'x');
    EXPECT(65536, SYS_write, pipe.in(), much.data(), much.size());
    EXPECT(-EAGAIN, SYS_write, pipe.in(), much.data(), 1);
    CHECK(poll_one(pipe.in(), POLLOUT) == 0);
    EXPECT(4095, SYS_read, pipe.out(), much.data(), 4095);
    CHECK(poll_one(pipe.in(), POLLOUT) == 0); // less than PIPE_BUF is no room
    EXPECT(-EAGAIN, SYS_write, pipe.in(), much.data(), 4096);
    EXPECT(1, SYS_read, pipe.out(), much.data(), 1);
    CHECK(poll_one(pipe.in(), POLLOUT) == POLLOUT);
    EXPECT(4096, SYS_write, pipe.in(), much.data(), 4096);
    EXPECT(65536, SYS_read, pipe.out(), much.data(), much.size());
    EXPECT(-EAGAIN, SYS_read, pipe.out(), much.data(), 1);
}

LINUX_TEST(sizes) {
    Pipe pipe(O_NONBLOCK);
    CHECK(fcntl(pipe.out(), F_SETPIPE_SZ, 1) == 4096 && fcntl(pipe.in(), F_GETPIPE_SZ) == 4096);
    CHECK(fcntl(pipe.in(), F_SETPIPE_SZ, 4097) == 8192);
    std::vector<char> bytes(8192);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<char>(i * 7);
    EXPECT(8192, SYS_write, pipe.in(), bytes.data(), 8192);
    EXPECT(-EBUSY, SYS_fcntl, pipe.in(), F_SETPIPE_SZ, 4096);
    CHECK(fcntl(pipe.in(), F_SETPIPE_SZ, 100'000) == 131072);
    std::vector<char> back(8192);
    EXPECT(100, SYS_read, pipe.out(), back.data(), 100);
    CHECK(fcntl(pipe.in(), F_SETPIPE_SZ, 16384) == 16384);
    EXPECT(8092, SYS_read, pipe.out(), back.data() + 100, 8192);
    CHECK(back == bytes);
    CHECK(fcntl(pipe.in(), F_SETPIPE_SZ, 1 << 20) == 1 << 20);
    EXPECT(-EINVAL, SYS_fcntl, pipe.in(), F_SETPIPE_SZ, 0x8000'0001);
    EXPECT(4096, SYS_fcntl, pipe.in(), F_SETPIPE_SZ, 0);
    EXPECT(-EBADF, SYS_fcntl, 1000, F_GETPIPE_SZ, 0);
    TestFolder folder;
    const int file = open(folder.path("f").c_str(), O_RDWR | O_CREAT, 0600);
    EXPECT(-EBADF, SYS_fcntl, file, F_GETPIPE_SZ, 0);
    EXPECT(-EBADF, SYS_fcntl, file, F_SETPIPE_SZ, 4096);
    close(file);
}

LINUX_TEST(ends_close) {
    Pipe pipe;
    EXPECT(3, SYS_write, pipe.in(), "end", 3);
    const int twin = dup(pipe.in());
    pipe.close_in();
    char text[8]{};
    EXPECT(2, SYS_read, pipe.out(), text, 2);
    CHECK(poll_one(pipe.out(), POLLIN) == POLLIN);
    close(twin); // the last one
    CHECK(poll_one(pipe.out(), POLLIN) == (POLLIN | POLLHUP));
    EXPECT(1, SYS_read, pipe.out(), text, 8);
    EXPECT(0, SYS_read, pipe.out(), text, 8);
    EXPECT(0, SYS_read, pipe.out(), text, 8);
    CHECK(poll_one(pipe.out(), POLLIN | POLLRDHUP) == POLLHUP);

    Pipe other;
    signal(SIGPIPE, SIG_IGN);
    other.close_out();
    CHECK(poll_one(other.in(), POLLOUT) == (POLLOUT | POLLERR));
    EXPECT(-EPIPE, SYS_write, other.in(), "x", 1);
    EXPECT(0, SYS_write, other.in(), "x", 0);
    static std::atomic<int> heard;
    heard = 0;
    signal(SIGPIPE, [](int) { ++heard; });
    EXPECT(-EPIPE, SYS_write, other.in(), "x", 1);
    CHECK(heard == 1);
    signal(SIGPIPE, SIG_DFL);
}

LINUX_TEST(a_reader_waits) {
    Pipe pipe;
    std::atomic<long> got{-1};
    char text[8]{};
    std::thread reader([&] { got = raw(SYS_read, pipe.out(), text, 8); });
    wait_until_blocked();
    CHECK(got == -1);
    EXPECT(4, SYS_write, pipe.in(), "late", 4);
    reader.join();
    CHECK(got == 4 && std::string(text, 4) == "late");
    got = -1;
    std::thread second([&] { got = raw(SYS_read, pipe.out(), text, 8); });
    wait_until_blocked();
    pipe.close_in();
    second.join();
    CHECK(got == 0);
}

LINUX_TEST(a_writer_waits) {
    Pipe pipe;
    std::vector<char> much(150'000), back(150'000);
    for (std::size_t i = 0; i < much.size(); ++i)
        much[i] = static_cast<char>(i * 31 >> 3);
    std::thread writer([&] { EXPECT(150'000, SYS_write, pipe.in(), much.data(), much.size()); });
    std::size_t done = 0;
    while (done < back.size()) {
        const long part = raw(SYS_read, pipe.out(), back.data() + done, 7000);
        if (part <= 0) break;
        done += static_cast<std::size_t>(part);
    }
    writer.join();
    CHECK(done == back.size() && back == much);
}

LINUX_TEST(a_writer_learns_of_the_end) {
    signal(SIGPIPE, SIG_IGN);
    Pipe pipe;
    std::vector<char> much(100'000);
    std::atomic<long> got{0};
    std::thread writer([&] { got = raw(SYS_write, pipe.in(), much.data(), much.size()); });
    wait_until_blocked();
    pipe.close_out();
    writer.join();
    CHECK(got == 65536); // what went in before
    EXPECT(-EPIPE, SYS_write, pipe.in(), much.data(), 1);
    signal(SIGPIPE, SIG_DFL);
}

LINUX_TEST(small_writes_stay_whole) {
    // Four writers with records of up to PIPE_BUF, each full of its own byte; two of them by vectors.
    constexpr int kWriters = 4, kRecords = 300;
    Pipe pipe;
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) {
        writers.emplace_back([&, w] {
            std::vector<char> record(4096, static_cast<char>('a' + w));
            for (int i = 0; i < kRecords; ++i) {
                const auto bytes = static_cast<std::uint16_t>(16 + (i * 997 + w * 131) % (4096 - 16));
                std::memcpy(record.data(), &bytes, 2);
                if (w % 2 == 0) {
                    EXPECT(bytes, SYS_write, pipe.in(), record.data(), bytes);
                } else {
                    const iovec parts[3] = {
                        {record.data(), 5}, {record.data() + 5, 0}, {record.data() + 5, bytes - 5u}};
                    EXPECT(bytes, SYS_writev, pipe.in(), parts, 3);
                }
            }
        });
    }
    const auto read_all = [&](char* to, std::size_t bytes) {
        for (std::size_t done = 0; done < bytes;) {
            const long part = raw(SYS_read, pipe.out(), to + done, bytes - done);
            if (part <= 0) return false;
            done += static_cast<std::size_t>(part);
        }
        return true;
    };
    bool is_whole = true;
    std::vector<char> record(4096);
    for (int i = 0; i < kWriters * kRecords && is_whole; ++i) {
        std::uint16_t bytes = 0;
        is_whole = read_all(record.data(), 2);
        std::memcpy(&bytes, record.data(), 2);
        is_whole = is_whole && bytes >= 16 && bytes <= 4096 && read_all(record.data() + 2, bytes - 2u);
        for (std::size_t at = 3; at < bytes; ++at)
            is_whole = is_whole && record[at] == record[2];
    }
    CHECK(is_whole);
    if (!is_whole) pipe.close_out();
    for (auto& writer : writers)
        writer.join();
}

LINUX_TEST(vectors) {
    Pipe pipe;
    char a[4]{}, b[8]{};
    const iovec parts[] = {{a, 4}, {nullptr, 0}, {b, 8}};
    EXPECT(6, SYS_write, pipe.in(), "sixone", 6);
    EXPECT(6, SYS_readv, pipe.out(), parts, 3); // does not wait for the rest
    CHECK(std::string(a, 4) == "sixo" && std::string(b, 2) == "ne");
    const iovec negative[] = {{a, 4}, {b, static_cast<std::size_t>(-1)}};
    EXPECT(3, SYS_write, pipe.in(), "abc", 3);
    EXPECT(-EINVAL, SYS_readv, pipe.out(), negative, 2);
    EXPECT(-EINVAL, SYS_writev, pipe.in(), negative, 2);
    EXPECT(-EINVAL, SYS_readv, pipe.out(), parts, 1025);
    EXPECT(0, SYS_readv, pipe.out(), parts, 0);
    int waiting = 0;
    EXPECT(0, SYS_ioctl, pipe.out(), FIONREAD, &waiting);
    CHECK(waiting == 3);
    // Many vectors.
    std::vector<iovec> many(1024, iovec{a, 1});
    EXPECT(1024, SYS_writev, pipe.in(), many.data(), 1024);
    std::vector<char> back(2000);
    EXPECT(1027, SYS_read, pipe.out(), back.data(), 2000);
}

LINUX_TEST(bad_memory_moves_nothing) {
    Pipe pipe(O_NONBLOCK);
    EXPECT(-EFAULT, SYS_write, pipe.in(), 8, 100);
    EXPECT(5, SYS_write, pipe.in(), "bytes", 5);
    EXPECT(-EFAULT, SYS_read, pipe.out(), 8, 100);
    auto* const pages =
        static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    munmap(pages + 4096, 4096);
    EXPECT(-EFAULT, SYS_write, pipe.in(), pages + 4090, 100);
    char text[32]{};
    EXPECT(5, SYS_read, pipe.out(), text, 32);
    CHECK(std::string(text) == "bytes");
    munmap(pages, 4096);
    // A bad range behind a good one: what was moved before counts. One of the kernel's: nothing moves.
    EXPECT(5, SYS_write, pipe.in(), "bytes", 5);
    const iovec second_is_bad[] = {{text, 2}, {reinterpret_cast<void*>(8), 3}}; // SAFETY: never used here
    EXPECT(-EFAULT, SYS_readv, pipe.out(), second_is_bad, 2);
    const iovec kernels[] = {{text, 2}, {reinterpret_cast<void*>(-4096l), 3}}; // SAFETY: likewise
    EXPECT(-EFAULT, SYS_readv, pipe.out(), kernels, 2);
    EXPECT(5, SYS_read, pipe.out(), text, 32);
}

LINUX_TEST(signals_interrupt_and_restart) {
    Pipe pipe;
    static std::atomic<int> heard;
    heard = 0;
    for (const bool restarts : {false, true}) {
        struct sigaction action{};
        action.sa_handler = [](int) { ++heard; };
        action.sa_flags = restarts ? SA_RESTART : 0;
        sigaction(SIGUSR1, &action, nullptr);
        std::atomic<long> got{-1};
        std::atomic<bool> is_done{false};
        char byte = 0;
        std::thread reader([&] {
            got = raw(SYS_read, pipe.out(), &byte, 1);
            is_done = true;
        });
        wait_until_blocked();
        const int before = heard;
        pthread_kill(reader.native_handle(), SIGUSR1);
        while (heard == before)
            std::this_thread::yield();
        if (restarts) {
            wait_until_blocked();
            CHECK(!is_done);
            EXPECT(1, SYS_write, pipe.in(), "x", 1);
        }
        reader.join();
        CHECK(got == (restarts ? 1 : -EINTR));
    }
    // A write that is under way answers what went in.
    std::vector<char> much(100'000);
    std::atomic<long> got{0};
    struct sigaction action{};
    action.sa_handler = [](int) { ++heard; };
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
    std::thread writer([&] { got = raw(SYS_write, pipe.in(), much.data(), much.size()); });
    wait_until_blocked();
    pthread_kill(writer.native_handle(), SIGUSR1);
    writer.join();
    CHECK(got == 65536);
    signal(SIGUSR1, SIG_DFL);
}

LINUX_TEST(a_file_is_sent_into_a_pipe) {
    TestFolder folder;
    const int file = open(folder.path("f").c_str(), O_RDWR | O_CREAT, 0600);
    std::vector<char> bytes(10'000, 'q');
    CHECK(write(file, bytes.data(), bytes.size()) == 10'000);
    Pipe pipe;
    off_t offset = 100;
    EXPECT(9'900, SYS_sendfile, pipe.in(), file, &offset, 20'000);
    EXPECT(9'900, SYS_read, pipe.out(), bytes.data(), bytes.size());
    EXPECT(-EINVAL, SYS_sendfile, pipe.in(), pipe.out(), nullptr, 10);
    close(file);
}

LINUX_TEST(a_child_writes_and_ends) {
    Pipe pipe;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        const bool good = write(pipe.in(), "from the child", 14) == 14;
        _exit(good ? 7 : 1);
    }
    pipe.close_in(); // the child has the other one
    char text[32]{};
    std::size_t done = 0;
    for (long part = 1; part > 0 && done < sizeof(text); done += static_cast<std::size_t>(part > 0 ? part : 0))
        part = raw(SYS_read, pipe.out(), text + done, sizeof(text) - done);
    CHECK(std::string(text) == "from the child");
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK(poll_one(pipe.out(), POLLIN) == POLLHUP);
}

LINUX_TEST(a_child_that_nobody_reads_from) {
    Pipe pipe;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        pipe.close_out();
        const std::vector<char> much(100'000, 'y');
        for (;;)
            if (write(pipe.in(), much.data(), much.size()) < 0) _exit(1);
    }
    pipe.close_in();
    char text[16];
    EXPECT(16, SYS_read, pipe.out(), text, 16);
    wait_until_blocked();
    pipe.close_out();
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

// Two processes share one open file: its flag, and what is read from it.
LINUX_TEST(a_child_shares_the_open_file) {
    Pipe pipe;
    EXPECT(2, SYS_write, pipe.in(), "ab", 2);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char byte = 0;
        const bool good = read(pipe.out(), &byte, 1) == 1 && byte == 'a' && fcntl(pipe.out(), F_SETFL, O_NONBLOCK) == 0;
        _exit(good ? 0 : 1);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    char byte = 0;
    EXPECT(1, SYS_read, pipe.out(), &byte, 1);
    CHECK(byte == 'b' && (fcntl(pipe.out(), F_GETFL) & O_NONBLOCK) != 0);
    EXPECT(-EAGAIN, SYS_read, pipe.out(), &byte, 1);
}

} // namespace

int main() { return run_all("pipes"); }
