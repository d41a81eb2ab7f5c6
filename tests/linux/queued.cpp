// Real-time signals: each is kept with its value, in order, up to a limit; threads, descriptors, timers, execve.
#include <csignal>
#include <ctime>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <thread>
#include <vector>

#include "tests/linux/child.hpp"

namespace {

using namespace linux_test;

class Blocked {
public:
    Blocked() {
        sigemptyset(&set);
        for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal)
            sigaddset(&set, signal);
        sigaddset(&set, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &set, &before_);
    }
    ~Blocked() {
        const timespec now{};
        while (sigtimedwait(&set, nullptr, &now) > 0) {
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    sigset_t set{};

private:
    sigset_t before_{};
};

int queue(int signal, int value) {
    sigval what{};
    what.sival_int = value;
    return sigqueue(getpid(), signal, what);
}
// The value of the next one, if it is `signal`; else minus its number. -1000: there is none.
int take(const sigset_t& set, int signal) {
    siginfo_t info{};
    const timespec now{};
    const int got = sigtimedwait(&set, &info, &now);
    if (got < 0) return -1000;
    if (got != signal) return -got;
    if (info.si_code != SI_QUEUE || info.si_pid != getpid() || info.si_uid != getuid()) return -2000;
    return info.si_value.sival_int;
}

// The C library tells SI_TKILL as SI_USER.
int take_raw(const sigset_t& set, siginfo_t& info) {
    const timespec now{};
    return static_cast<int>(raw(SYS_rt_sigtimedwait, &set, &info, &now, 8));
}

LINUX_TEST(the_lowest_first_each_in_order) {
    const Blocked blocked;
    const int low = SIGRTMIN + 1, high = SIGRTMIN + 5;
    CHECK(queue(high, 1) == 0 && queue(low, 2) == 0 && queue(high, 3) == 0 && queue(low, 4) == 0);
    CHECK(queue(SIGRTMAX, 5) == 0 && queue(SIGUSR1, 6) == 0 && queue(SIGUSR1, 7) == 0);
    CHECK(take(blocked.set, SIGUSR1) == 6); // one deep, and the first stays
    CHECK(take(blocked.set, low) == 2);
    CHECK(take(blocked.set, low) == 4);
    sigset_t pending{};
    sigpending(&pending);
    CHECK(!sigismember(&pending, low) && sigismember(&pending, high) && sigismember(&pending, SIGRTMAX));
    CHECK(take(blocked.set, high) == 1);
    CHECK(take(blocked.set, high) == 3);
    CHECK(take(blocked.set, SIGRTMAX) == 5);
    CHECK(take(blocked.set, high) == -1000);
}

LINUX_TEST(kill_queues_too) {
    const Blocked blocked;
    for (int i = 0; i < 3; ++i)
        CHECK(kill(getpid(), SIGRTMIN) == 0);
    for (int i = 0; i < 2; ++i)
        CHECK(raw(SYS_tgkill, getpid(), gettid(), SIGRTMIN) == 0);
    int counted = 0, of_thread = 0;
    siginfo_t info{};
    while (take_raw(blocked.set, info) == SIGRTMIN) {
        ++counted;
        of_thread += info.si_code == SI_TKILL ? 1 : 0;
        CHECK(info.si_pid == getpid());
    }
    CHECK(counted == 5 && of_thread == 2);
}

std::vector<int> g_values;
void note(int, siginfo_t* info, void*) { g_values.push_back(info->si_value.sival_int); }

LINUX_TEST(handlers_get_each) {
    const int signal = SIGRTMIN + 2;
    struct sigaction action{}, before{};
    action.sa_sigaction = note;
    action.sa_flags = SA_SIGINFO;
    sigaction(signal, &action, &before);
    g_values.clear();
    g_values.reserve(64);
    {
        const Blocked blocked;
        for (int i = 0; i < 40; ++i)
            CHECK(queue(signal, i) == 0);
        sigset_t one{};
        sigemptyset(&one);
        sigaddset(&one, signal);
        pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
        CHECK(g_values.size() == 40);
        for (std::size_t i = 0; i < g_values.size(); ++i)
            CHECK(g_values[i] == static_cast<int>(i));
    }
    sigaction(signal, &before, nullptr);
}

LINUX_TEST(there_is_a_limit) {
    CHECK_IN_CHILD([] {
        const Blocked blocked;
        const rlimit limit{24, 24};
        HOLDS(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
        int made = 0;
        while (made < 1000 && queue(SIGRTMIN + 3, made) == 0)
            ++made;
        HOLDS(made >= 1 && made <= 24 && errno == EAGAIN);
        HOLDS(kill(getpid(), SIGRTMIN + 4) == 0); // without its record
        HOLDS(queue(SIGUSR1, 1) == 0);
        HOLDS(raw(SYS_tgkill, getpid(), gettid(), SIGRTMIN + 4) == -EAGAIN);
        siginfo_t info{};
        const timespec now{};
        HOLDS(sigtimedwait(&blocked.set, &info, &now) == SIGUSR1);
        HOLDS(take(blocked.set, SIGRTMIN + 3) == 0);
        HOLDS(queue(SIGRTMIN + 3, made) == 0); // there is room again
        for (int i = 1; i <= made; ++i)
            HOLDS(take(blocked.set, SIGRTMIN + 3) == i);
        HOLDS(sigtimedwait(&blocked.set, &info, &now) == SIGRTMIN + 4 && info.si_code == SI_USER);
        HOLDS(sigtimedwait(&blocked.set, &info, &now) == -1);
        return 0;
    });
}

LINUX_TEST(threads_have_their_own) {
    const Blocked blocked;
    std::vector<int> got;
    int ready[2];
    CHECK(pipe(ready) == 0);
    std::thread other([&] {
        char byte;
        (void)!read(ready[0], &byte, 1);
        siginfo_t info{};
        const timespec time{5, 0};
        while (got.size() < 6 && sigtimedwait(&blocked.set, &info, &time) == SIGRTMIN + 6)
            got.push_back(info.si_value.sival_int);
    });
    sigval value{};
    for (int i = 0; i < 6; ++i) {
        value.sival_int = i;
        CHECK(pthread_sigqueue(other.native_handle(), SIGRTMIN + 6, value) == 0);
    }
    sigset_t pending{};
    sigpending(&pending);
    CHECK(!sigismember(&pending, SIGRTMIN + 6));
    CHECK(write(ready[1], "", 1) == 1);
    other.join();
    CHECK((got == std::vector<int>{0, 1, 2, 3, 4, 5}));
    close(ready[0]);
    close(ready[1]);
}

LINUX_TEST(descriptors_tell_values) {
    const Blocked blocked;
    const int fd = signalfd(-1, &blocked.set, SFD_NONBLOCK);
    CHECK(queue(SIGRTMIN + 1, 11) == 0 && queue(SIGRTMIN + 1, 12) == 0);
    signalfd_siginfo info[4]{};
    CHECK(read(fd, info, sizeof info) == 2 * sizeof info[0]);
    for (int i = 0; i < 2; ++i) {
        CHECK(info[i].ssi_signo == static_cast<unsigned>(SIGRTMIN + 1) && info[i].ssi_code == SI_QUEUE);
        CHECK(info[i].ssi_int == 11 + i && info[i].ssi_pid == static_cast<unsigned>(getpid()));
        CHECK(info[i].ssi_uid == getuid());
    }
    CHECK(read(fd, info, sizeof info) == -1 && errno == EAGAIN);
    close(fd);
}

// Two timers with one signal: each tells, and counts what expired while its own waited.
LINUX_TEST(timers_stand_beside_each_other) {
    const Blocked blocked;
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN + 7;
    int ids[2]{};
    for (int i = 0; i < 2; ++i) {
        event.sigev_value.sival_int = 100 + i;
        EXPECT(0, SYS_timer_create, CLOCK_MONOTONIC, &event, &ids[i]);
        const itimerspec every{{0, 1'000'000}, {0, 1'000'000}};
        EXPECT(0, SYS_timer_settime, ids[i], 0, &every, nullptr);
    }
    usleep(60'000);
    const itimerspec never{};
    for (const int id : ids)
        EXPECT(0, SYS_timer_settime, id, 0, &never, nullptr);
    int seen = 0;
    siginfo_t info{};
    const timespec now{};
    for (int i = 0; i < 2 && sigtimedwait(&blocked.set, &info, &now) == SIGRTMIN + 7; ++i) {
        CHECK(info.si_code == SI_TIMER);
        seen |= 1 << (info.si_value.sival_int - 100);
    }
    CHECK(seen == 0 || seen == 3); // later Linux drops what a timer that was set again had sent
    for (int i = 0; i < 2; ++i) {
        const itimerspec every{{0, 1'000'000}, {0, 1'000'000}};
        EXPECT(0, SYS_timer_settime, ids[i], 0, &every, nullptr);
    }
    usleep(60'000);
    seen = 0;
    for (int i = 0; i < 2; ++i) {
        CHECK(sigwaitinfo(&blocked.set, &info) == SIGRTMIN + 7);
        seen |= 1 << (info.si_value.sival_int - 100);
        CHECK(info.si_overrun >= 1);
    }
    CHECK(seen == 3);
    for (const int id : ids)
        EXPECT(0, SYS_timer_delete, id);
}

// To the thread that is named, while it ends.
LINUX_TEST(a_timers_thread_may_end) {
    const Blocked blocked;
    int id = 0;
    std::thread other([&] {
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = SIGRTMIN + 7;
        event._sigev_un._tid = gettid();
        CHECK(raw(SYS_timer_create, CLOCK_MONOTONIC, &event, &id) == 0);
        const itimerspec every{{0, 100'000}, {0, 100'000}};
        CHECK(raw(SYS_timer_settime, id, 0, &every, nullptr) == 0);
        siginfo_t info{};
        CHECK(sigwaitinfo(&blocked.set, &info) == SIGRTMIN + 7 && info.si_code == SI_TIMER);
        usleep(5'000);
    });
    other.join();
    usleep(5'000);
    EXPECT(0, SYS_timer_delete, id);
    CHECK(take(blocked.set, SIGRTMIN + 7) == -1000);
}

LINUX_TEST(what_is_ignored_is_dropped) {
    const Blocked blocked;
    const int signal = SIGRTMIN + 8;
    for (int i = 0; i < 100; ++i)
        CHECK(queue(signal, i) == 0 && raw(SYS_tgkill, getpid(), gettid(), signal) == 0);
    CHECK(queue(signal + 1, 7) == 0);
    struct sigaction action{}, before{};
    action.sa_handler = SIG_IGN;
    sigaction(signal, &action, &before);
    sigset_t pending{};
    sigpending(&pending);
    CHECK(!sigismember(&pending, signal));
    CHECK(take(blocked.set, signal + 1) == 7);
    sigaction(signal, &before, nullptr);
}

// Signals that are ignored do not make a wait longer.
LINUX_TEST(a_wait_ends_in_time) {
    struct sigaction action{}, before{};
    action.sa_handler = SIG_IGN;
    sigaction(SIGUSR2, &action, &before);
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child == 0) {
        while (kill(parent, SIGUSR2) == 0)
            usleep(20'000);
        _exit(0);
    }
    sigset_t none{};
    const timespec time{0, 200'000'000};
    CHECK(sigtimedwait(&none, nullptr, &time) == -1 && errno == EAGAIN);
    kill(child, SIGKILL);
    CHECK(waitpid(child, nullptr, 0) == child);
    sigaction(SIGUSR2, &before, nullptr);
}

volatile sig_atomic_t g_faults = 0;
void count_fault(int) { g_faults = g_faults + 1; }

// The stack of a handler cannot be written: that is a fault, which another handler takes.
LINUX_TEST(a_frame_that_does_not_fit) {
    CHECK_IN_CHILD([] {
        void* stack = mmap(nullptr, 65'536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        const stack_t where{stack, 0, 65'536};
        struct sigaction action{};
        action.sa_handler = count_fault;
        HOLDS(sigaltstack(&where, nullptr) == 0 && sigaction(SIGSEGV, &action, nullptr) == 0);
        action.sa_flags = SA_ONSTACK;
        HOLDS(sigaction(SIGUSR1, &action, nullptr) == 0);
        HOLDS(raise(SIGUSR1) == 0 && g_faults == 1);
        const pid_t child = fork();
        if (child == 0) {
            signal(SIGSEGV, SIG_DFL);
            raise(SIGUSR1);
            _exit(0);
        }
        int status = 0;
        HOLDS(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
        return 0;
    });
}

// A child has none of them, a new program all.
LINUX_TEST(fork_and_execve) {
    CHECK_IN_CHILD([] {
        const Blocked blocked;
        for (int i = 0; i < 20; ++i)
            HOLDS(queue(SIGRTMIN + 9, i) == 0);
        for (int i = 0; i < 20; ++i)
            HOLDS(raw(SYS_tgkill, getpid(), gettid(), SIGRTMIN + 9) == 0);
        HOLDS(in_child([&] { return take(blocked.set, SIGRTMIN + 9) == -1000 ? 0 : 1; }) == 0);
        const char* arguments[] = {"/proc/self/exe", "count", nullptr};
        execv("/proc/self/exe", const_cast<char**>(arguments));
        return __LINE__;
    });
}

// In a new program: 0 if they came as they were sent.
int count_after_execve() {
    const Blocked blocked;
    int of_process = 0, of_thread = 0;
    siginfo_t info{};
    while (take_raw(blocked.set, info) == SIGRTMIN + 9) {
        if (info.si_code == SI_QUEUE && info.si_value.sival_int == of_process) ++of_process;
        if (info.si_code == SI_TKILL) ++of_thread;
    }
    return of_process == 20 && of_thread == 20 ? 0 : 1;
}

// Many that nobody takes, of processes that end.
LINUX_TEST(floods_end) {
    for (int round = 0; round < 5; ++round) {
        CHECK_IN_CHILD([] {
            const Blocked blocked;
            int made = 0;
            while (made < 3000 && queue(SIGRTMIN + made % 20, made) == 0)
                ++made;
            HOLDS(made > 1000);
            _exit(0);
        });
    }
}

// Many senders to one who takes.
LINUX_TEST(from_many_threads) {
    const Blocked blocked;
    std::vector<std::thread> senders;
    for (int i = 0; i < 4; ++i) {
        senders.emplace_back([i] {
            for (int n = 0; n < 200; ++n) {
                while (queue(SIGRTMIN + 10, i << 16 | n) != 0)
                    usleep(100);
            }
        });
    }
    int next[4]{};
    siginfo_t info{};
    const timespec time{10, 0};
    for (int n = 0; n < 800; ++n) {
        if (sigtimedwait(&blocked.set, &info, &time) != SIGRTMIN + 10) break;
        const int value = info.si_value.sival_int;
        CHECK(next[value >> 16] == (value & 0xffff));
        ++next[value >> 16];
    }
    for (std::thread& sender : senders)
        sender.join();
    CHECK(next[0] == 200 && next[1] == 200 && next[2] == 200 && next[3] == 200);
}

} // namespace

int main(int count, char** values) {
    if (count > 1 && std::strcmp(values[1], "count") == 0) return count_after_execve();
    return run_all("queued");
}
