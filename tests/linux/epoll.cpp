// epoll: level and edge, one shot, exclusive, nested, masks, ends of files, arguments.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <vector>

#include "tests/linux/test.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

class Epoll {
public:
    Epoll() : fd_(epoll_create1(EPOLL_CLOEXEC)) {}
    Epoll(const Epoll&) = delete;
    ~Epoll() { end(); }
    void end() {
        if (fd_ >= 0) close(fd_);
        fd_ = -1;
    }
    [[nodiscard]] int fd() const { return fd_; }
    long control(int operation, int fd, std::uint32_t events, std::uint64_t data) const {
        epoll_event event{};
        event.events = events;
        event.data.u64 = data;
        return raw(SYS_epoll_ctl, fd_, operation, fd, &event);
    }
    long add(int fd, std::uint32_t events, std::uint64_t data = 0) const {
        return control(EPOLL_CTL_ADD, fd, events, data);
    }
    long change(int fd, std::uint32_t events, std::uint64_t data = 0) const {
        return control(EPOLL_CTL_MOD, fd, events, data);
    }
    long remove(int fd) const { return raw(SYS_epoll_ctl, fd_, EPOLL_CTL_DEL, fd, nullptr); }
    // What is told within `milliseconds`: "data:events data:events ...", in the order of the data.
    [[nodiscard]] std::string told(int milliseconds = 0, int most = 64) const {
        std::vector<epoll_event> events(static_cast<std::size_t>(most));
        const long count = raw(SYS_epoll_wait, fd_, events.data(), most, milliseconds);
        if (count < 0) return error_name(count);
        std::sort(events.begin(), events.begin() + count,
                  [](const epoll_event& a, const epoll_event& b) { return a.data.u64 < b.data.u64; });
        std::string text;
        for (long i = 0; i < count; ++i) {
            if (i != 0) text += " ";
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            text += std::to_string(event.data.u64) + ":" + std::to_string(event.events);
        }
        return text;
    }

private:
    int fd_;
};

void is(const std::string& got, const std::string& wanted, int line) {
    if (got != wanted) failed("told", line, "'" + got + "', wanted '" + wanted + "'");
}
#define TOLD(wanted, got) is(got, wanted, __LINE__)

void put(const Pipe& pipe, const char* text) {
    const auto bytes = static_cast<long>(std::strlen(text));
    if (write(pipe.in(), text, static_cast<std::size_t>(bytes)) != bytes) failed("put", __LINE__);
}
void take(const Pipe& pipe, std::size_t bytes) {
    char room[64];
    if (read(pipe.out(), room, bytes) != static_cast<long>(bytes)) failed("take", __LINE__);
}

LINUX_TEST(arguments) {
    Epoll epoll;
    Pipe pipe;
    epoll_event event{};
    EXPECT(-EINVAL, SYS_epoll_create, 0);
    EXPECT(-EINVAL, SYS_epoll_create, -1);
    const long old = raw(SYS_epoll_create, 1);
    CHECK(old >= 0);
    close(static_cast<int>(old));
    EXPECT(-EINVAL, SYS_epoll_create1, 1);
    CHECK(fcntl(epoll.fd(), F_GETFD) == FD_CLOEXEC);
    EXPECT(-EBADF, SYS_epoll_ctl, 999, EPOLL_CTL_ADD, pipe.out(), &event);
    EXPECT(-EBADF, SYS_epoll_ctl, epoll.fd(), EPOLL_CTL_ADD, 999, &event);
    EXPECT(-EFAULT, SYS_epoll_ctl, epoll.fd(), EPOLL_CTL_ADD, pipe.out(), 8);
    EXPECT(-EFAULT, SYS_epoll_ctl, 999, EPOLL_CTL_ADD, 999, 8);
    EXPECT(-EINVAL, SYS_epoll_ctl, pipe.out(), EPOLL_CTL_ADD, pipe.in(), &event);
    EXPECT(-EINVAL, SYS_epoll_ctl, epoll.fd(), EPOLL_CTL_ADD, epoll.fd(), &event);
    EXPECT(-EINVAL, SYS_epoll_ctl, epoll.fd(), 77, pipe.out(), &event);
    EXPECT(-ENOENT, SYS_epoll_ctl, epoll.fd(), EPOLL_CTL_DEL, pipe.out(), nullptr);
    EXPECT(-ENOENT, SYS_epoll_ctl, epoll.fd(), EPOLL_CTL_MOD, pipe.out(), &event);
    CHECK(epoll.add(pipe.out(), EPOLLIN) == 0 && epoll.add(pipe.out(), EPOLLIN) == -EEXIST);
    EXPECT(-EBADF, SYS_epoll_wait, 999, &event, 1, 0);
    EXPECT(-EINVAL, SYS_epoll_wait, pipe.out(), &event, 1, 0);
    EXPECT(-EINVAL, SYS_epoll_wait, epoll.fd(), &event, 0, 0);
    EXPECT(-EINVAL, SYS_epoll_wait, epoll.fd(), &event, -1, 0);
    EXPECT(-EINVAL, SYS_epoll_wait, epoll.fd(), &event, 0x7fff'ffff, 0);
    EXPECT(-EFAULT, SYS_epoll_wait, epoll.fd(), -4096, 1, 0);
    EXPECT(0, SYS_epoll_wait, epoll.fd(), 8, 1, 0); // nothing to write there
    const int file = open("/tmp", O_RDONLY | O_DIRECTORY), null = open("/dev/null", O_RDWR);
    CHECK(epoll.add(file, EPOLLIN) == -EPERM && epoll.add(null, EPOLLIN) == -EPERM);
    close(file);
    close(null);
    char byte = 0;
    EXPECT(-EINVAL, SYS_read, epoll.fd(), &byte, 1);
    EXPECT(-EINVAL, SYS_write, epoll.fd(), &byte, 1);
}

LINUX_TEST(level) {
    Epoll epoll;
    Pipe pipe;
    CHECK(epoll.add(pipe.out(), EPOLLIN, 7) == 0);
    TOLD("", epoll.told());
    put(pipe, "ab");
    TOLD("7:1", epoll.told());
    TOLD("7:1", epoll.told());
    take(pipe, 1);
    TOLD("7:1", epoll.told());
    take(pipe, 1);
    TOLD("", epoll.told());
    put(pipe, "c");
    take(pipe, 1);
    TOLD("", epoll.told()); // over before anybody looked
    CHECK(epoll.change(pipe.out(), EPOLLOUT, 8) == 0);
    put(pipe, "d");
    TOLD("", epoll.told());
    CHECK(epoll.change(pipe.out(), EPOLLIN | EPOLLRDNORM, 9) == 0);
    TOLD("9:65", epoll.told());
    CHECK(epoll.remove(pipe.out()) == 0 && epoll.remove(pipe.out()) == -ENOENT);
    TOLD("", epoll.told());
    // Ends are told unasked.
    CHECK(epoll.add(pipe.out(), 0, 10) == 0);
    TOLD("", epoll.told());
    pipe.close_in();
    TOLD("10:16", epoll.told());
}

LINUX_TEST(edge) {
    Epoll epoll;
    Pipe pipe;
    put(pipe, "a");
    CHECK(epoll.add(pipe.out(), EPOLLIN | EPOLLET, 1) == 0);
    TOLD("1:1", epoll.told()); // what is so is told once
    TOLD("", epoll.told());
    put(pipe, "b"); // each write is an edge, also before the first was read
    TOLD("1:1", epoll.told());
    TOLD("", epoll.told());
    take(pipe, 1); // reading is none
    TOLD("", epoll.told());
    CHECK(epoll.change(pipe.out(), EPOLLIN | EPOLLET, 2) == 0);
    TOLD("2:1", epoll.told()); // a change looks again
    take(pipe, 1);
    put(pipe, "c");
    take(pipe, 1);
    TOLD("", epoll.told());
    pipe.close_in();
    TOLD("2:16", epoll.told());
    TOLD("", epoll.told());
}

LINUX_TEST(edge_tells_all_that_is_so) {
    Epoll epoll;
    const int event = eventfd(0, EFD_NONBLOCK);
    CHECK(epoll.add(event, EPOLLIN | EPOLLOUT | EPOLLET, 1) == 0);
    TOLD("1:4", epoll.told());
    TOLD("", epoll.told());
    CHECK(eventfd_write(event, 1) == 0);
    TOLD("1:5", epoll.told());
    TOLD("", epoll.told());
    CHECK(eventfd_write(event, 1) == 0);
    TOLD("1:5", epoll.told());
    eventfd_t value = 0;
    CHECK(eventfd_read(event, &value) == 0 && value == 2);
    TOLD("1:4", epoll.told());
    close(event);
}

LINUX_TEST(room_is_an_edge) {
    Epoll epoll;
    Pipe pipe(O_NONBLOCK);
    std::vector<char> much(70'000);
    CHECK(write(pipe.in(), much.data(), much.size()) == 65536);
    CHECK(epoll.add(pipe.in(), EPOLLOUT | EPOLLET, 1) == 0);
    TOLD("", epoll.told());
    CHECK(read(pipe.out(), much.data(), 4095) == 4095);
    TOLD("", epoll.told());
    CHECK(read(pipe.out(), much.data(), 1) == 1);
    TOLD("1:4", epoll.told());
    CHECK(read(pipe.out(), much.data(), 4096) == 4096);
    TOLD("", epoll.told()); // there was room already
    pipe.close_out();
    TOLD("1:12", epoll.told());
}

LINUX_TEST(one_shot) {
    Epoll epoll;
    Pipe pipe;
    for (const std::uint32_t edge : {0u, static_cast<std::uint32_t>(EPOLLET)}) {
        CHECK(epoll.add(pipe.out(), EPOLLIN | EPOLLONESHOT | edge, 1) == 0);
        put(pipe, "a");
        TOLD("1:1", epoll.told());
        TOLD("", epoll.told());
        put(pipe, "b");
        TOLD("", epoll.told());
        CHECK(epoll.change(pipe.out(), EPOLLIN | EPOLLONESHOT | edge, 2) == 0);
        TOLD("2:1", epoll.told());
        TOLD("", epoll.told());
        take(pipe, 2);
        CHECK(epoll.change(pipe.out(), EPOLLIN | EPOLLONESHOT | edge, 3) == 0);
        TOLD("", epoll.told());
        put(pipe, "c");
        take(pipe, 1); // over: it stays armed
        TOLD("", epoll.told());
        put(pipe, "d");
        TOLD("3:1", epoll.told());
        take(pipe, 1);
        CHECK(epoll.remove(pipe.out()) == 0);
    }
    // Disarmed, an end is not told either.
    CHECK(epoll.add(pipe.out(), EPOLLIN | EPOLLONESHOT, 1) == 0);
    put(pipe, "a");
    TOLD("1:1", epoll.told());
    pipe.close_in();
    TOLD("", epoll.told());
    CHECK(epoll.change(pipe.out(), EPOLLIN, 4) == 0);
    TOLD("4:17", epoll.told());
}

LINUX_TEST(exclusive) {
    Epoll epoll, other;
    Pipe pipe;
    constexpr std::uint32_t kExclusive = EPOLLEXCLUSIVE;
    CHECK(epoll.add(pipe.out(), EPOLLIN | kExclusive | EPOLLONESHOT) == -EINVAL);
    CHECK(epoll.add(pipe.out(), EPOLLIN | kExclusive | EPOLLRDHUP) == -EINVAL);
    CHECK(epoll.add(other.fd(), EPOLLIN | kExclusive) == -EINVAL);
    CHECK(epoll.change(pipe.out(), EPOLLIN | kExclusive) == -EINVAL);
    CHECK(epoll.add(pipe.out(), EPOLLIN | kExclusive, 1) == 0);
    CHECK(epoll.change(pipe.out(), EPOLLIN) == -EINVAL);
    CHECK(other.add(pipe.out(), EPOLLIN | kExclusive | EPOLLET | EPOLLWAKEUP, 2) == 0);
    put(pipe, "a");
    const std::string first = epoll.told(), second = other.told();
    CHECK(first == "1:1" || second == "2:1"); // one or more
    CHECK(epoll.remove(pipe.out()) == 0);
}

LINUX_TEST(a_wait_wakes) {
    Epoll epoll;
    Pipe pipe;
    CHECK(epoll.add(pipe.out(), EPOLLIN, 1) == 0);
    for (int round = 0; round < 20; ++round) {
        std::thread writer([&] {
            if (round % 2 == 0) wait_until_blocked();
            put(pipe, "x");
        });
        TOLD("1:1", epoll.told(-1));
        writer.join();
        take(pipe, 1);
    }
    CHECK(epoll.remove(pipe.out()) == 0);
    // A file that comes while somebody waits.
    put(pipe, "y");
    std::thread adder([&] {
        wait_until_blocked();
        CHECK(epoll.add(pipe.out(), EPOLLIN, 2) == 0);
    });
    TOLD("2:1", epoll.told(60'000));
    adder.join();
    const auto before = std::chrono::steady_clock::now();
    take(pipe, 1);
    TOLD("", epoll.told(30));
    CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(30));
}

LINUX_TEST(many_at_once) {
    constexpr int kPipes = 150;
    Epoll epoll;
    std::vector<std::unique_ptr<Pipe>> pipes;
    for (int i = 0; i < kPipes; ++i) {
        pipes.push_back(std::make_unique<Pipe>());
        CHECK(epoll.add(pipes.back()->out(), EPOLLIN, static_cast<std::uint64_t>(i)) == 0);
        put(*pipes.back(), "x");
    }
    std::vector<epoll_event> events(1000);
    EXPECT(kPipes, SYS_epoll_wait, epoll.fd(), events.data(), 1000, 0);
    // A few at a time: all have their turn.
    std::vector<int> turns(kPipes);
    for (int round = 0; round < kPipes / 10; ++round) {
        EXPECT(10, SYS_epoll_wait, epoll.fd(), events.data(), 10, 0);
        for (int i = 0; i < 10; ++i)
            ++turns[events[static_cast<std::size_t>(i)].data.u64];
    }
    CHECK(std::count(turns.begin(), turns.end(), 1) == kPipes);
}

LINUX_TEST(a_file_leaves_with_its_last_descriptor) {
    Epoll epoll;
    Pipe pipe;
    put(pipe, "x");
    const int twin = dup(pipe.out());
    CHECK(epoll.add(pipe.out(), EPOLLIN, 1) == 0);
    CHECK(epoll.add(twin, EPOLLIN, 2) == 0); // another descriptor is another entry
    TOLD("1:1 2:1", epoll.told());
    const int number = pipe.out();
    pipe.close_out();
    TOLD("1:1 2:1", epoll.told()); // the file is still open
    CHECK(epoll.remove(number) == -EBADF);
    close(twin);
    TOLD("", epoll.told());
    Pipe next; // takes the numbers again
    CHECK(epoll.add(next.out(), EPOLLIN, 3) == 0);
    put(next, "x");
    TOLD("3:1", epoll.told());
}

LINUX_TEST(nested) {
    Epoll outer, inner;
    Pipe pipe;
    CHECK(inner.add(pipe.out(), EPOLLIN, 1) == 0 && outer.add(inner.fd(), EPOLLIN, 2) == 0);
    CHECK(poll_one(outer.fd(), POLLIN) == 0);
    put(pipe, "x");
    CHECK(poll_one(inner.fd(), POLLIN) == POLLIN && poll_one(outer.fd(), POLLIN) == POLLIN);
    TOLD("2:1", outer.told());
    TOLD("2:1", outer.told());
    TOLD("1:1", inner.told());
    take(pipe, 1);
    CHECK(poll_one(inner.fd(), POLLIN) == 0); // looks through what was noted
    TOLD("", outer.told());
    TOLD("", inner.told());
    std::thread writer([&] {
        wait_until_blocked();
        put(pipe, "y");
    });
    TOLD("2:1", outer.told(60'000));
    writer.join();
    pollfd entry{outer.fd(), POLLIN, 0};
    EXPECT(1, SYS_poll, &entry, 1, -1);
    inner.end();
    TOLD("", outer.told());
}

LINUX_TEST(circles_and_chains) {
    Epoll a, b, c;
    CHECK(a.add(b.fd(), EPOLLIN) == 0 && b.add(c.fd(), EPOLLIN) == 0);
    CHECK(c.add(a.fd(), EPOLLIN) == -ELOOP);
    CHECK(b.add(a.fd(), EPOLLIN) == -ELOOP);
    CHECK(b.remove(c.fd()) == 0 && c.add(a.fd(), EPOLLIN) == 0);
    // A chain of five is the longest.
    std::vector<std::unique_ptr<Epoll>> chain;
    for (int i = 0; i < 6; ++i)
        chain.push_back(std::make_unique<Epoll>());
    for (int i = 0; i + 2 < 6; ++i)
        CHECK(chain[i + 1]->add(chain[i]->fd(), EPOLLIN) == 0);
    CHECK(chain[5]->add(chain[4]->fd(), EPOLLIN) == -ELOOP);
    Pipe pipe;
    CHECK(chain[0]->add(pipe.out(), EPOLLIN) == 0);
    put(pipe, "x");
    CHECK(poll_one(chain[4]->fd(), POLLIN) == POLLIN);
}

LINUX_TEST(signals) {
    static std::atomic<int> heard;
    heard = 0;
    struct sigaction action{};
    action.sa_handler = [](int) { ++heard; };
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
    Epoll epoll;
    Pipe pipe;
    CHECK(epoll.add(pipe.out(), EPOLLIN, 1) == 0);
    const pthread_t self = pthread_self();
    std::atomic<bool> stop{false};
    std::thread sender([&] {
        do {
            wait_until_blocked();
            pthread_kill(self, SIGUSR1);
        } while (!stop);
    });
    epoll_event event{};
    EXPECT(-EINTR, SYS_epoll_wait, epoll.fd(), &event, 1, -1);
    stop = true;
    sender.join();
    sigset_t block, none, now;
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, nullptr);
    heard = 0;
    raise(SIGUSR1);
    EXPECT(-EINTR, SYS_epoll_pwait, epoll.fd(), &event, 1, -1, &none, 8);
    CHECK(heard == 1);
    raise(SIGUSR1);
    EXPECT(-EINTR, SYS_epoll_pwait2, epoll.fd(), &event, 1, nullptr, &none, 8);
    CHECK(heard == 2);
    raise(SIGUSR1);
    put(pipe, "x");
    EXPECT(1, SYS_epoll_pwait, epoll.fd(), &event, 1, -1, &none, 8); // what is ready comes first
    CHECK(heard == 2);
    sigprocmask(SIG_BLOCK, nullptr, &now);
    CHECK(sigismember(&now, SIGUSR1) == 1);
    sigprocmask(SIG_UNBLOCK, &block, nullptr);
    CHECK(heard == 3);
    EXPECT(-EINVAL, SYS_epoll_pwait, epoll.fd(), &event, 1, 0, &none, 7);
    EXPECT(-EFAULT, SYS_epoll_pwait, epoll.fd(), &event, 1, 0, 8, 8);
    take(pipe, 1);
    timespec time{0, 10'000'000};
    EXPECT(0, SYS_epoll_pwait2, epoll.fd(), &event, 1, &time, nullptr, 8);
    time = {0, 1'000'000'000};
    EXPECT(-EINVAL, SYS_epoll_pwait2, epoll.fd(), &event, 1, &time, nullptr, 8);
    EXPECT(-EFAULT, SYS_epoll_pwait2, epoll.fd(), &event, 1, 8, nullptr, 8);
    signal(SIGUSR1, SIG_DFL);
}

LINUX_TEST(what_cannot_be_written_is_told_again) {
    Epoll epoll;
    Pipe pipe;
    CHECK(epoll.add(pipe.out(), EPOLLIN | EPOLLET, 1) == 0);
    put(pipe, "x");
    EXPECT(-EFAULT, SYS_epoll_wait, epoll.fd(), 8, 1, 0);
    TOLD("1:1", epoll.told());
}

LINUX_TEST(several_threads_share_the_events) {
    constexpr int kEvents = 2000, kThreads = 4;
    Epoll epoll;
    const int event = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
    CHECK(epoll.add(event, EPOLLIN, 1) == 0);
    std::atomic<int> taken{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
            epoll_event got{};
            while (taken < kEvents) {
                if (epoll_wait(epoll.fd(), &got, 1, 100) != 1) continue;
                eventfd_t value = 0;
                if (eventfd_read(event, &value) == 0) ++taken;
            }
        });
    }
    for (int i = 0; i < kEvents; ++i)
        eventfd_write(event, 1);
    for (auto& thread : threads)
        thread.join();
    CHECK(taken == kEvents);
    close(event);
}

} // namespace

int main() { return run_all("epoll"); }
