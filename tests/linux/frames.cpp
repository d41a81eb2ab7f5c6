// What a signal handler finds in its frame, what state it starts in, and what of the frame comes back.
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <thread>
#include <ucontext.h>
#include <unistd.h>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

// Software's part of the legacy area (asm/sigcontext.h): magic, bytes, components.
constexpr std::size_t kComponents = 464 + 8;
constexpr std::uint64_t kUpperHalves = 4;
constexpr unsigned long kDirection = 0x400, kTrap = 0x100;
constexpr std::uint64_t bit_of(int signal) { return std::uint64_t{1} << (signal - 1); }

using Handler = void (*)(int, siginfo_t*, void*);

struct Action { // for the length of a case
    struct sigaction old{};
    explicit Action(Handler handler) {
        struct sigaction action{};
        action.sa_sigaction = handler;
        action.sa_flags = SA_SIGINFO;
        sigaction(SIGUSR1, &action, &old);
    }
    ~Action() { sigaction(SIGUSR1, &old, nullptr); }
};

volatile int count = 0;
volatile unsigned long flags_seen = 0;
volatile std::uint64_t mask_seen = 0, old_mask_seen = 0;

std::uint64_t mask_of(const sigset_t& set) {
    std::uint64_t mask = 0;
    std::memcpy(&mask, &set, sizeof(mask));
    return mask;
}

unsigned char* state_of(void* context) {
    // SAFETY: bytes of the own frame
    return reinterpret_cast<unsigned char*>(static_cast<ucontext_t*>(context)->uc_mcontext.fpregs);
}

std::atomic<bool> thread_is_done{false};
// In a thread that shares the maker's thread-local variables: a call without the C library.
int look_at_mask(void*) {
    std::uint64_t mask = 0;
    long result = SYS_rt_sigprocmask;
    register long bytes asm("r10") = sizeof(mask);
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(SIG_BLOCK), "S"(nullptr), "d"(&mask), "r"(bytes)
                 : "rcx", "r11", "memory");
    mask_seen = mask;
    thread_is_done = true;
    return 0;
}

[[gnu::target("avx")]] void fill_upper_half(const unsigned char (&bytes)[32]) {
    asm volatile("vmovdqu %0, %%ymm5" : : "m"(bytes) : "xmm5");
}
[[gnu::target("avx")]] void read_upper_half(unsigned char (&bytes)[32]) {
    asm volatile("vmovdqu %%ymm5, %0" : "=m"(bytes));
}

const long pid = getpid(), tid = raw(SYS_gettid);

LINUX_TEST(a_frame_names_the_mask) {
    Action action([](int, siginfo_t*, void* context) {
        const auto* user = static_cast<ucontext_t*>(context);
        mask_seen = mask_of(user->uc_sigmask);
        old_mask_seen = static_cast<std::uint64_t>(user->uc_mcontext.gregs[REG_OLDMASK]);
    });
    sigset_t block, before, after;
    sigemptyset(&block);
    sigaddset(&block, SIGUSR2);
    sigaddset(&block, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &block, &before);
    raw(SYS_tgkill, pid, tid, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &before, &after);
    CHECK(mask_seen == (bit_of(SIGUSR2) | bit_of(SIGWINCH)));
    CHECK(old_mask_seen == mask_seen);
    CHECK(mask_of(after) == mask_seen);
}

// Made by hand: the C library blocks everything while it makes one, and sets the mask in the new thread itself.
LINUX_TEST(a_thread_starts_with_its_makers_mask) {
    constexpr int kFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    alignas(16) static unsigned char stack[65536];
    sigset_t block, before;
    sigemptyset(&block);
    sigaddset(&block, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &block, &before);
    mask_seen = 0;
    thread_is_done = false;
    CHECK(clone(look_at_mask, stack + sizeof(stack), kFlags, nullptr) > 0);
    while (!thread_is_done)
        std::this_thread::yield();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    CHECK(mask_seen == bit_of(SIGUSR2));
}

LINUX_TEST(a_handler_starts_with_clear_flags) {
    Action action([](int, siginfo_t*, void*) {
        unsigned long flags;
        asm volatile("pushfq; popq %0" : "=r"(flags));
        asm volatile("cld"); // whatever is wrong, the C library goes on
        flags_seen = flags;
    });
    unsigned long after = 0;
    asm volatile("std\n"
                 "movl $234, %%eax\n" // tgkill
                 "syscall\n"
                 "pushfq\n"
                 "popq %0\n"
                 "cld\n"
                 : "=&r"(after)
                 : "D"(pid), "S"(tid), "d"(SIGUSR1)
                 : "rax", "rcx", "r11", "memory", "cc");
    CHECK(flags_seen != 0 && (flags_seen & (kDirection | kTrap)) == 0);
    CHECK((after & kDirection) != 0); // the interrupted code has its own again
}

LINUX_TEST(a_frame_without_state_means_the_first_state) {
    Action action([](int, siginfo_t*, void* context) {
        static_cast<ucontext_t*>(context)->uc_mcontext.fpregs = nullptr;
        count = count + 1;
    });
    count = 0;
    for (int i = 0; i < 4; ++i) {
        unsigned long vector = 0;
        const unsigned strange = 0x1f80 | 0x6000; // rounds towards zero
        unsigned control = strange;
        asm volatile("ldmxcsr %2\n"
                     "movl $0x5555, %%ecx\n"
                     "movq %%rcx, %%xmm7\n"
                     "movl $234, %%eax\n"
                     "syscall\n"
                     "movq %%xmm7, %0\n"
                     "stmxcsr %1\n"
                     : "=&r"(vector), "=m"(control)
                     : "m"(strange), "D"(pid), "S"(tid), "d"(SIGUSR1)
                     : "rax", "rcx", "r11", "xmm7", "memory");
        const unsigned usual = 0x1f80;
        asm volatile("ldmxcsr %0" : : "m"(usual));
        CHECK(vector == 0);
        CHECK(control == usual);
    }
    CHECK(count == 4);
}

LINUX_TEST(what_a_frame_does_not_name_is_in_its_first_state) {
    SKIP_UNLESS(__builtin_cpu_supports("avx"), "needs AVX");
    Action action([](int, siginfo_t*, void* context) {
        std::uint64_t components = 0;
        std::memcpy(&components, state_of(context) + kComponents, sizeof(components));
        count = count + ((components & kUpperHalves) != 0 ? 1 : 0);
        components &= ~kUpperHalves;
        std::memcpy(state_of(context) + kComponents, &components, sizeof(components));
    });
    unsigned char pattern[32], seen[32];
    std::memset(pattern, 0xc3, sizeof(pattern));
    count = 0;
    fill_upper_half(pattern);
    raw(SYS_tgkill, pid, tid, SIGUSR1);
    read_upper_half(seen);
    CHECK(count == 1);
    for (int i = 0; i < 32; ++i)
        CHECK(seen[i] == (i < 16 ? 0xc3 : 0));
}

} // namespace

int main() { return run_all("frames"); }
