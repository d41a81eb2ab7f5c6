// Threads that all wait for one channel of their own, and messages that wake them without end.
#include "tests/hostile/attack.hpp"

using namespace hostile;

namespace {

void receive(std::uint64_t channel) {
    for (;;) {
        char byte = 0;
        Message message{};
        message.bytes = address_of(&byte);
        message.size = 1;
        (void)sys::ipc_reply_wait(channel, 0, nullptr, &message, kNoDeadline);
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    const Attack attack(block, "sleepers");
    const Handle channel = *sys::channel_create(self, 16, 4096);
    for (unsigned i = 0; i < 100; ++i)
        (void)start_thread(receive, channel, kPageBytes);
    for (;;) {
        const OwnedHandle second(*sys::handle_derive(channel, (rights::send | rights::receive).bits()));
        char byte = 0;
        Message message{};
        message.bytes = address_of(&byte);
        message.size = 1;
        if (sys::ipc_send(second.get(), &message)) attack.count();
    }
}
