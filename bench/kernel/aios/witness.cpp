// The crew of the row "services": a crew starts when all services are ready, so the first thing it does is to look at
// the clock. Then the job is done.
#include "runtime/kernel/console.hpp"
#include "runtime/kernel/parent.hpp"
#include "runtime/kernel/startup.hpp"

int aios_main(const aios::StartupBlock& startup) {
    using namespace aios;
    const std::uint64_t at = sys::clock_read(static_cast<std::uint64_t>(Clock::monotonic)).value_or(0);
    console_handle = find_handle(startup, StartupRole::console);
    console_print("BENCH services {} 1\n", at);
    tell_parent(find_handle(startup, StartupRole::parent), {.type = kUnitDone, .text = "seen", .ok = true});
    return 0;
}
