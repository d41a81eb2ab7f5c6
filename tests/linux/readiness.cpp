// poll, ppoll, select and pselect6: what is ready, what wakes a wait, masks, times, arguments.
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <vector>

#include "tests/linux/test.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

std::atomic<int> heard{0};
void hear(int signal_number) {
    struct sigaction action{};
    action.sa_handler = [](int) { ++heard; };
    sigaction(signal_number, &action, nullptr);
    heard = 0;
}

LINUX_TEST(poll_of_a_pipe) {
    Pipe pipe;
    CHECK(poll_one(pipe.out(), POLLIN | POLLOUT) == 0);
    CHECK(poll_one(pipe.in(), POLLIN | POLLOUT) == POLLOUT);
    CHECK(poll_one(pipe.in(), POLLOUT | POLLWRNORM) == (POLLOUT | POLLWRNORM));
    CHECK(write(pipe.in(), "x", 1) == 1);
    CHECK(poll_one(pipe.out(), POLLIN | POLLRDNORM | POLLPRI) == (POLLIN | POLLRDNORM));
    CHECK(poll_one(pipe.out(), 0) == 0);
    CHECK(poll_one(-1, POLLIN) == 0);
    CHECK(poll_one(999, 0) == POLLNVAL);
}

LINUX_TEST(poll_wakes) {
    Pipe pipe, other;
    for (int round = 0; round < 20; ++round) {
        std::thread writer([&] {
            if (round % 2 == 0) wait_until_blocked();
            CHECK(write(pipe.in(), "x", 1) == 1);
        });
        pollfd entries[] = {{other.out(), POLLIN, 7}, {pipe.out(), POLLIN, 7}};
        EXPECT(1, SYS_poll, entries, 2, -1);
        CHECK(entries[0].revents == 0 && entries[1].revents == POLLIN);
        writer.join();
        char byte = 0;
        CHECK(read(pipe.out(), &byte, 1) == 1);
    }
    std::thread closer([&] {
        wait_until_blocked();
        pipe.close_in();
    });
    pollfd entry{pipe.out(), 0, 0};
    EXPECT(1, SYS_poll, &entry, 1, 60'000);
    CHECK(entry.revents == POLLHUP);
    closer.join();
}

LINUX_TEST(poll_times) {
    Pipe pipe;
    pollfd entry{pipe.out(), POLLIN, 9};
    const auto before = Clock::now();
    EXPECT(0, SYS_poll, &entry, 1, 30);
    CHECK(Clock::now() - before >= 30ms && entry.revents == 0);
    EXPECT(0, SYS_poll, nullptr, 0, 5);
    EXPECT(-EFAULT, SYS_poll, nullptr, 1, 0);
    EXPECT(-EFAULT, SYS_ppoll, &entry, 1, 8, nullptr, 8);
    const timespec bad[] = {{0, 1'000'000'000}, {-1, 0}, {0, -1}};
    for (const timespec& time : bad) {
        timespec copy = time;
        EXPECT(-EINVAL, SYS_ppoll, &entry, 1, &copy, nullptr, 8);
    }
    // The kernel's own call writes back what is left.
    timespec time{100, 5};
    CHECK(write(pipe.in(), "x", 1) == 1);
    EXPECT(1, SYS_ppoll, &entry, 1, &time, nullptr, 8);
    CHECK(time.tv_sec == 99 || time.tv_sec == 100);
    char byte = 0;
    CHECK(read(pipe.out(), &byte, 1) == 1);
    time = {0, 20'000'000};
    EXPECT(0, SYS_ppoll, &entry, 1, &time, nullptr, 8);
    CHECK(time.tv_sec == 0 && time.tv_nsec == 0);
}

LINUX_TEST(as_many_as_there_may_be) {
    Pipe pipe;
    std::vector<pollfd> entries(1024, pollfd{pipe.in(), POLLOUT, 0});
    if (on_aios()) {
        EXPECT(1024, SYS_poll, entries.data(), 1024, 0);
        EXPECT(-EINVAL, SYS_poll, entries.data(), 1025, 0);
    } else {
        EXPECT(1000, SYS_poll, entries.data(), 1000, 0);
    }
    for (pollfd& entry : entries)
        entry = {-1, POLLIN, 5};
    entries[700] = {pipe.out(), POLLIN, 0};
    std::thread writer([&] {
        wait_until_blocked();
        CHECK(write(pipe.in(), "x", 1) == 1);
    });
    EXPECT(1, SYS_poll, entries.data(), 1000, -1);
    CHECK(entries[700].revents == POLLIN && entries[0].revents == 0);
    writer.join();
    // The same file many times over.
    char byte = 0;
    CHECK(read(pipe.out(), &byte, 1) == 1);
    for (int i = 0; i < 50; ++i)
        entries[static_cast<std::size_t>(i)] = {pipe.out(), POLLIN, 0};
    std::thread second([&] {
        wait_until_blocked();
        CHECK(write(pipe.in(), "x", 1) == 1);
    });
    EXPECT(51, SYS_poll, entries.data(), 1000, -1);
    second.join();
}

LINUX_TEST(a_descriptor_that_is_closed_meanwhile) {
    Pipe pipe;
    const int twin = dup(pipe.out());
    std::thread closer([&] {
        wait_until_blocked();
        close(twin);
        CHECK(write(pipe.in(), "x", 1) == 1);
    });
    pollfd entry{twin, POLLIN, 0};
    EXPECT(1, SYS_poll, &entry, 1, 60'000); // the file is what is waited for
    closer.join();
}

LINUX_TEST(signals_end_a_wait) {
    hear(SIGUSR1);
    struct sigaction action{};
    action.sa_handler = [](int) { ++heard; };
    action.sa_flags = SA_RESTART; // makes no difference to these
    sigaction(SIGUSR1, &action, nullptr);
    Pipe pipe;
    const pthread_t self = pthread_self();
    for (int which = 0; which < 4; ++which) {
        std::atomic<bool> stop{false};
        std::thread sender([&] {
            do {
                wait_until_blocked();
                pthread_kill(self, SIGUSR1);
            } while (!stop);
        });
        pollfd entry{pipe.out(), POLLIN, 0};
        fd_set set;
        FD_ZERO(&set);
        FD_SET(pipe.out(), &set);
        const long before = heard;
        long result = 0;
        if (which == 0) result = raw(SYS_poll, &entry, 1, -1);
        if (which == 1) result = raw(SYS_ppoll, &entry, 1, nullptr, nullptr, 8);
        if (which == 2) result = raw(SYS_select, pipe.out() + 1, &set, nullptr, nullptr, nullptr);
        if (which == 3) result = raw(SYS_pselect6, pipe.out() + 1, &set, nullptr, nullptr, nullptr, nullptr);
        stop = true;
        sender.join();
        CHECK(result == -EINTR && heard > before);
        if (which >= 2) CHECK(FD_ISSET(pipe.out(), &set)); // as it was
    }
    signal(SIGUSR1, SIG_DFL);
}

LINUX_TEST(ppoll_lets_a_signal_through) {
    hear(SIGUSR1);
    sigset_t block, none, now;
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, nullptr);
    raise(SIGUSR1);
    CHECK(heard == 0);
    Pipe pipe;
    pollfd entry{pipe.out(), POLLIN, 0};
    timespec none_at_all{0, 0};
    EXPECT(-EINTR, SYS_ppoll, &entry, 1, &none_at_all, &none, 8); // also without waiting
    CHECK(heard == 1);
    sigprocmask(SIG_BLOCK, nullptr, &now);
    CHECK(sigismember(&now, SIGUSR1) == 1);
    raise(SIGUSR1);
    EXPECT(-EINTR, SYS_ppoll, &entry, 1, nullptr, &none, 8);
    CHECK(heard == 2);
    // What is ready comes first; the signal stays for later.
    raise(SIGUSR1);
    CHECK(write(pipe.in(), "x", 1) == 1);
    EXPECT(1, SYS_ppoll, &entry, 1, nullptr, &none, 8);
    CHECK(heard == 2);
    sigprocmask(SIG_BLOCK, nullptr, &now);
    CHECK(sigismember(&now, SIGUSR1) == 1);
    sigprocmask(SIG_UNBLOCK, &block, nullptr);
    CHECK(heard == 3);
    EXPECT(-EINVAL, SYS_ppoll, &entry, 1, nullptr, &none, 7);
    EXPECT(-EFAULT, SYS_ppoll, &entry, 1, nullptr, 8, 8);
    signal(SIGUSR1, SIG_DFL);
}

LINUX_TEST(select_of_pipes) {
    Pipe pipe, gone;
    gone.close_in();
    fd_set in, out, except;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&except);
    FD_SET(pipe.out(), &in);
    FD_SET(gone.out(), &in); // an end is something to read
    FD_SET(pipe.in(), &out);
    FD_SET(pipe.out(), &except);
    EXPECT(2, SYS_select, 64, &in, &out, &except, nullptr);
    CHECK(!FD_ISSET(pipe.out(), &in) && FD_ISSET(gone.out(), &in) && FD_ISSET(pipe.in(), &out));
    CHECK(!FD_ISSET(pipe.out(), &except));
    // A descriptor counts once for each set.
    CHECK(write(pipe.in(), "x", 1) == 1);
    Pipe full;
    FD_ZERO(&in);
    FD_ZERO(&out);
    const int event = eventfd(1, 0);
    FD_SET(event, &in);
    FD_SET(event, &out);
    EXPECT(2, SYS_select, event + 1, &in, &out, nullptr, nullptr);
    close(event);
    // A write end without a reader is ready to fail.
    full.close_out();
    FD_ZERO(&in);
    FD_SET(full.in(), &in);
    EXPECT(1, SYS_select, full.in() + 1, &in, nullptr, nullptr, nullptr);
}

LINUX_TEST(select_arguments) {
    Pipe pipe;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pipe.out(), &set);
    timeval time{0, 30'000};
    const auto before = Clock::now();
    EXPECT(0, SYS_select, pipe.out() + 1, &set, nullptr, nullptr, &time);
    CHECK(Clock::now() - before >= 30ms && time.tv_sec == 0 && time.tv_usec == 0 && !FD_ISSET(pipe.out(), &set));
    time = {0, 1'500'000}; // more than a second of microseconds
    FD_SET(pipe.in(), &set);
    EXPECT(1, SYS_select, pipe.in() + 1, nullptr, &set, nullptr, &time);
    CHECK(time.tv_sec == 1);
    time = {0, -1};
    EXPECT(-EINVAL, SYS_select, 0, nullptr, nullptr, nullptr, &time);
    EXPECT(-EINVAL, SYS_select, -1, nullptr, nullptr, nullptr, nullptr);
    EXPECT(-EFAULT, SYS_select, 1, 8, nullptr, nullptr, nullptr);
    EXPECT(-EFAULT, SYS_select, 0, nullptr, nullptr, nullptr, 8);
    FD_ZERO(&set);
    FD_SET(60, &set);
    EXPECT(-EBADF, SYS_select, 61, &set, nullptr, nullptr, nullptr);
    time = {0, 0};
    EXPECT(0, SYS_select, 60, &set, nullptr, nullptr, &time); // not among those that are asked for
    // The sets are as wide as was asked, in whole words; but no wider than a table of descriptors that stayed small.
    const int high = fcntl(pipe.out(), F_DUPFD, 100);
    CHECK(high >= 100);
    auto* const pages =
        static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    munmap(pages + 4096, 4096);
    EXPECT(0, SYS_select, 64, pages + 4096 - 8, nullptr, nullptr, &time);
    EXPECT(-EFAULT, SYS_select, 65, pages + 4096 - 8, nullptr, nullptr, &time);
    munmap(pages, 4096);
    close(high);
}

LINUX_TEST(pselect_lets_a_signal_through) {
    hear(SIGUSR1);
    sigset_t block, none;
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, nullptr);
    raise(SIGUSR1);
    Pipe pipe;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pipe.out(), &set);
    const struct {
        const void* mask;
        std::size_t bytes;
    } own{&none, 8}, wrong{&none, 4}, no_mask{nullptr, 0};
    timespec time{0, 1'000'000};
    EXPECT(-EINVAL, SYS_pselect6, pipe.out() + 1, &set, nullptr, nullptr, nullptr, &wrong);
    EXPECT(-EFAULT, SYS_pselect6, pipe.out() + 1, &set, nullptr, nullptr, nullptr, 8);
    EXPECT(0, SYS_pselect6, pipe.out() + 1, &set, nullptr, nullptr, &time, &no_mask);
    CHECK(heard == 0);
    FD_SET(pipe.out(), &set);
    EXPECT(-EINTR, SYS_pselect6, pipe.out() + 1, &set, nullptr, nullptr, nullptr, &own);
    CHECK(heard == 1);
    sigprocmask(SIG_UNBLOCK, &block, nullptr);
    signal(SIGUSR1, SIG_DFL);
}

} // namespace

int main() { return run_all("readiness"); }
