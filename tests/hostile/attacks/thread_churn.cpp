// Threads that live for less than a time slice, one after the other: each new one must not bring credit that its agent
// has not earned.
#include "tests/hostile/attack.hpp"

using namespace hostile;

namespace {

void short_life(std::uint64_t) {
    const std::uint64_t until = now() + 3 * kMillisecond;
    while (now() < until) {
    }
    (void)sys::thread_exit();
}

// Keeps one short-lived thread going; hardly runs itself.
void manage(std::uint64_t) {
    const std::uint64_t stack = *sys::agent_mem_alloc(self, 8192, kProtectRead | kProtectWrite) + 8192 - 8;
    const OwnedHandle queue(*sys::queue_create(self));
    for (;;) {
        const auto thread = owned(sys::thread_create(self, address_of(&short_life), stack, 0));
        if (!thread) continue;
        EventPacket packet;
        (void)sys::event_register(queue.get(), thread->get(), kSignalEnded, 1);
        (void)sys::event_wait(queue.get(), &packet, 1, kNoDeadline);
        (void)sys::event_cancel(queue.get(), 1);
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    const Attack attack(block, "thread_churn");
    for (unsigned i = 0; i < 20; ++i)
        if (start_thread(manage, 0)) attack.count();
    manage(0); // for ever
    return 0;
}
