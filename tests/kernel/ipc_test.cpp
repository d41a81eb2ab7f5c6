// Channels, calls, event queues and timers between kernel threads: on the real scheduler, with direct switches and
// lending.
#include <atomic>

#include "kernel/arch/log.hpp"
#include "kernel/event/event.hpp"
#include "kernel/event/timer.hpp"
#include "kernel/ipc/channel.hpp"
#include "kernel/quota/quota.hpp"
#include "tests/kernel/test.hpp"

namespace aios {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

class KernelParty final : public ipc::Party {
public:
    [[nodiscard]] std::uint64_t principal() const override { return id; }
    [[nodiscard]] cap::Table* handle_table() override { return nullptr; }
    [[nodiscard]] Payer& payer() override { return *quota; }
    void message_sent() override {}
    void message_received() override {}
    std::uint64_t id = 0;
    Quota* quota = nullptr;
};

// One channel, its parties and the threads around it; static, as kernel threads get no more than a pointer.
struct Stage {
    Ref<Quota> quota;
    Ref<ipc::Channel> channel;
    KernelParty client, server;
    std::atomic<int> running{0};
    std::atomic<int> failures{0};
    std::atomic<int> answered{0};

    Result<> open(std::uint64_t messages, std::uint64_t bytes) {
        quota = TRY(Quota::create_root({64u << 20, 1000, 100, 100}));
        channel = TRY(ipc::Channel::create(*quota, messages, bytes));
        channel->handle_added(rights::all);
        client.id = 1;
        server.id = 2;
        client.quota = server.quota = quota.get();
        running = failures = answered = 0;
        return {};
    }
    void close() {
        channel->handle_removed(rights::all);
        channel.reset();
        quota.reset();
    }
    bool start(void (*function)(void*)) {
        auto thread = Thread::create_kernel("ipc-test", function, this);
        if (!thread) return false;
        ++running;
        (*thread)->start();
        return true;
    }
    bool finish() { // false: somebody hangs
        const std::uint64_t give_up = sched::now_ns() + 20'000 * kMs;
        while (running != 0 && sched::now_ns() < give_up)
            sched::sleep_until(sched::now_ns() + kMs);
        return running == 0;
    }
};
Stage g_stage;

ipc::Buffer words(std::uint64_t* place, std::size_t count) {
    return ipc::Buffer::kernel(std::as_writable_bytes(std::span(place, count)));
}

// Answers each number with its square until it gets 0.
void serve_squares(void* argument) {
    auto& stage = *static_cast<Stage*>(argument);
    std::uint64_t number = 0, square = 0, reply_to = 0;
    for (;;) {
        ipc::OutMessage out{words(&square, 1), {}};
        ipc::InMessage in;
        in.bytes = words(&number, 1);
        const Result<> got = stage.channel->reply_wait(stage.server, reply_to, out, in, sched::kNever, nullptr);
        if (!got && got.error() == Error::not_found) {
            reply_to = 0;
            continue;
        }
        if (!got) {
            ++stage.failures;
            break;
        }
        if (number == 0) break;
        square = number * number;
        reply_to = in.reply_to;
    }
    --stage.running;
}

} // namespace

KERNEL_TEST(calls_are_answered_by_direct_switch) {
    KERNEL_EXPECT(g_stage.open(8, 4096));
    KERNEL_EXPECT(g_stage.start(serve_squares));
    const std::uint64_t start = sched::now_ns();
    for (int c = 0; c < 2; ++c)
        KERNEL_EXPECT(g_stage.start([](void* argument) {
            auto& stage = *static_cast<Stage*>(argument);
            for (std::uint64_t i = 1; i <= 300; ++i) {
                std::uint64_t number = i, square = 0;
                ipc::OutMessage out{words(&number, 1), {}};
                ipc::InMessage in;
                in.bytes = words(&square, 1);
                if (!stage.channel->call(stage.client, out, in, sched::kNever, nullptr) || square != i * i)
                    ++stage.failures;
                else
                    ++stage.answered;
            }
            --stage.running;
        }));
    const std::uint64_t give_up = sched::now_ns() + 20'000 * kMs;
    while (g_stage.running > 1 && sched::now_ns() < give_up)
        sched::sleep_until(sched::now_ns() + kMs);
    // A figure for people; under -icount shift=0 nanoseconds are instructions.
    log_info("a call and its answer between kernel threads: {} ns", (sched::now_ns() - start) / 600);
    std::uint64_t stop = 0;
    ipc::OutMessage out{words(&stop, 1), {}};
    KERNEL_EXPECT(g_stage.channel->send(g_stage.client, out));
    KERNEL_EXPECT(g_stage.finish());
    KERNEL_EXPECT(g_stage.failures == 0);
    KERNEL_EXPECT(g_stage.answered == 600);
    g_stage.close();
}

KERNEL_TEST(a_flood_of_messages_arrives_whole) {
    KERNEL_EXPECT(g_stage.open(4, 1024));
    static std::atomic<std::uint64_t> sum;
    sum = 0;
    KERNEL_EXPECT(g_stage.start([](void* argument) { // receiver: waits on an event queue, takes one message a wait
        auto& stage = *static_cast<Stage*>(argument);
        auto queue = EventQueue::create(*stage.quota);
        if (!queue || !(*queue)->add(*stage.quota, *stage.channel, kSignalReadable, 1, {})) {
            ++stage.failures;
            --stage.running;
            return;
        }
        for (int left = 2000; left != 0;) {
            EventPacket packet;
            if (!(*queue)->wait({&packet, 1}, sched::now_ns() + 10'000 * kMs, {})) {
                ++stage.failures;
                break;
            }
            std::uint64_t number[4];
            ipc::InMessage in;
            in.bytes = words(number, 4);
            const Result<> got = stage.channel->receive(stage.server, in);
            if (!got) continue;
            sum += number[0];
            --left;
        }
        --stage.running;
    }));
    for (int s = 0; s < 2; ++s)
        KERNEL_EXPECT(g_stage.start([](void* argument) { // senders: wait for room when the channel is full
            auto& stage = *static_cast<Stage*>(argument);
            auto queue = EventQueue::create(*stage.quota);
            if (!queue || !(*queue)->add(*stage.quota, *stage.channel, kSignalWritable, 1, {})) {
                ++stage.failures;
                --stage.running;
                return;
            }
            for (std::uint64_t i = 1; i <= 1000;) {
                std::uint64_t number[4] = {i, 0, 0, 0};
                ipc::OutMessage out{words(number, 4), {}};
                const Result<> sent = stage.channel->send(stage.client, out);
                if (sent) {
                    ++i;
                    continue;
                }
                EventPacket packet;
                if (sent.error() != Error::would_block ||
                    !(*queue)->wait({&packet, 1}, sched::now_ns() + 10'000 * kMs, {})) {
                    ++stage.failures;
                    break;
                }
            }
            --stage.running;
        }));
    KERNEL_EXPECT(g_stage.finish());
    KERNEL_EXPECT(g_stage.failures == 0);
    KERNEL_EXPECT(sum == 2 * 1000 * 1001 / 2);
    g_stage.close();
}

KERNEL_TEST(a_caller_is_killed_and_a_server_dies) {
    KERNEL_EXPECT(g_stage.open(8, 4096));
    static std::atomic<int> error;
    error = 0;
    const auto caller = [](void* argument) {
        auto& stage = *static_cast<Stage*>(argument);
        std::uint64_t number = 1;
        ipc::OutMessage out{words(&number, 1), {}};
        ipc::InMessage in;
        in.bytes = words(&number, 1);
        const Result<> got = stage.channel->call(stage.client, out, in, sched::kNever, nullptr);
        error = got ? -1 : static_cast<int>(got.error());
        --stage.running;
    };
    auto victim = Thread::create_kernel("victim", caller, &g_stage);
    KERNEL_EXPECT(victim);
    ++g_stage.running;
    (*victim)->start();
    while (g_stage.channel->info_size() == 0)
        sched::yield();
    (*victim)->kill();
    KERNEL_EXPECT(g_stage.finish());
    KERNEL_EXPECT(error == static_cast<int>(Error::interrupted));
    KERNEL_EXPECT(g_stage.channel->info_size() == 0);

    KERNEL_EXPECT(g_stage.start(caller));
    KERNEL_EXPECT(g_stage.start([](void* argument) { // takes the call and ends
        auto& stage = *static_cast<Stage*>(argument);
        std::uint64_t number;
        ipc::OutMessage none;
        ipc::InMessage in;
        in.bytes = words(&number, 1);
        if (!stage.channel->reply_wait(stage.server, 0, none, in, sched::kNever, nullptr)) ++stage.failures;
        --stage.running;
    }));
    KERNEL_EXPECT(g_stage.finish());
    KERNEL_EXPECT(g_stage.failures == 0);
    KERNEL_EXPECT(error == static_cast<int>(Error::peer_closed));
    g_stage.close();
}

KERNEL_TEST(timers_fire_into_a_queue) {
    auto quota = Quota::create_root({1u << 20, 10, 10, 10});
    KERNEL_EXPECT(quota);
    const std::uint64_t before = (*quota)->used(Resource::memory);
    {
        auto timer = Timer::create(**quota);
        auto queue = EventQueue::create(**quota);
        KERNEL_EXPECT(timer && queue);
        KERNEL_EXPECT((*queue)->add(**quota, **timer, kSignalFired, 9, {}));
        EventPacket packet;
        const std::uint64_t start = sched::now_ns();
        KERNEL_EXPECT((*timer)->set(start + 2 * kMs, 0));
        KERNEL_EXPECT((*queue)->wait({&packet, 1}, start + 5000 * kMs, {}));
        KERNEL_EXPECT(packet.key == 9 && packet.signals == kSignalFired && packet.count == 1);
        KERNEL_EXPECT(sched::now_ns() >= start + 2 * kMs);
        // A period far below what is served: all of it is counted, none of it floods.
        // (The last wake-up may be late on a busy host: what came after the last firing is not counted yet.)
        const std::uint64_t fast = sched::now_ns();
        KERNEL_EXPECT((*timer)->set(fast, 1000));
        std::uint64_t count = 0, waits = 0, now = 0;
        do {
            KERNEL_EXPECT((*queue)->wait({&packet, 1}, fast + 5000 * kMs, {}));
            count += packet.count;
            ++waits;
            now = sched::now_ns();
        } while (now < fast + 10 * kMs || (count < 1000 && now < fast + 5000 * kMs)); // kept waiting, it counts less
        KERNEL_EXPECT((*timer)->set(kNoDeadline, 0));
        KERNEL_EXPECT(waits <= (now - fast) / Timer::kMinPeriod + 2);
        KERNEL_EXPECT(count >= 1000 && count <= (sched::now_ns() - fast) / 1000 + 1);
        KERNEL_EXPECT((*timer)->set(kNoDeadline, 5).error() == Error::bad_argument);
        while ((*queue)->wait({&packet, 1}, 0, {}))
            ;
        KERNEL_EXPECT((*queue)->wait({&packet, 1}, sched::now_ns() + 3 * kMs, {}).error() == Error::timed_out);
    }
    KERNEL_EXPECT((*quota)->used(Resource::memory) == before);
}

KERNEL_TEST(a_thread_posts_its_end) {
    auto quota = Quota::create_root({1u << 20, 10, 10, 10});
    KERNEL_EXPECT(quota);
    auto queue = EventQueue::create(**quota);
    auto thread = Thread::create_kernel("ends", [](void*) {}, nullptr);
    KERNEL_EXPECT(queue && thread);
    KERNEL_EXPECT((*queue)->add(**quota, **thread, kSignalEnded, 3, {}));
    (*thread)->start();
    EventPacket packet;
    KERNEL_EXPECT((*queue)->wait({&packet, 1}, sched::now_ns() + 5000 * kMs, {}));
    KERNEL_EXPECT(packet.signals == kSignalEnded);
}

} // namespace aios
