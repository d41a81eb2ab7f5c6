// The crew of the row "services": a crew starts when all services are ready, so the first thing it does is to look at
// the clock. Then the job is done.
#include <cstddef>

#include "base/cbor.hpp"
#include "runtime/kernel/console.hpp"
#include "runtime/kernel/startup.hpp"

int aios_main(const aios::StartupBlock& startup) {
    using namespace aios;
    const std::uint64_t at = sys::clock_read(static_cast<std::uint64_t>(Clock::monotonic)).value_or(0);
    console_handle = find_handle(startup, StartupRole::console);
    console_print("BENCH services {} 1\n", at);
    std::byte buffer[64];
    cbor::Encoder out(buffer);
    out.map(3);
    out.key(0).text("done");
    out.key(1).text("seen");
    out.key(2).boolean(true);
    const auto encoded = out.finish();
    if (!encoded) return 1;
    Message message{};
    message.bytes = reinterpret_cast<std::uint64_t>(encoded->data()); // SAFETY: for the kernel
    message.size = encoded->size();
    (void)sys::ipc_send(find_handle(startup, StartupRole::parent), &message);
    return 0;
}
