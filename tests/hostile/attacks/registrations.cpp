// Registers its own queue for the director's channel as often as it can: who closes or uses that channel must not pay
// for waking it.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "registrations");
    const Handle queue = *sys::queue_create(self);
    for (std::uint64_t key = 1; sys::event_register(queue, handle(kSourceRole), kSignalReadable | kSignalWritable, key);
         ++key)
        attack.count();
    EventPacket packets[16];
    for (;;)
        (void)sys::event_wait(queue, packets, 16, kNoDeadline);
}
