// Reads a page for as long as it can: once it is revoked the next read has to fault.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "hold_mapping");
    const auto* word = map_memory<std::atomic<std::uint64_t>>(handle(kSharedRole), kPageBytes, kProtectRead);
    for (; word != nullptr; attack.count())
        attack.line->seen = word->load();
    return 1;
}
