// Two hundred threads that revoke a handle on which nothing stands, without end.
#include "tests/hostile/attack.hpp"

using namespace hostile;

namespace {

void revoke(std::uint64_t timer) {
    for (;;)
        (void)sys::handle_revoke(timer);
}

} // namespace

int aios_main(const StartupBlock& block) {
    const Attack attack(block, "revokers");
    const Handle timer = *sys::timer_create(self);
    for (unsigned i = 0; i < 200; ++i)
        if (start_thread(revoke, timer, kPageBytes)) attack.count();
    revoke(timer); // for ever
    return 0;
}
