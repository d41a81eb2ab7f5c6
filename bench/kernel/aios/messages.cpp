// Rows of messages between two agents.
#include "bench/kernel/aios/measure.hpp"

namespace bench {

namespace {

using namespace std::literals;

alignas(kPageBytes) char out_buffer[kMaxMessageBytes];
alignas(kPageBytes) char in_buffer[kMaxMessageBytes];

// The peer answers with as much, or with eight bytes.
template <BenchRow kRow>
void calls(std::string_view row, std::uint64_t bytes, std::string_view peer, std::uint64_t count) {
    const OwnedHandle channel(MUST(sys::channel_create(self, 8, 512 << 10)));
    const Peer other = Peer::start("bin/peer", peer, {console_grant(), receive_side(channel.get())});
    const std::uint64_t took = repeat<kRow>(count, [&] {
        const Message out = message_of(out_buffer, bytes);
        Message in = message_of(in_buffer, sizeof(in_buffer));
        MUST(sys::ipc_call(channel.get(), &out, &in, kNoDeadline));
    });
    figure(row, took, count);
}

} // namespace

void ipc_64() { calls<kRow_ipc_64>("ipc_64", 64, "echo\0"sv, 5'000); }
void ipc_4k() { calls<kRow_ipc_4k>("ipc_4k", 4096, "short\0"sv, 2'000); }
void ipc_64k() { calls<kRow_ipc_64k>("ipc_64k", 65536, "short\0"sv, 1'000); }

// The message carries the time at which it was sent; the peer sums what each took and answers with the sum, so that the
// next is sent when the one before has come. Only the way there is counted: the peer closes the window.
void one_way() {
    constexpr std::uint64_t kMessages = 2'000, kWarmUp = 100;
    const OwnedHandle channel(MUST(sys::channel_create(self, 8, 4096)));
    const OwnedHandle back(MUST(sys::channel_create(self, 8, 4096)));
    const OwnedHandle queue(MUST(sys::queue_create(self)));
    MUST(sys::event_register(queue.get(), back.get(), kSignalReadable, 1));
    const Peer other =
        Peer::start("bin/peer", "one_way\0"sv, {console_grant(), receive_side(channel.get()), send_side(back.get())});
    std::uint64_t stamp[8] = {}, sum = 0, first = 0;
    for (std::uint64_t i = 0; i < kWarmUp + kMessages; ++i) {
        if (i == kWarmUp) first = sum;
        const Message out = message_of(stamp, sizeof(stamp));
        if (i >= kWarmUp) OPEN_WINDOW(kRow_one_way);
        stamp[0] = ticks();
        MUST(sys::ipc_send(channel.get(), &out));
        EventPacket packet;
        MUST(sys::event_wait(queue.get(), &packet, 1, kNoDeadline));
        Message in = message_of(&sum, sizeof(sum));
        MUST(sys::ipc_recv(back.get(), &in));
    }
    figure("one_way", sum - first, kMessages);
}

} // namespace bench
