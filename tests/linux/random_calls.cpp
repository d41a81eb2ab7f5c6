// Calls with arguments that are plausible, and often wrong, by several processes at once; who hangs or dies is
// replaced. The kernel stands, whoever watches is not touched, and at the end every byte, thread and process is back. The same
// seed makes the same arguments: `test_random_calls SEED [CALLS]`; what the calls do to each other is left to chance.
#include <atomic>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

constexpr int kWorkers = 4;
constexpr std::size_t kPage = 4096, kArenaPages = 64;
constexpr long kMost = 460; // call numbers

struct Random {
    std::uint64_t state;
    std::uint64_t next() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    }
    std::uint64_t below(std::uint64_t n) { return next() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
};

// What the watcher and the workers share.
struct Shared {
    std::atomic<std::uint64_t> calls;
    std::atomic<std::uint64_t> beat[kWorkers];
    std::atomic<long> last[kWorkers]; // the call that it makes
};

// How the arguments of a call are made, a letter each: f descriptor, p pointer, b size in bytes, n small number, w any word, g flags, P
// path, t time, s address of a socket, l its length's place, m message, v vectors, S set of signals, o poll set, e event of epoll,
// i process, k signal, a address in the arena, d directory descriptor.
struct Row {
    long number;
    const char* kinds;
};
constexpr Row kRows[] = {
    {0, "fpb"},     {1, "fpb"},     {2, "Pgn"},      {3, "f"},       {4, "Pp"},       {5, "fp"},      {6, "Pp"},
    {7, "onn"},     {8, "fwn"},     {9, "abngfb"},   {10, "abn"},    {11, "ab"},      {12, "n"},      {13, "kppn"},
    {14, "nSSn"},   {16, "fwp"},    {17, "fpbb"},    {18, "fpbb"},   {19, "fvn"},     {20, "fvn"},    {21, "Pn"},
    {22, "p"},      {23, "npppt"},  {25, "abbga"},   {26, "abn"},    {27, "abp"},     {28, "abn"},    {32, "f"},
    {33, "ff"},     {35, "tp"},     {37, "n"},       {38, "ntp"},    {40, "ffpb"},    {41, "nnn"},    {42, "fsn"},
    {43, "fpl"},    {44, "fpbgsn"}, {45, "fpbgpl"},  {46, "fmg"},    {47, "fmg"},     {48, "fn"},     {49, "fsn"},
    {50, "fn"},     {51, "fpl"},    {52, "fpl"},     {53, "nnnp"},   {54, "fnnpn"},   {55, "fnnpl"},  {61, "ipnp"},
    {62, "ik"},     {63, "p"},      {72, "fnw"},     {73, "fn"},     {74, "f"},       {76, "Pb"},     {77, "fb"},
    {79, "pb"},     {80, "P"},      {81, "f"},       {82, "PP"},     {83, "Pn"},      {84, "P"},      {85, "Pn"},
    {86, "PP"},     {87, "P"},      {88, "PP"},      {89, "Ppb"},    {90, "Pn"},      {91, "fn"},     {95, "n"},
    {96, "pp"},     {97, "np"},     {99, "p"},       {100, "p"},     {109, "ii"},     {112, ""},      {121, "i"},
    {127, "Sn"},    {128, "Sptn"},  {130, "Sn"},     {131, "pp"},    {132, "Pp"},     {137, "Pp"},    {138, "fp"},
    {157, "nwwww"}, {160, "np"},    {202, "anwtan"}, {213, "n"},     {217, "fpb"},    {222, "npp"},   {223, "nnpp"},
    {228, "np"},    {230, "nntp"},  {232, "fpnn"},   {233, "fnfe"},  {234, "iik"},    {247, "nipnp"}, {254, "fPn"},
    {257, "dPgn"},  {258, "dPn"},   {262, "dPpn"},   {263, "dPn"},   {264, "dPdP"},   {265, "dPdPn"}, {266, "PdP"},
    {268, "dPn"},   {269, "dPn"},   {270, "npppt"},  {271, "ontS"},  {280, "dPpn"},   {281, "fpnnS"}, {283, "nn"},
    {285, "fnbb"},  {286, "fnpp"},  {288, "fplg"},   {289, "fSnn"},  {290, "nn"},     {291, "n"},     {292, "ffn"},
    {293, "pg"},    {294, "n"},     {295, "fvnbn"},  {296, "fvnbn"}, {302, "inpp"},   {306, "f"},     {307, "fmng"},
    {309, "ppp"},   {316, "dPdPn"}, {318, "pbn"},    {319, "Pn"},    {326, "fpfpbn"}, {332, "dPnnp"}, {334, "pbnn"},
    {436, "ffn"},   {437, "dPpb"},  {439, "dPnn"},   {441, "fpntS"},
};
// Never made: these would only end the run. vhangup, reboot and their like have no meaning here, but may be called.
constexpr long kNever[] = {15 /* rt_sigreturn */, 59 /* execve */, 322 /* execveat */};
constexpr const char* kPaths[] = {"a",
                                  "b",
                                  "d",
                                  "d/x",
                                  ".",
                                  "..",
                                  "/",
                                  "/proc/self/maps",
                                  "/proc/self/fd",
                                  "",
                                  "s",
                                  "l",
                                  "l/l",
                                  "d/",
                                  "/dev/null",
                                  "/dev/zero",
                                  "/proc/1/stat",
                                  "/dev/shm/q",
                                  "/x",
                                  "p",
                                  "/sys",
                                  "a/b",
                                  "//",
                                  "/proc/self/exe"};

class Worker {
public:
    Worker(Shared& shared, int index, std::uint64_t seed) : shared_(shared), index_(index), random_{seed * 2 + 1} {
        for (int i = 0; i < 16; ++i)
            (void)random_.next();
        void* got =
            mmap(nullptr, (kArenaPages + 2) * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        arena_ = static_cast<char*>(got) + kPage; // so that its edges are no other memory's
        (void)mprotect(got, kPage, PROT_NONE);
        (void)mprotect(arena_ + kArenaPages * kPage, kPage, PROT_NONE);
    }

    [[noreturn]] void work(std::uint64_t end) {
        while (shared_.calls.fetch_add(1) < end) {
            shared_.beat[index_].fetch_add(1);
            step();
        }
        _exit(0);
    }

private:
    std::uint64_t word(const void* at) { return reinterpret_cast<std::uint64_t>(at); }
    char* place(std::size_t page) { return arena_ + page * kPage; }

    std::uint64_t pointer(void* good) {
        switch (random_.below(24)) {
        case 0:
            return 0;
        case 1:
            return 1;
        case 2:
            return word(arena_ + kArenaPages * kPage - random_.below(64)); // runs over the end
        case 3:
            return 0xffff'8000'0000'0000 + random_.next() % kPage;
        case 4:
            return 0x7fff'ffff'f000 - random_.below(64);
        case 5:
            return random_.next();
        case 6:
            return word(arena_) + random_.below(kArenaPages * kPage);
        default:
            return word(good);
        }
    }
    std::uint64_t small() {
        constexpr std::uint64_t kSome[] = {0, 1, 2, 3, 4, 5, 7, 8, 10, 16, 17, 63, 64, 100, 1024, 4095, 4096, ~0ull};
        return random_.one_in(3) ? random_.below(40) : kSome[random_.below(std::size(kSome))];
    }
    std::uint64_t flags() {
        std::uint64_t all = 0;
        for (std::uint64_t i = random_.below(5); i > 0; --i)
            all |= 1ull << random_.below(23);
        return random_.one_in(12) ? random_.next() : all;
    }
    std::uint64_t bytes() {
        constexpr std::uint64_t kSome[] = {0,    1,     8,       128,        4095,       4096,  4097,
                                           8192, 65536, 1 << 20, 1ull << 31, 1ull << 40, ~0ull, 1ull << 63};
        return random_.one_in(2) ? random_.below(3 * kPage) : kSome[random_.below(std::size(kSome))];
    }
    std::uint64_t descriptor() { return random_.one_in(12) ? small() : 3 + random_.below(24); }

    std::uint64_t argument(char kind);
    void fill();
    void step();

    Shared& shared_;
    const int index_;
    Random random_;
    char* arena_;
};

std::uint64_t Worker::argument(char kind) {
    switch (kind) {
    case 'f':
        return descriptor();
    case 'd':
        return random_.one_in(2) ? static_cast<std::uint64_t>(AT_FDCWD) : descriptor();
    case 'p':
        return pointer(place(20 + random_.below(8)));
    case 'b':
        return bytes();
    case 'n':
        return small();
    case 'g':
        return flags();
    case 'P':
        return pointer(std::strcpy(place(28) + random_.below(8) * 64, kPaths[random_.below(std::size(kPaths))]));
    case 't':
        return pointer(place(1));
    case 's':
        return pointer(random_.one_in(2) ? place(2) : place(3));
    case 'l':
        return pointer(place(4));
    case 'm':
        return pointer(place(5));
    case 'v':
        return pointer(place(6));
    case 'S':
        return pointer(place(7));
    case 'o':
        return pointer(place(8));
    case 'e':
        return pointer(place(9));
    case 'i':
        return random_.one_in(4) ? 0x3fff'fff0 : static_cast<std::uint64_t>(getpid());
    case 'k':
        return random_.one_in(3) ? random_.below(66) : SIGUSR1;
    case 'a':
        return random_.one_in(4) ? small() * kPage : word(place(32 + random_.below(24)));
    default:
        return random_.one_in(2) ? random_.next() : pointer(place(20));
    }
}

// Structures as calls want them, most of them good. Part of the arena may be gone, or not be writable any more: then it is
// mapped again.
void Worker::fill() {
    (void)mmap(arena_, kArenaPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    *reinterpret_cast<timespec*>(place(1)) = {0, static_cast<long>(random_.below(2'000'000))};
    auto& inet = *reinterpret_cast<sockaddr_in*>(place(2));
    inet.sin_family = random_.one_in(8) ? static_cast<sa_family_t>(random_.next()) : AF_INET;
    inet.sin_port = htons(static_cast<std::uint16_t>(5000 + random_.below(4)));
    inet.sin_addr.s_addr = htonl(random_.one_in(8) ? 0x0808'0808 : INADDR_LOOPBACK);
    auto& local = *reinterpret_cast<sockaddr_un*>(place(3));
    local.sun_family = AF_UNIX;
    std::strcpy(local.sun_path, kPaths[random_.below(std::size(kPaths))]);
    *reinterpret_cast<socklen_t*>(place(4)) = static_cast<socklen_t>(bytes());
    auto* vectors = reinterpret_cast<iovec*>(place(6));
    for (int i = 0; i < 20; ++i)
        vectors[i] = {reinterpret_cast<void*>(pointer(place(20 + random_.below(8)))),
                      static_cast<std::size_t>(random_.one_in(9) ? bytes() : random_.below(kPage))};
    auto& message = *reinterpret_cast<msghdr*>(place(5));
    message.msg_iov = vectors;
    message.msg_iovlen = random_.below(4);
    if (random_.one_in(2)) {
        message.msg_control = place(10);
        message.msg_controllen = random_.one_in(4) ? bytes() : CMSG_SPACE(sizeof(int));
        auto* control = reinterpret_cast<cmsghdr*>(place(10));
        control->cmsg_len = random_.one_in(6) ? bytes() : CMSG_LEN(sizeof(int));
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = static_cast<int>(1 + random_.below(3));
        *reinterpret_cast<int*>(CMSG_DATA(control)) = static_cast<int>(descriptor());
    }
    *reinterpret_cast<std::uint64_t*>(place(7)) = random_.one_in(3) ? random_.next() : 1ull << random_.below(64);
    for (int i = 0; i < 16; ++i)
        reinterpret_cast<pollfd*>(place(8))[i] = {static_cast<int>(descriptor()), static_cast<short>(random_.next()),
                                                  0};
    auto& event = *reinterpret_cast<epoll_event*>(place(9));
    event.events = static_cast<std::uint32_t>(random_.one_in(3) ? random_.next() : EPOLLIN | EPOLLET);
    for (std::size_t page = 20; page < 28; ++page) // plausible words where nothing better is known
        for (int i = 0; i < 16; ++i)
            reinterpret_cast<std::uint64_t*>(place(page))[i] = random_.one_in(4) ? random_.next() : small();
}

// A call whose child must not come back into this program: it ends at once, whatever stack it has.
long fork_like(long number, const std::uint64_t (&a)[6]) {
    long answer = number;
    register std::uint64_t r10 asm("r10") = a[3];
    register std::uint64_t r8 asm("r8") = a[4];
    register std::uint64_t r9 asm("r9") = a[5];
    asm volatile("syscall; test %%rax, %%rax; jnz 1f; mov $60, %%eax; xor %%edi, %%edi; syscall; 1:"
                 : "+a"(answer)
                 : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return answer;
}

void Worker::step() {
    if (random_.one_in(16)) fill();
    std::uint64_t a[6];
    const bool is_known = !random_.one_in(6);
    const Row& row = kRows[random_.below(std::size(kRows))];
    const long number = is_known             ? row.number
                        : random_.one_in(50) ? static_cast<long>(random_.next())
                                             : static_cast<long>(random_.below(kMost));
    const std::size_t count = is_known ? std::strlen(row.kinds) : 0;
    constexpr char kAny[] = "fpbngPtwa";
    for (std::size_t i = 0; i < std::size(a); ++i)
        a[i] = argument(i < count ? row.kinds[i] : kAny[random_.below(sizeof(kAny) - 1)]);
    for (const long never : kNever)
        if (number == never) return;
    // Whoever watches is not to be hit: process 1, and all processes.
    const auto pid = static_cast<int>(a[0]);
    for (const long aimed : {62L, 101L, 109L, 129L, 200L, 234L, 297L, 302L, 310L, 311L, 424L, 434L})
        if (number == aimed && (pid == 1 || pid < 0 || pid == 0)) a[0] = static_cast<std::uint64_t>(getpid());
    if (number == 9 && (a[3] & MAP_FIXED) != 0) a[0] = word(place(32 + random_.below(24)));
    shared_.last[index_] = number;
    if (number == 56 || number == 57 || number == 58 || number == 435) {
        if (number == 435) std::memset(reinterpret_cast<void*>(a[0] = word(place(20))), 0, 88);
        (void)fork_like(number, a);
    } else {
        (void)raw(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    if (random_.one_in(64)) (void)waitpid(-1, nullptr, WNOHANG);
    if (random_.one_in(512)) (void)raw(SYS_close_range, 40, ~0u, 0);
}

void on_alarm(int) {}

[[noreturn]] void begin_work(Shared& shared, int index, std::uint64_t seed, std::uint64_t end) {
    (void)setpgid(0, 0);
    const int nothing = open("/dev/null", O_RDWR); // what it writes is nobody's
    for (int fd = 0; fd < 3; ++fd)
        (void)dup2(nothing, fd);
    const std::string folder = "/tmp/random/" + std::to_string(index);
    (void)mkdir(folder.c_str(), 0755);
    (void)chdir(folder.c_str());
    struct sigaction action{};
    action.sa_handler = on_alarm; // without SA_RESTART: what waits is interrupted
    (void)sigaction(SIGALRM, &action, nullptr);
    const itimerval period{{0, 3000}, {0, 3000}};
    (void)setitimer(ITIMER_REAL, &period, nullptr);
    Worker(shared, index, seed).work(end);
}

struct Left {
    unsigned long memory;
    unsigned processes;
};
Left left() {
    struct sysinfo info{};
    sysinfo(&info);
    return {info.freeram, info.procs};
}

void pause_ms(long ms) {
    const timespec time{ms / 1000, ms % 1000 * 1'000'000};
    nanosleep(&time, nullptr);
}

std::uint64_t first_seed = 1, wanted_calls = 60'000; // the level boots four times

void kill_others() {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const long pid = std::strtol(entry.path().filename().c_str(), nullptr, 10);
        if (pid > 1 && pid != getpid()) (void)kill(static_cast<pid_t>(pid), SIGKILL);
    }
}

void remove_what_is_left() {
    for (int place = 0; place < 256; ++place) { // System V objects stay until somebody removes them
        msqid_ds queue{};
        semid_ds semaphores{};
        shmid_ds segment{};
        if (const int id = msgctl(place, MSG_STAT, &queue); id >= 0) (void)msgctl(id, IPC_RMID, nullptr);
        if (const int id = semctl(place, 0, SEM_STAT, &semaphores); id >= 0) (void)semctl(id, 0, IPC_RMID);
        if (const int id = shmctl(place, SHM_STAT, &segment); id >= 0) (void)shmctl(id, IPC_RMID, nullptr);
    }
    std::error_code ignored;
    for (const char* place : {"/tmp/random", "/dev/shm"}) {
        for (const auto& entry : std::filesystem::directory_iterator(place, ignored))
            std::filesystem::remove_all(entry.path(), ignored);
    }
}

template <typename F>
void in_a_child(F&& what) {
    const pid_t child = fork();
    if (child == 0) {
        what();
        _exit(0);
    }
    if (child > 0) (void)waitpid(child, nullptr, 0);
}

// Workers make `calls` calls together; what they leave is taken away.
void play(Shared& shared, std::uint64_t calls, std::uint64_t seed) {
    shared.calls = 0;
    pid_t workers[kWorkers] = {};
    std::uint64_t seen[kWorkers] = {}, hung = 0, died = 0;
    int quiet[kWorkers] = {};
    for (;;) {
        bool is_any_left = false;
        for (int i = 0; i < kWorkers; ++i) {
            if (workers[i] == 0 && shared.calls < calls) {
                ++seed;
                const pid_t child = fork();
                if (child == 0) begin_work(shared, i, seed, calls);
                if (child > 0) workers[i] = child;
                quiet[i] = 0;
            }
            is_any_left = is_any_left || workers[i] != 0;
            const std::uint64_t beat = shared.beat[i];
            quiet[i] = beat == seen[i] ? quiet[i] + 1 : 0;
            seen[i] = beat;
            if (workers[i] != 0 && quiet[i] == 40) { // nobody comes to wake it, or it is stopped
                ++hung;
                (void)kill(workers[i], SIGKILL);
            }
        }
        if (!is_any_left) break;
        pause_ms(10);
        int status = 0;
        for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
            for (pid_t& worker : workers) {
                if (worker != ended) continue;
                worker = 0;
                if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) ++died;
            }
        }
    }
    std::printf("%llu calls; %llu workers died, %llu of them because they hung\n",
                static_cast<unsigned long long>(shared.calls.load()), static_cast<unsigned long long>(died),
                static_cast<unsigned long long>(hung));
    // Children of the workers that are still there, and files. By children of this process, so that it needs no more memory itself.
    for (int i = 0; i < 3000 && left().processes != 1; ++i) {
        if (i % 50 == 0) in_a_child(kill_others);
        while (waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        pause_ms(1);
    }
    in_a_child(remove_what_is_left);
}

// What has ended lets go of the last of it within a moment: when nothing has changed for half a second.
Left settled() {
    Left last = left();
    for (int quiet = 0, i = 0; quiet < 500 && i < 10'000; ++i) {
        pause_ms(1);
        const Left now = left();
        quiet = now.memory == last.memory && now.processes == last.processes ? quiet + 1 : 0;
        last = now;
    }
    return last;
}

LINUX_TEST(stand) {
    SKIP_UNLESS(on_aios(), "attacks whatever it runs on");
    (void)mkdir("/tmp/random", 0755);
    void* memory = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    auto& shared = *new (memory) Shared{};
    play(shared, 10'000, 0); // what this process itself needs it has after that
    const Left before = settled();
    CHECK(before.processes == 1);
    play(shared, wanted_calls, first_seed * 1'000'000);
    CHECK(shared.calls >= wanted_calls);
    const Left after = settled();
    if (after.processes != 1) failed("processes are gone", __LINE__, std::to_string(after.processes));
    if (after.memory != before.memory)
        failed("memory is back", __LINE__, std::to_string(static_cast<long>(after.memory - before.memory)) + " bytes");
    CHECK(munmap(memory, kPage) == 0);
}

} // namespace

int main(int argc, char** argv) {
    if (argc > 1) first_seed = std::strtoull(argv[1], nullptr, 10);
    if (argc > 2) wanted_calls = std::strtoull(argv[2], nullptr, 10);
    return run_all("random_calls");
}
