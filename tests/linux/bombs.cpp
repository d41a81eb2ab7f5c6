// Processes that attack: as many as there may be, flat, in a chain, by vfork, as zombies; programs that are no programs, or
// change while they are started. Afterwards every byte and every thread that they took is back.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <thread>
#include <time.h>
#include <vector>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

constexpr char kSelf[] = "/proc/self/exe";

void pause_ms(long ms) {
    const timespec time{ms / 1000, ms % 1000 * 1'000'000};
    nanosleep(&time, nullptr);
}

[[noreturn]] void sleep_for_ever() {
    for (;;)
        pause();
}

// What the agent has left, to the byte. On Linux it says nothing about this program.
unsigned long free_memory() {
    struct sysinfo info{};
    sysinfo(&info);
    return info.freeram;
}

// What has ended lets go of the last of it within a moment.
void check_all_is_back(unsigned long before, int line) {
    if (!on_aios()) return;
    for (int i = 0; i < 2000 && free_memory() != before; ++i)
        pause_ms(1);
    const unsigned long now = free_memory();
    if (now != before) failed("memory is back", line, std::to_string(static_cast<long>(now - before)) + " bytes");
    struct sysinfo info{};
    sysinfo(&info);
    if (info.procs != 1) failed("processes are gone", line, std::to_string(info.procs));
}

int wait_for_all() {
    int ended = 0;
    while (waitpid(-1, nullptr, 0) > 0)
        ++ended;
    return ended;
}

// Linux's own limit would be the developer's whole machine.
int limit() { return on_aios() ? 100'000 : 50; }

void warm_up() { // what the first child and the first signal make is kept
    signal(SIGUSR1, SIG_DFL);
    if (fork() == 0) _exit(0);
    wait_for_all();
    pause_ms(50);
}

// Also those that are being made. The dead are taken away between two looks: each look goes over all that are left.
void kill_group(pid_t group) {
    while (kill(-group, SIGKILL) == 0) {
        while (waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        pause_ms(1);
    }
}

LINUX_TEST(flat) {
    warm_up();
    std::vector<pid_t> children(5000);
    children.clear();
    const unsigned long before = free_memory();
    int error = 0;
    while (static_cast<int>(children.size()) < limit()) {
        const pid_t child = fork();
        if (child == 0) sleep_for_ever();
        if (child < 0) {
            error = errno;
            break;
        }
        children.push_back(child);
    }
    if (on_aios()) CHECK(children.size() > 100 && (error == EAGAIN || error == ENOMEM));
    for (const pid_t child : children)
        kill(child, SIGKILL);
    CHECK(wait_for_all() == static_cast<int>(children.size()));
    check_all_is_back(before, __LINE__);
    CHECK(fork() != 0 || (_exit(0), false));
    CHECK(wait_for_all() == 1);
}

LINUX_TEST(chain) {
    const unsigned long before = free_memory();
    const pid_t first = fork();
    if (first == 0) {
        setpgid(0, 0);
        for (int depth = 0; depth < limit(); ++depth) {
            const pid_t child = fork();
            if (child != 0) sleep_for_ever(); // also where no more can be had
        }
        sleep_for_ever();
    }
    pause_ms(on_aios() ? 1500 : 100);
    setpgid(first, first);
    CHECK(kill(-first, SIGKILL) == 0);
    kill_group(first);
    wait_for_all();
    check_all_is_back(before, __LINE__);
}

LINUX_TEST(bomb_that_goes_on) { // every process forks as long as it can; nobody is spared
    const unsigned long before = free_memory();
    const pid_t first = fork();
    if (first == 0) {
        setpgid(0, 0);
        for (int i = 0; on_aios() || i < 4; ++i)
            if (fork() < 0) pause_ms(200);
        sleep_for_ever();
    }
    pause_ms(on_aios() ? 1500 : 100);
    setpgid(first, first);
    kill_group(first);
    wait_for_all();
    check_all_is_back(before, __LINE__);
}

int vfork_chain(int depth) { // how deep it came
    if (depth == limit()) return depth;
    static volatile int reached;
    const pid_t child = vfork();
    if (child == 0) {
        reached = vfork_chain(depth + 1);
        _exit(0);
    }
    if (child < 0) return depth;
    waitpid(child, nullptr, 0);
    return reached;
}

LINUX_TEST(vforks_in_a_chain) {
    const unsigned long before = free_memory();
    const int depth = vfork_chain(0);
    CHECK(depth > (on_aios() ? 100 : 10));
    check_all_is_back(before, __LINE__);
}

LINUX_TEST(zombies) {
    const unsigned long before = free_memory();
    const int many = on_aios() ? 3000 : 200;
    int made = 0;
    while (made < many) {
        const pid_t child = fork();
        if (child == 0) _exit(made & 127);
        if (child < 0) break;
        ++made;
    }
    CHECK(made == many); // they hold no threads, and little memory
    if (on_aios()) {
        const unsigned long most = 2048ul * static_cast<unsigned long>(many);
        for (int i = 0; i < 10'000 && before - free_memory() >= most; ++i)
            pause_ms(1); // until the last of them has ended
        CHECK(before - free_memory() < most);
    }
    CHECK(wait_for_all() == made);
    check_all_is_back(before, __LINE__);
}

LINUX_TEST(orphaned_zombies) { // their parent ends before it has asked
    const unsigned long before = free_memory();
    for (int round = 0; round < 5; ++round) {
        const pid_t parent = fork();
        if (parent == 0) {
            for (int i = 0; i < 50; ++i) {
                if (fork() == 0) _exit(0);
            }
            _exit(0);
        }
        waitpid(parent, nullptr, 0);
    }
    if (on_aios()) wait_for_all(); // they are the first process's now, and that is this one
    check_all_is_back(before, __LINE__);
}

LINUX_TEST(damaged_programs) {
    std::vector<char> image(1 << 16);
    const int self = open(kSelf, O_RDONLY);
    const long bytes = read(self, image.data(), image.size());
    close(self);
    CHECK(bytes == static_cast<long>(image.size()));
    std::vector<char> damaged(image);
    const unsigned long before = free_memory();
    unsigned seed = 12345;
    const auto random = [&] { return (seed = seed * 1103515245 + 12345) >> 8; };
    for (int round = 0; round < 150; ++round) {
        damaged.assign(image.begin(), image.begin() + 1 + static_cast<long>(random() % image.size()));
        for (unsigned i = 0; i <= random() % 8; ++i)
            damaged[random() % std::min<std::size_t>(damaged.size(), 1024)] = static_cast<char>(random());
        const pid_t child = fork();
        if (child == 0) {
            const int fd = open("/tmp/aios_damaged", O_CREAT | O_TRUNC | O_WRONLY, 0700);
            (void)!write(fd, damaged.data(), damaged.size());
            close(fd);
            execl("/tmp/aios_damaged", "damaged", nullptr);
            _exit(0);
        }
        for (int i = 0; waitpid(child, nullptr, WNOHANG) == 0; ++i) {
            if (i == 300) kill(child, SIGKILL); // one that found something to do
            pause_ms(1);
        }
    }
    unlink("/tmp/aios_damaged");
    check_all_is_back(before, __LINE__);
}

LINUX_TEST(program_that_is_cut_while_it_starts) {
    const unsigned long before = free_memory();
    {
        std::vector<char> image(8 << 20);
        const int self = open(kSelf, O_RDONLY);
        const long bytes = read(self, image.data(), image.size());
        close(self);
        std::atomic<bool> stop{false};
        const int fd = open("/tmp/aios_cut", O_CREAT | O_TRUNC | O_RDWR, 0700);
        std::thread cutter([&] {
            while (!stop) {
                (void)!pwrite(fd, image.data(), static_cast<std::size_t>(bytes), 0);
                (void)!ftruncate(fd, bytes / 2);
            }
        });
        for (int round = 0; round < 30; ++round) {
            const pid_t child = fork();
            if (child == 0) {
                execl("/tmp/aios_cut", "cut", "nothing", nullptr); // ETXTBSY on Linux
                _exit(0);
            }
            waitpid(child, nullptr, 0);
        }
        stop = true;
        cutter.join();
        close(fd);
        unlink("/tmp/aios_cut");
    }
    if (on_aios()) CHECK(before - free_memory() < 16ul << 20); // the C library keeps what it was given
}

LINUX_TEST(threads_that_execute_and_exit_at_once) {
    for (int round = 0; round < 20; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            std::atomic<bool> go{false};
            const auto execute = [&] {
                while (!go) {
                }
                execl(kSelf, "self", "nothing", nullptr);
            };
            std::thread(execute).detach();
            std::thread(execute).detach();
            std::thread([&] {
                while (!go) {
                }
                if (round % 2 == 0) _exit(3);
                if (fork() < 0) pause_ms(200);
            }).detach();
            pause_ms(2);
            go = true;
            sleep_for_ever();
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 3 || WEXITSTATUS(status) == 4));
    }
}

LINUX_TEST(storm_of_signals) {
    const pid_t own = getpid();
    static volatile sig_atomic_t count = 0;
    struct sigaction action{};
    action.sa_handler = [](int) { count = count + 1; };
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
    std::vector<pid_t> senders;
    for (int i = 0; i < 4; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            for (int n = 0; n < 3000; ++n)
                kill(own, n % 2 == 0 ? SIGUSR1 : SIGCONT);
            _exit(0);
        }
        senders.push_back(child);
    }
    for (const pid_t child : senders) {
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    CHECK(count > 0);
    signal(SIGUSR1, SIG_DFL);
}

LINUX_TEST(stops_and_kills_race) {
    for (int round = 0; round < 30; ++round) {
        const pid_t child = fork();
        if (child == 0) sleep_for_ever();
        const pid_t other = fork();
        if (other == 0) {
            for (int i = 0; i < 20; ++i)
                kill(child, i % 2 == 0 ? SIGSTOP : SIGCONT);
            _exit(0);
        }
        for (int i = 0; i < 20; ++i)
            kill(child, i % 2 == 0 ? SIGCONT : SIGSTOP);
        kill(child, SIGKILL);
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        CHECK(waitpid(other, &status, 0) == other && status == 0);
    }
}

} // namespace

int main(int argc, char**) {
    if (argc > 1) return 4;
    return run_all("bombs");
}
