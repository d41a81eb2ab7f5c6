// Readiness as a program sees it: levels of a channel, the modes of registrations, and queues in queues, by one thread
// and by several.
#include <array>
#include <atomic>

#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

// What the queue tells at once, of a registration under `key`; 0: nothing.
std::uint64_t told(Handle queue, std::uint64_t key = 1) {
    EventPacket packet{};
    const auto taken = sys::event_wait(queue, &packet, 1, 0);
    if (!taken) {
        CHECK(taken.error() == Error::timed_out);
        return 0;
    }
    CHECK(packet.key == key && packet.count != 0);
    return packet.signals;
}

void test_levels_of_a_channel() {
    const OwnedHandle queue(GET(sys::queue_create(self)));
    OwnedHandle receiver(GET(sys::channel_create(self, 2, 64)));
    OwnedHandle sender(GET(sys::handle_derive(receiver.get(), (rights::send | rights::wait).bits())));
    const OwnedHandle reader(GET(sys::handle_derive(receiver.get(), (rights::receive | rights::wait).bits())));
    constexpr std::uint64_t kAll = kSignalReadable | kSignalWritable | kSignalReadClosed | kSignalClosed;
    GET(sys::event_register(queue.get(), reader.get(), kAll | kModeLevel, 1));
    CHECK(told(queue.get()) == kSignalWritable);
    CHECK(told(queue.get()) == kSignalWritable); // for as long as it is so
    char bytes[64] = {};
    Message message{};
    message.bytes = address_of(bytes);
    message.size = 1;
    GET(sys::ipc_send(sender.get(), &message));
    CHECK(told(queue.get()) == (kSignalReadable | kSignalWritable));
    GET(sys::ipc_send(sender.get(), &message));
    CHECK(told(queue.get()) == kSignalReadable); // full, and nobody was refused
    CHECK_ERROR(sys::ipc_send(sender.get(), &message), would_block);
    CHECK(told(queue.get()) == kSignalReadable);
    GET(sys::ipc_recv(reader.get(), &message));
    CHECK(told(queue.get()) == (kSignalReadable | kSignalWritable));
    GET(sys::ipc_recv(reader.get(), &message));
    CHECK(told(queue.get()) == kSignalWritable);
    message.size = 64; // full by its bytes
    GET(sys::ipc_send(sender.get(), &message));
    CHECK(told(queue.get()) == kSignalReadable);
    GET(sys::ipc_recv(reader.get(), &message));
    CHECK(told(queue.get()) == kSignalWritable);
    sender.reset();
    receiver.reset(); // the last that can send
    CHECK(told(queue.get()) == (kSignalWritable | kSignalReadClosed | kSignalClosed));
    CHECK(told(queue.get()) == (kSignalWritable | kSignalReadClosed | kSignalClosed));
}

void test_modes() {
    const OwnedHandle plain(GET(sys::queue_create(self))), level(GET(sys::queue_create(self)));
    const OwnedHandle edge(GET(sys::queue_create(self))), once(GET(sys::queue_create(self)));
    const OwnedHandle channel(GET(sys::channel_create(self, 4, 64)));
    GET(sys::event_register(plain.get(), channel.get(), kSignalReadable | kSignalWritable, 1));
    GET(sys::event_register(level.get(), channel.get(), kSignalReadable | kModeLevel, 1));
    GET(sys::event_register(edge.get(), channel.get(), kSignalReadable | kModeEdge, 1));
    GET(sys::event_register(once.get(), channel.get(), kSignalReadable | kModeOnce, 1));
    for (const OwnedHandle* each : {&plain, &level, &edge, &once})
        CHECK(told(each->get()) == 0); // and no `writable`: nobody was refused
    Message message{};
    GET(sys::ipc_send(channel.get(), &message));
    for (const OwnedHandle* each : {&plain, &level, &edge, &once})
        CHECK(told(each->get()) == kSignalReadable);
    CHECK(told(plain.get()) == kSignalReadable && told(level.get()) == kSignalReadable);
    CHECK(told(edge.get()) == 0 && told(once.get()) == 0);
    GET(sys::ipc_send(channel.get(), &message)); // one more: an edge, and nothing for once
    CHECK(told(edge.get()) == kSignalReadable && told(edge.get()) == 0 && told(once.get()) == 0);
    GET(sys::event_register(once.get(), channel.get(), kSignalReadable | kSignalWritable | kModeOnce, 1));
    CHECK(told(once.get()) == (kSignalReadable | kSignalWritable) && told(once.get()) == 0);
    CHECK_ERROR(sys::event_register(once.get(), channel.get(), kSignalReadable, 1), already_exists);
    CHECK_ERROR(sys::event_register(edge.get(), channel.get(), kSignalReadable | kModeEdge, 1), already_exists);
    CHECK_ERROR(sys::event_register(once.get(), channel.get(), kSignalReadable | kModeOnce | kModeEdge, 2),
                bad_argument);
    CHECK_ERROR(sys::event_register(once.get(), channel.get(), kModeOnce, 2), bad_argument);
    const OwnedHandle other(GET(sys::handle_derive(channel.get(), rights::wait.bits())));
    CHECK_ERROR(sys::event_register(once.get(), other.get(), kSignalReadable | kModeOnce, 1), already_exists);
    // What is over before anybody looks is not told, and comes again.
    GET(sys::event_register(once.get(), channel.get(), kSignalReadable | kModeOnce, 1));
    GET(sys::ipc_recv(channel.get(), &message));
    GET(sys::ipc_recv(channel.get(), &message));
    for (const OwnedHandle* each : {&plain, &level, &edge, &once})
        CHECK(told(each->get()) == 0);
    GET(sys::ipc_send(channel.get(), &message));
    for (const OwnedHandle* each : {&plain, &level, &edge, &once})
        CHECK(told(each->get()) == kSignalReadable);
}

void test_queues_in_queues() {
    std::array<OwnedHandle, 6> queues;
    for (OwnedHandle& queue : queues)
        queue = OwnedHandle(GET(sys::queue_create(self)));
    const OwnedHandle timer(GET(sys::timer_create(self)));
    GET(sys::event_register(queues[0].get(), timer.get(), kSignalFired, 1));
    for (unsigned i = 1; i < 5; ++i)
        GET(sys::event_register(queues[i].get(), queues[i - 1].get(), kSignalReadable, 1));
    CHECK_ERROR(sys::event_register(queues[5].get(), queues[4].get(), kSignalReadable, 1), too_deep);
    CHECK_ERROR(sys::event_register(queues[0].get(), queues[5].get(), kSignalReadable, 2), too_deep);
    CHECK_ERROR(sys::event_register(queues[0].get(), queues[4].get(), kSignalReadable, 2), too_deep); // a circle
    CHECK_ERROR(sys::event_register(queues[0].get(), queues[0].get(), kSignalReadable, 2), wrong_type);
    CHECK_ERROR(sys::event_register(queues[5].get(), queues[2].get(), kSignalReadable, 1), busy);
    CHECK(told(queues[4].get()) == 0);
    const std::uint64_t start = now();
    GET(sys::timer_set(timer.get(), start + 3'000'000, 0));
    EventPacket packet{};
    GET(sys::event_wait(queues[4].get(), &packet, 1, start + 10 * kSecond));
    CHECK(now() >= start + 3'000'000 && packet.signals == kSignalReadable);
    for (unsigned i = 4; i != 0; --i)
        CHECK(told(queues[i - 1].get()) == (i == 1 ? kSignalFired : kSignalReadable));
    for (const OwnedHandle& queue : queues)
        CHECK(told(queue.get()) == 0);
    // The last packet of the innermost queue is cancelled: nobody above has anything.
    GET(sys::timer_set(timer.get(), 0, 0));
    GET(sys::event_wait(queues[4].get(), &packet, 1, now() + 10 * kSecond));
    GET(sys::event_cancel(queues[0].get(), 1));
    CHECK(told(queues[1].get()) == 0 && told(queues[2].get()) == 0);
    // A queue in the middle goes, and what it stood in has room again.
    queues[2].reset();
    CHECK_ERROR(sys::event_cancel(queues[3].get(), 1), not_found);
    GET(sys::event_register(queues[5].get(), queues[4].get(), kSignalReadable | kModeLevel, 1));
    GET(sys::event_register(queues[3].get(), queues[1].get(), kSignalReadable | kModeEdge, 1));
    GET(sys::event_register(queues[0].get(), timer.get(), kSignalFired, 1));
    GET(sys::timer_set(timer.get(), 0, 0));
    GET(sys::event_wait(queues[5].get(), &packet, 1, now() + 10 * kSecond));
    // A circle of two.
    const OwnedHandle one(GET(sys::queue_create(self))), other(GET(sys::queue_create(self)));
    GET(sys::event_register(one.get(), other.get(), kSignalReadable, 1));
    CHECK_ERROR(sys::event_register(other.get(), one.get(), kSignalReadable, 1), too_deep);
    GET(sys::event_cancel(one.get(), 1));
    GET(sys::event_register(other.get(), one.get(), kSignalReadable, 1));
}

// A registration on a queue ends with the handle that it was made through, and gives all of its charge back.
void test_ends() {
    const std::uint64_t before = info_of(self).memory_bytes;
    {
        const OwnedHandle outer(GET(sys::queue_create(self))), inner(GET(sys::queue_create(self)));
        for (unsigned i = 0; i < 3; ++i) {
            const OwnedHandle through(GET(sys::handle_derive(inner.get(), rights::wait.bits())));
            GET(sys::event_register(outer.get(), through.get(), kSignalReadable, 7));
            CHECK_ERROR(sys::event_register(outer.get(), inner.get(), kSignalReadable, 8), busy);
        }
        CHECK_ERROR(sys::event_cancel(outer.get(), 7), not_found);
        GET(sys::event_register(outer.get(), inner.get(), kSignalReadable, 7));
    }
    CHECK(info_of(self).memory_bytes <= before + 4096);
}

// --- threads ---------------------------------------------------------------------------------------------------------

constexpr std::uint64_t kRounds = 400, kTakers = 3;
alignas(16) char stacks[kTakers][16384];
Handle shared_queues[5], shared_channel;
std::atomic<std::uint64_t> taken{0}, exits{0};

// Waits at the top of the chain, goes down to the channel, takes one message, and arms its registration again.
void take_messages(std::uint64_t) {
    while (taken < kRounds) {
        EventPacket packet{};
        if (!sys::event_wait(shared_queues[4], &packet, 1, now() + kSecond / 10)) continue;
        for (unsigned i = 4; i != 0; --i)
            (void)sys::event_wait(shared_queues[i - 1], &packet, 1, 0);
        Message message{};
        if (sys::ipc_recv(shared_channel, &message)) ++taken;
        (void)sys::event_register(shared_queues[0], shared_channel, kSignalReadable | kModeOnce, 1);
    }
    ++exits;
    for (;;)
        (void)sys::thread_exit();
}

// A message at the bottom wakes a thread at the top, whatever the CPUs that they run on; none is left behind.
void test_chain_of_five_with_threads() {
    taken = exits = 0;
    std::array<OwnedHandle, 5> queues;
    for (unsigned i = 0; i < 5; ++i) {
        queues[i] = OwnedHandle(GET(sys::queue_create(self)));
        shared_queues[i] = queues[i].get();
        if (i != 0) GET(sys::event_register(queues[i].get(), queues[i - 1].get(), kSignalReadable | kModeLevel, 1));
    }
    const OwnedHandle channel(GET(sys::channel_create(self, 4, 64)));
    shared_channel = channel.get();
    GET(sys::event_register(queues[0].get(), channel.get(), kSignalReadable | kModeOnce, 1));
    std::array<OwnedHandle, kTakers> threads;
    for (unsigned i = 0; i < kTakers; ++i)
        threads[i] = OwnedHandle(GET(
            sys::thread_create(self, address_of(&take_messages), address_of(stacks[i] + sizeof(stacks[i])) - 8, 0)));
    const OwnedHandle room(GET(sys::queue_create(self)));
    GET(sys::event_register(room.get(), channel.get(), kSignalWritable | kModeLevel, 1));
    const std::uint64_t until = now() + 60 * kSecond;
    for (std::uint64_t sent = 0; sent < kRounds && now() < until;) {
        EventPacket packet{};
        if (!sys::event_wait(room.get(), &packet, 1, until)) break;
        const Message message{};
        sent += sys::ipc_send(channel.get(), &message).has_value();
    }
    while (exits < kTakers && now() < until)
        (void)sys::thread_yield();
    CHECK(taken == kRounds && exits == kTakers);
    for (const OwnedHandle& thread : threads)
        CHECK(wait_for(thread.get(), kSignalEnded));
}

std::atomic<std::uint64_t> round_now{0}, looked{0}, hits{0};

void look_once_a_round(std::uint64_t) {
    for (std::uint64_t mine = 1; mine <= kRounds; ++mine) {
        while (round_now < mine)
            (void)sys::thread_yield();
        EventPacket packet{};
        if (sys::event_wait(shared_queues[0], &packet, 1, 0)) ++hits;
        ++looked;
    }
    for (;;)
        (void)sys::thread_exit();
}

// Threads on several CPUs look at the same moment: one of them is told.
void test_once_and_edge_are_told_to_one_thread() {
    for (const std::uint64_t mode : {kModeOnce, kModeEdge}) {
        round_now = looked = hits = 0;
        const OwnedHandle queue(GET(sys::queue_create(self)));
        shared_queues[0] = queue.get();
        const OwnedHandle channel(GET(sys::channel_create(self, 1, 64)));
        GET(sys::event_register(queue.get(), channel.get(), kSignalReadable | mode, 1));
        std::array<OwnedHandle, kTakers> threads;
        for (unsigned i = 0; i < kTakers; ++i)
            threads[i] = OwnedHandle(GET(sys::thread_create(self, address_of(&look_once_a_round),
                                                            address_of(stacks[i] + sizeof(stacks[i])) - 8, 0)));
        bool is_well = true;
        for (std::uint64_t i = 1; i <= kRounds; ++i) {
            Message message{};
            GET(sys::ipc_send(channel.get(), &message));
            if (mode == kModeOnce && i != 1)
                GET(sys::event_register(queue.get(), channel.get(), kSignalReadable | mode, 1));
            round_now = i;
            while (looked < i * kTakers)
                (void)sys::thread_yield();
            is_well = is_well && hits == i;
            GET(sys::ipc_recv(channel.get(), &message));
        }
        CHECK(is_well);
        for (const OwnedHandle& thread : threads)
            CHECK(wait_for(thread.get(), kSignalEnded));
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "readiness");
    run("levels_of_a_channel", test_levels_of_a_channel);
    run("modes", test_modes);
    run("queues_in_queues", test_queues_in_queues);
    run("ends", test_ends);
    run("chain_of_five_with_threads", test_chain_of_five_with_threads);
    run("once_and_edge_are_told_to_one_thread", test_once_and_edge_are_told_to_one_thread);
    return finish();
}
