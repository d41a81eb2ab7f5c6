// What clone and clone3 take beside what threads and fork need: siblings, process descriptors, signals at the end.
#include <atomic>
#include <csignal>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/mman.h>

#include "tests/linux/child.hpp"

namespace {

using namespace linux_test;

struct Arguments { // struct clone_args, without what came later
    std::uint64_t flags = 0, pidfd = 0, child_tid = 0, parent_tid = 0, exit_signal = 0, stack = 0, stack_bytes = 0,
                  tls = 0;
};
long clone3(Arguments arguments) { return raw(SYS_clone3, &arguments, sizeof arguments); }
bool answers(long result) { return result != -ENOSYS; }

LINUX_TEST(refusals) {
    SKIP_UNLESS(answers(clone3({.flags = CLONE_SIGHAND})), "no clone3");
    CHECK(clone3({.flags = CLONE_SIGHAND}) == -EINVAL);
    CHECK(clone3({.flags = CLONE_THREAD}) == -EINVAL);
    CHECK(clone3({.flags = CLONE_VM | CLONE_SIGHAND | CLONE_CLEAR_SIGHAND}) == -EINVAL);
    CHECK(clone3({.flags = CLONE_DETACHED}) == -EINVAL);
    CHECK(clone3({.exit_signal = 65}) == -EINVAL);
    CHECK(clone3({.flags = CLONE_PARENT, .exit_signal = SIGCHLD}) == -EINVAL);
    CHECK(clone3({.stack = 4096}) == -EINVAL);
    CHECK(clone3({.stack_bytes = 4096}) == -EINVAL);
    EXPECT(-EINVAL, SYS_clone3, nullptr, 0);
    EXPECT(-EFAULT, SYS_clone3, nullptr, sizeof(Arguments));
    EXPECT(-EINVAL, SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, nullptr, nullptr, 0);
    EXPECT(-EINVAL, SYS_clone, CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, 0, nullptr, nullptr, 0);
}

LINUX_TEST(a_descriptor_of_the_child) {
    int fd = -1;
    const long child =
        clone3({.flags = CLONE_PIDFD, .pidfd = static_cast<std::uint64_t>(word(&fd)), .exit_signal = SIGCHLD});
    if (child == 0) _exit(7);
    SKIP_UNLESS(answers(child), "no clone3");
    CHECK(child > 0 && fd >= 0);
    pollfd entry{fd, POLLIN, 0};
    CHECK(poll(&entry, 1, 10'000) == 1 && (entry.revents & POLLIN) != 0);
    siginfo_t info{};
    CHECK(waitid(P_PIDFD, static_cast<id_t>(fd), &info, WEXITED) == 0 && info.si_pid == child && info.si_status == 7);
    close(fd);
    fd = -1;
    const long other = raw(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd, nullptr, 0);
    if (other == 0) _exit(0);
    CHECK(other > 0 && fd >= 0);
    int status = -1;
    CHECK(waitpid(static_cast<pid_t>(other), &status, 0) == other && status == 0);
    close(fd);
    EXPECT(-EFAULT, SYS_clone, CLONE_PIDFD | SIGCHLD, 0, 8, nullptr, 0);
}

// The child of a child that is a child of its parent.
LINUX_TEST(siblings) {
    int told[2];
    CHECK(pipe(told) == 0);
    const pid_t child = fork();
    if (child == 0) {
        const long sibling = raw(SYS_clone, CLONE_PARENT | SIGUSR2, 0, nullptr, nullptr, 0);
        if (sibling == 0) _exit(getppid() == 1 ? 3 : 5); // its parent is not 1 where that is not the test's
        if (sibling < 0) _exit(1);
        (void)!write(told[1], &sibling, sizeof sibling);
        _exit(waitpid(static_cast<pid_t>(sibling), nullptr, 0) == -1 && errno == ECHILD ? 0 : 2);
    }
    long sibling = 0;
    CHECK(read(told[0], &sibling, sizeof sibling) == sizeof sibling);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(waitpid(static_cast<pid_t>(sibling), &status, 0) == sibling && WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == (getpid() == 1 ? 3 : 5));
    close(told[0]);
    close(told[1]);
}

volatile sig_atomic_t g_signal = 0, g_child = 0;
void note(int signal, siginfo_t* info, void*) {
    g_signal = signal;
    g_child = info->si_pid;
}

LINUX_TEST(signals_at_the_end) {
    for (const int signal : {SIGUSR1, SIGRTMIN + 1, 0}) {
        struct sigaction action{}, before{};
        action.sa_sigaction = note;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        if (signal != 0) sigaction(signal, &action, &before);
        g_signal = 0;
        g_child = 0;
        const long child = raw(SYS_clone, signal, 0, nullptr, nullptr, 0);
        if (child == 0) _exit(4);
        int status = -1;
        if (signal != SIGCHLD) CHECK(waitpid(static_cast<pid_t>(child), &status, 0) == -1 && errno == ECHILD);
        CHECK(waitpid(static_cast<pid_t>(child), &status, __WALL) == child && WEXITSTATUS(status) == 4);
        for (int i = 0; i < 1000 && g_signal != signal; ++i)
            usleep(1000);
        CHECK(g_signal == signal);
        if (signal != 0) CHECK(g_child == child);
        if (signal != 0) sigaction(signal, &before, nullptr);
    }
}

// A child that shares the memory clears its word; one that has its own does not touch the parent's.
LINUX_TEST(words_that_are_cleared) {
    auto* words =
        static_cast<std::atomic<int>*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    auto* stack = static_cast<char*>(mmap(nullptr, 65'536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    words[0] = 77;
    // Through the C library's clone: a child with a stack of its own.
    const auto body = [](void*) -> int { return 0; };
    const int child =
        ::clone(body, stack + 65'536, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, nullptr, nullptr, nullptr,
                reinterpret_cast<pid_t*>(words)); // SAFETY: a word
    CHECK(child > 0);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(words[0] == 0);
    words[0] = 77;
    const long other = raw(SYS_clone, CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD, 0, nullptr, words, 0);
    if (other == 0) _exit(words[0] == getpid() ? 0 : 1);
    CHECK(waitpid(static_cast<pid_t>(other), &status, 0) == other && status == 0);
    CHECK(words[0] == 77);
    munmap(words, 4096);
    munmap(stack, 65'536);
}

} // namespace

int main() { return run_all("clones"); }
