// Ill will with pipes, event descriptors and epoll files: as many as there may be, ends in the middle of everything, on
// several threads at once. The kernel stands, and all comes back: init.cpp compares the quota before and after.
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <vector>

#include "tests/linux/test.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

// Descriptors of one kind until there are no more; answers why.
template <typename F>
long hoard(std::vector<int>& fds, F&& make) {
    for (;;) {
        const long fd = make();
        if (fd < 0) return fd;
        if (fds.size() >= 1200) { // enough for a machine that is not ours
            close(static_cast<int>(fd));
            return -EMFILE;
        }
        fds.push_back(static_cast<int>(fd));
    }
}
void let_go(std::vector<int>& fds) {
    for (const int fd : fds)
        close(fd);
    fds.clear();
}
bool is_the_end(long error) { return error == -EMFILE || error == -ENOMEM || error == -ENFILE; }

LINUX_TEST(descriptors) {
    std::vector<int> fds;
    const auto pipes = [&]() -> long {
        int ends[2];
        const long result = raw(SYS_pipe2, ends, O_NONBLOCK);
        if (result < 0) return result;
        fds.push_back(ends[0]);
        return ends[1];
    };
    for (int round = 0; round < 3; ++round) {
        CHECK(is_the_end(hoard(fds, pipes)));
        CHECK(fds.size() >= 1000 || !on_aios());
        let_go(fds);
        CHECK(is_the_end(hoard(fds, [] { return raw(SYS_eventfd2, 0, 0); })));
        let_go(fds);
        CHECK(is_the_end(hoard(fds, [] { return raw(SYS_timerfd_create, CLOCK_MONOTONIC, 0); })));
        let_go(fds);
        CHECK(is_the_end(hoard(fds, [] { return raw(SYS_epoll_create1, 0); })));
        let_go(fds);
        const std::uint64_t mask = 0;
        CHECK(is_the_end(hoard(fds, [&] { return raw(SYS_signalfd4, -1, &mask, 8, 0); })));
        let_go(fds);
    }
    Pipe works;
}

LINUX_TEST(full_pipes) {
    SKIP_UNLESS(on_aios(), "takes the memory of the machine");
    struct sysinfo memory{};
    CHECK(sysinfo(&memory) == 0);
    SKIP_UNLESS(memory.freeram < 490ul << 20, "more memory than pipes can take");
    // Until the quota says no: an error, and not the end of the program.
    std::vector<int> fds;
    std::vector<char> much(1 << 20, 'x');
    long result = 0;
    for (int i = 0; i < 505 && result != -ENOMEM; ++i) {
        int ends[2];
        result = raw(SYS_pipe2, ends, O_NONBLOCK);
        if (result < 0) break;
        fds.push_back(ends[0]);
        fds.push_back(ends[1]);
        (void)fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
        result = raw(SYS_write, ends[1], much.data(), much.size());
        if (result < static_cast<long>(much.size())) result = raw(SYS_write, ends[1], much.data(), much.size());
    }
    CHECK(result == -ENOMEM);
    let_go(fds);
    Pipe works;
    CHECK(write(works.in(), much.data(), 1000) == 1000);
}

LINUX_TEST(a_pipe_in_many_epoll_files) {
    Pipe pipe;
    std::vector<int> epolls;
    long result = 0;
    for (int i = 0; i < 200 && result == 0; ++i) {
        epolls.push_back(epoll_create1(0));
        epoll_event event{};
        event.events = EPOLLIN;
        result = raw(SYS_epoll_ctl, epolls.back(), EPOLL_CTL_ADD, pipe.out(), &event);
    }
    if (on_aios()) CHECK(result == -ENOSPC && epolls.size() == 65);
    CHECK(write(pipe.in(), "x", 1) == 1);
    epoll_event got{};
    EXPECT(1, SYS_epoll_wait, epolls.front(), &got, 1, 0);
    EXPECT(1, SYS_epoll_wait, epolls[epolls.size() - 2], &got, 1, 0);
    if (on_aios()) EXPECT(0, SYS_epoll_wait, epolls.back(), &got, 1, 0); // no half-made entry
    let_go(epolls);
}

LINUX_TEST(a_thousand_entries_end) {
    // By the epoll file, and by the file that they watch.
    for (const bool epoll_first : {true, false}) {
        int epoll = epoll_create1(0);
        std::vector<int> fds;
        const int event = eventfd(1, 0);
        for (int i = 0; i < 60; ++i)
            fds.push_back(dup(event));
        (void)hoard(fds, [] { return raw(SYS_eventfd2, 1, 0); });
        std::size_t added = 0;
        for (const int fd : fds) {
            epoll_event wanted{};
            wanted.events = EPOLLIN;
            if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) == 0) ++added;
        }
        CHECK(added == fds.size());
        std::vector<epoll_event> got(2000);
        EXPECT(static_cast<long>(added), SYS_epoll_wait, epoll, got.data(), 1000 + (on_aios() ? 24 : 1000), 0);
        if (epoll_first) close(epoll);
        let_go(fds);
        close(event);
        if (!epoll_first) {
            EXPECT(0, SYS_epoll_wait, epoll, got.data(), 10, 0);
            close(epoll);
        }
    }
}

// Threads that make, use and close the same few descriptors without regard for each other.
LINUX_TEST(ends_in_the_middle) {
    constexpr int kThreads = 4, kRounds = 1500, kFirst = 100, kCount = 12;
    signal(SIGPIPE, SIG_IGN);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([t] {
            std::uint64_t state = 88172645463325252ull + static_cast<std::uint64_t>(t);
            const auto next = [&](std::uint64_t below) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                return static_cast<int>(state % below);
            };
            char room[5000]{};
            for (int i = 0; i < kRounds; ++i) {
                const int fd = kFirst + next(kCount), other = kFirst + next(kCount);
                epoll_event event{};
                event.events = EPOLLIN | (next(2) != 0 ? EPOLLET : 0u) | (next(2) != 0 ? EPOLLOUT : 0u) |
                               (next(3) == 0 ? EPOLLONESHOT : 0u);
                switch (next(12)) {
                case 0: {
                    int ends[2];
                    if (raw(SYS_pipe2, ends, O_NONBLOCK) != 0) break;
                    raw(SYS_dup2, ends[0], fd);
                    raw(SYS_dup2, ends[1], other);
                    close(ends[0]);
                    close(ends[1]);
                    break;
                }
                case 1:
                case 2: {
                    const long made = next(2) == 0 ? raw(SYS_epoll_create1, 0) : raw(SYS_eventfd2, 1, EFD_NONBLOCK);
                    if (made < 0) break;
                    raw(SYS_dup2, made, fd);
                    close(static_cast<int>(made));
                    break;
                }
                case 3:
                case 4:
                    raw(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, other, &event);
                    break;
                case 5:
                    raw(SYS_epoll_ctl, fd, next(2) != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_DEL, other, &event);
                    break;
                case 6: {
                    epoll_event got[4];
                    raw(SYS_epoll_wait, fd, got, 4, next(2));
                    break;
                }
                case 7: {
                    pollfd entries[3] = {{fd, POLLIN, 0}, {other, POLLOUT, 0}, {kFirst + next(kCount), POLLIN, 0}};
                    raw(SYS_poll, entries, 3, next(2));
                    break;
                }
                case 8:
                    close(fd);
                    break;
                case 9:
                case 10:
                    raw(SYS_write, fd, room, 8 + next(4900));
                    break;
                default:
                    raw(SYS_read, fd, room, 8 + next(4900));
                    break;
                }
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    for (int fd = kFirst; fd < kFirst + kCount; ++fd)
        close(fd);
    signal(SIGPIPE, SIG_DFL);
}

// What is left of these when the program ends, ends with it: threads in the middle of every wait.
LINUX_TEST(left_behind) {
    static Pipe empty, full;
    static const int event = eventfd(0, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0), epoll = epoll_create1(0);
    const itimerspec often{{0, 100'000}, {0, 100'000}};
    timerfd_settime(timer, 0, &often, nullptr);
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, empty.out(), &wanted) == 0);
    const auto forever = [](auto function) {
        std::thread([function] {
            for (;;)
                function();
        }).detach();
    };
    static char room[100'000];
    for (int i = 0; i < 2; ++i) {
        forever([] { raw(SYS_read, empty.out(), room, 10); });
        forever([] { raw(SYS_write, full.in(), room, sizeof(room)); });
        forever([] {
            char own[8];
            raw(SYS_read, event, own, 8);
        });
        forever([] {
            char own[8];
            raw(SYS_read, timer, own, 8);
        });
        forever([] {
            epoll_event got[4];
            raw(SYS_epoll_wait, epoll, got, 4, -1);
        });
        forever([] {
            pollfd entries[2] = {{empty.out(), POLLIN, 0}, {full.in(), POLLOUT, 0}};
            raw(SYS_poll, entries, 2, -1);
        });
    }
    wait_until_blocked();
}

} // namespace

int main() {
    const int status = run_all("hoards");
    std::fflush(stdout);
    _exit(status); // with all threads where they are
}
