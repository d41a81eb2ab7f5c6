// The agent of the row `interactive`: it wakes at odd times and works in bursts, most of its share in all, while eight
// others compute, and says how long it had to wait for the CPU, in nanoseconds from when it was due.
#include <algorithm>

#include "bench/kernel/aios/measure.hpp"

namespace bench {

namespace {

constexpr std::size_t kSamples = 1'000;
constexpr unsigned kWarmUp = 50;
std::uint64_t late[kSamples];

// `instructions`, and nothing that the scheduler or the clock could shorten.
void work(std::uint64_t instructions) {
    std::uint64_t left = instructions / 2;
    asm volatile("1: decq %0\n\tjnz 1b" : "+r"(left) : : "cc"); // SAFETY: counts down
}

} // namespace

std::uint64_t wait_of_bursts() {
    const OwnedHandle queue(MUST(sys::queue_create(self)));
    const OwnedHandle timer(MUST(sys::timer_create(self)));
    MUST(sys::event_register(queue.get(), timer.get(), kSignalFired, 1));
    std::uint64_t random = 7; // a linear congruential generator: the same bursts each time
    const auto up_to = [&](std::uint64_t most) {
        random = random * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
        return (random >> 33) % most;
    };
    for (unsigned i = 0; i < kWarmUp + kSamples; ++i) {
        const std::uint64_t due = now() + 3'000'000 + up_to(11'000'000);
        EventPacket packet;
        MUST(sys::timer_set(timer.get(), due, 0));
        MUST(sys::event_wait(queue.get(), &packet, 1, kNoDeadline));
        if (i >= kWarmUp) late[i - kWarmUp] = now() - due;
        work(200'000 + up_to(1'400'000));
    }
    constexpr std::size_t kPlace = kSamples * 99 / 100;
    std::ranges::nth_element(late, late + kPlace);
    return late[kPlace];
}

} // namespace bench
