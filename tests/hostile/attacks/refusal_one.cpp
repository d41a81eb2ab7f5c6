// The same refusal as fast as the processor can.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "refusal_one");
    for (;; attack.count())
        (void)sys::agent_mem_alloc(kNoHandle, 0, 0);
}
