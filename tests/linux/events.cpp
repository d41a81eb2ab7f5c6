// Descriptors of events: eventfd, timerfd, signalfd.
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <vector>

#include "tests/linux/test.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

LINUX_TEST(event_counts) {
    const int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
    std::uint64_t value = 0;
    CHECK(poll_one(fd, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
    EXPECT(8, SYS_read, fd, &value, 8);
    CHECK(value == 3);
    EXPECT(-EAGAIN, SYS_read, fd, &value, 8);
    CHECK(poll_one(fd, POLLIN | POLLOUT) == POLLOUT);
    EXPECT(-EINVAL, SYS_read, fd, &value, 7);
    EXPECT(-EINVAL, SYS_write, fd, &value, 7);
    EXPECT(-EFAULT, SYS_write, fd, 8, 8);
    char room[64]{};
    value = 5;
    EXPECT(8, SYS_write, fd, &value, 8);
    value = 7;
    EXPECT(8, SYS_write, fd, &value, 8);
    EXPECT(8, SYS_read, fd, room, 64);
    CHECK(room[0] == 12);
    EXPECT(-EINVAL, SYS_eventfd2, 0, 2);
    struct stat info{};
    CHECK(fstat(fd, &info) == 0 && (info.st_mode & S_IFMT) == 0);
    EXPECT(-ESPIPE, SYS_pread64, fd, room, 8, 0);
    close(fd);
    const long old = raw(SYS_eventfd, 9);
    EXPECT(8, SYS_read, old, &value, 8);
    CHECK(value == 9);
    close(static_cast<int>(old));
}

LINUX_TEST(event_limits) {
    const int fd = eventfd(0, EFD_NONBLOCK);
    std::uint64_t value = ~0ull;
    EXPECT(-EINVAL, SYS_write, fd, &value, 8);
    value = ~0ull - 1;
    EXPECT(8, SYS_write, fd, &value, 8);
    CHECK(poll_one(fd, POLLIN | POLLOUT) == POLLIN);
    value = 1;
    EXPECT(-EAGAIN, SYS_write, fd, &value, 8);
    value = 0;
    EXPECT(8, SYS_write, fd, &value, 8);
    EXPECT(8, SYS_read, fd, &value, 8);
    CHECK(value == ~0ull - 1);
    value = ~0ull - 2;
    EXPECT(8, SYS_write, fd, &value, 8);
    CHECK(poll_one(fd, POLLOUT) == POLLOUT);
    close(fd);
}

LINUX_TEST(event_semaphore) {
    const int fd = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK);
    std::uint64_t value = 0;
    for (int i = 0; i < 3; ++i) {
        EXPECT(8, SYS_read, fd, &value, 8);
        CHECK(value == 1);
    }
    EXPECT(-EAGAIN, SYS_read, fd, &value, 8);
    close(fd);
}

LINUX_TEST(event_waits) {
    const int fd = eventfd(0, 0);
    std::atomic<std::uint64_t> sum{0};
    std::thread reader([&] {
        std::uint64_t value = 0;
        while (sum < 100 && read(fd, &value, 8) == 8)
            sum += value;
    });
    for (std::uint64_t i = 0; i < 100; ++i) {
        const std::uint64_t one = 1;
        CHECK(write(fd, &one, 8) == 8);
    }
    reader.join();
    CHECK(sum == 100);
    const std::uint64_t most = ~0ull - 1, one = 1;
    CHECK(write(fd, &most, 8) == 8);
    std::thread writer([&] { EXPECT(8, SYS_write, fd, &one, 8); });
    wait_until_blocked();
    std::uint64_t value = 0;
    EXPECT(8, SYS_read, fd, &value, 8);
    CHECK(value == most);
    writer.join();
    EXPECT(8, SYS_read, fd, &value, 8);
    CHECK(value == 1);
    close(fd);
}

LINUX_TEST(timer_arguments) {
    EXPECT(-EINVAL, SYS_timerfd_create, 77, 0);
    EXPECT(-EINVAL, SYS_timerfd_create, CLOCK_MONOTONIC, 1);
    EXPECT(-EINVAL, SYS_timerfd_create, CLOCK_PROCESS_CPUTIME_ID, 0);
    const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
    itimerspec spec{}, old{};
    EXPECT(-EFAULT, SYS_timerfd_settime, fd, 0, 8, nullptr);
    EXPECT(-EFAULT, SYS_timerfd_settime, 999, 0, 8, nullptr);
    EXPECT(-EINVAL, SYS_timerfd_settime, fd, 4, &spec, nullptr);
    EXPECT(-EBADF, SYS_timerfd_settime, 999, 0, &spec, nullptr);
    EXPECT(-EINVAL, SYS_timerfd_settime, STDOUT_FILENO, 0, &spec, nullptr);
    EXPECT(-EBADF, SYS_timerfd_gettime, 999, &spec);
    EXPECT(-EINVAL, SYS_timerfd_gettime, STDOUT_FILENO, &spec);
    EXPECT(-EFAULT, SYS_timerfd_gettime, fd, 8);
    spec.it_value.tv_nsec = 1'000'000'000;
    EXPECT(-EINVAL, SYS_timerfd_settime, fd, 0, &spec, nullptr);
    spec = {};
    spec.it_interval.tv_sec = -1;
    EXPECT(-EINVAL, SYS_timerfd_settime, fd, 0, &spec, nullptr);
    spec = {{0, 0}, {100, 0}};
    EXPECT(0, SYS_timerfd_settime, fd, 0, &spec, &old);
    CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
    EXPECT(0, SYS_timerfd_gettime, fd, &old);
    CHECK((old.it_value.tv_sec == 99 || old.it_value.tv_sec == 100) && old.it_interval.tv_sec == 0);
    std::uint64_t value = 0;
    EXPECT(-EAGAIN, SYS_read, fd, &value, 8);
    EXPECT(-EINVAL, SYS_read, fd, &value, 7);
    EXPECT(-EINVAL, SYS_write, fd, &value, 8);
    CHECK(poll_one(fd, POLLIN | POLLOUT) == 0);
    spec = {};
    EXPECT(0, SYS_timerfd_settime, fd, 0, &spec, &old);
    CHECK(old.it_value.tv_sec == 99 || old.it_value.tv_sec == 100);
    EXPECT(0, SYS_timerfd_gettime, fd, &old);
    CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
    close(fd);
}

LINUX_TEST(timer_fires) {
    for (const int clock : {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME}) {
        const int fd = timerfd_create(clock, 0);
        itimerspec spec{{0, 0}, {0, 10'000'000}};
        auto before = Clock::now();
        EXPECT(0, SYS_timerfd_settime, fd, 0, &spec, nullptr);
        std::uint64_t value = 0;
        EXPECT(8, SYS_read, fd, &value, 8);
        CHECK(value == 1 && Clock::now() - before >= 10ms);
        // Absolute.
        timespec now{};
        clock_gettime(clock, &now);
        spec.it_value = {now.tv_sec, now.tv_nsec + 20'000'000};
        if (spec.it_value.tv_nsec >= 1'000'000'000) {
            spec.it_value.tv_nsec -= 1'000'000'000;
            ++spec.it_value.tv_sec;
        }
        before = Clock::now();
        EXPECT(0, SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, nullptr);
        EXPECT(8, SYS_read, fd, &value, 8);
        CHECK(value == 1 && Clock::now() - before >= 15ms);
        // In the past: at once.
        spec.it_value = {1, 0};
        EXPECT(0, SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, &spec, nullptr);
        EXPECT(8, SYS_read, fd, &value, 8);
        CHECK(value == 1);
        close(fd);
    }
}

LINUX_TEST(timer_repeats) {
    const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    const itimerspec spec{{0, 5'000'000}, {0, 5'000'000}};
    EXPECT(0, SYS_timerfd_settime, fd, 0, &spec, nullptr);
    const auto before = Clock::now();
    std::this_thread::sleep_for(42ms);
    std::uint64_t value = 0;
    pollfd entry{fd, POLLIN, 0};
    EXPECT(1, SYS_poll, &entry, 1, 60'000);
    EXPECT(8, SYS_read, fd, &value, 8);
    const auto most = static_cast<std::uint64_t>((Clock::now() - before) / 5ms);
    CHECK(value >= 7 && value <= most + 1);
    itimerspec left{};
    EXPECT(0, SYS_timerfd_gettime, fd, &left);
    CHECK(left.it_interval.tv_nsec == 5'000'000 && left.it_value.tv_sec == 0 && left.it_value.tv_nsec <= 5'000'000 &&
          left.it_value.tv_nsec > 0);
    // Setting it again forgets what has fired.
    std::this_thread::sleep_for(15ms);
    const itimerspec later{{0, 0}, {100, 0}};
    EXPECT(0, SYS_timerfd_settime, fd, 0, &later, nullptr);
    CHECK(poll_one(fd, POLLIN) == 0);
    EXPECT(-EAGAIN, SYS_read, fd, &value, 8);
    close(fd);
}

LINUX_TEST(timer_in_epoll) {
    const int epoll = epoll_create1(0), fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = 5;
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    const itimerspec spec{{0, 2'000'000}, {0, 2'000'000}};
    EXPECT(0, SYS_timerfd_settime, fd, 0, &spec, nullptr);
    for (int i = 0; i < 10; ++i) {
        epoll_event got{};
        EXPECT(1, SYS_epoll_wait, epoll, &got, 1, 60'000);
        CHECK(got.data.u64 == 5 && got.events == EPOLLIN);
        std::uint64_t value = 0;
        EXPECT(8, SYS_read, fd, &value, 8);
    }
    // Without that it rests.
    epoll_event got{};
    EXPECT(1, SYS_epoll_wait, epoll, &got, 1, 60'000);
    EXPECT(0, SYS_epoll_wait, epoll, &got, 1, 20);
    close(fd);
    close(epoll);
}

sigset_t set_of(int first, int second = 0) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, first);
    if (second != 0) sigaddset(&set, second);
    return set;
}

LINUX_TEST(signal_arguments) {
    const sigset_t set = set_of(SIGUSR1);
    EXPECT(-EINVAL, SYS_signalfd4, -1, &set, 7, 0);
    EXPECT(-EFAULT, SYS_signalfd4, -1, 8, 8, 0);
    EXPECT(-EINVAL, SYS_signalfd4, -1, &set, 8, 1);
    EXPECT(-EBADF, SYS_signalfd4, 999, &set, 8, 0);
    EXPECT(-EINVAL, SYS_signalfd4, STDOUT_FILENO, &set, 8, 0);
    const long fd = raw(SYS_signalfd4, -1, &set, 8, SFD_CLOEXEC | SFD_NONBLOCK);
    CHECK(fcntl(static_cast<int>(fd), F_GETFD) == FD_CLOEXEC);
    signalfd_siginfo info{};
    EXPECT(-EINVAL, SYS_read, fd, &info, 127);
    EXPECT(-EAGAIN, SYS_read, fd, &info, 128);
    EXPECT(fd, SYS_signalfd4, fd, &set, 8, 0);
    close(static_cast<int>(fd));
    const long old = raw(SYS_signalfd, -1, &set, 8);
    CHECK(old >= 0);
    close(static_cast<int>(old));
}

LINUX_TEST(signals_are_read) {
    const sigset_t both = set_of(SIGUSR1, SIGUSR2), one = set_of(SIGUSR1), none{};
    sigprocmask(SIG_BLOCK, &both, nullptr);
    const int fd = signalfd(-1, &both, SFD_NONBLOCK);
    CHECK(poll_one(fd, POLLIN) == 0);
    kill(getpid(), SIGUSR2);
    raise(SIGUSR1);
    CHECK(poll_one(fd, POLLIN) == POLLIN);
    signalfd_siginfo info[3]{};
    EXPECT(256, SYS_read, fd, info, sizeof(info));
    CHECK(info[0].ssi_signo == SIGUSR1 && info[0].ssi_code == SI_TKILL);
    CHECK(info[1].ssi_signo == SIGUSR2 && info[1].ssi_code == SI_USER);
    CHECK(info[0].ssi_pid == static_cast<std::uint32_t>(getpid()) && info[1].ssi_uid == getuid());
    CHECK(poll_one(fd, POLLIN) == 0);
    // The mask of the descriptor counts, and can be changed.
    CHECK(signalfd(fd, &one, 0) == fd);
    kill(getpid(), SIGUSR2);
    CHECK(poll_one(fd, POLLIN) == 0);
    EXPECT(-EAGAIN, SYS_read, fd, info, 128);
    CHECK(signalfd(fd, &both, 0) == fd && poll_one(fd, POLLIN) == POLLIN);
    EXPECT(128, SYS_read, fd, info, 128);
    CHECK(info[0].ssi_signo == SIGUSR2);
    CHECK(signalfd(fd, &none, 0) == fd);
    close(fd);
    sigprocmask(SIG_UNBLOCK, &both, nullptr);
}

LINUX_TEST(a_signal_wakes_who_waits) {
    const sigset_t set = set_of(SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    const int fd = signalfd(-1, &set, 0), epoll = epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN;
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    for (int which = 0; which < 3; ++which) {
        std::thread sender([] {
            wait_until_blocked();
            kill(getpid(), SIGUSR1);
        });
        pollfd entry{fd, POLLIN, 0};
        if (which == 0) EXPECT(1, SYS_poll, &entry, 1, 60'000);
        if (which == 1) EXPECT(1, SYS_epoll_wait, epoll, &event, 1, 60'000);
        signalfd_siginfo info{};
        EXPECT(128, SYS_read, fd, &info, 128); // the last time it waits itself
        CHECK(info.ssi_signo == SIGUSR1);
        sender.join();
        EXPECT(0, SYS_epoll_wait, epoll, &event, 1, 0);
        CHECK(poll_one(fd, POLLIN) == 0);
    }
    close(fd);
    close(epoll);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

} // namespace

int main() { return run_all("events"); }
