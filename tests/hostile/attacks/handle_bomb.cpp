// Objects and handles on them until the quota ends, and on against its end.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "handle_bomb");
    for (;;)
        if (sys::timer_create(self)) attack.count();
}
