// Rows of whole agents: switching between two, and the life of one.
#include "bench/kernel/aios/measure.hpp"

namespace bench {

namespace {

using namespace std::literals;

// One life of the smallest program; answers when its first instruction ran. Its exit status is what its counter was.
std::uint64_t one_life(Handle queue) {
    SpawnOptions options;
    options.quota = {1 << 20, 64, 8, 0};
    const SpawnRequest request = make_request("bin/least", options);
    EventPacket packet;
    const OwnedHandle operation(MUST(sys::agent_spawn(self, &request)));
    MUST(sys::event_register(queue, operation.get(), kSignalDone, 1));
    MUST(sys::event_wait(queue, &packet, 1, kNoDeadline));
    AsyncResult result{};
    MUST(sys::get_async_result(operation.get(), &result));
    if (result.error != 0) MUST(Result<int>(fail(static_cast<Error>(result.error))));
    const OwnedHandle child(result.value);
    MUST(sys::event_register(queue, child.get(), kSignalEnded, 2));
    MUST(sys::event_wait(queue, &packet, 1, kNoDeadline));
    return info_of(child.get()).end_status;
}

constexpr std::uint64_t kLives = 1'000, kWarmUp = 20;

} // namespace

void spawn_first() {
    const OwnedHandle queue(MUST(sys::queue_create(self)));
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < kWarmUp + kLives; ++i) {
        if (i >= kWarmUp) OPEN_WINDOW(kRow_spawn_first); // the child closes it
        const std::uint64_t begin = ticks();
        const std::uint64_t first = one_life(queue.get());
        if (i >= kWarmUp) sum += first - begin;
    }
    figure("spawn_first", sum, kLives);
}

void spawn_reaped() {
    const OwnedHandle queue(MUST(sys::queue_create(self)));
    for (std::uint64_t i = 0; i < kWarmUp; ++i)
        (void)one_life(queue.get());
    const AgentInfo before = info_of(self);
    settle(before);
    OPEN_WINDOW(kRow_spawn_reaped);
    const std::uint64_t begin = ticks();
    for (std::uint64_t i = 0; i < kLives; ++i)
        (void)one_life(queue.get());
    settle(before);
    const std::uint64_t took = ticks() - begin;
    CLOSE_WINDOW(kRow_spawn_reaped);
    figure("spawn_reaped", took, kLives);
}

// Both yields count: each hands over to the other.
void switch_agents() {
    constexpr std::uint64_t kTurns = 5'000;
    const Shared page;
    const Peer other = Peer::start("bin/peer", "yield\0"sv, {console_grant(), page.granted()});
    for (std::uint64_t i = 0; i < kTurns / 10; ++i)
        (void)sys::thread_yield();
    OPEN_WINDOW(kRow_switch);
    const std::uint64_t before = page[0], begin = ticks();
    for (std::uint64_t i = 0; i < kTurns; ++i)
        (void)sys::thread_yield();
    const std::uint64_t took = ticks() - begin, others = page[0] - before;
    CLOSE_WINDOW(kRow_switch);
    if (others < kTurns * 9 / 10)
        console_print("BENCH switch fail the agents did not take turns: {} to {}\n", kTurns, others);
    else
        figure("switch", took, kTurns + others);
}

} // namespace bench
