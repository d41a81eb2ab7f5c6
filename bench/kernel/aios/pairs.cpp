// Pairs of agents that call each other, as many pairs as there are processors. What a call needs the plugin counts, on
// each processor; the figure given here is the number of calls alone.
#include <algorithm>

#include "bench/kernel/aios/measure.hpp"

namespace bench {

namespace {

using namespace std::literals;

constexpr std::uint64_t kCalls = 20'000; // of each pair

// The number of pairs stands in etc/pairs, one digit.
std::uint64_t pairs_wanted() {
    constexpr std::string_view kPath = "etc/pairs";
    const Handle file = MUST(sys::tree_open(handle(StartupRole::bundle), kPath.data(), kPath.size()));
    const MapRequest request{0, 1, 0, kProtectRead};
    const auto* digit = reinterpret_cast<const char*>(MUST(sys::memory_map(file, &request))); // SAFETY: just mapped
    return static_cast<std::uint64_t>(*digit - '0');
}

} // namespace

void pairs() {
    constexpr std::uint64_t kMost = 2;
    const std::uint64_t count = std::min(pairs_wanted(), kMost);
    const Shared page;
    OwnedHandle channels[kMost];
    Peer servers[kMost], callers[kMost];
    constexpr std::string_view kNames[kMost] = {"pairs\0000\0"sv, "pairs\0001\0"sv};
    for (std::uint64_t i = 0; i < count; ++i) {
        channels[i] = OwnedHandle(MUST(sys::channel_create(self, 8, 4096)));
        servers[i] = Peer::start("bin/peer", "echo\0"sv, {console_grant(), receive_side(channels[i].get())});
        callers[i] =
            Peer::start("bin/peer", kNames[i], {console_grant(), page.granted(), send_side(channels[i].get())});
    }
    const OwnedHandle queue(MUST(sys::queue_create(self)));
    const auto sleep = [&](std::uint64_t nanoseconds) {
        EventPacket packet;
        (void)sys::event_wait(queue.get(), &packet, 1, now() + nanoseconds);
    };
    sleep(20'000'000);
    OPEN_WINDOW(kRow_pairs);
    page[kBegin] = 1;
    for (std::uint64_t done = 0; done != count;) {
        sleep(2'000'000);
        done = 0;
        for (std::uint64_t i = 0; i < count; ++i)
            done += page[i * kWordsApart];
    }
    CLOSE_WINDOW(kRow_pairs);
    figure("pairs", 0, count * kCalls);
}

} // namespace bench
