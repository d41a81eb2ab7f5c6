// What kernel sources need of the processor and the heap, for host tests: real threads stand in for CPUs. Memory comes
// from malloc, so that the address sanitizer watches it; `heap_failures` makes allocations fail on demand.
#include "tests/support/kernel_host.hpp"

#include <cstdlib>
#include <thread>

#include "kernel/arch/arch.hpp"
#include "kernel/mm/space_set.hpp"

namespace aios::test {
std::atomic<long> heap_live{0};
std::atomic<long> heap_failures{-1};
std::atomic<long> space_notices{0};
thread_local unsigned cpu = 0;
thread_local std::function<void()>* before_spinlock = nullptr;
} // namespace aios::test

namespace aios::arch {
unsigned cpu_index() { return test::cpu; }
unsigned cpu_count() { return 4; }
bool interrupts_enabled() { return true; }
bool interrupts_disable() {
    if (test::before_spinlock != nullptr) (*test::before_spinlock)();
    return false;
}
void interrupts_enable() {}
void relax() { std::this_thread::yield(); }
std::uint64_t ticks() { return __builtin_ia32_rdtsc(); }
} // namespace aios::arch

namespace aios::mm {
void SpaceSet::notice() { ++test::space_notices; }
void* heap_allocate(std::size_t bytes, std::size_t alignment) {
    long left = test::heap_failures.load();
    while (left >= 0) {
        if (left == 0) return nullptr;
        if (test::heap_failures.compare_exchange_weak(left, left - 1)) break;
    }
    ++test::heap_live;
    if (alignment < 16) alignment = 16;
    return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}
void heap_free(void* pointer) {
    if (pointer == nullptr) return;
    --test::heap_live;
    std::free(pointer);
}
} // namespace aios::mm
