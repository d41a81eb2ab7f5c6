// What must never happen, done on purpose (disaster=NAME): each must end in a panic that names the cause and
// leaves with its own status. The host side of the kernel tests checks the text.
#include <cstring>

#include "base/assert.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/layout.hpp"
#include "kernel/dev/power.hpp"
#include "kernel/sched/thread.hpp"
#include "tests/kernel/test.hpp"

namespace aios::kernel_test {
namespace {

[[gnu::noinline]] int overrun_stack(volatile char* above) {
    volatile char frame[512];
    frame[0] = above[0];
    frame[1] = 0;
    return above[1] == 'x' ? 0 : overrun_stack(frame) + frame[0];
}

[[gnu::noinline]] void smash_frame(std::size_t bytes) {
    char frame[32];
    asm volatile("" : "+r"(bytes)); // the compiler must not see how long it is
    std::memset(frame, 'x', bytes);
    asm volatile("" : : "r"(frame) : "memory");
}

void on_own_stack(void (*function)(void*)) {
    auto thread = Thread::create_kernel("disaster", function, nullptr);
    if (thread) (*thread)->start();
    for (;;)
        sched::yield();
}

std::uint8_t data_that_returns[16] = {0xc3};

} // namespace

void run_disaster(std::string_view name) {
    if (name == "panic") panic("asked for");
    if (name == "assertion") AIOS_ASSERT(name.empty());
    if (name == "write-text") *image_start = 0;
    if (name == "run-data") {
        volatile std::uintptr_t code = reinterpret_cast<std::uintptr_t>(data_that_returns);
        reinterpret_cast<void (*)()>(std::uintptr_t{code})();
    }
    if (name == "null") *reinterpret_cast<volatile int*>(std::uintptr_t{8}) = 1;
    if (name == "user-access") // SMAP: user memory is closed to the kernel outside copies
        *reinterpret_cast<volatile int*>(std::uintptr_t{0x40'0000}) = 1;
    if (name == "stack-overrun")
        on_own_stack([](void*) {
            volatile char start[2] = {};
            (void)overrun_stack(start);
        });
    if (name == "smash") smash_frame(64);
    if (name == "in-thread") on_own_stack([](void*) { panic("asked for, in a thread"); });
    if (name == "twice") {
        arch::add_panic_reporter([] { panic("asked for, inside the panic"); });
        panic("asked for");
    }
    if (name == "deaf")
        on_own_stack([](void*) {
            arch::interrupts_disable();
            for (;;)
                asm volatile("");
        });
    if (name == "reset") dev::reset();
}

} // namespace aios::kernel_test
