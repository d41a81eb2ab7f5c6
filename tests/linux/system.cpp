// Generated files that tell of the whole, which to a program on AIOS is its agent: /proc, /sys, /dev.
#include <cmath>
#include <semaphore.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <thread>

#include "tests/linux/generated.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

LINUX_TEST(memory) {
    const auto field = [](const char* key) { return std::stoull(value_of(text_of("/proc/meminfo"), key)); };
    struct sysinfo info{};
    CHECK(sysinfo(&info) == 0 && field("MemTotal") == info.totalram * info.mem_unit / 1024);
    CHECK(field("MemFree") <= field("MemTotal") && field("MemAvailable") <= field("MemTotal"));
    if (!on_aios()) return; // elsewhere others change it too
    constexpr std::size_t kBytes = 8 << 20;
    const auto before = field("MemFree");
    void* const pages = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(pages, 1, kBytes);
    CHECK(before - field("MemFree") >= kBytes / 1024 && munmap(pages, kBytes) == 0);
    CHECK(before - field("MemFree") < kBytes / 1024);
}

LINUX_TEST(processors) {
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const std::string text = text_of("/proc/cpuinfo");
    long count = 0;
    for (std::size_t at = 0; (at = text.find("processor\t: ", at)) != std::string::npos; ++at)
        ++count;
    CHECK(count == online && contains(text, "vendor_id\t: ") && contains(text, "model name\t: "));
    CHECK(contains(text, " sse2") && contains(text, "cpu MHz\t\t: "));
    const std::string list = online == 1 ? "0\n" : "0-" + std::to_string(online - 1) + "\n";
    CHECK(text_of("/sys/devices/system/cpu/online") == list);
    struct stat info{};
    const std::string folder = "/sys/devices/system/cpu/cpu";
    CHECK(stat((folder + std::to_string(online - 1)).c_str(), &info) == 0 && S_ISDIR(info.st_mode));
    EXPECT(-ENOENT, SYS_stat, (folder + "99999").c_str(), &info);
    EXPECT(-ENOENT, SYS_stat, (folder + "00").c_str(), &info);
    EXPECT(-ENOENT, SYS_stat, (folder + "1x").c_str(), &info);
    CHECK(names_in("/sys/devices/system/cpu").contains("cpu0"));
}

LINUX_TEST(times) {
    const auto uptime = [] { return std::stod(text_of("/proc/uptime")); };
    const double before = uptime();
    while (uptime() < before + 0.05)
        std::this_thread::yield();
    struct sysinfo info{};
    CHECK(sysinfo(&info) == 0 && std::fabs(uptime() - static_cast<double>(info.uptime)) < 60);
    const std::string text = text_of("/proc/stat");
    CHECK(text.starts_with("cpu  ") && contains(text, "\ncpu0 ") && contains(text, "\nbtime "));
    const auto line = text.substr(text.find("\nprocesses ") + 11);
    const pid_t child = fork();
    if (child == 0) _exit(0);
    CHECK(waitpid(child, nullptr, 0) == child);
    const std::string later = text_of("/proc/stat");
    CHECK(std::stoull(later.substr(later.find("\nprocesses ") + 11)) > std::stoull(line));
    double loads[3] = {-1, -1, -1};
    int running = -1, all = -1, last = -1;
    CHECK(std::sscanf(text_of("/proc/loadavg").c_str(), "%lf %lf %lf %d/%d %d", &loads[0], &loads[1], &loads[2],
                      &running, &all, &last) == 6);
    CHECK(loads[2] >= 0 && running >= 1 && all >= running && last >= 1);
}

LINUX_TEST(names) {
    utsname name{};
    CHECK(uname(&name) == 0);
    CHECK(text_of("/proc/sys/kernel/osrelease") == std::string(name.release) + "\n");
    CHECK(text_of("/proc/sys/kernel/ostype") == std::string(name.sysname) + "\n");
    CHECK(text_of("/proc/sys/kernel/hostname") == std::string(name.nodename) + "\n");
    CHECK(text_of("/proc/version").starts_with(std::string(name.sysname) + " version " + name.release + " "));
    CHECK(contains(text_of("/proc/filesystems"), "nodev\tproc\n"));
    const std::string boot = text_of("/proc/sys/kernel/random/boot_id");
    const std::string first = text_of("/proc/sys/kernel/random/uuid"), second = text_of("/proc/sys/kernel/random/uuid");
    CHECK(boot.size() == 37 && boot[8] == '-' && boot[23] == '-' && boot == text_of("/proc/sys/kernel/random/boot_id"));
    CHECK(first.size() == 37 && first != second && first[14] == '4' && first != boot);
    CHECK(std::stol(text_of("/proc/sys/kernel/pid_max")) > getpid());
    for (const char* path :
         {"/proc/sys/kernel/cap_last_cap", "/proc/sys/kernel/threads-max", "/proc/sys/vm/overcommit_memory",
          "/proc/sys/vm/max_map_count", "/proc/sys/vm/mmap_min_addr", "/proc/sys/fs/file-max",
          "/proc/sys/fs/pipe-max-size", "/proc/sys/net/core/somaxconn"}) {
        const std::string text = text_of(path);
        if (text.empty() || text.find_first_not_of("0123456789\n") != std::string::npos)
            failed("not a number", __LINE__, path);
    }
}

LINUX_TEST(control_group) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    const std::string folder = "/sys/fs/cgroup/";
    CHECK(text_of("/proc/self/cgroup") == "0::/\n" && contains(text_of(folder + "cgroup.controllers"), "memory"));
    const auto number = [&](const char* name) { return std::stoull(text_of(folder + name)); };
    CHECK(number("memory.max") / 1024 == std::stoull(value_of(text_of("/proc/meminfo"), "MemTotal")));
    const auto before = number("memory.current");
    void* const pages = mmap(nullptr, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(pages, 1, 4 << 20);
    CHECK(number("memory.current") >= before + (4 << 20) && number("memory.peak") >= number("memory.current"));
    CHECK(munmap(pages, 4 << 20) == 0);
    const auto threads = number("pids.current");
    const pid_t child = fork();
    if (child == 0) _exit(number("pids.current") > threads ? 0 : 1);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0 && number("pids.max") > threads);
    CHECK(contains(text_of(folder + "cpu.max"), " 100000\n") && contains(text_of(folder + "cpu.stat"), "usage_usec "));
    struct statfs info{};
    CHECK(statfs(folder.c_str(), &info) == 0 && info.f_type == 0x63677270);
}

LINUX_TEST(kinds_of_file_system) {
    struct statfs info{};
    CHECK(statfs("/proc/self/status", &info) == 0 && info.f_type == 0x9fa0);
    CHECK(statfs("/sys/devices", &info) == 0 && info.f_type == 0x62656572);
    struct stat proc{}, sys{}, dev{};
    CHECK(stat("/proc", &proc) == 0 && stat("/sys", &sys) == 0 && stat("/dev", &dev) == 0);
    CHECK(S_ISDIR(proc.st_mode) && proc.st_dev != sys.st_dev && sys.st_dev != dev.st_dev);
    CHECK(stat("/proc/self/status", &sys) == 0 && S_ISREG(sys.st_mode) && sys.st_dev == proc.st_dev);
    const auto names = names_in("/");
    CHECK(names.contains("dev") && names.contains("proc") && names.contains("sys"));
}

LINUX_TEST(devices) {
    char text[16];
    std::memset(text, 1, sizeof(text));
    const int full = open("/dev/full", O_RDWR);
    CHECK(read(full, text, 16) == 16 && text[0] == 0 && text[15] == 0);
    EXPECT(-ENOSPC, SYS_write, full, text, 1);
    CHECK(close(full) == 0);
    const int zero = open("/dev/zero", O_RDWR);
    for (const int sharing : {MAP_PRIVATE, MAP_SHARED}) {
        auto* page = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, sharing, zero, 0));
        CHECK(page != MAP_FAILED && page[8191] == 0);
        page[8191] = 1;
        CHECK(page[8191] == 1 && munmap(page, 8192) == 0);
    }
    CHECK(close(zero) == 0);
    char before[4096];
    CHECK(getcwd(before, sizeof(before)) != nullptr && chdir("/dev") == 0);
    struct stat by_name{}, by_slashes{};
    CHECK(stat("null", &by_name) == 0 && stat("/dev//./null", &by_slashes) == 0);
    CHECK(by_name.st_ino == by_slashes.st_ino && by_name.st_rdev == makedev(1, 3) && S_ISCHR(by_name.st_mode));
    CHECK(chdir(before) == 0 && names_in("/dev")["null"] == DT_CHR);
    EXPECT(-ENOTDIR, SYS_open, "/dev/null/", O_RDONLY);
    EXPECT(-ENOTDIR, SYS_open, "/dev/null/x", O_RDONLY);
    EXPECT(-ENOTDIR, SYS_open, "/dev/null/..", O_RDONLY);
    EXPECT(-ENODEV, SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    const long terminal = raw(SYS_open, "/dev/tty", O_RDWR);
    CHECK(terminal == -ENXIO || terminal >= 0);
    if (on_aios()) CHECK(terminal == -ENXIO); // terminals.cpp has those that are there
}

LINUX_TEST(standard_streams) {
    CHECK(link_of("/dev/fd") == "/proc/self/fd" && link_of("/dev/stdin") == "/proc/self/fd/0");
    const pid_t child = fork();
    if (child == 0) {
        const Pipe pipe;
        dup2(pipe.in(), 1);
        dup2(pipe.out(), 0);
        const int out = open("/dev/stdout", O_WRONLY | O_CREAT | O_TRUNC, 0600), in = open("/dev/stdin", O_RDONLY);
        char text[4]{};
        _exit(write(out, "abc", 3) == 3 && read(in, text, 3) == 3 && std::strcmp(text, "abc") == 0 ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

LINUX_TEST(shared_memory_by_name) {
    const std::string name = "/aios-test-" + std::to_string(getpid());
    const int fd = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
    auto* word = static_cast<volatile int*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    const pid_t child = fork();
    if (child == 0) {
        const int same = shm_open(name.c_str(), O_RDWR, 0);
        auto* other = static_cast<volatile int*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, same, 0));
        if (same >= 0) *other = 42;
        _exit(0);
    }
    CHECK(waitpid(child, nullptr, 0) == child && *word == 42);
    CHECK(names_in("/dev/shm").contains(name.substr(1)));
    CHECK(shm_unlink(name.c_str()) == 0 && !names_in("/dev/shm").contains(name.substr(1)) && close(fd) == 0);
    sem_t* const semaphore = sem_open(name.c_str(), O_CREAT | O_EXCL, 0600, 1);
    CHECK(semaphore != SEM_FAILED && sem_wait(semaphore) == 0 && sem_trywait(semaphore) == -1);
    CHECK(sem_close(semaphore) == 0 && sem_unlink(name.c_str()) == 0);
}

} // namespace

int main() { return run_all("system"); }
