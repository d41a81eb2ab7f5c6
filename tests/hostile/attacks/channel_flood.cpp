// Fills the director's channel and keeps sending, with handles, and makes channels of its own until the quota ends.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "channel_flood");
    static const char bytes[4096] = {};
    const Handle timer = *sys::timer_create(self);
    const HandleGrant given{timer, rights::write.bits(), 1};
    for (;;) {
        Message message{};
        message.bytes = address_of(bytes);
        message.size = sizeof(bytes);
        message.handles = address_of(&given);
        message.handle_count = attack.line->figure.load() % 2;
        if (sys::ipc_send(handle(kVictimRole), &message)) attack.count();
        (void)sys::channel_create(self, 1, 4096);
    }
}
