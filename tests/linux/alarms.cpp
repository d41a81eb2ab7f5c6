// Timers that tell by a signal: setitimer, alarm, timer_create; what fork, exec and the end of a process make of them.
#include <atomic>
#include <csignal>
#include <ctime>
#include <pthread.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <vector>

#include "tests/linux/waiting.hpp"

namespace {

using namespace linux_test;

volatile sig_atomic_t g_count = 0, g_code = 0, g_value = 0, g_tid = 0;
void note(int, siginfo_t* info, void*) {
    g_count = g_count + 1;
    g_code = info->si_code;
    g_value = info->si_value.sival_int;
    g_tid = static_cast<int>(syscall(SYS_gettid));
}
class Handler {
public:
    explicit Handler(int signal) : signal_(signal) {
        struct sigaction action{};
        action.sa_sigaction = note;
        action.sa_flags = SA_SIGINFO;
        sigaction(signal, &action, &before_);
        g_count = 0;
    }
    ~Handler() { sigaction(signal_, &before_, nullptr); }

private:
    const int signal_;
    struct sigaction before_{};
};

long ns_now() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}
void wait_for_count(int least) {
    for (const long until = ns_now() + 60'000'000'000; g_count < least && ns_now() < until;)
        usleep(1000);
}
timer_t make_timer(int notify, int signal, int value = 0) {
    sigevent event{};
    event.sigev_notify = notify;
    event.sigev_signo = signal;
    event.sigev_value.sival_int = value;
    event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    int id = -1; // the kernel's number, not the C library's
    if (raw(SYS_timer_create, CLOCK_MONOTONIC, &event, &id) != 0) failed("timer_create", __LINE__);
    return reinterpret_cast<timer_t>(static_cast<long>(id));
}
int number(timer_t timer) { return static_cast<int>(reinterpret_cast<long>(timer)); }
void set(timer_t timer, long value_ns, long interval_ns = 0) {
    const itimerspec spec{{interval_ns / 1'000'000'000, interval_ns % 1'000'000'000},
                          {value_ns / 1'000'000'000, value_ns % 1'000'000'000}};
    EXPECT(0, SYS_timer_settime, number(timer), 0, &spec, nullptr);
}

LINUX_TEST(arguments) {
    itimerval value{};
    EXPECT(-EINVAL, SYS_getitimer, 3, &value);
    EXPECT(-EINVAL, SYS_getitimer, -1, &value);
    EXPECT(-EFAULT, SYS_getitimer, ITIMER_REAL, 8);
    EXPECT(-EFAULT, SYS_setitimer, ITIMER_REAL, 8, nullptr);
    value.it_value.tv_usec = 1'000'000;
    EXPECT(-EINVAL, SYS_setitimer, ITIMER_REAL, &value, nullptr);
    value.it_value = {-1, 0};
    EXPECT(-EINVAL, SYS_setitimer, ITIMER_REAL, &value, nullptr);
    int id = 0;
    sigevent event{};
    EXPECT(-EINVAL, SYS_timer_create, 77, nullptr, &id);
    EXPECT(-EFAULT, SYS_timer_create, CLOCK_MONOTONIC, 8, &id);
    EXPECT(-EFAULT, SYS_timer_create, CLOCK_MONOTONIC, nullptr, 8);
    event.sigev_notify = 9;
    EXPECT(-EINVAL, SYS_timer_create, CLOCK_MONOTONIC, &event, &id);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = 65;
    EXPECT(-EINVAL, SYS_timer_create, CLOCK_MONOTONIC, &event, &id);
    event.sigev_signo = 0;
    EXPECT(-EINVAL, SYS_timer_create, CLOCK_MONOTONIC, &event, &id);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGALRM;
    event._sigev_un._tid = 1'000'000;
    EXPECT(-EINVAL, SYS_timer_create, CLOCK_MONOTONIC, &event, &id);
    itimerspec spec{};
    EXPECT(-EINVAL, SYS_timer_settime, 0, 0, nullptr, nullptr);
    for (const int wrong : {-1, 4711, 0x7fffffff}) {
        EXPECT(-EINVAL, SYS_timer_settime, wrong, 0, &spec, nullptr);
        EXPECT(-EINVAL, SYS_timer_gettime, wrong, &spec);
        EXPECT(-EINVAL, SYS_timer_getoverrun, wrong);
        EXPECT(-EINVAL, SYS_timer_delete, wrong);
    }
}

LINUX_TEST(alarm_comes_once) {
    const Handler handler(SIGALRM);
    EXPECT(0, SYS_alarm, 1000);
    itimerval left{};
    EXPECT(0, SYS_getitimer, ITIMER_REAL, &left);
    CHECK(left.it_value.tv_sec >= 990 && left.it_value.tv_sec <= 1000);
    const long rest = raw(SYS_alarm, 0);
    CHECK(rest >= 990 && rest <= 1000);
    EXPECT(0, SYS_alarm, 0);
    const long begin = ns_now();
    itimerval soon{{0, 0}, {0, 20'000}};
    EXPECT(0, SYS_setitimer, ITIMER_REAL, &soon, nullptr);
    CHECK(pause() == -1 && errno == EINTR);
    CHECK(g_count == 1 && g_code == SI_KERNEL);
    CHECK(ns_now() - begin >= 20'000'000);
    EXPECT(0, SYS_getitimer, ITIMER_REAL, &left);
    CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0);
}

LINUX_TEST(an_interval_goes_on) {
    const Handler handler(SIGALRM);
    itimerval every{{0, 5'000}, {0, 1'000}}, before{};
    EXPECT(0, SYS_setitimer, ITIMER_REAL, &every, nullptr);
    wait_for_count(5);
    CHECK(g_count >= 5);
    EXPECT(0, SYS_setitimer, ITIMER_REAL, nullptr, &before);
    CHECK(before.it_interval.tv_usec == 5'000);
    const int last = g_count;
    usleep(30'000);
    CHECK(g_count == last);
}

LINUX_TEST(a_sleep_is_interrupted) {
    const Handler handler(SIGALRM);
    itimerval soon{{0, 0}, {0, 10'000}};
    EXPECT(0, SYS_setitimer, ITIMER_REAL, &soon, nullptr);
    const timespec time{30, 0};
    timespec rest{};
    CHECK(nanosleep(&time, &rest) == -1 && errno == EINTR);
    CHECK(rest.tv_sec >= 1);
    CHECK(g_count == 1);
}

LINUX_TEST(timers_of_ones_own) {
    const Handler handler(SIGUSR1);
    const timer_t timer = make_timer(SIGEV_SIGNAL, SIGUSR1, 4711);
    itimerspec left{};
    EXPECT(0, SYS_timer_gettime, number(timer), &left);
    CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
    set(timer, 1'000'000);
    wait_for_count(1);
    CHECK(g_count == 1 && g_code == SI_TIMER && g_value == 4711);
    set(timer, 1000'000'000'000, 7'000'000);
    EXPECT(0, SYS_timer_gettime, number(timer), &left);
    CHECK(left.it_value.tv_sec >= 900 && left.it_interval.tv_nsec == 7'000'000);
    const timer_t other = make_timer(SIGEV_NONE, 0);
    set(other, 1'000'000'000'000);
    EXPECT(0, SYS_timer_delete, number(timer));
    EXPECT(-EINVAL, SYS_timer_gettime, number(timer), &left);
    EXPECT(0, SYS_timer_gettime, number(other), &left);
    EXPECT(0, SYS_timer_delete, number(other));
    CHECK(g_count == 1);
}

LINUX_TEST(absolute_times) {
    const Handler handler(SIGUSR1);
    const timer_t timer = make_timer(SIGEV_SIGNAL, SIGUSR1);
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    itimerspec spec{};
    spec.it_value = {now.tv_sec, 1}; // is over: comes at once
    EXPECT(0, SYS_timer_settime, number(timer), TIMER_ABSTIME, &spec, nullptr);
    wait_for_count(1);
    CHECK(g_count == 1);
    EXPECT(0, SYS_timer_delete, number(timer));
}

// What expires while the signal waits is counted, and is one signal.
LINUX_TEST(overruns_are_counted) {
    const Handler handler(SIGUSR1);
    sigset_t set_of{}, old{};
    sigemptyset(&set_of);
    sigaddset(&set_of, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set_of, &old);
    const timer_t timer = make_timer(SIGEV_SIGNAL, SIGUSR1);
    set(timer, 1'000'000, 1'000'000);
    usleep(50'000);
    siginfo_t info{};
    CHECK(sigwaitinfo(&set_of, &info) == SIGUSR1 && info.si_code == SI_TIMER);
    CHECK(info.si_overrun >= 1); // some 49; an expiry that is put off counts late
    CHECK(raw(SYS_timer_getoverrun, number(timer)) >= 1);
    EXPECT(0, SYS_timer_delete, number(timer));
    sigprocmask(SIG_SETMASK, &old, nullptr);
    CHECK(g_count <= 1);
}

// The thread that is named gets it, though others do not block it.
LINUX_TEST(a_thread_is_told) {
    const Handler handler(SIGUSR1);
    std::atomic<int> tid{0};
    std::thread waits([&] {
        tid = static_cast<int>(syscall(SYS_gettid));
        const timer_t timer = make_timer(SIGEV_THREAD_ID, SIGUSR1);
        set(timer, 5'000'000);
        wait_for_count(1);
        raw(SYS_timer_delete, number(timer));
    });
    waits.join();
    CHECK(g_count == 1 && g_tid == tid);
}

// Of many threads that block it the one that does not is found.
LINUX_TEST(one_of_many_threads_takes_it) {
    const Handler handler(SIGUSR2);
    sigset_t set_of{}, old{};
    sigemptyset(&set_of);
    sigaddset(&set_of, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set_of, &old);
    std::atomic<bool> ends{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 40; ++i) {
        threads.emplace_back([&, i] {
            if (i == 37) pthread_sigmask(SIG_UNBLOCK, &set_of, nullptr);
            while (!ends)
                usleep(20'000);
        });
    }
    const timer_t timer = make_timer(SIGEV_SIGNAL, SIGUSR2);
    set(timer, 10'000'000);
    wait_for_count(1);
    CHECK(g_count == 1);
    ends = true;
    for (std::thread& thread : threads)
        thread.join();
    EXPECT(0, SYS_timer_delete, number(timer));
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

// How the C library would tell a thread: to the kernel it is a signal of the process.
LINUX_TEST(the_c_librarys_way) {
    const Handler handler(SIGUSR1);
    const timer_t timer = make_timer(SIGEV_THREAD, SIGUSR1, 12);
    set(timer, 1'000'000);
    wait_for_count(1);
    CHECK(g_count == 1 && g_value == 12);
    EXPECT(0, SYS_timer_delete, number(timer));
}

LINUX_TEST(a_child_inherits_none) {
    const Handler handler(SIGALRM);
    itimerval later{{0, 0}, {100, 0}};
    EXPECT(0, SYS_setitimer, ITIMER_REAL, &later, nullptr);
    const timer_t timer = make_timer(SIGEV_NONE, 0);
    const pid_t child = fork();
    if (child == 0) {
        itimerval left{};
        itimerspec spec{};
        const bool none = raw(SYS_getitimer, ITIMER_REAL, &left) == 0 && left.it_value.tv_sec == 0 &&
                          raw(SYS_timer_gettime, number(timer), &spec) == -EINVAL;
        _exit(none ? 0 : 1);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT(0, SYS_setitimer, ITIMER_REAL, nullptr, nullptr);
    EXPECT(0, SYS_timer_delete, number(timer));
}

// Nobody catches it: the process ends by it, even in a new program.
LINUX_TEST(it_ends_who_does_not_catch_it) {
    for (const bool replaced : {false, true}) {
        const pid_t child = fork();
        if (child == 0) {
            itimerval soon{{0, 0}, {0, 30'000}};
            setitimer(ITIMER_REAL, &soon, nullptr);
            const char* arguments[] = {"/proc/self/exe", "sleep", nullptr};
            if (replaced) execv("/proc/self/exe", const_cast<char**>(arguments));
            for (;;)
                pause();
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
    }
}

LINUX_TEST(a_descriptor_tells_of_it) {
    sigset_t set_of{}, old{};
    sigemptyset(&set_of);
    sigaddset(&set_of, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set_of, &old);
    const int fd = signalfd(-1, &set_of, 0);
    const timer_t timer = make_timer(SIGEV_SIGNAL, SIGUSR1, 77);
    set(timer, 1'000'000);
    signalfd_siginfo info{};
    CHECK(read(fd, &info, sizeof info) == sizeof info);
    CHECK(info.ssi_signo == SIGUSR1 && info.ssi_code == SI_TIMER && info.ssi_int == 77);
    close(fd);
    EXPECT(0, SYS_timer_delete, number(timer));
    sigprocmask(SIG_SETMASK, &old, nullptr);
}

LINUX_TEST(signals_are_waited_for) {
    sigset_t set_of{}, old{};
    sigemptyset(&set_of);
    sigaddset(&set_of, SIGUSR1);
    sigaddset(&set_of, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set_of, &old);
    siginfo_t info{};
    timespec time{0, 1'000'000};
    CHECK(sigtimedwait(&set_of, &info, &time) == -1 && errno == EAGAIN);
    time = {0, 1'000'000'000};
    CHECK(sigtimedwait(&set_of, &info, &time) == -1 && errno == EINVAL);
    kill(getpid(), SIGUSR2);
    CHECK(sigwaitinfo(&set_of, &info) == SIGUSR2 && info.si_code == SI_USER && info.si_pid == getpid());
    sigval value{};
    value.sival_int = 4711;
    CHECK(sigqueue(getpid(), SIGUSR1, value) == 0);
    CHECK(sigwaitinfo(&set_of, &info) == SIGUSR1 && info.si_code == SI_QUEUE && info.si_value.sival_int == 4711);
    // Sent while it waits, by a child.
    const pid_t child = fork();
    if (child == 0) {
        usleep(20'000);
        value.sival_int = 12;
        _exit(sigqueue(getppid(), SIGUSR1, value) == 0 ? 0 : 1);
    }
    CHECK(sigwaitinfo(&set_of, &info) == SIGUSR1 && info.si_pid == child && info.si_value.sival_int == 12);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    // Another signal's handler ends the wait, and is not what was waited for.
    const Handler handler(SIGALRM);
    itimerval soon{{0, 0}, {0, 20'000}};
    setitimer(ITIMER_REAL, &soon, nullptr);
    CHECK(sigwaitinfo(&set_of, &info) == -1 && errno == EINTR && g_count == 1);
    sigset_t now{};
    sigprocmask(SIG_SETMASK, &old, &now);
    CHECK(sigismember(&now, SIGUSR1) == 1 && sigismember(&now, SIGUSR2) == 1); // the mask is as it was
    siginfo_t false_info{};
    false_info.si_code = SI_USER;
    EXPECT(-EPERM, SYS_rt_sigqueueinfo, 1'000'000, SIGUSR1, &false_info);
    false_info.si_code = SI_QUEUE;
    EXPECT(-ESRCH, SYS_rt_sigqueueinfo, 1'000'000, SIGUSR1, &false_info);
    EXPECT(-EINVAL, SYS_rt_sigqueueinfo, getpid(), 65, &false_info);
    EXPECT(-EFAULT, SYS_rt_sigqueueinfo, getpid(), SIGUSR1, 8);
    EXPECT(-EINVAL, SYS_rt_sigtimedwait, &set_of, nullptr, nullptr, 4);
    EXPECT(-EFAULT, SYS_rt_sigtimedwait, 8, nullptr, nullptr, 8);
}

// As many as there may be, as fast as they can, in processes that end in the middle of it.
LINUX_TEST(storms_end) {
    for (int round = 0; round < 5; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            signal(SIGUSR1, SIG_IGN);
            sigevent event{};
            event.sigev_notify = SIGEV_SIGNAL;
            event.sigev_signo = SIGUSR1;
            int made = 0, id = 0;
            while (made < 1000 && raw(SYS_timer_create, CLOCK_MONOTONIC, &event, &id) == 0) {
                const itimerspec spec{{0, 1}, {0, 1}};
                raw(SYS_timer_settime, id, 0, &spec, nullptr);
                ++made;
            }
            _exit(made >= 100 ? 0 : 1);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

} // namespace

int main(int count, char** values) {
    if (count > 1 && std::strcmp(values[1], "sleep") == 0) {
        for (;;)
            pause();
    }
    return run_all("alarms");
}
