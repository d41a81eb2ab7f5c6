// Processes: fork, vfork, clone, execve, wait, exit status, signals between them, groups and sessions.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <time.h>
#include <vector>

#include "tests/linux/test.hpp"

using namespace linux_test;

extern char** environ;

namespace {

constexpr char kSelf[] = "/proc/self/exe";

// Runs `body` in a child, whose exit status it answers; the raw status of wait4 otherwise.
template <typename F>
int in_child(F&& body) {
    const pid_t child = fork();
    if (child == 0) _exit(body());
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

void pause_ms(long ms) {
    const timespec time{ms / 1000, ms % 1000 * 1'000'000};
    nanosleep(&time, nullptr);
}

LINUX_TEST(fork_and_wait) {
    const pid_t own = getpid();
    const pid_t child = fork();
    if (child == 0) _exit(getppid() == own && getpid() != own ? 42 : 1);
    int status = 0;
    rusage usage{};
    CHECK(wait4(child, &status, 0, &usage) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    EXPECT(-ECHILD, SYS_wait4, child, 0, 0, 0);
    EXPECT(-ECHILD, SYS_wait4, -1, 0, 0, 0);
}

LINUX_TEST(memory_is_copied) {
    std::vector<int> large(100'000, 7);
    static int small = 1;
    const int status = in_child([&] {
        for (int& value : large)
            value += 1;
        small = 2;
        return large[99'999] == 8 && small == 2 ? 0 : 1;
    });
    CHECK(status == 0 && small == 1);
    for (const int value : large) {
        if (value != 7) return failed("the child's write is the child's", __LINE__);
    }
}

LINUX_TEST(shared_memory_is_shared) {
    auto* word =
        static_cast<volatile int*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    CHECK(word != MAP_FAILED);
    CHECK(in_child([&] {
              *word = 5;
              return 0;
          }) == 0);
    CHECK(*word == 5);
}

LINUX_TEST(children_of_children) {
    CHECK(in_child([] { return in_child([] { return in_child([] { return 3; }) + 1; }) + 1; }) == 5);
}

LINUX_TEST(many_children) {
    constexpr int kMany = 60;
    int sum = 0, wanted = 0;
    for (int i = 0; i < kMany; ++i) {
        if (fork() == 0) _exit(i);
        wanted += i;
    }
    for (int i = 0; i < kMany; ++i) {
        int status = 0;
        CHECK(wait(&status) > 0);
        sum += WEXITSTATUS(status);
    }
    CHECK(sum == wanted);
    EXPECT(-ECHILD, SYS_wait4, -1, 0, WNOHANG, 0);
}

LINUX_TEST(registers_are_inherited) { // those of the vector unit too
    double value = 1.5;
    asm volatile("movsd %0, %%xmm13" : : "m"(value) : "xmm13");
    const long child = [] {
        long result;
        asm volatile("syscall" : "=a"(result) : "a"(SYS_fork) : "rcx", "r11", "memory");
        return result;
    }();
    double now = 0;
    asm volatile("movsd %%xmm13, %0" : "=m"(now));
    if (child == 0) _exit(now == value ? 0 : 1);
    int status = -1;
    waitpid(static_cast<pid_t>(child), &status, 0);
    CHECK(status == 0 && now == value);
}

LINUX_TEST(killed_by_signal) {
    for (const int signal : {SIGKILL, SIGTERM, SIGUSR1}) {
        const pid_t child = fork();
        if (child == 0) {
            for (;;)
                pause();
        }
        CHECK(kill(child, signal) == 0);
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signal);
        EXPECT(-ESRCH, SYS_kill, child, 0);
    }
}

LINUX_TEST(fault_ends_the_child_alone) {
    const pid_t child = fork();
    if (child == 0) *reinterpret_cast<volatile int*>(16) = 1;
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

LINUX_TEST(zombies) {
    const pid_t child = fork();
    if (child == 0) _exit(9);
    siginfo_t info{};
    CHECK(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
    CHECK(info.si_pid == child && info.si_status == 9 && info.si_code == CLD_EXITED && info.si_signo == SIGCHLD);
    CHECK(kill(child, 0) == 0); // it has a number still
    CHECK(kill(child, SIGKILL) == 0);
    int status = 0;
    CHECK(waitpid(child, &status, WNOHANG) == child && WEXITSTATUS(status) == 9);
    CHECK(kill(child, 0) == -1 && errno == ESRCH);
}

LINUX_TEST(wait_without_hanging) {
    const pid_t child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    int status = 77;
    CHECK(waitpid(child, &status, WNOHANG) == 0 && status == 77);
    siginfo_t info{};
    info.si_pid = 99;
    CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
    kill(child, SIGKILL);
    CHECK(waitpid(child, &status, 0) == child);
}

LINUX_TEST(bad_waits) {
    EXPECT(-ESRCH, SYS_wait4, INT32_MIN, 0, 0, 0);
    EXPECT(-EINVAL, SYS_wait4, -1, 0, 0x10, 0);
    EXPECT(-EINVAL, SYS_waitid, 7, 0, 0, WEXITED, 0);
    EXPECT(-EINVAL, SYS_waitid, P_ALL, 0, 0, 0, 0);
    EXPECT(-EINVAL, SYS_waitid, P_PID, 0, 0, WEXITED, 0);
    EXPECT(-ECHILD, SYS_wait4, 1 << 20, 0, 0, 0);
    const pid_t child = fork();
    if (child == 0) _exit(0);
    pause_ms(20);
    EXPECT(-EFAULT, SYS_wait4, child, 8, 0, 0); // the child is gone all the same
    EXPECT(-ECHILD, SYS_wait4, child, 0, 0, 0);
}

volatile sig_atomic_t g_children = 0;
volatile sig_atomic_t g_child_pid = 0, g_child_status = 0, g_child_code = 0;

LINUX_TEST(child_signal) {
    struct sigaction action{}, old{};
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
        g_children = g_children + 1;
        g_child_pid = info->si_pid;
        g_child_status = info->si_status;
        g_child_code = info->si_code;
    };
    sigaction(SIGCHLD, &action, &old);
    const pid_t child = fork();
    if (child == 0) _exit(6);
    while (g_children == 0)
        pause_ms(1);
    CHECK(g_child_pid == child && g_child_status == 6 && g_child_code == CLD_EXITED);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    sigaction(SIGCHLD, &old, nullptr);
}

LINUX_TEST(ignored_children_leave_no_zombies) {
    struct sigaction action{}, old{};
    action.sa_handler = SIG_IGN;
    sigaction(SIGCHLD, &action, &old);
    const pid_t child = fork();
    if (child == 0) _exit(6);
    EXPECT(-ECHILD, SYS_wait4, child, 0, 0, 0); // waits until it is gone
    sigaction(SIGCHLD, &old, nullptr);
}

volatile sig_atomic_t g_signals = 0;

LINUX_TEST(handlers_are_inherited) {
    struct sigaction action{};
    action.sa_handler = [](int) { g_signals = g_signals + 1; };
    sigaction(SIGUSR2, &action, nullptr);
    CHECK(in_child([] {
              raise(SIGUSR2);
              return static_cast<int>(g_signals);
          }) == 1);
    CHECK(g_signals == 0);
    signal(SIGUSR2, SIG_DFL);
}

LINUX_TEST(wait_is_interrupted) {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, nullptr);
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child == 0) {
        pause_ms(30);
        kill(parent, SIGUSR1);
        pause_ms(1000);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == -1 && errno == EINTR);
    kill(child, SIGKILL);
    CHECK(waitpid(child, &status, 0) == child);
    signal(SIGUSR1, SIG_DFL);
}

LINUX_TEST(stop_and_continue) {
    const pid_t child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    int status = 0;
    kill(child, SIGSTOP);
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CHECK(waitpid(child, &status, WUNTRACED | WNOHANG) == 0); // told once
    kill(child, SIGTERM);
    pause_ms(20);
    CHECK(waitpid(child, &status, WNOHANG) == 0); // what is stopped does not take it
    kill(child, SIGCONT);
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);

    const pid_t other = fork();
    if (other == 0) {
        for (;;)
            pause();
    }
    kill(other, SIGSTOP);
    CHECK(waitpid(other, &status, WUNTRACED) == other);
    kill(other, SIGCONT);
    CHECK(waitpid(other, &status, WCONTINUED) == other && WIFCONTINUED(status));
    kill(other, SIGSTOP);
    kill(other, SIGKILL); // also what is stopped
    do {
        CHECK(waitpid(other, &status, 0) == other);
    } while (!WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGKILL);
}

LINUX_TEST(groups_and_sessions) {
    CHECK(getpgid(0) == getpgrp() && getsid(0) == getsid(getpid())); // who leads it may be out of sight
    EXPECT(-ESRCH, SYS_getpgid, 1 << 20);
    EXPECT(-EINVAL, SYS_setpgid, 0, -1);
    const pid_t child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    CHECK(getpgid(child) == getpgrp());
    CHECK(setpgid(child, 0) == 0 && getpgid(child) == child);
    EXPECT(-EPERM, SYS_setpgid, child, 1 << 20);
    int status = 0;
    CHECK(kill(-child, SIGTERM) == 0);
    CHECK(waitpid(-child, &status, 0) == child && WTERMSIG(status) == SIGTERM);
    EXPECT(-ESRCH, SYS_kill, -child, 0);
    CHECK(in_child([] {
              const pid_t own = getpid();
              if (setsid() != own || getsid(0) != own || getpgrp() != own) return 1;
              if (setsid() != -1 || errno != EPERM) return 2;
              return setpgid(0, 0) == -1 && errno == EPERM ? 0 : 3;
          }) == 0);
}

LINUX_TEST(orphans_find_a_parent) {
    auto* parent =
        static_cast<volatile int*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    CHECK(raw(SYS_prctl, 36, 1, 0, 0, 0) == 0); // PR_SET_CHILD_SUBREAPER
    CHECK(in_child([&] {
              const pid_t middle = getpid();
              if (fork() == 0) {
                  while (getppid() == middle)
                      pause_ms(1);
                  parent[0] = getppid();
                  _exit(17);
              }
              return 0;
          }) == 0);
    int status = 0;
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 17 && parent[0] == getpid());
    raw(SYS_prctl, 36, 0, 0, 0, 0);
}

LINUX_TEST(vfork_shares_memory_and_waits) {
    static volatile int word = 0;
    const pid_t child = vfork();
    if (child == 0) {
        word = 1;
        _exit(4);
    }
    CHECK(word == 1);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 4);
}

LINUX_TEST(files_are_shared) {
    const int fd = open("/tmp/aios_processes", O_CREAT | O_RDWR | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK(in_child([&] { return write(fd, "child", 5) == 5 && close(fd) == 0 ? 0 : 1; }) == 0);
    CHECK(write(fd, "parent", 6) == 6); // at the position that the child left
    char text[16] = {};
    CHECK(pread(fd, text, 15, 0) == 11 && std::string(text) == "childparent");
    close(fd);
    unlink("/tmp/aios_processes");
}

LINUX_TEST(working_directories_are_own) {
    CHECK(chdir("/tmp") == 0);
    CHECK(in_child([] { return chdir("/"); }) == 0);
    char text[64];
    CHECK(std::string(getcwd(text, sizeof(text))) == "/tmp");
    CHECK(chdir("/") == 0);
}

LINUX_TEST(fork_with_threads) {
    std::atomic<bool> stop{false};
    std::thread other([&] {
        while (!stop)
            pause_ms(1);
    });
    CHECK(in_child([] { return 8; }) == 8); // only the caller is there
    stop = true;
    other.join();
}

// --- execve: this program again, with an argument that says what to do ---

int run_self(std::vector<const char*> arguments, std::vector<const char*> environment = {}, const char* path = kSelf) {
    arguments.push_back(nullptr);
    environment.push_back(nullptr);
    return in_child([&] {
        execve(path, const_cast<char* const*>(arguments.data()), const_cast<char* const*>(environment.data()));
        return 200 + (errno & 31);
    });
}

LINUX_TEST(execve_passes_arguments) {
    CHECK(run_self({"self", "status", "33"}) == 33);
    CHECK(run_self({"name", "count", "a", "", "b c"}, {"X=1", "Y=two"}) == 5 * 10 + 2);
    CHECK(run_self({"self", "environment"}, {"AIOS_TEST=yes"}) == 0);
}

LINUX_TEST(execve_large_arguments) {
    std::string large(100'000, 'x');
    CHECK(run_self({"self", "length", large.c_str()}) == 100'000 % 251);
    std::vector<const char*> many(10'000, "argument");
    many[0] = "self";
    many[1] = "count";
    CHECK(run_self(many) == (10'000 * 10) % 256);
    const std::string too_large(140'000, 'x');
    CHECK(run_self({"self", too_large.c_str()}) == 200 + E2BIG);
}

LINUX_TEST(execve_errors) {
    const char* none[] = {nullptr};
    EXPECT(-ENOENT, SYS_execve, "/no/such/program", none, none);
    EXPECT(-ENOENT, SYS_execve, "", none, none);
    EXPECT(-EFAULT, SYS_execve, 8, none, none);
    EXPECT(-EFAULT, SYS_execve, kSelf, 8, none);
    EXPECT(-EACCES, SYS_execve, "/", none, none);
    const int fd = open("/tmp/aios_not_a_program", O_CREAT | O_RDWR | O_TRUNC, 0600);
    CHECK(write(fd, "text", 4) == 4);
    EXPECT(-EACCES, SYS_execve, "/tmp/aios_not_a_program", none, none);
    CHECK(fchmod(fd, 0700) == 0);
    close(fd);
    EXPECT(-ENOEXEC, SYS_execve, "/tmp/aios_not_a_program", none, none);
    EXPECT(-ENOTDIR, SYS_execve, "/tmp/aios_not_a_program/x", none, none);
    unlink("/tmp/aios_not_a_program");
}

LINUX_TEST(execve_keeps_and_resets) {
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, [](int) {});
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    const int kept = open("/dev/null", O_RDONLY);
    const int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const std::string a = std::to_string(kept), b = std::to_string(closed);
    CHECK(run_self({"self", "state", a.c_str(), b.c_str()}) == 0);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
    close(kept);
    close(closed);
}

LINUX_TEST(execve_keeps_the_number) {
    const pid_t child = fork();
    if (child == 0) {
        const std::string own = std::to_string(getpid());
        execl(kSelf, "self", "pid", own.c_str(), nullptr);
        _exit(1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

LINUX_TEST(execve_ends_other_threads) {
    CHECK(in_child([] {
              std::thread([] {
                  for (;;)
                      pause_ms(10);
              }).detach();
              std::thread([] {
                  execl(kSelf, "self", "threads", nullptr);
                  _exit(1);
              }).join();
              return 2;
          }) == 0);
}

LINUX_TEST(vfork_and_execve) {
    const pid_t child = vfork();
    if (child == 0) {
        execl(kSelf, "self", "status", "21", nullptr);
        _exit(1);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 21);
    pid_t spawned = 0;
    char self[] = "self", what[] = "status", value[] = "22";
    char* const arguments[] = {self, what, value, nullptr};
    CHECK(posix_spawn(&spawned, kSelf, nullptr, nullptr, arguments, environ) == 0);
    CHECK(waitpid(spawned, &status, 0) == spawned && WEXITSTATUS(status) == 22);
    CHECK(posix_spawn(&spawned, "/no/such", nullptr, nullptr, arguments, environ) == ENOENT);
}

LINUX_TEST(scripts) {
    const int fd = open("/tmp/aios_script", O_CREAT | O_WRONLY | O_TRUNC, 0700);
    const std::string text = "#! /proc/self/exe  script \nanything\n";
    CHECK(write(fd, text.data(), text.size()) == static_cast<long>(text.size()));
    close(fd);
    // What it gets: the interpreter as written, its argument, the script's path, the caller's arguments but the first.
    const int status = run_self({"ignored", "one", "two"}, {}, "/tmp/aios_script");
    if (status != 5) failed("arguments", __LINE__, std::to_string(status));
    unlink("/tmp/aios_script");
}

LINUX_TEST(execveat_of_a_descriptor) {
    CHECK(in_child([] {
              const int fd = open(kSelf, O_RDONLY | O_CLOEXEC);
              const char* arguments[] = {"self", "status", "44", nullptr};
              const char* none[] = {nullptr};
              raw(SYS_execveat, fd, "", arguments, none, AT_EMPTY_PATH);
              return 1;
          }) == 44);
}

LINUX_TEST(fork_in_a_loop) {
    for (int i = 0; i < 100; ++i) {
        if (in_child([&] { return i & 127; }) != (i & 127)) return failed("status", __LINE__, std::to_string(i));
    }
}

// --- what the program does when it was executed by a test ---

int count_of(char** list) {
    int count = 0;
    while (list[count] != nullptr)
        ++count;
    return count;
}

int as_child(int argc, char** argv) {
    const std::string what = argv[1];
    if (what == "status") return std::atoi(argv[2]);
    if (what == "count") return (argc * 10 + count_of(environ)) % 256;
    if (what == "environment") return std::string(std::getenv("AIOS_TEST")) == "yes" ? 0 : 1;
    if (what == "length") return static_cast<int>(std::strlen(argv[2]) % 251);
    if (what == "pid") return std::atoi(argv[2]) == getpid() && getpid() == raw(SYS_gettid) ? 0 : 1;
    if (what == "threads") return raw(SYS_tgkill, getpid(), raw(SYS_gettid), 0) == 0 ? 0 : 1;
    if (what == "script") {
        const bool right = argc == 5 && std::string(argv[0]) == kSelf && std::string(argv[2]) == "/tmp/aios_script" &&
                           std::string(argv[3]) == "one" && std::string(argv[4]) == "two";
        return right ? argc : 1;
    }
    if (what == "state") {
        struct sigaction action{};
        sigaction(SIGUSR1, nullptr, &action);
        if (action.sa_handler != SIG_IGN) return 1;
        sigaction(SIGUSR2, nullptr, &action);
        if (action.sa_handler != SIG_DFL) return 2;
        sigset_t set;
        sigprocmask(SIG_BLOCK, nullptr, &set);
        if (sigismember(&set, SIGALRM) != 1) return 3;
        if (fcntl(std::atoi(argv[2]), F_GETFD) != 0) return 4;
        return fcntl(std::atoi(argv[3]), F_GETFD) == -1 && errno == EBADF ? 0 : 5;
    }
    return 99;
}

} // namespace

int main(int argc, char** argv) {
    if (argc > 1) return as_child(argc, argv);
    return run_all("processes");
}
