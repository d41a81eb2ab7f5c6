// Generated files under those who mean no good: names that are no numbers, processes that end while they are looked at,
// descriptors of what is gone, links that lead in circles, changes of what cannot be changed.
#include <atomic>
#include <csignal>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>

#include "tests/linux/generated.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

bool is_gone(long error) { return error == -ENOENT || error == -ESRCH; }

LINUX_TEST(names_that_are_no_numbers) {
    for (const std::string name : {"0",
                                   "-1",
                                   "00",
                                   "01",
                                   "1x",
                                   " 1",
                                   "+1",
                                   "4294967297",
                                   "4194305",
                                   "2147483648",
                                   "18446744073709551617",
                                   "99999999999999999999999999999",
                                   "1.",
                                   "0x1",
                                   "selfx",
                                   "",
                                   "self/x",
                                   "self/fd/99999999999",
                                   "self/fd/-1",
                                   "self/fd/00",
                                   "self/fd/01",
                                   "self/fd/4294967296",
                                   "self/fd/1023",
                                   "self/fdinfo/1023",
                                   "self/task/0",
                                   "self/task/-1",
                                   "self/task/x",
                                   "self/fd/0x0"}) {
        struct stat info{};
        const std::string path = "/proc/" + name;
        if (name.empty()) continue;
        for (const long number : {long{SYS_lstat}, long{SYS_stat}})
            linux_test::expect(raw(number, path.c_str(), &info), -ENOENT, path.c_str(), __LINE__);
    }
    struct stat info{};
    EXPECT(-ENOENT, SYS_stat, ("/proc/" + std::string(255, '1')).c_str(), &info);
}

LINUX_TEST(nothing_can_be_changed) {
    const auto refused = [](long result) { return result < 0 && result != -ENOSYS; };
    CHECK(refused(raw(SYS_mkdir, "/proc/new", 0700)) && refused(raw(SYS_mkdir, "/proc/self/new", 0700)));
    CHECK(refused(raw(SYS_open, "/proc/new", O_RDWR | O_CREAT, 0600)));
    CHECK(refused(raw(SYS_open, "/proc/self/fd/new", O_RDWR | O_CREAT, 0600)));
    CHECK(refused(raw(SYS_unlink, "/proc/self/status")) && refused(raw(SYS_unlink, "/proc/self/fd/0")));
    CHECK(refused(raw(SYS_rmdir, "/proc/self")) && refused(raw(SYS_rmdir, "/proc/self/fd")));
    CHECK(refused(raw(SYS_symlink, "x", "/proc/new")) && refused(raw(SYS_rename, "/proc/self/status", "/proc/x")));
    CHECK(refused(raw(SYS_link, "/proc/self/status", "/proc/x")));
    TestFolder folder;
    CHECK(refused(raw(SYS_rename, "/proc/self/status", folder.path("x").c_str())));
    EXPECT(-EISDIR, SYS_open, "/proc/self/fd", O_RDWR);
}

LINUX_TEST(bad_memory_and_places) {
    const int fd = open("/proc/self/status", O_RDONLY);
    EXPECT(-EFAULT, SYS_read, fd, 16, 100);
    char text[8]{};
    CHECK(read(fd, text, 5) == 5 && std::strcmp(text, "Name:") == 0); // nothing was lost
    CHECK(pread(fd, text, 5, 0) == 5 && std::strcmp(text, "Name:") == 0 && lseek(fd, 0, SEEK_CUR) == 5);
    EXPECT(0, SYS_pread64, fd, text, 8, 1L << 40);
    EXPECT(-EINVAL, SYS_lseek, fd, -1L, SEEK_SET);
    EXPECT(-EBADF, SYS_write, fd, "x", 1);
    EXPECT(-ENOTDIR, SYS_getdents64, fd, text, 8);
    EXPECT(-ENOTDIR, SYS_openat, fd, "x", O_RDONLY);
    CHECK(close(fd) == 0);
    const int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
    EXPECT(-EFAULT, SYS_getdents64, directory, 16, 1024);
    EXPECT(-EISDIR, SYS_read, directory, text, 8);
    CHECK(close(directory) == 0);
}

// The pid is free again, but who held its files open hears that the process is gone.
LINUX_TEST(ended_process_held_open) {
    const pid_t child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    const std::string folder = "/proc/" + std::to_string(child);
    const int directory = open(folder.c_str(), O_RDONLY | O_DIRECTORY);
    const int descriptors = openat(directory, "fd", O_RDONLY | O_DIRECTORY);
    std::vector<int> files;
    for (const char* name : {"stat", "status", "statm", "comm", "limits", "cmdline", "maps"})
        files.push_back(openat(directory, name, O_RDONLY));
    char text[16];
    CHECK(read(files[0], text, 4) == 4); // half a text is kept
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, nullptr, 0) == child);
    char rest[4096];
    CHECK(read(files[0], rest, sizeof(rest)) >= 0 || errno == ESRCH);
    for (std::size_t i = 1; i < 5; ++i)
        EXPECT(-ESRCH, SYS_read, files[i], rest, sizeof(rest));
    for (std::size_t i = 5; i < files.size(); ++i) {
        const long got = raw(SYS_read, files[i], rest, sizeof(rest));
        CHECK(got == 0 || got == -ESRCH);
    }
    EXPECT(-ENOENT, SYS_getdents64, directory, rest, sizeof(rest));
    EXPECT(-ENOENT, SYS_getdents64, descriptors, rest, sizeof(rest));
    CHECK(is_gone(raw(SYS_openat, directory, "stat", O_RDONLY)));
    CHECK(is_gone(raw(SYS_openat, directory, "fd/0", O_RDONLY)));
    for (const int fd : files)
        close(fd);
    close(directory);
    close(descriptors);
}

// One thread reads all that there is of all processes while they come, load other programs, and go.
LINUX_TEST(processes_come_and_go) {
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0}, looks{0};
    std::string what;
    std::thread reader([&] {
        const std::string self = std::to_string(getpid());
        while (!stop) {
            bool has_self = false;
            for (const auto& [pid, type] : names_in("/proc")) {
                if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
                if (pid == self) has_self = true;
                if (!on_aios() && pid != self && link_of("/proc/" + pid + "/exe") != link_of("/proc/self/exe"))
                    continue;
                for (const char* name : {"stat", "status", "maps", "cmdline", "environ", "limits", "fd/1", "exe"}) {
                    const Read got = name == std::string("fd/1") || name == std::string("exe")
                                         ? Read{link_of("/proc/" + pid + "/" + name), 0}
                                         : read_path("/proc/" + pid + "/" + name);
                    if (got.error != 0 && !is_gone(got.error) && got.error != -EACCES) {
                        what = pid + " " + name + " " + error_name(got.error);
                        ++wrong;
                    }
                }
                for (const auto& [tid, kind] : names_in("/proc/" + pid + "/task"))
                    read_path("/proc/" + pid + "/task/" + tid + "/stat");
                names_in("/proc/" + pid + "/fd");
            }
            if (!has_self) {
                what = "not listed";
                ++wrong;
            }
            ++looks;
        }
    });
    for (int i = 0; i < 60 || looks < 3; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            if (i % 3 == 0) {
                const char* arguments[] = {"x", "leave", nullptr};
                execv("/proc/self/exe", const_cast<char**>(arguments));
            }
            _exit(0);
        }
        if (child < 0 || waitpid(child, nullptr, 0) != child) {
            CHECK(child > 0);
            break;
        }
    }
    stop = true;
    reader.join();
    CHECK(wrong == 0);
    if (wrong != 0) failed("reader", __LINE__, what);
}

// A directory is read piece by piece while what it lists goes.
LINUX_TEST(descriptors_close_while_listed) {
    const int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
    std::vector<int> made;
    for (int i = 0; i < 200; ++i)
        made.push_back(dup(1));
    std::set<long> seen;
    char piece[128];
    long got = 0;
    while ((got = raw(SYS_getdents64, directory, piece, sizeof(piece))) > 0) {
        for (long at = 0; at < got;) {
            std::uint16_t bytes = 0;
            std::memcpy(&bytes, piece + at + 16, 2);
            if (piece[at + 19] != '.') CHECK(seen.insert(std::atol(piece + at + 19)).second); // none twice
            at += bytes;
        }
        if (!made.empty()) close(made.back());
        if (!made.empty()) made.pop_back();
    }
    CHECK(got == 0 && seen.contains(0) && seen.contains(1) && seen.size() >= 100);
    for (const int fd : made)
        close(fd);
    close(directory);
}

LINUX_TEST(links_in_circles) {
    std::string path = "/proc";
    const auto round = [&](int times) {
        std::string text;
        for (int i = 0; i < times; ++i)
            text += "/proc/self/root";
        return text;
    };
    struct stat info{};
    EXPECT(0, SYS_stat, (round(10) + "/proc/self/status").c_str(), &info); // two links each
    EXPECT(-ELOOP, SYS_stat, (round(25) + "/proc/self/status").c_str(), &info);
    TestFolder folder;
    CHECK(symlink(("/proc/self/root" + folder.path("loop")).c_str(), folder.path("loop").c_str()) == 0);
    EXPECT(-ELOOP, SYS_stat, folder.path("loop").c_str(), &info);
    EXPECT(-ELOOP, SYS_open, folder.path("loop").c_str(), O_RDONLY);
    CHECK(symlink("/proc/self/cwd", folder.path("here").c_str()) == 0);
    EXPECT(0, SYS_stat, folder.path("here/").c_str(), &info);
    CHECK(S_ISDIR(info.st_mode));
    EXPECT(-ENOTDIR, SYS_stat, "/proc/self/exe/", &info);
    EXPECT(-ENOTDIR, SYS_stat, "/proc/self/exe/x", &info);
    EXPECT(0, SYS_stat, "/proc/self/../self/task/../status", &info);
    // A descriptor that is its own listing, and one that leads to a link to itself.
    const int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
    const std::string own_link = "/proc/self/fd/" + std::to_string(directory);
    EXPECT(0, SYS_stat, (own_link + "/" + std::to_string(directory) + "/" + std::to_string(directory)).c_str(), &info);
    CHECK(S_ISDIR(info.st_mode) && close(directory) == 0);
}

// A reader in the middle of a text while another thread goes back and reads it anew.
LINUX_TEST(readers_at_once) {
    const int fd = open("/proc/self/maps", O_RDONLY);
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            char text[256];
            for (int round = 0; round < 200; ++round) {
                if (round % 3 == 0) lseek(fd, 0, SEEK_SET);
                void* const page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                wrong += read(fd, text, sizeof(text)) < 0;
                munmap(page, 4096);
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    CHECK(wrong == 0 && close(fd) == 0);
}

// What is read is paid for by the reader, and given back.
LINUX_TEST(texts_are_given_back) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    const auto used = [] { return std::stoull(text_of("/sys/fs/cgroup/memory.current")); };
    const auto look = [] {
        for (const char* name : {"maps", "status", "stat", "environ", "mountinfo", "limits", "fd/1", "cwd"})
            read_path(own(name));
        names_in("/proc");
        names_in("/proc/self/fd");
    };
    look();
    const auto before = used();
    for (int i = 0; i < 50; ++i)
        look();
    CHECK(used() <= before + 65536);
    std::vector<int> held;
    for (int i = 0; i < 100; ++i)
        held.push_back(open("/proc/self/maps", O_RDONLY));
    char text[64];
    const auto opened = used();
    for (const int fd : held)
        CHECK(read(fd, text, sizeof(text)) == 64);
    CHECK(used() > opened); // their texts are kept while they are open
    for (const int fd : held)
        close(fd);
    CHECK(used() <= before + 131072);
}

} // namespace

int main(int count, char** strings) {
    if (count == 2 && std::strcmp(strings[1], "leave") == 0) return 0;
    return run_all("generated_hostile");
}
