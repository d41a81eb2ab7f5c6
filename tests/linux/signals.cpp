// Signals: handlers, masks, alternate stacks, faults, signals to other threads, interrupted and restarted calls, and
// frames that a program has tampered with.
#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <pthread.h>
#include <sys/mman.h>
#include <thread>
#include <ucontext.h>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

volatile std::sig_atomic_t count = 0, last = 0, nested = 0, depth = 0, most = 0;
siginfo_t info_seen;
sigjmp_buf back;

void handle(int signal) {
    count = count + 1;
    last = signal;
}
void handle_info(int signal, siginfo_t* info, void*) {
    handle(signal);
    info_seen = *info;
}
void handle_fault(int signal, siginfo_t* info, void*) {
    handle_info(signal, info, nullptr);
    siglongjmp(back, 1);
}

struct Action { // an action for the length of a case
    int signal;
    struct sigaction old{};
    Action(int number, void (*handler)(int), int flags = 0) : signal(number) {
        struct sigaction action{};
        action.sa_handler = handler;
        action.sa_flags = flags;
        sigaction(signal, &action, &old);
        count = 0;
        last = 0;
    }
    Action(int number, void (*handler)(int, siginfo_t*, void*), int flags = 0) : signal(number) {
        struct sigaction action{};
        action.sa_sigaction = handler;
        action.sa_flags = SA_SIGINFO | flags;
        sigaction(signal, &action, &old);
        count = 0;
        last = 0;
        info_seen = {};
    }
    ~Action() { sigaction(signal, &old, nullptr); }
};

template <typename F>
void expect_fault(int signal, int code, const volatile void* address, F&& cause, int line) {
    Action action(signal, handle_fault, SA_NODEFER);
    if (sigsetjmp(back, 1) == 0) {
        cause();
        return failed("no fault", line);
    }
    if (last != signal) failed("signal", line, std::to_string(last));
    if (info_seen.si_code != code) failed("code", line, std::to_string(info_seen.si_code));
    if (address != nullptr && info_seen.si_addr != address) failed("address", line);
}

sigset_t set_of(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

char alternate[65536];
bool was_on_alternate;
void look_at_stack(int signal) {
    handle(signal);
    char here;
    was_on_alternate = &here >= alternate && &here < alternate + sizeof(alternate);
}

greg_t fault_seen[3];
void note_fault(int signal, siginfo_t*, void* context) {
    handle(signal);
    const auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    fault_seen[0] = registers[REG_TRAPNO];
    fault_seen[1] = registers[REG_ERR];
    fault_seen[2] = registers[REG_CR2];
    siglongjmp(back, 1);
}

void change_context(int signal, siginfo_t*, void* context) {
    handle(signal);
    auto* user = static_cast<ucontext_t*>(context);
    user->uc_mcontext.gregs[REG_R12] = 0x1234;
    if (user->uc_mcontext.fpregs != nullptr) user->uc_mcontext.fpregs->_xmm[7].element[0] = 0xabcd;
}

// Asks for input/output privilege and no interrupts, in a frame whose registers are those that SYSCALL leaves.
void raise_privileges(int signal, siginfo_t*, void* context) {
    handle(signal);
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    registers[REG_EFL] = (registers[REG_EFL] | 0x3000) & ~0x200;
    registers[REG_R11] = registers[REG_EFL];
    registers[REG_RCX] = registers[REG_RIP];
}
// What a hostile program would put into its frame.
void spoil_context(int signal, siginfo_t*, void* context) {
    handle(signal);
    auto* user = static_cast<ucontext_t*>(context);
    user->uc_mcontext.gregs[REG_EFL] |= 0x3000 | 0x200 | 0x100000 | 0x80000;  // I/O level, VIF, VIP
    auto* state = reinterpret_cast<unsigned char*>(user->uc_mcontext.fpregs); // SAFETY: bytes of the own frame
    std::memset(state + 24, 0xff, 8);                                         // MXCSR and its mask
    std::memset(state + 512, 0xff, 64);                                       // the XSAVE header
}

// A frame that says it holds the upper halves of the vectors, and ends before them.
void cut_context(int signal, siginfo_t*, void* context) {
    handle(signal);
    auto* state = reinterpret_cast<unsigned char*>(
        static_cast<ucontext_t*>(context)->uc_mcontext.fpregs); // SAFETY: the own frame
    const unsigned cut = 576, total = cut + 4, end = 0x4650'5845;
    std::memcpy(state + 464 + 4, &total, sizeof(total));
    std::memcpy(state + 464 + 16, &cut, sizeof(cut));
    std::memcpy(state + cut, &end, sizeof(end));
    state[512] |= 7; // x87, SSE, AVX
}

[[gnu::target("avx")]] void fill_upper_halves(const unsigned char (&bytes)[32]) {
    asm volatile("vmovdqu %0, %%ymm5; vmovdqu %0, %%ymm6" : : "m"(bytes) : "xmm5", "xmm6");
}
[[gnu::target("avx")]] void read_upper_half(unsigned char (&bytes)[32]) {
    asm volatile("vmovdqu %%ymm5, %0" : "=m"(bytes));
}

LINUX_TEST(raise) {
    Action action(SIGUSR1, handle);
    CHECK(std::raise(SIGUSR1) == 0);
    CHECK(count == 1 && last == SIGUSR1);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(count == 2);
}

LINUX_TEST(info) {
    Action action(SIGUSR2, handle_info);
    raise(SIGUSR2);
    CHECK(info_seen.si_signo == SIGUSR2 && info_seen.si_code == SI_TKILL && info_seen.si_pid == getpid());
    kill(getpid(), SIGUSR2);
    CHECK(info_seen.si_code == SI_USER);
}

LINUX_TEST(ignored_and_default) {
    struct sigaction action{}, old{};
    action.sa_handler = SIG_IGN;
    CHECK(sigaction(SIGTERM, &action, &old) == 0);
    raise(SIGTERM);
    sigaction(SIGTERM, &old, &action);
    CHECK(action.sa_handler == SIG_IGN && old.sa_handler == SIG_DFL);
    raise(SIGCHLD);
    raise(SIGWINCH);
}

LINUX_TEST(mask) {
    Action action(SIGUSR1, handle);
    sigset_t set = set_of(SIGUSR1), old, pending;
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
    raise(SIGUSR1);
    CHECK(count == 0);
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 1);
    CHECK(sigprocmask(SIG_SETMASK, &old, nullptr) == 0);
    CHECK(count == 1);
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 0);
}

LINUX_TEST(mask_in_handler) {
    // Without NODEFER the same signal waits until the handler has returned; with it, handlers nest.
    struct Nest {
        static void handler(int signal) {
            depth = depth + 1;
            if (depth > most) most = static_cast<int>(depth);
            nested = nested + 1;
            if (nested < 4) raise(signal);
            depth = depth - 1;
        }
    };
    for (const int flags : {0, SA_NODEFER}) {
        nested = 0;
        depth = 0;
        most = 0;
        Action action(SIGUSR1, Nest::handler, flags);
        raise(SIGUSR1);
        CHECK(nested == 4);
        CHECK(most == (flags == 0 ? 1 : 4));
    }
}

LINUX_TEST(reset_hand) {
    Action action(SIGURG, handle, static_cast<int>(SA_RESETHAND)); // its default is to be ignored
    raise(SIGURG);
    raise(SIGURG);
    CHECK(count == 1);
}

LINUX_TEST(alternate_stack) {
    stack_t stack{}, old{};
    stack.ss_sp = alternate;
    stack.ss_size = sizeof(alternate);
    CHECK(sigaltstack(&stack, &old) == 0);
    {
        Action action(SIGUSR1, look_at_stack, SA_ONSTACK);
        raise(SIGUSR1);
        CHECK(count == 1 && was_on_alternate);
    }
    {
        Action action(SIGUSR1, look_at_stack);
        raise(SIGUSR1);
        CHECK(count == 1 && !was_on_alternate);
    }
    stack_t small{};
    small.ss_sp = alternate;
    small.ss_size = 100;
    CHECK(sigaltstack(&small, nullptr) == -1 && errno == ENOMEM);
    old.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&old, nullptr) == 0);
}

LINUX_TEST(stack_overflow) {
    stack_t stack{};
    stack.ss_sp = alternate;
    stack.ss_size = sizeof(alternate);
    sigaltstack(&stack, nullptr);
    std::thread([] { // a thread's stack has a guard page
        stack_t own{};
        static char room[65536];
        own.ss_sp = room;
        own.ss_size = sizeof(room);
        sigaltstack(&own, nullptr);
        struct Deep {
            static int down(int level) {
                volatile char bytes[4096];
                bytes[0] = static_cast<char>(level);
                return level > 1'000'000 ? 0 : down(level + 1) + bytes[0];
            }
        };
        Action action(SIGSEGV, handle_fault, SA_ONSTACK);
        if (sigsetjmp(back, 1) == 0) Deep::down(0);
        if (last != SIGSEGV) failed("overflow", __LINE__);
    })
        .join();
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, nullptr);
}

LINUX_TEST(faults) {
    volatile int* nowhere = reinterpret_cast<int*>(0x1000); // SAFETY: never mapped
    expect_fault(SIGSEGV, SEGV_MAPERR, nowhere, [=] { *nowhere = 1; }, __LINE__);
    auto* page = static_cast<volatile char*>(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    expect_fault(SIGSEGV, SEGV_ACCERR, page + 5, [=] { page[5] = 1; }, __LINE__);
    munmap(const_cast<char*>(page), 4096);
    volatile int* kernel = reinterpret_cast<int*>(0xffff'8000'0000'0000); // SAFETY: the kernel's half
    expect_fault(SIGSEGV, SEGV_MAPERR, nullptr, [=] { (void)*kernel; }, __LINE__);
    expect_fault(SIGSEGV, SI_KERNEL, nullptr, [] { asm volatile("hlt"); }, __LINE__);
    volatile int zero = 0;
    expect_fault(SIGFPE, FPE_INTDIV, nullptr, [&] { zero = 1000 / zero; }, __LINE__);
    expect_fault(SIGILL, ILL_ILLOPN, nullptr, [] { asm volatile("ud2"); }, __LINE__);
    expect_fault(SIGTRAP, SI_KERNEL, nullptr, [] { asm volatile("int3"); }, __LINE__);
}

LINUX_TEST(context_of_a_fault) {
    Action action(SIGSEGV, note_fault, SA_NODEFER);
    volatile int* nowhere = reinterpret_cast<int*>(0x1238); // SAFETY: never mapped
    if (sigsetjmp(back, 1) == 0) *nowhere = 1;
    CHECK(fault_seen[0] == 14 && (fault_seen[1] & 6) == 6 && fault_seen[2] == 0x1238); // a program's write
    if (sigsetjmp(back, 1) == 0) (void)*nowhere;
    CHECK(fault_seen[0] == 14 && (fault_seen[1] & 6) == 4);
    CHECK(count == 2);
}

LINUX_TEST(registers_and_vectors_are_kept) {
    Action action(SIGUSR1, handle);
    double sum = 0;
    for (int i = 0; i < 200; ++i) {
        const double before = i * 1.5;
        raise(SIGUSR1);
        sum += before;
    }
    CHECK(sum == 1.5 * 199 * 200 / 2);
    CHECK(count == 200);
}

LINUX_TEST(context_can_be_changed) {
    Action action(SIGUSR1, change_context);
    unsigned long general = 1, vector = 1;
    const long pid = getpid(), tid = raw(SYS_gettid);
    asm volatile("movq $1, %%r12\n"
                 "movq %%r12, %%xmm7\n"
                 "movl $234, %%eax\n" // tgkill
                 "syscall\n"
                 "movq %%r12, %0\n"
                 "movq %%xmm7, %1\n"
                 : "=&r"(general), "=&r"(vector)
                 : "D"(pid), "S"(tid), "d"(SIGUSR1)
                 : "rax", "rcx", "r11", "r12", "xmm7", "memory");
    CHECK(general == 0x1234);
    CHECK((vector & 0xffffffff) == 0xabcd);
}

LINUX_TEST(flags_of_a_frame_like_an_untouched_one) {
    Action action(SIGUSR1, raise_privileges);
    raw(SYS_tgkill, getpid(), raw(SYS_gettid), SIGUSR1);
    unsigned long flags;
    asm volatile("pushfq; popq %0" : "=r"(flags));
    CHECK(count == 1);
    CHECK((flags & 0x3000) == 0); // no access to ports
    CHECK((flags & 0x200) != 0);  // interrupts are on
}

LINUX_TEST(spoiled_frame_is_made_safe) {
    SKIP_UNLESS(on_aios(), "Linux ends a program with such a frame; AIOS makes it harmless");
    Action action(SIGUSR1, spoil_context);
    raise(SIGUSR1);
    unsigned control;
    asm volatile("stmxcsr %0" : "=m"(control));
    unsigned long flags;
    asm volatile("pushfq; popq %0" : "=r"(flags));
    CHECK(count == 1);
    CHECK((flags & 0x3000) == 0);
    // The bits of MXCSR that there are came from the frame, the reserved ones (16 to 31) did not: a processor
    // faults in the kernel when it has to load them, but an emulator may just take them.
    CHECK((control & 0x1f80) == 0x1f80);
    CHECK((control & 0xffff'0000) == 0);
    const unsigned usual = 0x1f80;
    asm volatile("ldmxcsr %0" : : "m"(usual));
    double half = 0.5;
    volatile double one = half + half;
    CHECK(one == 1.0);
}

// Not only the old registers: what a handler leaves in the upper halves is gone when it returns.
LINUX_TEST(upper_halves_come_back) {
    SKIP_UNLESS(__builtin_cpu_supports("avx"), "needs AVX");
    Action action(SIGUSR1, [](int) {
        unsigned char other[32];
        std::memset(other, 0x11, sizeof(other));
        fill_upper_halves(other);
        count = count + 1;
    });
    const long pid = getpid(), tid = raw(SYS_gettid);
    unsigned char pattern[32], seen[32];
    for (unsigned char i = 0; i < 8; ++i) {
        std::memset(pattern, 0xb0 + i, sizeof(pattern));
        fill_upper_halves(pattern);
        raw(SYS_tgkill, pid, tid, SIGUSR1);
        read_upper_half(seen);
        CHECK(count == i + 1);
        CHECK(std::memcmp(seen, pattern, sizeof(seen)) == 0);
    }
}

// What the frame does not hold is zero, not what the kernel's memory held before: the state of the frame
// before.
LINUX_TEST(cut_frame_shows_nothing) {
    SKIP_UNLESS(on_aios() && __builtin_cpu_supports("avx"), "needs AIOS and AVX");
    unsigned char pattern[32], seen[32];
    std::memset(pattern, 0xa7, sizeof(pattern));
    const long pid = getpid(), tid = raw(SYS_gettid);
    bool clean = true;
    for (int i = 0; i < 8; ++i) {
        {
            Action whole(SIGUSR1, handle);
            fill_upper_halves(pattern);
            raw(SYS_tgkill, pid, tid, SIGUSR1);
        }
        Action action(SIGUSR1, cut_context);
        raw(SYS_tgkill, pid, tid, SIGUSR1);
        read_upper_half(seen);
        CHECK(count == 1);
        for (int k = 16; k < 32; ++k)
            clean = clean && seen[k] == 0;
    }
    CHECK(clean);
}

LINUX_TEST(other_threads) {
    Action action(SIGUSR1, handle_info);
    std::atomic<bool> ready{false}, stop{false};
    std::atomic<long> seen_by{0};
    std::thread thread([&] {
        ready = true;
        while (count == 0 && !stop)
            std::this_thread::yield();
        seen_by = raw(SYS_gettid);
    });
    while (!ready)
        std::this_thread::yield();
    CHECK(pthread_kill(thread.native_handle(), SIGUSR1) == 0);
    for (int i = 0; i < 5000 && count == 0; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(count == 1);
    stop = true;
    thread.join();
    EXPECT(-ESRCH, SYS_tgkill, getpid(), 0x3ffffff0, SIGUSR1);
    EXPECT(-EINVAL, SYS_tgkill, getpid(), getpid(), 65);
    EXPECT(-EINVAL, SYS_tgkill, getpid(), 0, SIGUSR1);
    EXPECT(0, SYS_tgkill, getpid(), getpid(), 0);
}

LINUX_TEST(interrupts_a_sleep) {
    Action action(SIGUSR1, handle);
    const pthread_t own = pthread_self();
    std::thread thread([=] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        pthread_kill(own, SIGUSR1);
    });
    const timespec time{30, 0};
    timespec left{};
    CHECK(nanosleep(&time, &left) == -1 && errno == EINTR);
    CHECK(left.tv_sec >= 20 && left.tv_sec < 30);
    thread.join();
    CHECK(count == 1);
}

LINUX_TEST(an_ignored_signal_does_not_interrupt) {
    const pthread_t own = pthread_self();
    std::thread thread([=] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        pthread_kill(own, SIGWINCH);
    });
    const auto before = std::chrono::steady_clock::now();
    const timespec time{0, 100'000'000};
    CHECK(nanosleep(&time, nullptr) == 0);
    CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(100));
    thread.join();
}

LINUX_TEST(suspend) {
    Action action(SIGUSR1, handle);
    sigset_t set = set_of(SIGUSR1), old, none;
    sigemptyset(&none);
    sigprocmask(SIG_BLOCK, &set, &old);
    raise(SIGUSR1);
    CHECK(count == 0);
    CHECK(sigsuspend(&none) == -1 && errno == EINTR);
    CHECK(count == 1);
    sigset_t now;
    sigprocmask(SIG_SETMASK, nullptr, &now);
    CHECK(sigismember(&now, SIGUSR1) == 1); // the mask is as before the wait
    sigprocmask(SIG_SETMASK, &old, nullptr);
}

LINUX_TEST(errors) {
    struct sigaction action{};
    CHECK(sigaction(SIGKILL, &action, nullptr) == -1 && errno == EINVAL);
    EXPECT(-EINVAL, SYS_rt_sigaction, 0, nullptr, nullptr, 8);
    EXPECT(-EINVAL, SYS_rt_sigaction, 65, nullptr, nullptr, 8);
    EXPECT(-EINVAL, SYS_rt_sigaction, SIGUSR1, nullptr, nullptr, 4);
    EXPECT(-EFAULT, SYS_rt_sigaction, SIGUSR1, 8, nullptr, 8);
    EXPECT(-EINVAL, SYS_rt_sigprocmask, 9, &action, nullptr, 8);
    EXPECT(-EFAULT, SYS_rt_sigprocmask, SIG_BLOCK, 8, nullptr, 8);
}

} // namespace

int main() { return run_all("signals"); }
