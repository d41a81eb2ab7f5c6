// What the calls that have nothing to do with files refuse, and with which error: Linux's own, for arguments that are
// wrong in one way each. And what a program is told at its start.
#include <ctime>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/times.h>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

constexpr long kNobody = 0x3fff'fff0; // no process has this number
long on_stack_result, signals_seen = 0;
stack_t seen_on_stack;

void on_other_stack(int) {
    stack_t wanted{};
    wanted.ss_flags = SS_DISABLE;
    on_stack_result = raw(SYS_sigaltstack, &wanted, &seen_on_stack);
}

void note_signal(int, siginfo_t*, void*) { ++signals_seen; }

LINUX_TEST(start) {
    for (const unsigned long type :
         {AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_FLAGS, AT_ENTRY, AT_UID, AT_EUID, AT_GID, AT_EGID,
          AT_SECURE, AT_CLKTCK, AT_HWCAP, AT_HWCAP2, AT_RANDOM, AT_EXECFN, AT_MINSIGSTKSZ}) {
        errno = 0;
        (void)getauxval(type);
        if (errno != 0) failed("is told", __LINE__, std::to_string(type));
    }
    CHECK(getauxval(AT_PAGESZ) == 4096 && getauxval(AT_CLKTCK) == 100 && getauxval(AT_PHENT) == 56);
    CHECK(getauxval(AT_PHDR) != 0 && getauxval(AT_PHNUM) >= 3 && getauxval(AT_PHNUM) < 100);
    CHECK(getauxval(AT_ENTRY) != 0 && getauxval(AT_SECURE) == 0);
    CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
    CHECK(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
    CHECK(getauxval(AT_MINSIGSTKSZ) >= 1024);
    // SAFETY: the kernel put them there.
    const auto* random = reinterpret_cast<const unsigned char*>(getauxval(AT_RANDOM));
    const auto* name = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
    bool all_same = true;
    for (int i = 1; i < 16; ++i)
        all_same = all_same && random[i] == random[0];
    CHECK(!all_same);
    CHECK(std::string(name).ends_with(on_aios() ? "bin/test_refusals" : "test_refusals"));
}

LINUX_TEST(limits) {
    rlimit limit{}, same{}, crossed{5, 4};
    EXPECT(-EINVAL, SYS_getrlimit, 16, &limit);
    EXPECT(-EINVAL, SYS_setrlimit, 16, &limit);
    EXPECT(-EINVAL, SYS_prlimit64, 0, 16, nullptr, &limit);
    EXPECT(-EINVAL, SYS_setrlimit, RLIMIT_NOFILE, &crossed);
    EXPECT(-EINVAL, SYS_prlimit64, 0, RLIMIT_NOFILE, &crossed, nullptr);
    EXPECT(-ESRCH, SYS_prlimit64, kNobody, RLIMIT_NOFILE, nullptr, &limit);
    EXPECT(0, SYS_prlimit64, getpid(), RLIMIT_STACK, nullptr, &limit);
    EXPECT(0, SYS_getrlimit, RLIMIT_STACK, &same);
    CHECK(limit.rlim_cur == same.rlim_cur && limit.rlim_max == same.rlim_max);
    EXPECT(0, SYS_setrlimit, RLIMIT_STACK, &same);
    EXPECT(-EFAULT, SYS_setrlimit, RLIMIT_STACK, 8);
    if (on_aios()) { // descriptors are the one thing of which nobody gets more, whoever he says that he is
        const rlimit more{100, RLIM_INFINITY};
        EXPECT(-EPERM, SYS_setrlimit, RLIMIT_NOFILE, &more);
        EXPECT(-EPERM, SYS_prlimit64, 0, RLIMIT_NOFILE, &more, nullptr);
    }
}

LINUX_TEST(usage) {
    rusage usage{};
    EXPECT(-EINVAL, SYS_getrusage, 5, &usage);
    EXPECT(0, SYS_getrusage, RUSAGE_CHILDREN, &usage);
    CHECK(usage.ru_utime.tv_sec == 0 && usage.ru_maxrss == 0);
    EXPECT(0, SYS_getrusage, RUSAGE_THREAD, &usage);
    EXPECT(-EFAULT, SYS_getrusage, RUSAGE_SELF, 8);
    tms first{}, second{};
    const long before = raw(SYS_times, &first);
    const timespec moment{0, 50'000'000};
    CHECK(nanosleep(&moment, nullptr) == 0);
    CHECK(raw(SYS_times, &second) >= before + 4 && second.tms_utime >= first.tms_utime);
    EXPECT(-EFAULT, SYS_times, 8);
    EXPECT(-EINVAL, SYS_getgroups, -1, nullptr);
}

LINUX_TEST(names) {
    char name[16] = {};
    EXPECT(0, SYS_prctl, PR_SET_NAME, "a name that is far too long");
    EXPECT(0, SYS_prctl, PR_GET_NAME, name);
    CHECK(std::string(name) == "a name that is ");
    EXPECT(0, SYS_prctl, PR_SET_NAME, "short");
    EXPECT(0, SYS_prctl, PR_GET_NAME, name);
    CHECK(std::string(name) == "short" && name[14] == 0);
    EXPECT(-EFAULT, SYS_prctl, PR_SET_NAME, 8);
    EXPECT(-EFAULT, SYS_prctl, PR_GET_NAME, 8);
    EXPECT(-EINVAL, SYS_prctl, 9999);
}

LINUX_TEST(random) {
    char room[300];
    EXPECT(-EINVAL, SYS_getrandom, room, 1, 6); // from one pool or from the other
    EXPECT(0, SYS_getrandom, room, 0, 0);
    EXPECT(300, SYS_getrandom, room, 300, 0);
}

LINUX_TEST(clocks) {
    const timespec moment{0, 1000};
    timespec out{};
    EXPECT(-EINVAL, SYS_clock_nanosleep, 77, 0, &moment, nullptr);
    EXPECT(0, SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &moment, nullptr);
    EXPECT(-EINVAL, SYS_clock_getres, 77, &out);
    EXPECT(0, SYS_clock_getres, CLOCK_MONOTONIC, nullptr);
    EXPECT(-EFAULT, SYS_clock_getres, CLOCK_MONOTONIC, 8);
    EXPECT(-EFAULT, SYS_gettimeofday, 8, nullptr);
    EXPECT(0, SYS_gettimeofday, nullptr, nullptr);
}

LINUX_TEST(futexes) {
    alignas(4) std::uint32_t word[2] = {1, 2};
    EXPECT(-EINVAL, SYS_futex, word, FUTEX_WAKE_BITSET_PRIVATE, 1, nullptr, nullptr, 0);
    EXPECT(-EINVAL, SYS_futex, word, FUTEX_REQUEUE_PRIVATE, -1, 1, word + 1, 0);
    EXPECT(-EINVAL, SYS_futex, word, FUTEX_REQUEUE_PRIVATE, 1, -1, word + 1, 0);
    EXPECT(-EINVAL, SYS_futex, reinterpret_cast<char*>(word) + 1, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    EXPECT(0, SYS_futex, word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, word + 1, 1);
    EXPECT(-EFAULT, SYS_futex, 0x7fff'ffff'f000, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

LINUX_TEST(threads) {
    clone_args arguments{};
    struct {
        clone_args known;
        char rest[64];
    } longer{};
    const auto with = [&](std::uint64_t flags, auto change) {
        arguments = {};
        arguments.flags = flags;
        change();
        return raw(SYS_clone3, &arguments, sizeof(arguments));
    };
    constexpr std::uint64_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    CHECK(with(CLONE_SIGHAND, [] {}) == -EINVAL);
    CHECK(with(CLONE_THREAD, [] {}) == -EINVAL);
    CHECK(with(kThread | 1, [] {}) == -EINVAL);
    CHECK(with(kThread, [&] { arguments.exit_signal = 65; }) == -EINVAL);
    CHECK(with(kThread, [&] { arguments.stack = 4096; }) == -EINVAL);
    CHECK(with(kThread, [&] { arguments.stack_size = 4096; }) == -EINVAL);
    CHECK(with(kThread | CLONE_SETTLS, [&] { arguments.tls = 1ull << 63; }) == -EPERM);
    longer.known.flags = CLONE_SIGHAND;
    EXPECT(-EINVAL, SYS_clone3, &longer, sizeof(longer)); // zeros behind what is known
    longer.rest[63] = 1;
    EXPECT(-E2BIG, SYS_clone3, &longer, sizeof(longer));
    EXPECT(-EINVAL, SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0);
    if (on_aios()) {
        EXPECT(-ENOSYS, SYS_clone, SIGCHLD | CLONE_FILES, 0, 0, 0, 0); // a process that shares a part
        CHECK(with(kThread | CLONE_NEWNS, [] {}) == -EINVAL);
        CHECK(with(kThread, [&] { arguments.stack = 1ull << 62, arguments.stack_size = 4096; }) == -EINVAL);
    }
    unsigned long mask[16]{};
    EXPECT(-ESRCH, SYS_sched_getaffinity, kNobody, sizeof(mask), mask);
    CHECK(raw(SYS_sched_getaffinity, getpid(), sizeof(mask), mask) > 0);
    EXPECT(-EINVAL, SYS_sched_getaffinity, 0, 12, mask);
    EXPECT(-EFAULT, SYS_sched_getaffinity, 0, sizeof(mask), 8);
}

LINUX_TEST(segments) {
    constexpr long kSetGs = 0x1001, kSetFs = 0x1002, kGetFs = 0x1003, kGetGs = 0x1004;
    unsigned long value = 0, other = 0;
    EXPECT(-EPERM, SYS_arch_prctl, kSetFs, 1ul << 63);
    EXPECT(-EPERM, SYS_arch_prctl, kSetGs, 1ul << 63);
    EXPECT(0, SYS_arch_prctl, kSetGs, 0x1234'5000);
    EXPECT(0, SYS_arch_prctl, kGetGs, &value);
    CHECK(value == 0x1234'5000);
    EXPECT(0, SYS_arch_prctl, kGetFs, &value);
    asm volatile("mov %%fs:0, %0" : "=r"(other)); // the first word of a thread's own block is its address
    CHECK(value == other);
    EXPECT(0, SYS_arch_prctl, kSetFs, value);
    EXPECT(0, SYS_arch_prctl, kSetGs, 0);
    EXPECT(-EFAULT, SYS_arch_prctl, kGetFs, 8);
    EXPECT(-EINVAL, SYS_arch_prctl, 0x9999, 0);
}

LINUX_TEST(signals) {
    std::uint64_t set = 0;
    EXPECT(-EINVAL, SYS_rt_sigpending, &set, 9);
    EXPECT(-EFAULT, SYS_rt_sigpending, 8, 8);
    EXPECT(-EINVAL, SYS_rt_sigsuspend, &set, 4);
    EXPECT(-EINVAL, SYS_rt_sigprocmask, SIG_BLOCK, &set, nullptr, 4);
    EXPECT(-EINVAL, SYS_kill, getpid(), 65);
    EXPECT(-ESRCH, SYS_kill, kNobody, 0);
    EXPECT(0, SYS_kill, getpid(), 0);
    EXPECT(-EINVAL, SYS_tkill, 0, SIGUSR1);
    EXPECT(-EINVAL, SYS_tkill, getpid(), 65);
    EXPECT(-ESRCH, SYS_tkill, kNobody, 0);
    EXPECT(-EINVAL, SYS_tgkill, -1, getpid(), 0);
    EXPECT(-ESRCH, SYS_tgkill, kNobody, getpid(), 0);
    // The last signal number is one.
    struct sigaction action{}, old{};
    action.sa_sigaction = note_signal;
    action.sa_flags = SA_SIGINFO;
    CHECK(sigaction(64, &action, nullptr) == 0 && raw(SYS_tkill, raw(SYS_gettid), 64) == 0 && signals_seen == 1);
    CHECK(sigaction(64, nullptr, &old) == 0 && old.sa_sigaction == note_signal);
    // What is blocked is pending.
    set = 1ull << (SIGUSR2 - 1);
    EXPECT(0, SYS_rt_sigprocmask, SIG_BLOCK, &set, nullptr, 8);
    action.sa_flags = SA_SIGINFO;
    CHECK(sigaction(SIGUSR2, &action, nullptr) == 0);
    EXPECT(0, SYS_kill, getpid(), SIGUSR2);
    std::uint64_t pending = 0;
    EXPECT(0, SYS_rt_sigpending, &pending, 8);
    CHECK(pending == set && signals_seen == 1);
    EXPECT(0, SYS_rt_sigprocmask, SIG_UNBLOCK, &set, nullptr, 8);
    CHECK(signals_seen == 2);
}

LINUX_TEST(other_stack) {
    static char room[65536];
    stack_t wanted{}, old{};
    wanted.ss_sp = room;
    wanted.ss_size = 100;
    EXPECT(-ENOMEM, SYS_sigaltstack, &wanted, nullptr);
    wanted.ss_size = sizeof(room);
    wanted.ss_flags = 77;
    EXPECT(-EINVAL, SYS_sigaltstack, &wanted, nullptr);
    wanted.ss_flags = 0;
    EXPECT(0, SYS_sigaltstack, &wanted, &old);
    EXPECT(0, SYS_sigaltstack, nullptr, &old);
    CHECK(old.ss_sp == room && old.ss_size == sizeof(room) && old.ss_flags == 0);
    struct sigaction action{};
    action.sa_handler = on_other_stack;
    action.sa_flags = SA_ONSTACK;
    CHECK(sigaction(SIGUSR1, &action, nullptr) == 0 && raise(SIGUSR1) == 0);
    CHECK(on_stack_result == -EPERM); // the handler stands on it
    EXPECT(0, SYS_sigaltstack, nullptr, &old);
    CHECK(old.ss_sp == room);
    wanted.ss_flags = SS_DISABLE;
    EXPECT(0, SYS_sigaltstack, &wanted, nullptr);
    EXPECT(0, SYS_sigaltstack, nullptr, &old);
    CHECK(old.ss_flags == SS_DISABLE && old.ss_size == 0);
    EXPECT(-EFAULT, SYS_sigaltstack, 8, nullptr);
}

} // namespace

int main() { return run_all("refusals"); }
