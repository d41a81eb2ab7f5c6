// Rows of memory: first touches, and what an idle agent holds.
#include "bench/kernel/aios/measure.hpp"

namespace bench {

void anonymous_fault() {
    constexpr std::uint64_t kPages = 2048;
    const auto touch = [](std::uint64_t at) {
        for (std::uint64_t i = 0; i < kPages; ++i)
            *reinterpret_cast<volatile char*>(at + i * kPageBytes) = 1; // SAFETY: just mapped
    };
    const auto fresh = [] { return MUST(sys::agent_mem_alloc(self, kPages * kPageBytes, kReadWrite)); };
    std::uint64_t place = fresh();
    touch(place);
    MUST(sys::agent_mem_free(self, place, kPages * kPageBytes));
    place = fresh();
    OPEN_WINDOW(kRow_anonymous_fault);
    const std::uint64_t begin = ticks();
    touch(place);
    const std::uint64_t took = ticks() - begin;
    CLOSE_WINDOW(kRow_anonymous_fault);
    MUST(sys::agent_mem_free(self, place, kPages * kPageBytes));
    figure("anonymous_fault", took, kPages);
}

// By the node's free frames, so that nothing is left out that nobody is charged for. One agent more, and
// what it takes for the first time, is there before.
void idle_agent() {
    constexpr std::uint64_t kAgents = 1'000;
    static Handle agents[kAgents];
    const OwnedHandle channel(MUST(sys::channel_create(self, 8, 4096)));
    const auto free_bytes = [] {
        HandleInfo info{};
        MUST(sys::handle_info(handle(StartupRole::frames), &info));
        return info.size;
    };
    const HandleGrant grants[] = {receive_side(channel.get())};
    const auto start = [&] {
        SpawnOptions options;
        options.quota = {256 << 10, 16, 2, 0};
        options.handles = grants;
        options.handle_count = 1;
        return MUST(spawn("bin/idle", options)).leak();
    };
    const Handle first = start();
    for (unsigned i = 0; i < 1'000; ++i)
        (void)sys::thread_yield();
    settle(info_of(self));
    const std::uint64_t begin = free_bytes();
    for (Handle& agent : agents)
        agent = start();
    for (unsigned i = 0; i < 10'000; ++i) // they take turns until all wait
        (void)sys::thread_yield();
    const std::uint64_t end = free_bytes();
    for (const Handle agent : agents)
        if (info_of(agent).state == static_cast<std::uint32_t>(AgentState::dead))
            return console_print("BENCH idle_agent fail an agent has ended\n");
    figure("idle_agent", begin - end, kAgents);
    (void)sys::agent_kill(first, 9);
}

} // namespace bench
