// Timers, sleeps and limits that count CPU time, and the clocks of other processes and threads.
#include <atomic>
#include <csignal>
#include <ctime>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <thread>

#include "tests/linux/child.hpp"

namespace {

using namespace linux_test;

constexpr long kMillisecond = 1'000'000;

volatile sig_atomic_t g_count = 0, g_code = 0;
void note(int, siginfo_t* info, void*) {
    g_count = g_count + 1;
    g_code = info->si_code;
}
class Handler {
public:
    explicit Handler(int signal) : signal_(signal) {
        struct sigaction action{};
        action.sa_sigaction = note;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        sigaction(signal, &action, &before_);
        g_count = 0;
    }
    ~Handler() { sigaction(signal_, &before_, nullptr); }

private:
    const int signal_;
    struct sigaction before_{};
};

long ns_of(clockid_t clock) {
    timespec now{};
    if (clock_gettime(clock, &now) != 0) return -1;
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}
// Runs until the thread has used `ns` more, or `until()` holds.
template <typename F>
void burn(long ns, F&& until) {
    const long end = ns_of(CLOCK_THREAD_CPUTIME_ID) + ns;
    while (!until() && ns_of(CLOCK_THREAD_CPUTIME_ID) < end) {
        for (volatile int i = 0; i < 10'000;)
            i = i + 1;
    }
}
void burn(long ns) {
    burn(ns, [] { return false; });
}

void try_interval(int which, int signal) {
    const Handler handler(signal);
    itimerval every{{0, 10'000}, {0, 20'000}}, left{};
    const long begin = ns_of(CLOCK_PROCESS_CPUTIME_ID);
    EXPECT(0, SYS_setitimer, which, &every, nullptr);
    EXPECT(0, SYS_getitimer, which, &left);
    CHECK(left.it_interval.tv_usec == 10'000 && left.it_value.tv_sec == 0 && left.it_value.tv_usec > 0);
    CHECK(left.it_value.tv_usec <= 30'000);
    usleep(60'000); // does not count
    CHECK(g_count <= 1);
    burn(20'000 * kMillisecond, [] { return g_count >= 3; });
    CHECK(g_count >= 3 && g_code == SI_KERNEL);
    CHECK(ns_of(CLOCK_PROCESS_CPUTIME_ID) - begin >= 39 * kMillisecond);
    const itimerval never{};
    EXPECT(0, SYS_setitimer, which, &never, &left);
    CHECK(left.it_interval.tv_usec == 10'000);
    const int last = g_count;
    burn(30 * kMillisecond);
    CHECK(g_count == last);
}
LINUX_TEST(time_of_the_program) { try_interval(ITIMER_VIRTUAL, SIGVTALRM); }
LINUX_TEST(time_of_a_profile) { try_interval(ITIMER_PROF, SIGPROF); }

int make_timer(clockid_t clock, int signal) {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = signal;
    int id = -1;
    EXPECT(0, SYS_timer_create, clock, &event, &id);
    return id;
}

LINUX_TEST(timers_of_a_process_and_a_thread) {
    for (const clockid_t clock : {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID}) {
        const Handler handler(SIGUSR1);
        const int id = make_timer(clock, SIGUSR1);
        itimerspec spec{{0, 0}, {0, 30 * kMillisecond}}, left{};
        const long begin = ns_of(clock);
        EXPECT(0, SYS_timer_settime, id, 0, &spec, nullptr);
        EXPECT(0, SYS_timer_gettime, id, &left);
        CHECK(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 30 * kMillisecond);
        burn(20'000 * kMillisecond, [] { return g_count != 0; });
        CHECK(g_count == 1 && g_code == SI_TIMER);
        CHECK(ns_of(clock) - begin >= 30 * kMillisecond);
        EXPECT(0, SYS_timer_gettime, id, &left);
        CHECK(left.it_value.tv_nsec == 0);
        // At a time that is over.
        spec.it_value = {0, 1};
        EXPECT(0, SYS_timer_settime, id, TIMER_ABSTIME, &spec, nullptr);
        burn(5'000 * kMillisecond, [] { return g_count == 2; });
        CHECK(g_count == 2);
        EXPECT(0, SYS_timer_delete, id);
    }
}

// Time that other threads use counts for the process, not for this thread.
LINUX_TEST(threads_add_up) {
    const long own = ns_of(CLOCK_THREAD_CPUTIME_ID), all = ns_of(CLOCK_PROCESS_CPUTIME_ID);
    std::atomic<clockid_t> clock{0};
    std::atomic<bool> ends{false};
    std::thread other([&] {
        clockid_t its{};
        CHECK(pthread_getcpuclockid(pthread_self(), &its) == 0);
        burn(50 * kMillisecond);
        clock = its;
        while (!ends)
            usleep(1000);
    });
    while (clock == 0)
        usleep(1000);
    CHECK(ns_of(clock) >= 50 * kMillisecond);
    timespec resolution{};
    EXPECT(0, SYS_clock_getres, clock.load(), &resolution);
    CHECK(ns_of(CLOCK_PROCESS_CPUTIME_ID) - all >= 50 * kMillisecond);
    CHECK(ns_of(CLOCK_THREAD_CPUTIME_ID) - own < ns_of(CLOCK_PROCESS_CPUTIME_ID) - all);
    ends = true;
    other.join();
    for (int i = 0; i < 2000 && ns_of(clock) >= 0; ++i) // who is joined may not be gone yet
        usleep(1000);
    EXPECT(-EINVAL, SYS_clock_gettime, clock.load(), &resolution);
    CHECK(ns_of(CLOCK_PROCESS_CPUTIME_ID) - all >= 50 * kMillisecond); // it stays
}

LINUX_TEST(another_process) {
    int go[2];
    CHECK(pipe(go) == 0);
    const pid_t child = fork();
    if (child == 0) {
        burn(40 * kMillisecond);
        (void)!write(go[1], "", 1);
        for (;;)
            pause();
    }
    char byte;
    CHECK(read(go[0], &byte, 1) == 1);
    clockid_t clock{};
    CHECK(clock_getcpuclockid(child, &clock) == 0);
    const long used = ns_of(clock);
    CHECK(used >= 40 * kMillisecond && used < 20'000 * kMillisecond);
    usleep(30'000);
    CHECK(ns_of(clock) - used < 20 * kMillisecond); // it sleeps
    kill(child, SIGKILL);
    rusage usage{};
    CHECK(wait4(child, nullptr, 0, &usage) == child);
    CHECK(clock_getcpuclockid(child, &clock) == ESRCH || clock_getcpuclockid(child, &clock) == EINVAL);
    CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
    const long us =
        (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    CHECK(us >= 30'000);
    tms now{};
    CHECK(times(&now) != -1 && now.tms_cutime + now.tms_cstime >= 3);
    close(go[0]);
    close(go[1]);
}

LINUX_TEST(clocks_that_are_none) {
    timespec time{};
    const auto of = [](int number, int mark) { return (~number << 3) | mark; };
    EXPECT(-EINVAL, SYS_clock_gettime, of(4'000'000, 2), &time);
    EXPECT(-EINVAL, SYS_clock_gettime, of(4'000'000, 6), &time);
    EXPECT(-EINVAL, SYS_clock_gettime, of(getpid(), 3), &time);
    EXPECT(-EINVAL, SYS_clock_getres, of(4'000'000, 2), &time);
    EXPECT(0, SYS_clock_gettime, of(getpid(), 2), &time);
    EXPECT(0, SYS_clock_gettime, of(getpid(), 0), &time);
    EXPECT(0, SYS_clock_gettime, of(0, 2), &time);
    EXPECT(0, SYS_clock_gettime, of(gettid(), 6), &time);
    int id = 0;
    EXPECT(-EINVAL, SYS_timer_create, of(4'000'000, 2), nullptr, &id);
    EXPECT(-EINVAL, SYS_timer_create, of(4'000'000, 6), nullptr, &id);
    time = {0, 1};
    EXPECT(-EOPNOTSUPP, SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &time, nullptr);
    EXPECT(-EINVAL, SYS_clock_nanosleep, of(0, 6), 0, &time, nullptr);
    EXPECT(0, SYS_clock_gettime, CLOCK_TAI, &time);
}

// Who sleeps on the process's clock is woken by what another thread uses.
LINUX_TEST(a_sleep_on_the_clock) {
    std::atomic<bool> ends{false};
    std::thread other([&] { burn(60'000 * kMillisecond, [&] { return ends.load(); }); });
    const long begin = ns_of(CLOCK_PROCESS_CPUTIME_ID);
    const timespec time{0, 40 * kMillisecond};
    EXPECT(0, SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &time, nullptr);
    CHECK(ns_of(CLOCK_PROCESS_CPUTIME_ID) - begin >= 40 * kMillisecond);
    const timespec over{0, 1};
    EXPECT(0, SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &over, nullptr);
    ends = true;
    other.join();
}

LINUX_TEST(limits_of_time) {
    CHECK_IN_CHILD([] {
        const Handler handler(SIGXCPU);
        const rlimit limit{1, RLIM_INFINITY};
        HOLDS(setrlimit(RLIMIT_CPU, &limit) == 0);
        burn(30'000 * kMillisecond, [] { return g_count != 0; });
        HOLDS(g_count >= 1 && ns_of(CLOCK_PROCESS_CPUTIME_ID) >= 990 * kMillisecond);
        return 0;
    });
    // Nobody catches it; and what nobody can catch. Children have the limit, too.
    for (const bool is_hard : {false, true}) {
        const pid_t child = fork();
        if (child == 0) {
            const rlimit limit{1, is_hard ? 1 : RLIM_INFINITY};
            if (is_hard) signal(SIGXCPU, SIG_IGN);
            if (setrlimit(RLIMIT_CPU, &limit) != 0) _exit(1);
            const pid_t grandchild = fork();
            if (grandchild == 0) {
                burn(30'000 * kMillisecond);
                _exit(2);
            }
            int status = 0;
            waitpid(grandchild, &status, 0);
            _exit(WIFSIGNALED(status) ? WTERMSIG(status) : 3);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == (is_hard ? SIGKILL : SIGXCPU));
    }
}

// Many timers on a clock that stands still, of a process that ends.
LINUX_TEST(many_that_wait) {
    CHECK_IN_CHILD([] {
        int id = 0, made = 0;
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGUSR1;
        signal(SIGUSR1, SIG_IGN);
        while (made < 100 && raw(SYS_timer_create, CLOCK_PROCESS_CPUTIME_ID, &event, &id) == 0) {
            const itimerspec spec{{0, 1}, {0, 500 * kMillisecond}};
            HOLDS(raw(SYS_timer_settime, id, 0, &spec, nullptr) == 0);
            ++made;
        }
        HOLDS(made == 100);
        usleep(50'000);
        return 0;
    });
}

} // namespace

int main() { return run_all("cpu_timers"); }
