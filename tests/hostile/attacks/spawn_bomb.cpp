// Children that do the same, as many as the quota pays, for ever.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "spawn_bomb");
    const HandleGrant grants[] = {
        grant(handle(StartupRole::bundle), rights::read | rights::execute | rights::derive | rights::transfer,
              StartupRole::bundle),
        grant(handle(kBoardRole), rights::read | rights::write | rights::map | rights::derive | rights::transfer,
              kBoardRole)};
    const AgentInfo own = info_of(self);
    SpawnOptions options;
    options.quota = {own.quota.memory_bytes / 5, own.quota.handles / 5, own.quota.threads / 5, own.quota.agents / 5};
    options.handles = grants;
    options.handle_count = 2;
    for (;;) {
        const SpawnRequest request = make_request("bin/spawn_bomb", options);
        const auto child = owned(sys::agent_spawn(self, &request));
        if (child) attack.count();
    }
}
