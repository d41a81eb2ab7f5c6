// Knocks at every door with a handle of the wrong type, of too few rights, and of none: more distinct refusals than
// anybody keeps a place for.
#include "tests/hostile/attack.hpp"

using namespace hostile;

namespace {

constexpr std::uint64_t kDoors[] = {
#define CALL(number, name, document_name, object, right, audit, restart, charge, arguments) number,
#include "abi/calls.def"
#undef CALL
};

// Those that would end or block the caller if they were granted are not tried.
bool harmless(std::uint64_t number) { return number >= 4110 && number != 4160 && number != 4161; }

} // namespace

int aios_main(const StartupBlock& block) {
    const Attack attack(block, "refusal_flood");
    const Handle timer = *sys::timer_create(self);
    const Handle memory = *sys::agent_pool_alloc(self, kPageBytes);
    const Handle weak = *sys::handle_derive(timer, rights::wait.bits());
    for (;;) {
        for (const std::uint64_t number : kDoors) {
            if (!harmless(number)) continue;
            for (const Handle key : {kNoHandle, timer, memory, weak})
                (void)sys::detail::call(number, key, 0, 0, 0, 0, 0);
            attack.count();
        }
    }
}
