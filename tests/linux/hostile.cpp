// Arguments of ill will: bad addresses for every call, enormous sizes, exhausted threads, deep paths. Whatever the
// answer is, it is an answer: the kernel goes on, and where Linux has one error for it, it is Linux's.
#include <condition_variable>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <linux/futex.h>
#include <mutex>
#include <set>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <thread>
#include <vector>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

// Not mapped; kernel; not canonical; at the very ends.
constexpr long kBadAddresses[] = {8,
                                  0x10000,
                                  0x7fff'ffff'f000,
                                  0x7fff'ffff'ffff,
                                  static_cast<long>(0x8000'0000'0000),
                                  static_cast<long>(0xffff'8000'0000'0000),
                                  static_cast<long>(0xffff'ffff'8010'0000),
                                  -4096,
                                  -1};

// The last bytes before a page that is not there.
char* edge(std::size_t bytes) {
    static char* const pages =
        static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    static const int cut = munmap(pages + 4096, 4096);
    (void)cut;
    return pages + 4096 - bytes;
}

struct Random {
    std::uint64_t state = 88172645463325252ull;
    std::uint64_t next() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    }
};

TestFolder folder;
const std::string file = folder.path("file");
const int fd = open(file.c_str(), O_RDWR | O_CREAT, 0600);
const bool is_written = write(fd, "contents", 8) == 8;

LINUX_TEST(bad_addresses) {
    CHECK(is_written);
    for (const long bad : kBadAddresses) {
        lseek(fd, 0, SEEK_SET);
        EXPECT(-EFAULT, SYS_read, fd, bad, 8);
        EXPECT(-EFAULT, SYS_write, fd, bad, 8);
        EXPECT(-EFAULT, SYS_open, bad, O_RDONLY);
        EXPECT(-EFAULT, SYS_openat, AT_FDCWD, bad, O_RDONLY);
        EXPECT(-EFAULT, SYS_newfstatat, AT_FDCWD, bad, edge(200), 0);
        EXPECT(-EFAULT, SYS_fstat, fd, bad);
        EXPECT(-EFAULT, SYS_mkdir, bad, 0777);
        EXPECT(-EFAULT, SYS_rename, bad, file.c_str());
        EXPECT(-EFAULT, SYS_rename, file.c_str(), bad);
        EXPECT(-EFAULT, SYS_link, file.c_str(), bad);
        EXPECT(-EFAULT, SYS_symlink, bad, folder.path("s").c_str());
        EXPECT(-EFAULT, SYS_unlink, bad);
        EXPECT(-EFAULT, SYS_rmdir, bad);
        EXPECT(-EFAULT, SYS_chdir, bad);
        EXPECT(-EFAULT, SYS_chmod, bad, 0600);
        EXPECT(-EFAULT, SYS_truncate, bad, 0);
        EXPECT(-EFAULT, SYS_statfs, bad, edge(200));
        EXPECT(-EFAULT, SYS_fstatfs, fd, bad);
        EXPECT(-EFAULT, SYS_getcwd, bad, 4096);
        EXPECT(-EFAULT, SYS_readlink, bad, edge(8), 8);
        EXPECT(-EFAULT, SYS_access, bad, 0);
        EXPECT(-EFAULT, SYS_uname, bad);
        EXPECT(-EFAULT, SYS_sysinfo, bad);
        EXPECT(-EFAULT, SYS_getrandom, bad, 16, 0);
        EXPECT(-EFAULT, SYS_clock_gettime, 1, bad);
        EXPECT(-EFAULT, SYS_nanosleep, bad, 0);
        EXPECT(-EFAULT, SYS_rt_sigaction, SIGUSR1, bad, 0, 8);
        EXPECT(-EFAULT, SYS_rt_sigprocmask, 0, bad, 0, 8);
        EXPECT(-EFAULT, SYS_sigaltstack, bad, 0);
        EXPECT(-EFAULT, SYS_prlimit64, 0, 7, 0, bad);
        EXPECT(-EFAULT, SYS_writev, fd, bad, 1);
        EXPECT(-EFAULT, SYS_readv, fd, bad, 1);
        EXPECT(-EFAULT, SYS_utimensat, AT_FDCWD, file.c_str(), bad, 0);
        EXPECT(-EFAULT, SYS_clone3, bad, 88);
        EXPECT(-EFAULT, SYS_statx, AT_FDCWD, bad, 0, 0x7ff, edge(256));
        const long futex = raw(SYS_futex, bad & ~3l, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
        CHECK(futex == -EFAULT);
        const iovec vector{reinterpret_cast<void*>(bad), 16}; // SAFETY: never used here
        EXPECT(-EFAULT, SYS_writev, fd, &vector, 1);
    }
}

LINUX_TEST(structures_at_the_edge_of_a_page) {
    struct stat info{};
    std::memcpy(edge(file.size() + 1), file.c_str(), file.size() + 1);
    EXPECT(0, SYS_stat, edge(file.size() + 1), &info); // the string ends with the page
    std::memset(edge(100), 'x', 100);
    EXPECT(-EFAULT, SYS_stat, edge(100), &info); // it does not end
    EXPECT(-EFAULT, SYS_fstat, fd, edge(143));
    EXPECT(0, SYS_fstat, fd, edge(144));
    EXPECT(-EFAULT, SYS_uname, edge(389));
    EXPECT(0, SYS_uname, edge(390));
    EXPECT(-EFAULT, SYS_clock_gettime, 1, edge(15));
    lseek(fd, 0, SEEK_SET);
    CHECK(raw(SYS_read, fd, edge(4), 4) == 4);
}

LINUX_TEST(enormous_sizes) {
    lseek(fd, 0, SEEK_SET);
    std::vector<char> buffer(4096);
    CHECK(raw(SYS_read, fd, buffer.data(), -1) == -EFAULT || raw(SYS_lseek, fd, 0, SEEK_CUR) == 8);
    CHECK(raw(SYS_getrandom, edge(16), 16, 0) == 16);
    CHECK(raw(SYS_lseek, fd, 0x7fff'ffff'ffff'ffff, SEEK_CUR) < 0 || raw(SYS_lseek, fd, 0, SEEK_SET) == 0);
    EXPECT(-EINVAL, SYS_ftruncate, fd, -1);
    CHECK(raw(SYS_ftruncate, fd, 0x7fff'ffff'ffff'ffff) == -EFBIG);
    EXPECT(-EINVAL, SYS_readv, fd, buffer.data(), 2000);
    CHECK(raw(SYS_mmap, 0, -4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -ENOMEM);
    CHECK(raw(SYS_mmap, 0, -1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -ENOMEM);
    CHECK(raw(SYS_munmap, 0x1000, -4096) == -EINVAL);
    CHECK(raw(SYS_mprotect, 0x10000, -4096, 1) == -ENOMEM);
    CHECK(raw(SYS_mremap, 0x10000, 4096, -4096, 1) < 0);
    CHECK(raw(SYS_madvise, 0x10000, -4096, 4) < 0);
    CHECK(raw(SYS_brk, -1) > 0);
    // An address in the kernel's half is never mapped, whatever is asked.
    CHECK(raw(SYS_mmap, 0xffff'8000'0000'0000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) < 0);
    CHECK(raw(SYS_mmap, 0x7fff'ffff'f000, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) < 0);
    CHECK(raw(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) < 0 || geteuid() == 0);
}

LINUX_TEST(deep_paths) {
    std::string deep = folder.root();
    int levels = 0;
    while (mkdir((deep + "/d").c_str(), 0777) == 0) {
        deep += "/d";
        ++levels;
        if (levels > 3000) break;
    }
    CHECK(levels >= 300);
    CHECK(errno == ENAMETOOLONG || levels > 3000);
    // Beyond that by the working directory: it works, or it is refused.
    std::string dots;
    for (int i = 0; i < 300; ++i)
        dots += "/..";
    struct stat info{};
    CHECK(stat((folder.root() + dots).c_str(), &info) == 0 || errno == ENOENT);
    CHECK(stat(("/" + std::string(900, '/') + "tmp").c_str(), &info) == 0);
    std::filesystem::remove_all(folder.root() + "/d");
}

LINUX_TEST(all_threads) {
    // As many threads as there may be: then EAGAIN, and all is well again when they have gone.
    std::mutex mutex;
    std::condition_variable stopped;
    bool stop = false;
    std::vector<std::thread> threads;
    bool refused = false;
    try {
        while (threads.size() < 400)
            threads.emplace_back([&] {
                std::unique_lock lock(mutex);
                stopped.wait(lock, [&] { return stop; });
            });
    } catch (const std::system_error& error) {
        refused = error.code() == std::errc::resource_unavailable_try_again;
    }
    if (on_aios()) CHECK(refused);
    CHECK(refused || threads.size() == 400);
    {
        std::lock_guard guard(mutex);
        stop = true;
    }
    stopped.notify_all();
    for (auto& thread : threads)
        thread.join();
    std::thread([] {}).join();
}

LINUX_TEST(random_arguments) {
    // Numbers and arguments by chance, but for calls that stop or end the thread, or unmap what it stands on.
    const std::set<long> spared = {
        SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_pause, SYS_rt_sigsuspend, SYS_munmap, SYS_mmap, SYS_mremap,
        SYS_mprotect, SYS_madvise, SYS_brk, SYS_arch_prctl, SYS_clone, SYS_clone3, SYS_fork, SYS_vfork, SYS_execve,
        SYS_execveat, SYS_futex, SYS_nanosleep, SYS_clock_nanosleep, SYS_kill, SYS_tkill, SYS_tgkill,
        SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal, SYS_timer_create, SYS_rt_sigprocmask,
        SYS_rt_sigaction, SYS_sigaltstack, SYS_set_tid_address, SYS_close, SYS_close_range, SYS_dup2, SYS_dup3,
        SYS_read, SYS_readv, SYS_pread64, SYS_write, SYS_writev, SYS_sendfile, SYS_chdir, SYS_getrandom,
        // These change who it is, how much it may write, and what lies in its memory.
        SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setfsuid, SYS_setfsgid,
        SYS_setgroups, SYS_capset, SYS_setrlimit, SYS_prlimit64, SYS_shmat, SYS_shmdt,
        // These may wait as long as they were told to.
        SYS_splice, SYS_tee, SYS_vmsplice, SYS_msgrcv, SYS_msgsnd, SYS_semop, SYS_semtimedop, SYS_recvmmsg,
        SYS_sendmmsg, SYS_preadv2, SYS_pwritev2, SYS_recvfrom, SYS_recvmsg, SYS_sendto, SYS_sendmsg, SYS_poll,
        SYS_ppoll, SYS_select, SYS_pselect6, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2};
    if (!on_aios()) return; // the developer's machine is not for this
    static const int numbers[] = {
#define LINUX_CALL(number, name, tier, restart, answered, arguments) number,
#include "personality/linux/coverage.def"
#undef LINUX_CALL
    };
    Random random;
    std::vector<char> room(1 << 16);
    // A path in a room of its own: calls also write to it, and what lies beside it must not matter.
    static char path[1 << 14];
    file.copy(path, sizeof path - 1);
    auto argument = [&]() -> long {
        switch (random.next() % 8) {
        case 0:
            return static_cast<long>(random.next());
        case 1:
            return kBadAddresses[random.next() % std::size(kBadAddresses)];
        case 2:
            return word(room.data() + random.next() % 4096);
        case 3:
            return word(path);
        case 4:
            return fd;
        case 5:
            return AT_FDCWD;
        case 6:
            return static_cast<long>(1ull << (random.next() % 32 + 32)); // not where the program lies
        default:
            return static_cast<long>(random.next() % 32);
        }
    };
    for (int i = 0; i < 30000; ++i) {
        const int number = numbers[random.next() % std::size(numbers)];
        if (spared.contains(number)) continue;
        raw(number, argument(), argument(), argument(), argument(), argument(), argument());
    }
    // Reading and mapping, into a room of their own.
    for (int i = 0; i < 500; ++i) {
        raw(SYS_mmap, 0, argument(), argument() & 5, argument() & ~MAP_FIXED, argument(), argument());
        raw(SYS_pread64, fd, room.data(), random.next() % room.size(), argument());
        const long far = kBadAddresses[2 + random.next() % (std::size(kBadAddresses) - 2)]; // not below the program
        raw(SYS_mprotect, far, argument(), argument());
        raw(SYS_munmap, far, argument());
    }
}

} // namespace

int main() { return run_all("hostile"); }
