// Sixty threads that map, touch and unmap without end, so that the lock of their address space is never free, while a
// page in it is revoked.
#include "tests/hostile/attack.hpp"

using namespace hostile;

namespace {

void churn(std::uint64_t) {
    for (;;) {
        const auto place = sys::agent_mem_alloc(self, 4 * kPageBytes, kProtectRead | kProtectWrite);
        if (!place) continue;
        for (unsigned i = 0; i < 4; ++i)
            *reinterpret_cast<volatile char*>(*place + i * kPageBytes) = 1; // SAFETY: just mapped
        (void)sys::agent_mem_free(self, *place, 4 * kPageBytes);
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    const Attack attack(block, "faulting_threads");
    for (unsigned i = 0; i < 60; ++i)
        if (start_thread(churn, 0)) attack.count();
    auto* word = map_memory<std::atomic<std::uint64_t>>(handle(kSharedRole), kPageBytes, kProtectRead);
    while (word != nullptr)
        attack.line->seen = word->load();
    rest();
}
