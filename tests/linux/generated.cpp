// Generated files that tell of processes: /proc/PID and what is below it. Each thing is changed, and the answer is seen to
// change. tests/linux/system.cpp has what tells of the whole; tests/linux/generated_hostile.cpp what nobody should try.
#include <csignal>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>

#include "tests/linux/generated.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

extern char** environ;

namespace {

int program_arguments = 0;
char** program_strings = nullptr;

// A child that waits to be told.
class Child {
public:
    explicit Child(void (*body)() = nullptr) : pid_(fork()) {
        if (pid_ != 0) return;
        if (body != nullptr) body();
        for (;;)
            pause();
    }
    ~Child() { end(); }
    Child(const Child&) = delete;
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::string path(const std::string& name) const {
        return "/proc/" + std::to_string(pid_) + "/" + name;
    }
    void end() {
        if (pid_ <= 0) return;
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

private:
    pid_t pid_;
};

LINUX_TEST(numbers) {
    const std::string pid = std::to_string(getpid());
    CHECK(link_of("/proc/self") == pid);
    CHECK(link_of("/proc/thread-self") == pid + "/task/" + pid);
    std::string in_thread, wanted;
    std::thread([&] {
        in_thread = link_of("/proc/thread-self");
        wanted = pid + "/task/" + std::to_string(gettid());
    }).join();
    CHECK(in_thread == wanted && in_thread != pid + "/task/" + pid);
    const pid_t child = fork();
    if (child == 0) _exit(link_of("/proc/self") == std::to_string(getpid()) ? 0 : 1);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    const auto names = names_in("/proc");
    CHECK(names.contains(pid) && names.contains("self") && names.contains("meminfo"));
}

// What is listed is there, and is what the listing says.
LINUX_TEST(listed_names_are_there) {
    for (const std::string directory : {"/proc/self", "/proc/self/fd", "/proc/self/task", "/proc/sys/kernel", "/dev"}) {
        for (const auto& [name, type] : names_in(directory)) {
            struct stat info{};
            const long done = raw(SYS_lstat, (directory + "/" + name).c_str(), &info);
            if (directory == "/proc/self/fd" && done == -ENOENT) continue; // of the listing itself
            CHECK(done == 0);
            if (done == 0 && type != DT_UNKNOWN && IFTODT(info.st_mode) != static_cast<unsigned>(type))
                failed("types differ", __LINE__, directory + "/" + name);
        }
    }
}

LINUX_TEST(executable_and_directories) {
    const std::string program = link_of(own("exe"));
    struct stat by_link{}, by_path{};
    CHECK(stat(own("exe").c_str(), &by_link) == 0 && stat(program.c_str(), &by_path) == 0);
    CHECK(by_link.st_ino == by_path.st_ino && contains(program, "generated"));
    TestFolder folder;
    char before[4096];
    CHECK(getcwd(before, sizeof(before)) != nullptr && link_of(own("cwd")) == before);
    CHECK(chdir(folder.root().c_str()) == 0 && link_of(own("cwd")) == folder.root());
    Child child;
    CHECK(link_of(child.path("cwd")) == folder.root());
    CHECK(chdir(before) == 0 && link_of(own("cwd")) == before && link_of(child.path("cwd")) == folder.root());
    CHECK(link_of(own("root")) == "/");
    CHECK(stat(own("root/proc/self/exe").c_str(), &by_path) == 0 && by_link.st_ino == by_path.st_ino);
}

LINUX_TEST(descriptors) {
    TestFolder folder;
    const auto before = names_in(own("fd"));
    const int fd = open(folder.path("a").c_str(), O_RDWR | O_CREAT, 0600);
    const std::string link = own("fd/") + std::to_string(fd);
    CHECK(!before.contains(std::to_string(fd)) || link_of(link) == folder.path("a"));
    CHECK(names_in(own("fd")).contains(std::to_string(fd)) && link_of(link) == folder.path("a"));
    struct stat info{};
    CHECK(lstat(link.c_str(), &info) == 0 && S_ISLNK(info.st_mode) && (info.st_mode & 0700) == 0700);
    const int reader = open(folder.path("a").c_str(), O_RDONLY);
    CHECK(lstat((own("fd/") + std::to_string(reader)).c_str(), &info) == 0 && (info.st_mode & 0700) == 0500);
    CHECK(unlink(folder.path("a").c_str()) == 0 && link_of(link) == folder.path("a") + " (deleted)");
    struct stat held{};
    CHECK(stat(link.c_str(), &info) == 0 && fstat(fd, &held) == 0 && info.st_ino == held.st_ino);
    const Pipe pipe;
    CHECK(fstat(pipe.out(), &held) == 0);
    CHECK(link_of(own("fd/") + std::to_string(pipe.out())) == "pipe:[" + std::to_string(held.st_ino) + "]");
    CHECK(close(fd) == 0 && close(reader) == 0 && link_of(link) == "error ENOENT");
}

// Another process's, which has others.
LINUX_TEST(descriptors_of_a_child) {
    TestFolder folder;
    const int mine = open(folder.path("mine").c_str(), O_RDWR | O_CREAT, 0600);
    CHECK(write(mine, "text", 4) == 4);
    Child child;
    CHECK(close(mine) == 0);
    const std::string link = child.path("fd/") + std::to_string(mine);
    CHECK(link_of(link) == folder.path("mine") && link_of(own("fd/") + std::to_string(mine)) == "error ENOENT");
    CHECK(text_of(link) == "text");
    CHECK(contains(text_of(child.path("fdinfo/") + std::to_string(mine)), "pos:\t4\n"));
}

LINUX_TEST(opening_a_descriptor_again) {
    TestFolder folder;
    const int fd = open(folder.path("a").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(write(fd, "0123456789", 10) == 10);
    const std::string link = own("fd/") + std::to_string(fd);
    const int again = open(link.c_str(), O_RDONLY); // with a position of its own
    char text[16]{};
    CHECK(read(again, text, 4) == 4 && std::strcmp(text, "0123") == 0 && lseek(fd, 0, SEEK_CUR) == 10);
    EXPECT(-EBADF, SYS_write, again, "x", 1);
    CHECK(unlink(folder.path("a").c_str()) == 0); // and without a name
    const int writer = open(link.c_str(), O_WRONLY | O_APPEND);
    CHECK(writer >= 0 && write(writer, "ab", 2) == 2 && pread(fd, text, 12, 0) == 12 && text[11] == 'b');
    EXPECT(-ENOTDIR, SYS_open, link.c_str(), O_RDONLY | O_DIRECTORY);
    EXPECT(-ELOOP, SYS_open, link.c_str(), O_RDONLY | O_NOFOLLOW);
    EXPECT(-EEXIST, SYS_open, link.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    const int cut = open(link.c_str(), O_RDWR | O_TRUNC);
    struct stat info{};
    CHECK(cut >= 0 && fstat(fd, &info) == 0 && info.st_size == 0);
    EXPECT(0, SYS_access, link.c_str(), R_OK | W_OK);
    EXPECT(0, SYS_chmod, link.c_str(), 0640);
    CHECK(fstat(fd, &info) == 0 && (info.st_mode & 0777) == 0640);
    EXPECT(0, SYS_truncate, link.c_str(), 7L);
    CHECK(fstat(fd, &info) == 0 && info.st_size == 7);
    const int directory = open(folder.root().c_str(), O_RDONLY | O_DIRECTORY);
    CHECK(mkdir(folder.path("d").c_str(), 0700) == 0);
    CHECK(stat((own("fd/") + std::to_string(directory) + "/d").c_str(), &info) == 0 && S_ISDIR(info.st_mode));
    for (const int each : {fd, again, writer, cut, directory})
        CHECK(close(each) == 0);
    EXPECT(-ENOENT, SYS_open, link.c_str(), O_RDONLY);
}

LINUX_TEST(opening_a_pipe_again) {
    Pipe pipe;
    const int again = open(("/dev/fd/" + std::to_string(pipe.out())).c_str(), O_RDONLY); // as bash does for <(...)
    CHECK(again >= 0 && write(pipe.in(), "abc", 3) == 3);
    char text[8]{};
    CHECK(read(again, text, sizeof(text)) == 3 && std::strcmp(text, "abc") == 0);
    const int writer = open(own("fd/" + std::to_string(pipe.in())).c_str(), O_WRONLY);
    CHECK(writer >= 0 && write(writer, "de", 2) == 2 && read(pipe.out(), text, sizeof(text)) == 2);
    pipe.close_in();
    CHECK(poll_one(pipe.out(), POLLIN) == 0); // there is a writer still
    CHECK(close(writer) == 0 && poll_one(pipe.out(), POLLIN) == POLLHUP && read(again, text, 1) == 0);
    CHECK(close(again) == 0);
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    EXPECT(-ENXIO, SYS_open, own("fd/" + std::to_string(pair[0])).c_str(), O_RDWR);
    struct stat info{};
    CHECK(stat(own("fd/" + std::to_string(pair[0])).c_str(), &info) == 0 && S_ISSOCK(info.st_mode));
    close(pair[0]);
    close(pair[1]);
}

LINUX_TEST(descriptor_information) {
    TestFolder folder;
    const int fd = open(folder.path("a").c_str(), O_RDWR | O_CREAT, 0600);
    const std::string path = own("fdinfo/") + std::to_string(fd);
    CHECK(value_of(text_of(path), "pos") == "0" && write(fd, "abc", 3) == 3);
    CHECK(value_of(text_of(path), "pos") == "3" && value_of(text_of(path), "flags") == "0100002");
    CHECK(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
    CHECK(value_of(text_of(path), "flags") == "02106002");
    CHECK(close(fd) == 0 && read_path(path).error == -ENOENT);
}

std::string line_of(const void* address) {
    char start[32];
    std::snprintf(start, sizeof(start), "%08lx-",
                  reinterpret_cast<unsigned long>(address)); // SAFETY: an address as text
    std::istringstream lines(text_of("/proc/self/maps"));
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(start)) return line;
    }
    return {};
}

LINUX_TEST(mappings) {
    constexpr std::size_t kPage = 4096;
    // With nothing accessible on both sides, so that it is a line of its own.
    auto* around = static_cast<char*>(mmap(nullptr, 5 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    char* const own_page = around + 2 * kPage;
    CHECK(mprotect(own_page, kPage, PROT_READ | PROT_WRITE) == 0 && contains(line_of(own_page), " rw-p "));
    CHECK(mprotect(own_page, kPage, PROT_READ) == 0 && contains(line_of(own_page), " r--p "));
    CHECK(munmap(own_page, kPage) == 0 && line_of(own_page).empty() && munmap(around, 5 * kPage) == 0);
    TestFolder folder;
    const int fd = open(folder.path("mapped").c_str(), O_RDWR | O_CREAT, 0600);
    struct stat info{};
    CHECK(ftruncate(fd, 3 * kPage) == 0 && fstat(fd, &info) == 0);
    void* const file = mmap(nullptr, kPage, PROT_READ, MAP_SHARED, fd, 2 * kPage);
    const std::string line = line_of(file);
    CHECK(contains(line, " r--s 00002000 ") && line.ends_with(" " + folder.path("mapped")));
    CHECK(contains(line, " " + std::to_string(info.st_ino) + " ") && munmap(file, kPage) == 0 && close(fd) == 0);
    const std::string all = text_of("/proc/self/maps");
    CHECK(contains(all, "[stack]") && contains(all, link_of(own("exe"))));
}

LINUX_TEST(status) {
    const auto field = [](const char* key) { return value_of(text_of("/proc/self/status"), key); };
    CHECK(field("Pid") == std::to_string(getpid()) && field("Tgid") == field("Pid"));
    CHECK(field("PPid") == std::to_string(getppid()) && field("Threads") == "1" && field("State") == "R (running)");
    const mode_t before = umask(027);
    CHECK(field("Umask") == "0027");
    umask(before);
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    raise(SIGUSR1);
    const auto has = [&](const char* key) { return (std::stoull(field(key), nullptr, 16) & 0x200) != 0; };
    CHECK(has("SigBlk") && has("SigPnd") && !has("SigIgn") && !has("SigCgt"));
    signal(SIGUSR1, SIG_IGN);
    CHECK(has("SigIgn"));
    signal(SIGUSR1, [](int) {});
    CHECK(has("SigCgt") && !has("SigIgn"));
    sigprocmask(SIG_SETMASK, &old, nullptr);
    CHECK(!has("SigBlk") && !has("SigPnd"));
    signal(SIGUSR1, SIG_DFL);
    std::string threads;
    std::thread([&] { threads = field("Threads"); }).join();
    CHECK(threads == "2");
    const long small = std::stol(field("VmSize"));
    void* const large = mmap(nullptr, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(std::stol(field("VmSize")) - small == 16 << 10);
    const long untouched = std::stol(field("VmRSS"));
    std::memset(large, 1, 4 << 20);
    const long grown = std::stol(field("VmRSS")) - untouched;
    CHECK(grown > 3 << 10 && grown < 7 << 10 && munmap(large, 16 << 20) == 0);
    EXPECT(0, SYS_access, "/proc/self/statm", R_OK);
}

LINUX_TEST(states) {
    Child child;
    const auto state = [&] {
        const auto fields = stat_fields(text_of(child.path("stat")));
        return fields.size() == 52 ? fields[2] : "wrong";
    };
    while (state() == "R")
        std::this_thread::yield();
    CHECK(state() == "S");
    int status = 0;
    CHECK(kill(child.pid(), SIGSTOP) == 0 && waitpid(child.pid(), &status, WUNTRACED) == child.pid());
    CHECK(state() == "T" && value_of(text_of(child.path("status")), "State").starts_with("T"));
    CHECK(kill(child.pid(), SIGCONT) == 0 && waitpid(child.pid(), &status, WCONTINUED) == child.pid());
    siginfo_t info{};
    CHECK(kill(child.pid(), SIGKILL) == 0);
    CHECK(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) == 0);
    CHECK(state() == "Z" && value_of(text_of(child.path("status")), "State") == "Z (zombie)");
    CHECK(text_of(child.path("cmdline")).empty() && text_of(child.path("comm")) == text_of(own("comm")));
    CHECK(link_of(child.path("exe")) == "error ENOENT" && link_of(child.path("cwd")) == "error ENOENT");
    CHECK(names_in("/proc").contains(std::to_string(child.pid())));
    const std::string pid = std::to_string(child.pid());
    child.end();
    CHECK(!names_in("/proc").contains(pid) && read_path("/proc/" + pid + "/stat").error == -ENOENT);
}

LINUX_TEST(stat_line) {
    const auto fields = stat_fields(text_of(own("stat")));
    CHECK(fields.size() == 52);
    if (fields.size() != 52) return;
    CHECK(fields[0] == std::to_string(getpid()) && fields[3] == std::to_string(getppid()));
    CHECK(fields[4] == std::to_string(getpgrp()) && fields[5] == std::to_string(getsid(0)) && fields[19] == "1");
    CHECK(std::stoull(fields[27]) >= reinterpret_cast<unsigned long>(&fields)); // SAFETY: an address as a number
    const pid_t child = fork();
    if (child == 0) {
        setsid();
        const auto now = stat_fields(text_of(own("stat")));
        _exit(now.size() == 52 && now[4] == now[0] && now[5] == now[0] &&
                      std::stoull(now[21]) >= std::stoull(fields[21])
                  ? 0
                  : 1);
    }
    int result = -1;
    CHECK(waitpid(child, &result, 0) == child && result == 0);
    const auto ticks = [&] {
        const auto now = stat_fields(text_of(own("stat")));
        return std::stoull(now[13]) + std::stoull(now[14]);
    };
    const auto used = ticks();
    while (ticks() < used + 2) {
    }
}

LINUX_TEST(threads) {
    const Pipe pipe;
    long got = 0;
    std::thread other([&] {
        char c;
        prctl(PR_SET_NAME, "other thread");
        got = read(pipe.out(), &c, 1);
    });
    std::map<std::string, int> tasks;
    std::string found;
    while (found.empty()) {
        tasks = names_in(own("task"));
        for (const auto& [tid, type] : tasks)
            if (text_of(own("task/") + tid + "/comm") == "other thread\n") found = tid;
    }
    CHECK(tasks.size() == 2 && tasks.contains(std::to_string(getpid())));
    CHECK(stat_fields(text_of(own("task/") + found + "/stat"))[0] == found);
    CHECK(value_of(text_of(own("task/") + found + "/status"), "Pid") == found);
    CHECK(value_of(text_of(own("task/") + found + "/status"), "Tgid") == std::to_string(getpid()));
    CHECK(write(pipe.in(), "q", 1) == 1);
    other.join();
    CHECK(got == 1);
    while (names_in(own("task")).size() != 1) // it is joined a moment before it is gone
        std::this_thread::yield();
    CHECK(read_path(own("task/") + found + "/comm").error == -ENOENT);
}

LINUX_TEST(names) {
    char before[16];
    CHECK(prctl(PR_GET_NAME, before) == 0 && text_of(own("comm")) == std::string(before) + "\n");
    CHECK(prctl(PR_SET_NAME, "new name (x)") == 0 && text_of(own("comm")) == "new name (x)\n");
    CHECK(stat_fields(text_of(own("stat")))[1] == "new name (x)");
    CHECK(value_of(text_of(own("status")), "Name") == "new name (x)");
    const int fd = open(own("comm").c_str(), O_RDWR);
    CHECK(write(fd, "written, and too long for a name", 32) == 32);
    CHECK(text_of(own("comm")) == "written, and to\n");
    CHECK(prctl(PR_SET_NAME, before) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    CHECK(read_open(fd).text == std::string(before) + "\n"); // read from its start it is made anew
    CHECK(close(fd) == 0);
    Child child;
    CHECK(text_of(child.path("comm")) == std::string(before) + "\n");
    const long other = raw(SYS_open, child.path("comm").c_str(), O_WRONLY);
    if (other >= 0) EXPECT(-EINVAL, SYS_write, other, "x", 1);
}

LINUX_TEST(command_line_and_environment) {
    std::string wanted;
    for (int i = 0; i < program_arguments; ++i)
        wanted += std::string(program_strings[i]) + '\0';
    CHECK(text_of(own("cmdline")) == wanted && !wanted.empty());
    std::string environment;
    for (char** at = environ; *at != nullptr; ++at)
        environment += std::string(*at) + '\0';
    CHECK(text_of(own("environ")) == environment);
    char* const first = program_strings[0]; // read from its memory: what it writes there is told
    const char kept = first[0];
    first[0] = '#';
    CHECK(text_of(own("cmdline")).starts_with("#"));
    first[0] = kept;
    const std::string vector = text_of(own("auxv"));
    unsigned long page = 0;
    for (std::size_t at = 0; at + 16 <= vector.size(); at += 16) {
        unsigned long pair[2];
        std::memcpy(pair, vector.data() + at, sizeof(pair));
        if (pair[0] == AT_PAGESZ) page = pair[1];
        if (pair[0] == AT_ENTRY) CHECK(pair[1] == getauxval(AT_ENTRY));
    }
    CHECK(page == 4096);
}

// After execve everything is the new program's.
LINUX_TEST(another_program) {
    const Pipe pipe;
    const pid_t child = fork();
    if (child == 0) {
        dup2(pipe.in(), 1);
        const char* arguments[] = {"a name", "tell", "it", nullptr};
        const char* environment[] = {"A=B", nullptr};
        execve("/proc/self/exe", const_cast<char**>(arguments), const_cast<char**>(environment));
        _exit(1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    char text[512]{};
    CHECK(read(pipe.out(), text, sizeof(text) - 1) > 0);
    std::string wanted = "a name|tell|it|A=B|exe\n";
    CHECK(std::string(text) == wanted);
    if (std::string(text) != wanted) failed("text", __LINE__, text);
}

LINUX_TEST(limits) {
    rlimit before{};
    const auto line = [] {
        const std::string text = text_of(own("limits"));
        const auto at = text.find("Max open files");
        std::istringstream words(text.substr(at + 14, 60));
        std::string soft, hard;
        words >> soft >> hard;
        return soft + " " + hard;
    };
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(line() == std::to_string(before.rlim_cur) + " " + std::to_string(before.rlim_max));
    const rlimit less{40, before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &less) == 0 && line() == "40 " + std::to_string(before.rlim_max));
    EXPECT(-EBADF, SYS_dup2, 1, 40);
    EXPECT(-EINVAL, SYS_fcntl, 1, F_DUPFD, 40);
    std::vector<int> made;
    long got = 0;
    while ((got = raw(SYS_dup, 1)) >= 0)
        made.push_back(static_cast<int>(got));
    CHECK(got == -EMFILE && !made.empty() && made.back() == 39);
    for (const int fd : made)
        close(fd);
    const pid_t child = fork();
    if (child == 0) _exit(line().starts_with("40 ") ? 0 : 1); // inherited
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit now{};
    CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == before.rlim_cur);
}

LINUX_TEST(memory_score) {
    const std::string before = text_of(own("oom_score_adj"));
    const int fd = open(own("oom_score_adj").c_str(), O_RDWR);
    CHECK(write(fd, "500\n", 4) == 4 && text_of(own("oom_score_adj")) == "500\n");
    EXPECT(-EINVAL, SYS_write, fd, "1001", 4);
    EXPECT(-EINVAL, SYS_write, fd, "x", 1);
    CHECK(text_of(own("oom_score_adj")) == "500\n");
    CHECK(write(fd, before.data(), before.size()) == static_cast<long>(before.size()) && close(fd) == 0);
}

LINUX_TEST(group_and_mounts) {
    CHECK(contains(text_of(own("cgroup")), ":/"));
    const std::string mounts = text_of(own("mounts")), information = text_of(own("mountinfo"));
    CHECK(contains(mounts, " / ") && contains(mounts, " /proc proc ") && contains(information, " /proc "));
    CHECK(link_of("/proc/mounts") == "self/mounts" && text_of("/proc/mounts") == mounts);
    std::istringstream lines(information);
    for (std::string line; std::getline(lines, line);) // each has its type behind the separator
        CHECK(contains(line, " - "));
}

// Only what the agent's own processes are is seen.
LINUX_TEST(no_other_process) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    std::set<std::string> wanted{"1"};
    Child first, second;
    wanted.insert(std::to_string(first.pid()));
    wanted.insert(std::to_string(second.pid()));
    std::set<std::string> found;
    for (const auto& [name, type] : names_in("/proc"))
        if (name.find_first_not_of("0123456789") == std::string::npos) found.insert(name);
    CHECK(found == wanted && getpid() == 1);
    CHECK(text_of("/sys/fs/cgroup/cgroup.procs").starts_with("1\n"));
}

int tell() {
    std::string text = text_of(own("cmdline")) + text_of(own("environ")) + text_of(own("comm"));
    std::replace(text.begin(), text.end(), '\0', '|');
    return write(1, text.data(), text.size()) == static_cast<long>(text.size()) ? 0 : 1;
}

} // namespace

int main(int count, char** strings) {
    if (count == 3 && std::strcmp(strings[1], "tell") == 0) return tell();
    program_arguments = count;
    program_strings = strings;
    return run_all("generated");
}
