// What a process says of itself and of how it is to run: scheduling, nice values, prctl, personality.
#include <csignal>
#include <cstdint>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "tests/linux/child.hpp"

using namespace linux_test;

LINUX_TEST(policies_are_checked_kept_and_told) {
    CHECK_IN_CHILD([] {
        sched_param parameter{};
        HOLDS(sched_getscheduler(0) == SCHED_OTHER && sched_getparam(0, &parameter) == 0);
        parameter.sched_priority = 1;
        HOLDS(sched_setscheduler(0, SCHED_OTHER, &parameter) == -1 && errno == EINVAL);
        HOLDS(sched_setscheduler(0, 77, &parameter) == -1 && errno == EINVAL);
        HOLDS(sched_setscheduler(1 << 21, SCHED_FIFO, &parameter) == -1 && errno == ESRCH);
        parameter.sched_priority = 0;
        HOLDS(sched_setscheduler(0, SCHED_BATCH, &parameter) == 0 && sched_getscheduler(0) == SCHED_BATCH);
        HOLDS(sched_get_priority_max(SCHED_FIFO) == 99 && sched_get_priority_min(SCHED_RR) == 1);
        HOLDS(sched_get_priority_max(SCHED_OTHER) == 0 && sched_get_priority_max(9) == -1 && errno == EINVAL);
        HOLDS(raw(SYS_sched_getparam, 0, nullptr) == -EINVAL && raw(SYS_sched_setparam, -1, &parameter) == -EINVAL);
        timespec slice{};
        HOLDS(sched_rr_get_interval(0, &slice) == 0 && sched_rr_get_interval(1 << 21, &slice) == -1 && errno == ESRCH);
        return in_child([] { return sched_getscheduler(0) == SCHED_BATCH ? 0 : __LINE__; });
    });
}

LINUX_TEST(attributes_are_one_structure) {
    CHECK_IN_CHILD([] {
        struct {
            std::uint32_t size, policy;
            std::uint64_t flags;
            std::int32_t nice;
            std::uint32_t priority;
            std::uint64_t runtime, deadline, period;
        } attributes{48, SCHED_BATCH, 0, 5, 0, 0, 0, 0};
        HOLDS(raw(SYS_sched_setattr, 0, &attributes, 0) == 0);
        attributes = {};
        HOLDS(raw(SYS_sched_getattr, 0, &attributes, 48, 0) == 0);
        HOLDS(attributes.size == 48 && attributes.policy == SCHED_BATCH && attributes.nice == 5);
        HOLDS(raw(SYS_sched_getattr, 0, &attributes, 8, 0) == -EINVAL);
        HOLDS(raw(SYS_sched_setattr, 0, nullptr, 0) == -EINVAL && raw(SYS_sched_setattr, 0, &attributes, 1) == -EINVAL);
        return 0;
    });
}

LINUX_TEST(nice_values_go_up_for_all_and_down_for_root) {
    CHECK_IN_CHILD([] {
        HOLDS(setpriority(PRIO_PROCESS, 0, 5) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
        HOLDS(raw(SYS_getpriority, PRIO_PROCESS, 0) == 15);
        HOLDS(setpriority(PRIO_PROCESS, 0, 100) == 0 && getpriority(PRIO_PROCESS, 0) == 19);
        HOLDS(raw(SYS_getpriority, 9, 0) == -EINVAL && raw(SYS_getpriority, PRIO_PROCESS, 1 << 21) == -ESRCH);
        HOLDS(setresuid(4242, 4242, 4242) == 0);
        HOLDS(setpriority(PRIO_PROCESS, 0, 0) == -1 && (errno == EACCES || errno == EPERM));
        return 0;
    });
}

LINUX_TEST(processors_are_chosen_among_those_there_are) {
    CHECK_IN_CHILD([] {
        cpu_set_t set;
        CPU_ZERO(&set);
        HOLDS(sched_setaffinity(0, sizeof(set), &set) == -1 && errno == EINVAL);
        CPU_SET(0, &set);
        HOLDS(sched_setaffinity(0, sizeof(set), &set) == 0);
        cpu_set_t told;
        HOLDS(sched_getaffinity(0, sizeof(told), &told) == 0 && CPU_COUNT(&told) == 1 && CPU_ISSET(0, &told));
        HOLDS(raw(SYS_sched_getaffinity, 0, 4, &told) == -EINVAL);
        unsigned cpu = 99, node = 99;
        HOLDS(raw(SYS_getcpu, &cpu, &node, nullptr) == 0 && cpu < 64 && node == 0);
        return 0;
    });
}

LINUX_TEST(prctl_keeps_what_was_said) {
    CHECK_IN_CHILD([] {
        int signal_number = -1;
        HOLDS(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0 && prctl(PR_GET_PDEATHSIG, &signal_number) == 0);
        HOLDS(signal_number == SIGUSR1 && prctl(PR_SET_PDEATHSIG, 65) == -1 && errno == EINVAL);
        HOLDS(prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0);
        HOLDS(prctl(PR_SET_DUMPABLE, 3) == -1 && errno == EINVAL);
        HOLDS(prctl(PR_SET_TIMERSLACK, 1234) == 0 && prctl(PR_GET_TIMERSLACK) == 1234);
        HOLDS(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == -1 && errno == EINVAL);
        HOLDS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
        HOLDS(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0 && prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1);
        HOLDS(prctl(-7) == -1 && errno == EINVAL);
        HOLDS(personality(0xffffffff) == 0 && personality(ADDR_NO_RANDOMIZE) == 0);
        HOLDS(personality(0xffffffff) == ADDR_NO_RANDOMIZE);
        return 0;
    });
}

LINUX_TEST(a_child_hears_of_its_parents_death) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t parent = fork();
    if (parent == 0) {
        if (fork() == 0) {
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGUSR1);
            sigprocmask(SIG_BLOCK, &set, nullptr);
            prctl(PR_SET_PDEATHSIG, SIGUSR1);
            [[maybe_unused]] ssize_t told = write(ends[1], "r", 1); // ready
            const int got = sigwaitinfo(&set, nullptr);
            told = write(ends[1], got == SIGUSR1 ? "y" : "n", 1);
            _exit(0);
        }
        pause();
    }
    char byte = 0;
    CHECK(read(ends[0], &byte, 1) == 1 && byte == 'r');
    CHECK(kill(parent, SIGKILL) == 0 && waitpid(parent, nullptr, 0) == parent);
    CHECK(read(ends[0], &byte, 1) == 1 && byte == 'y');
}

int main() { return run_all("descriptions"); }
