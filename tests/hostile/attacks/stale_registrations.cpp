// Registrations whose signal was raised and is gone again: one wait has to look at all of them.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "stale_registrations");
    const Handle queue = *sys::queue_create(self);
    char byte = 'x';
    std::uint64_t key = 1;
    Handle channels[400];
    unsigned made = 0;
    for (Handle& channel : channels) {
        const auto created = sys::channel_create(self, 1, 64);
        if (!created) break;
        channel = *created;
        ++made;
        for (unsigned i = 0; i < 64; ++i)
            if (sys::event_register(queue, channel, kSignalReadable, key++)) attack.count();
    }
    for (;;) {
        for (unsigned i = 0; i < made; ++i) {
            Message message{};
            message.bytes = address_of(&byte);
            message.size = 1;
            (void)sys::ipc_send(channels[i], &message);
            (void)sys::ipc_recv(channels[i], &message);
        }
        EventPacket packet;
        (void)sys::event_wait(queue, &packet, 1, 0);
    }
}
