// Rows of lateness: how long after its deadline a wait is over, in nanoseconds.
#include <algorithm>

#include "bench/kernel/aios/measure.hpp"

namespace bench {

namespace {

using namespace std::literals;

constexpr std::size_t kSamples = 1'000;
std::uint64_t late[kSamples];

void percentile_99(std::string_view row) {
    constexpr std::size_t kPlace = kSamples * 99 / 100;
    std::ranges::nth_element(late, late + kPlace);
    figure(row, late[kPlace], 1);
}

} // namespace

void timer_p99() {
    constexpr std::uint64_t kPeriod = 1'000'000;
    constexpr int kWarmUp = 20;
    Peer busy[4];
    for (Peer& peer : busy)
        peer = Peer::start("bin/peer", "spin\0"sv, {console_grant()});
    const OwnedHandle queue(MUST(sys::queue_create(self)));
    const OwnedHandle timer(MUST(sys::timer_create(self)));
    MUST(sys::event_register(queue.get(), timer.get(), kSignalFired, 1));
    std::uint64_t due = now() + 10 * kPeriod;
    for (int i = -kWarmUp; i < static_cast<int>(kSamples); ++i) {
        due += kPeriod;
        EventPacket packet;
        MUST(sys::timer_set(timer.get(), due, 0));
        MUST(sys::event_wait(queue.get(), &packet, 1, kNoDeadline));
        const std::uint64_t at = now();
        if (i >= 0) late[i] = at - due;
        if (at > due + kPeriod) due = at - (at - due) % kPeriod;
    }
    percentile_99("timer_p99");
}

// The bursts are another agent's, so that it and the eight who compute are siblings: that is where a hint acts.
void interactive() {
    constexpr auto kInteractive = static_cast<std::uint64_t>(AgentHint::interactive);
    Peer others[8];
    for (Peer& peer : others)
        peer = Peer::start("bin/peer", "spin\0"sv, {console_grant()});
    const Shared page;
    const auto measure = [&](std::string_view arguments) {
        const Peer bursty = Peer::start("bin/peer", arguments, {console_grant(), page.granted()});
        (void)wait_dead(bursty.agent(), 600);
        const std::uint64_t told = page[0];
        page[0] = 0;
        return told;
    };
    static_assert(kInteractive == 1, "what the second one is told");
    const std::uint64_t without = measure("bursts\0000\0"sv), with = measure("bursts\0001\0"sv);
    if (without == 0 || with == 0)
        console_print("BENCH interactive fail the agent did not tell\n");
    else
        figure("interactive", with, without);
}

// 2 to 25 us in a fixed order of all distances.
void near_deadline() {
    const OwnedHandle queue(MUST(sys::queue_create(self)));
    for (std::size_t i = 0; i < kSamples; ++i) {
        EventPacket packet;
        const std::uint64_t due = now() + 2'000 + i * 7'919 % 23'001;
        (void)sys::event_wait(queue.get(), &packet, 1, due); // answers that the time is over
        const std::uint64_t at = now();
        late[i] = at > due ? at - due : 0;
    }
    percentile_99("near_deadline");
}

} // namespace bench
