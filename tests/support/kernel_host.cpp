// What kernel sources need of the processor, the heap and the scheduler, for host tests: real threads stand in for
// CPUs. Memory comes from malloc, so that the address sanitizer watches it; `heap_failures` makes allocations fail on
// demand.
#include "tests/support/kernel_host.hpp"

#include <cstdlib>
#include <thread>

#include "kernel/arch/arch.hpp"
#include "kernel/mm/mm.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::test {
std::atomic<long> heap_live{0};
std::atomic<long> heap_failures{-1};
thread_local unsigned cpu = 0;
} // namespace aios::test

namespace aios::arch {
unsigned cpu_index() { return test::cpu; }
unsigned cpu_count() { return 4; }
bool interrupts_enabled() { return true; }
bool interrupts_disable() { return false; }
void interrupts_enable() {}
void relax() { std::this_thread::yield(); }
std::uint64_t ticks() { return __builtin_ia32_rdtsc(); }
} // namespace aios::arch

namespace aios::mm {
void* heap_allocate(std::size_t bytes, std::size_t alignment) {
    long left = test::heap_failures.load();
    while (left >= 0) {
        if (left == 0) return nullptr;
        if (test::heap_failures.compare_exchange_weak(left, left - 1)) break;
    }
    test::heap_live++;
    return std::aligned_alloc(alignment < 16 ? 16 : alignment, (bytes + 4095) / 16 * 16);
}
void heap_free(void* pointer) {
    if (pointer == nullptr) return;
    test::heap_live--;
    std::free(pointer);
}
} // namespace aios::mm

namespace aios::sync {
void rank_acquire(Rank rank, const void*) { test::ranks_taken(static_cast<unsigned>(rank), true); }
void rank_release(Rank rank, const void*) { test::ranks_taken(static_cast<unsigned>(rank), false); }
void MutexCore::lock() {
    static thread_local char self;
    void* nobody = nullptr;
    while (!owner_.compare_exchange_weak(nobody, &self)) {
        nobody = nullptr;
        std::this_thread::yield();
    }
}
void MutexCore::unlock() { owner_.store(nullptr); }
} // namespace aios::sync

namespace aios::test {
void ranks_taken(unsigned rank, bool taken) {
    static thread_local unsigned held[32];
    static thread_local unsigned depth = 0;
    if (!taken) {
        AIOS_ASSERT(depth != 0);
        depth--;
        return;
    }
    AIOS_ASSERT(depth == 0 || held[depth - 1] < rank);
    held[depth++] = rank;
}
} // namespace aios::test
