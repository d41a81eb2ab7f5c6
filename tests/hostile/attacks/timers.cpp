// As many timers as the quota pays, each due every nanosecond, of an agent that itself only sleeps.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "timers");
    for (;;) {
        const auto timer = sys::timer_create(self);
        if (!timer) break;
        (void)sys::timer_set(*timer, 1, 1);
        attack.count();
    }
    rest();
}
