// Sixteen threads that only compute: their agent gets one share.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    const hostile::Attack attack(block, "spin");
    for (unsigned i = 0; i < 15; ++i)
        (void)hostile::start_thread([](std::uint64_t) { hostile::spin(); }, 0);
    hostile::spin();
}
