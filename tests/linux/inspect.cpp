// Looking into other processes: their memory, their descriptors, what they share; and barriers for all who run.
#include <atomic>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <thread>
#include <vector>

#include "tests/linux/child.hpp"

namespace {

using namespace linux_test;

// A child that waits until it is let go.
class Child {
public:
    template <typename F>
    explicit Child(F&& body) {
        if (pipe(go_) != 0) failed("pipe", __LINE__);
        pid = fork();
        if (pid != 0) return;
        close(go_[1]);
        char byte;
        (void)!read(go_[0], &byte, 1);
        _exit(body() & 0xff);
    }
    int end() { // its exit code
        close(go_[1]);
        close(go_[0]);
        int status = -1;
        waitpid(pid, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    pid_t pid = -1;

private:
    int go_[2]{};
};

constexpr std::size_t kBytes = 20'000;

LINUX_TEST(memory_of_another) {
    auto* memory = static_cast<char*>(
        mmap(nullptr, 3 * 4096 + kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (std::size_t i = 0; i < kBytes; ++i)
        memory[i] = static_cast<char>(i * 7);
    Child child([&] { return memory[5] == 'x' && memory[9'000] == 'y' && memory[9'001] == 'z' ? 0 : 1; });
    std::memset(memory, 0, kBytes);
    std::vector<char> first(1'000), second(kBytes - 1'000);
    iovec here[] = {{first.data(), first.size()}, {second.data(), second.size()}};
    iovec there[] = {{memory, 9'000}, {memory + 9'000, kBytes - 9'000}};
    EXPECT(static_cast<long>(kBytes), SYS_process_vm_readv, child.pid, here, 2, there, 2, 0);
    bool is_same = true;
    for (std::size_t i = 0; i < kBytes; ++i)
        is_same = is_same && (i < 1'000 ? first[i] : second[i - 1'000]) == static_cast<char>(i * 7);
    CHECK(is_same);
    char text[] = "xyz";
    iovec out{text, 3};
    iovec places[] = {{memory + 5, 1}, {memory + 9'000, 2}};
    EXPECT(3, SYS_process_vm_writev, child.pid, &out, 1, places, 2, 0);
    CHECK(memory[5] == 0); // its own copy
    CHECK(child.end() == 0);
    munmap(memory, 3 * 4096 + kBytes);
}

LINUX_TEST(memory_that_cannot_be_had) {
    auto* memory =
        static_cast<char*>(mmap(nullptr, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(memory + 4096, 4096, PROT_NONE);
    Child child([] { return 0; });
    char buffer[8192];
    iovec here{buffer, sizeof buffer};
    iovec there{memory + 4096, 10};
    EXPECT(-EFAULT, SYS_process_vm_readv, child.pid, &here, 1, &there, 1, 0);
    there = {memory + 4000, 200};
    EXPECT(96, SYS_process_vm_readv, child.pid, &here, 1, &there, 1, 0);
    EXPECT(-EFAULT, SYS_process_vm_readv, child.pid, 8, 1, &there, 1, 0);
    EXPECT(-EFAULT, SYS_process_vm_readv, child.pid, &here, 1, 8, 1, 0);
    EXPECT(-EINVAL, SYS_process_vm_readv, child.pid, &here, 1, &there, 1, 1);
    EXPECT(-EINVAL, SYS_process_vm_readv, child.pid, &here, 5000, &there, 1, 0);
    EXPECT(-ESRCH, SYS_process_vm_readv, 4'000'000, &here, 1, &there, 1, 0);
    here.iov_len = 0;
    EXPECT(0, SYS_process_vm_readv, child.pid, &here, 1, &there, 1, 0);
    CHECK(child.end() == 0);
    // Of another user.
    if (getuid() == 0) {
        Child other([] { return 0; });
        CHECK_IN_CHILD([&] {
            HOLDS(setuid(4711) == 0);
            iovec mine{buffer, 1}, its{memory, 1};
            HOLDS(raw(SYS_process_vm_readv, other.pid, &mine, 1, &its, 1, 0) == -EPERM);
            HOLDS(raw(SYS_kcmp, other.pid, getpid(), KCMP_VM, 0, 0) == -EPERM);
            return 0;
        });
        CHECK(other.end() == 0);
    }
    munmap(memory, 3 * 4096);
}

LINUX_TEST(what_is_the_same) {
    SKIP_UNLESS(raw(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0) != -ENOSYS, "no kcmp");
    const int file = open("/dev/null", O_RDONLY), other = open("/dev/null", O_RDONLY), twin = dup(file);
    Child child([] { return 0; });
    const auto compare = [&](pid_t pid, int kind, long a = 0, long b = 0) {
        return raw(SYS_kcmp, getpid(), pid, kind, a, b);
    };
    CHECK(compare(getpid(), KCMP_FILE, file, twin) == 0);
    CHECK(compare(child.pid, KCMP_FILE, file, twin) == 0);
    const long order = compare(getpid(), KCMP_FILE, file, other);
    CHECK(order == 1 || order == 2);
    CHECK(compare(getpid(), KCMP_FILE, other, file) == 3 - order);
    CHECK(compare(getpid(), KCMP_VM) == 0 && compare(child.pid, KCMP_VM) > 0);
    CHECK(compare(getpid(), KCMP_FILES) == 0 && compare(child.pid, KCMP_FILES) > 0);
    CHECK(compare(child.pid, KCMP_SIGHAND) > 0 && compare(child.pid, KCMP_FS) > 0);
    CHECK(compare(getpid(), KCMP_FILE, file, 1000) == -EBADF);
    CHECK(compare(getpid(), 99) == -EINVAL);
    CHECK(compare(4'000'000, KCMP_VM) == -ESRCH);
    CHECK(child.end() == 0);
    for (const int fd : {file, other, twin})
        close(fd);
}

LINUX_TEST(a_descriptor_of_another) {
    Child child([] { return 0; });
    int ends[2];
    CHECK(pipe(ends) == 0); // the child has not got it
    const int process = static_cast<int>(raw(SYS_pidfd_open, child.pid, 0));
    SKIP_UNLESS(process >= 0 && raw(SYS_pidfd_getfd, process, 0, 0) != -ENOSYS, "no process descriptors");
    const int own = static_cast<int>(raw(SYS_pidfd_open, getpid(), 0));
    const int copy = static_cast<int>(raw(SYS_pidfd_getfd, own, ends[1], 0));
    CHECK(copy > 0 && fcntl(copy, F_GETFD) == FD_CLOEXEC);
    char byte = 'a';
    CHECK(write(copy, &byte, 1) == 1 && read(ends[0], &byte, 1) == 1);
    EXPECT(-EBADF, SYS_pidfd_getfd, process, 500, 0);
    EXPECT(-EBADF, SYS_pidfd_getfd, ends[0], 0, 0);
    EXPECT(-EINVAL, SYS_pidfd_getfd, own, ends[1], 1);
    const long input = raw(SYS_pidfd_getfd, process, 0, 0);
    CHECK(input > 0);
    close(static_cast<int>(input));
    CHECK(child.end() == 0);
    EXPECT(-ESRCH, SYS_pidfd_getfd, process, 0, 0);
    for (const int fd : {process, own, copy, ends[0], ends[1]})
        close(fd);
}

LINUX_TEST(limits_of_another) {
    Child child([] {
        rlimit own{};
        return getrlimit(RLIMIT_NOFILE, &own) == 0 && own.rlim_cur == 77 ? 0 : 1;
    });
    const rlimit wanted{77, 78};
    rlimit before{};
    CHECK(prlimit(child.pid, RLIMIT_NOFILE, &wanted, &before) == 0 && before.rlim_cur != 77);
    CHECK(prlimit(child.pid, RLIMIT_NOFILE, nullptr, &before) == 0 && before.rlim_max == 78);
    CHECK(child.end() == 0);
    CHECK(prlimit(child.pid, RLIMIT_NOFILE, nullptr, &before) == -1 && errno == ESRCH);
}

LINUX_TEST(barriers) {
    const long known = raw(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    SKIP_UNLESS(known > 0, "no membarrier");
    CHECK((known & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0);
    EXPECT(-EINVAL, SYS_membarrier, MEMBARRIER_CMD_QUERY, 1, 0);
    EXPECT(-EINVAL, SYS_membarrier, 1 << 20, 0, 0);
    if (on_aios()) { // nobody interrupts CPUs that run others
        CHECK((known & (MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED)) == 0);
        EXPECT(-EINVAL, SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
        EXPECT(-EINVAL, SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
    }
    CHECK_IN_CHILD([] {
        HOLDS(raw(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == -EPERM);
        HOLDS(raw(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0);
        HOLDS(raw(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
        HOLDS(raw(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) == 0);
        HOLDS(raw(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) == 0);
        return 0;
    });
    // Two that look for each other's word, of which one alone has a barrier: not both miss it.
    EXPECT(0, SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    static std::atomic<int> first, second, round;
    static std::atomic<int> saw_first;
    constexpr int kRounds = 1000;
    std::thread other([] {
        for (int i = 1; i <= kRounds; ++i) {
            while (round.load() != i)
                sched_yield();
            second.store(i, std::memory_order_relaxed);
            std::atomic_signal_fence(std::memory_order_seq_cst);
            saw_first.store(first.load(std::memory_order_relaxed) == i ? i : -i);
        }
    });
    bool both_missed = false;
    for (int i = 1; i <= kRounds; ++i) {
        round.store(i);
        first.store(i, std::memory_order_relaxed);
        (void)raw(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
        const bool saw = second.load(std::memory_order_relaxed) == i;
        while (saw_first.load() != i && saw_first.load() != -i)
            sched_yield();
        both_missed = both_missed || (!saw && saw_first.load() == -i);
    }
    other.join();
    CHECK(!both_missed);
}

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
struct WaitEntry {
    std::uint64_t value, address;
    std::uint32_t flags, reserved;
};

LINUX_TEST(several_words) {
    constexpr int kCount = 40;
    static std::uint32_t words[kCount];
    WaitEntry entries[kCount];
    for (int i = 0; i < kCount; ++i)
        entries[i] = {0, reinterpret_cast<std::uint64_t>(&words[i]), i % 2 == 0 ? 2u | FUTEX_PRIVATE_FLAG : 2u, 0};
    timespec time{1, 0};
    const long over = raw(SYS_futex_waitv, entries, kCount, 0, &time, CLOCK_MONOTONIC);
    SKIP_UNLESS(over != -ENOSYS, "no futex_waitv");
    CHECK(over == -ETIMEDOUT);
    EXPECT(-EINVAL, SYS_futex_waitv, entries, 0, 0, nullptr, CLOCK_MONOTONIC);
    EXPECT(-EINVAL, SYS_futex_waitv, entries, 129, 0, nullptr, CLOCK_MONOTONIC);
    EXPECT(-EINVAL, SYS_futex_waitv, entries, kCount, 1, nullptr, CLOCK_MONOTONIC);
    EXPECT(-EINVAL, SYS_futex_waitv, entries, kCount, 0, &time, CLOCK_BOOTTIME);
    EXPECT(-EINVAL, SYS_futex_waitv, nullptr, kCount, 0, nullptr, CLOCK_MONOTONIC);
    EXPECT(-EFAULT, SYS_futex_waitv, 8, kCount, 0, nullptr, CLOCK_MONOTONIC);
    words[3] = 1;
    EXPECT(-EAGAIN, SYS_futex_waitv, entries, kCount, 0, nullptr, CLOCK_MONOTONIC);
    words[3] = 0;
    entries[5].flags = 0;
    EXPECT(-EINVAL, SYS_futex_waitv, entries, kCount, 0, nullptr, CLOCK_MONOTONIC);
    entries[5].flags = 2;
    for (const int which : {0, 7, kCount - 1}) {
        std::atomic<long> got{-1000};
        std::thread waiter([&] { got = raw(SYS_futex_waitv, entries, kCount, 0, nullptr, CLOCK_MONOTONIC); });
        const int wake = which % 2 == 0 ? FUTEX_WAKE_PRIVATE : FUTEX_WAKE;
        while (raw(SYS_futex, &words[which], wake, 1, nullptr, nullptr, 0) == 0)
            usleep(500);
        waiter.join();
        CHECK(got == which);
    }
}

} // namespace

int main() { return run_all("inspect"); }
