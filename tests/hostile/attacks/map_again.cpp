// Two threads map, read and unmap a page in turns, so that a revocation meets every step of it.
#include "tests/hostile/attack.hpp"

using namespace hostile;

namespace {

const Attack* attack = nullptr;

void map_and_read(std::uint64_t) {
    for (;;) {
        const auto* word = map_memory<std::atomic<std::uint64_t>>(handle(kSharedRole), kPageBytes, kProtectRead);
        if (word == nullptr) {
            (void)sys::thread_yield();
            continue;
        }
        attack->line->seen = word->load();
        (void)sys::agent_mem_free(self, address_of(word), kPageBytes);
        attack->count();
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    static const Attack mine(block, "map_again");
    attack = &mine;
    (void)start_thread(map_and_read, 0);
    map_and_read(0); // for ever
    return 0;
}
