// Stands between everybody and the heap: the linker gives these functions to whoever calls heap_allocate and heap_free.
#include "tests/support/heap_tally.hpp"

#include <map>
#include <mutex>

#include "kernel/mm/mm.hpp"
#include "kernel/mm/size_classes.hpp"

namespace {

std::mutex g_lock; // of both
std::uint64_t g_taken = 0;
std::map<void*, std::uint64_t>& pieces() {
    static std::map<void*, std::uint64_t> map;
    return map;
}

} // namespace

extern "C" {
void* __real__ZN4aios2mm13heap_allocateEmm(std::size_t bytes, std::size_t alignment);
void __real__ZN4aios2mm9heap_freeEPv(void* pointer);

void* __wrap__ZN4aios2mm13heap_allocateEmm(std::size_t bytes, std::size_t alignment);
void* __wrap__ZN4aios2mm13heap_allocateEmm(std::size_t bytes, std::size_t alignment) {
    void* const at = __real__ZN4aios2mm13heap_allocateEmm(bytes, alignment);
    if (at == nullptr) return nullptr;
    const std::uint64_t cost = aios::mm::heap_cost(bytes, alignment);
    const std::lock_guard guard(g_lock);
    pieces()[at] = cost;
    g_taken += cost;
    return at;
}

void __wrap__ZN4aios2mm9heap_freeEPv(void* pointer);
void __wrap__ZN4aios2mm9heap_freeEPv(void* pointer) {
    {
        const std::lock_guard guard(g_lock);
        if (const auto piece = pieces().find(pointer); piece != pieces().end()) {
            g_taken -= piece->second;
            pieces().erase(piece);
        }
    }
    __real__ZN4aios2mm9heap_freeEPv(pointer);
}
}

std::uint64_t aios::test::heap_taken() {
    const std::lock_guard guard(g_lock);
    return g_taken;
}
