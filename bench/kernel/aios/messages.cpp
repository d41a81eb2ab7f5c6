// Rows of messages between two agents.
#include "bench/kernel/aios/measure.hpp"

namespace bench {

namespace {

using namespace std::literals;

alignas(kPageBytes) char out_buffer[kMaxMessageBytes];
alignas(kPageBytes) char in_buffer[kMaxMessageBytes];

void give(Message& message, const HandleGrant& grant) {
    message.handles = address_of(&grant);
    message.handle_count = 1;
}

// The peer answers with as much, or with eight bytes.
template <BenchRow kRow>
void calls(std::string_view row, std::uint64_t bytes, std::string_view peer, std::uint64_t count) {
    const OwnedHandle channel(MUST(sys::channel_create(self, 8, 512 << 10)));
    const Peer other = Peer::start("bin/peer", peer, {console_grant(), receive_side(channel.get())});
    const OwnedHandle gift(MUST(sys::channel_create(self, 1, 64)));
    const HandleGrant given = grant(gift.get(), rights::send, StartupRole::broker);
    std::uint64_t number = 0;
    const auto call = [&] {
        Message out = message_of(out_buffer, bytes);
        if (gives_handles && ++number % kMessagesAHandle == 0) give(out, given);
        Message in = message_of(in_buffer, sizeof(in_buffer));
        MUST(sys::ipc_call(channel.get(), &out, &in, kNoDeadline));
    };
    for (std::uint64_t i = 0; i < count / 10; ++i) // what the first ones take for good is there before
        call();
    const AgentInfo before = info_of(self);
    const std::uint64_t took = repeat<kRow>(count, call, [&] {
        if (gives_handles) settle(before);
    });
    figure(row, took, count);
}

// The same with pages. Moved ones are written to before they go, and come back; frozen ones stay where they are.
template <BenchRow kRow>
void page_calls(std::string_view row, std::string_view peer, PageMode mode) {
    constexpr std::uint64_t kCalls = 2'000;
    const OwnedHandle channel(MUST(sys::channel_create(self, 8, 4096)));
    const Peer other = Peer::start("bin/peer", peer, {console_grant(), receive_side(channel.get())});
    const std::uint64_t range = MUST(sys::agent_mem_alloc(self, kMaxGrantPages * kPageBytes, kReadWrite));
    const auto write_to_each = [&] {
        for (std::uint64_t page = 0; page < kMaxGrantPages; ++page)
            *reinterpret_cast<volatile std::uint64_t*>(range + page * kPageBytes) = page; // SAFETY: just mapped
    };
    write_to_each();
    const std::uint64_t took = repeat<kRow>(kCalls, [&] {
        if (mode == PageMode::moved) write_to_each();
        Message out = message_of(out_buffer, 8), in = message_of(in_buffer, sizeof(in_buffer));
        out.pages = in.pages = range;
        out.page_count = in.page_count = kMaxGrantPages;
        out.page_mode = static_cast<std::uint32_t>(mode);
        MUST(sys::ipc_call(channel.get(), &out, &in, kNoDeadline));
    });
    figure(row, took, kCalls);
    MUST(sys::agent_mem_free(self, range, kMaxGrantPages * kPageBytes));
}

} // namespace

void ipc_64() { calls<kRow_ipc_64>("ipc_64", 64, "echo\0"sv, 5'000); }
void ipc_4k() { calls<kRow_ipc_4k>("ipc_4k", 4096, "short\0"sv, 2'000); }
void ipc_64k() { calls<kRow_ipc_64k>("ipc_64k", 65536, "short\0"sv, 1'000); }

void ipc_grant_64k() { page_calls<kRow_ipc_grant_64k>("ipc_grant_64k", "pages\0"sv, PageMode::frozen); }
void ipc_move_64k() { page_calls<kRow_ipc_move_64k>("ipc_move_64k", "pages_back\0"sv, PageMode::moved); }

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
    const OwnedHandle gift(MUST(sys::channel_create(self, 1, 64)));
    const HandleGrant given = grant(gift.get(), rights::send, StartupRole::broker);
    std::uint64_t stamp[8] = {}, sum = 0, first = 0;
    for (std::uint64_t i = 0; i < kWarmUp + kMessages; ++i) {
        if (i == kWarmUp) first = sum;
        Message out = message_of(stamp, sizeof(stamp));
        if (gives_handles && i % kMessagesAHandle == 0) give(out, given);
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
