// Ends in the way that its argument names; etc/commands says how the kernel must report it.
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <stdexcept>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace {

void* exits_last(void*) {
    usleep(50'000);
    _exit(9);
}

[[gnu::noinline]] void overflow(volatile int* depth) {
    volatile char room[65536];
    room[0] = static_cast<char>(*depth);
    *depth = *depth + 1;
    if (*depth < 1'000'000) overflow(depth);
    room[1] = room[0];
}

} // namespace

int main(int argc, char** argv) {
    const char* how = argc > 1 ? argv[1] : "";
    const auto is = [&](const char* name) { return std::strcmp(how, name) == 0; };
    if (is("status")) return 7;
    if (is("chance") && argc > 2) { // a byte that is another one in most runs
        // SAFETY: the kernel put 16 bytes there; addresses are looked at as numbers.
        const auto* random = reinterpret_cast<const unsigned char*>(getauxval(AT_RANDOM));
        const auto page = [](const void* at) {
            return static_cast<int>(reinterpret_cast<std::uintptr_t>(at) >> 12 & 0xff);
        };
        if (std::strcmp(argv[2], "bytes") == 0) return random[0] ^ random[15];
        if (std::strcmp(argv[2], "stack") == 0) return page(&how);
        if (std::strcmp(argv[2], "heap") == 0) return page(sbrk(0));
    }
    if (is("exit_in_thread")) {
        std::thread([] { std::exit(5); }).join();
    }
    if (is("main_thread_first")) { // the process ends with its last thread
        pthread_t thread;
        pthread_create(&thread, nullptr, exits_last, nullptr);
        pthread_exit(nullptr);
    }
    if (is("last_exit")) syscall(SYS_exit, 11); // the only thread's end, not the process's
    if (is("abort")) std::abort();
    if (is("terminate")) throw std::runtime_error("nobody catches this");
    if (is("terminate_signal")) std::raise(SIGTERM);
    if (is("kill_self")) kill(getpid(), SIGKILL);
    if (is("segv")) *reinterpret_cast<volatile int*>(16) = 1; // SAFETY: the fault is what is wanted
    if (is("illegal")) asm volatile("ud2");
    // A fault cannot be ignored.
    if (is("ignored_divide")) std::signal(SIGFPE, SIG_IGN);
    if (is("divide") || is("ignored_divide"))
        asm volatile("xorl %%ecx, %%ecx\n movl $1, %%eax\n cltd\n idivl %%ecx" : : : "eax", "ecx", "edx");
    if (is("stack")) {
        volatile int depth = 0;
        overflow(&depth);
    }
    if (is("jump")) reinterpret_cast<void (*)()>(0xdead000)(); // SAFETY: likewise
    if (is("port")) asm volatile("outb %%al, $0x80" : : "a"(0));
    if (is("bad_frame")) { // rt_sigreturn without a frame
        asm volatile("movq $0x1000, %%rsp\n movl $15, %%eax\n syscall" : : : "memory");
    }
    if (is("threads_killed")) { // exit_group ends threads that never call the kernel
        for (int i = 0; i < 3; ++i) {
            std::thread([] {
                for (volatile int n = 0;; n = n + 1) {
                }
            }).detach();
        }
        usleep(20'000);
        _exit(0);
    }
    return 99;
}
