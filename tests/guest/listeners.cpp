// As many listeners as a source takes, each a queue in a chain of queues, and a thread that waits at every queue: what a
// post costs with interrupts off. The level measures that on one CPU and allows 50,000 instructions; a post must tell
// and wake everybody all the same. The timers come last: the threads at their outer queues wait until the program ends.
#include <atomic>

#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr unsigned kTimers = 8;  // as many as fire in one interrupt
constexpr unsigned kOfTimer = 4; // listeners that a timer takes
constexpr unsigned kOfChannel = 64;
constexpr unsigned kDepth = 5;
constexpr unsigned kMost = kOfChannel * kDepth;
static_assert(kTimers * kOfTimer * kDepth <= kMost);

Handle queues[kMost];
std::atomic<std::uint64_t> woken{0}, waiting{0};
char stacks[kMost][1024];

void wait_once(std::uint64_t place) {
    ++waiting;
    EventPacket packet;
    if (sys::event_wait(queues[place], &packet, 1, now() + 60 * kSecond)) ++woken;
    for (;;)
        (void)sys::thread_exit();
}

// `chains` chains of queues, of which the innermost of each hears `source`, and a thread at each queue.
void build(unsigned from, unsigned chains, Handle source, std::uint64_t signals) {
    for (unsigned chain = 0; chain < chains; ++chain) {
        for (unsigned level = 0; level < kDepth; ++level) {
            const unsigned place = from + chain * kDepth + level;
            queues[place] = GET(sys::queue_create(self));
            if (level == 0)
                GET(sys::event_register(queues[place], source, signals, 1));
            else
                GET(sys::event_register(queues[place], queues[place - 1], kSignalReadable, 1));
            (void)sys::handle_close(GET(sys::thread_create(
                self, address_of(&wait_once), address_of(stacks[place] + sizeof(stacks[place])) - 8, place)));
        }
    }
}

bool comes_to(const std::atomic<std::uint64_t>& count, std::uint64_t wanted) {
    for (const std::uint64_t until = now() + 60 * kSecond; count < wanted && now() < until;)
        (void)sys::thread_yield();
    return count >= wanted;
}

void finish_round(unsigned count) {
    for (unsigned i = 0; i < count; ++i)
        GET(sys::handle_close(queues[i]));
}

void test_timers() {
    woken = waiting = 0;
    OwnedHandle timers[kTimers];
    for (unsigned i = 0; i < kTimers; ++i) {
        timers[i] = OwnedHandle(GET(sys::timer_create(self)));
        build(i * kOfTimer * kDepth, kOfTimer, timers[i].get(), kSignalFired);
    }
    CHECK_ERROR(sys::event_register(queues[0], timers[1].get(), kSignalFired, 2), no_space);
    CHECK(comes_to(waiting, kTimers * kOfTimer * kDepth));
    const std::uint64_t due = now() + kSecond / 50;
    for (const OwnedHandle& timer : timers)
        GET(sys::timer_set(timer.get(), due, 0));
    // The innermost of each chain; the others find that it was taken already, or take it.
    CHECK(comes_to(woken, kTimers * kOfTimer));
}

void test_channel() {
    woken = waiting = 0;
    const OwnedHandle channel(GET(sys::channel_create(self, 4, 64)));
    build(0, kOfChannel, channel.get(), kSignalReadable);
    CHECK_ERROR(sys::event_register(queues[0], channel.get(), kSignalReadable, 2), no_space);
    CHECK(comes_to(waiting, kOfChannel * kDepth));
    const Message message{};
    GET(sys::ipc_send(channel.get(), &message));
    CHECK(comes_to(woken, kOfChannel * kDepth));
    finish_round(kOfChannel * kDepth);
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "listeners");
    run("of_a_channel", test_channel);
    run("of_timers", test_timers);
    return finish();
}
