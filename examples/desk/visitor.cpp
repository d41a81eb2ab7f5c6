// The visitor is told to read the memory region, for which it holds no capability. It tries every handle number that it
// can think of; the kernel refuses each, counts it and records it.
#include <format>

#include "runtime/application/agent.hpp"

namespace aios::desk {
namespace {

constexpr std::uint64_t kGuesses = 16;

application::Reply read_region(const application::Agent& agent, const ipc::Incoming& request) {
    const StartupBlock& startup = *startup_block();
    std::uint64_t refused = 0;
    Error last{};
    for (std::uint64_t slot = startup.count; slot < startup.count + kGuesses; ++slot) {
        const Handle guess = 1ull << 32 | (slot + 32); // first generation; beyond its own handles
        const MapRequest map{0, kPageBytes, 0, kProtectRead};
        const auto mapped = sys::memory_map(guess, &map);
        if (mapped) return ipc::inform(request.intent, {{"was_read", true}});
        last = mapped.error();
        ++refused;
    }
    const auto info = error_info(last);
    return ipc::refuse(
        request.intent, last,
        std::format("{} has no capability for the memory region: {} guessed handles refused by the kernel ({}: {})",
                    agent.name(), refused, info.name, info.sentence));
}

} // namespace
} // namespace aios::desk

int main() {
    aios::application::Agent agent;
    agent.offer({.intent = "region.read", .description = "reads a memory region as it is told to"},
                [&](auto& request) { return aios::desk::read_region(agent, request); });
    return agent.run();
}
