// Threads that compute and threads that sleep for moments, of an agent that says something else of itself all the time.
#include "tests/hostile/attack.hpp"

using namespace hostile;

namespace {

void doze(std::uint64_t) {
    for (;;) {
        sleep_until(now() + kMillisecond / 5);
        for (const std::uint64_t until = now() + kMillisecond / 5; now() < until;) {
        }
    }
}

void say(AgentHint hint) {
    const bool has_deadline = hint == AgentHint::deadline;
    (void)sys::agent_hint(self, static_cast<std::uint64_t>(hint), has_deadline ? kMillisecond : 0,
                          has_deadline ? now() + kMillisecond : 0);
}

} // namespace

int aios_main(const StartupBlock& block) {
    const Attack attack(block, "hints");
    for (unsigned i = 0; i < 8; ++i) {
        (void)start_thread([](std::uint64_t) { hostile::spin(); }, 0);
        (void)start_thread(doze, 0);
    }
    for (std::uint64_t i = 0;; ++i) {
        say(i % 2 == 0 ? AgentHint::interactive : static_cast<AgentHint>(i / 2 % 5));
        attack.count();
    }
}
