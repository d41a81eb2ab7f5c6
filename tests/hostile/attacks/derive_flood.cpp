// Authority made and given up without end, by four threads: every one of it is recorded, and the recording has to be
// paid.
#include "tests/hostile/attack.hpp"

using namespace hostile;

namespace {

const Attack* attack = nullptr;

void derive(std::uint64_t timer) {
    for (;;) {
        const auto handle = sys::handle_derive(timer, rights::write.bits());
        if (!handle) continue;
        (void)sys::handle_close(*handle);
        attack->count();
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    static const Attack mine(block, "derive_flood");
    attack = &mine;
    const Handle timer = *sys::timer_create(self);
    for (unsigned i = 0; i < 3; ++i)
        (void)start_thread(derive, timer);
    derive(timer); // for ever
    return 0;
}
