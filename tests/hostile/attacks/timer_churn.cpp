// Sets a hundred timers again and again, due in the past, in a moment and never.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "timer_churn");
    Handle timers[100];
    for (Handle& timer : timers)
        timer = *sys::timer_create(self);
    for (;;) {
        for (const Handle timer : timers)
            (void)sys::timer_set(timer, now() + attack.line->figure.load() % 3000, 1);
        attack.count();
        for (const Handle timer : timers)
            (void)sys::timer_set(timer, kNoDeadline, 0);
    }
}
