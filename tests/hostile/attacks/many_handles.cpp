// Fills its table with handles that lead to one object, and waits to be ended: others must be able to revoke and to die
// meanwhile.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "many_handles");
    const Handle memory = *sys::agent_pool_alloc(self, kPageBytes);
    while (sys::handle_derive(memory, (rights::read | rights::map).bits()))
        attack.count();
    rest();
}
