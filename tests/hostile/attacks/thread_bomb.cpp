// Threads for ever: refused ones are asked for again.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "thread_bomb");
    for (;;)
        if (start_thread([](std::uint64_t) { spin(); }, 0)) attack.count();
}
