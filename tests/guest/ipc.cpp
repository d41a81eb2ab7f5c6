// Channels: sizes at their limits, order, capacity, handles in messages, revocation under way, calls and replies.
#include <atomic>

#include "tests/guest/test.hpp"

using namespace aios;
using namespace guest;

namespace {

alignas(16) char out_bytes[kMaxMessageBytes + 16];
alignas(16) char in_bytes[kMaxMessageBytes + 16];

Message message_of(const void* bytes, std::uint64_t size) {
    Message message{};
    message.bytes = address_of(bytes);
    message.size = size;
    return message;
}

Result<std::uint64_t> send(Handle channel, const void* bytes, std::uint64_t size) {
    const Message message = message_of(bytes, size);
    return sys::ipc_send(channel, &message);
}

void test_create() {
    CHECK_ERROR(sys::channel_create(self, 0, 100), bad_argument);
    CHECK_ERROR(sys::channel_create(self, 1, 0), bad_argument);
    CHECK_ERROR(sys::channel_create(self, 1ull << 40, 100), too_large);
    CHECK_ERROR(sys::channel_create(self, 1, 1ull << 40), too_large);
    CHECK_ERROR(sys::channel_create(self, ~0ull, ~0ull), too_large);
    const std::uint64_t before = info_of(self).memory_bytes;
    {
        const OwnedHandle channel(GET(sys::channel_create(self, 64, 1 << 20)));
        CHECK(info_of(self).memory_bytes >= before + (1 << 20)); // the whole capacity at once
    }
    CHECK(info_of(self).memory_bytes <= before + 8192);
}

void test_round_trip() {
    const OwnedHandle channel(GET(sys::channel_create(self, 8, 4096)));
    Message in = message_of(in_bytes, sizeof(in_bytes));
    CHECK_ERROR(sys::ipc_recv(channel.get(), &in), would_block);
    for (char i = 0; i < 5; ++i)
        GET(send(channel.get(), &i, 1));
    HandleInfo info{};
    GET(sys::handle_info(channel.get(), &info));
    CHECK(info.size == 5);
    const std::uint64_t id = info_of(self).id;
    for (char i = 0; i < 5; ++i) {
        in = message_of(in_bytes, sizeof(in_bytes));
        GET(sys::ipc_recv(channel.get(), &in));
        CHECK(in.size == 1 && in_bytes[0] == i && in.sender == id && in.reply_to == 0 && in.handle_count == 0);
    }
    in = message_of(in_bytes, sizeof(in_bytes));
    CHECK_ERROR(sys::ipc_recv(channel.get(), &in), would_block);
}

void test_size_limits() {
    const OwnedHandle channel(GET(sys::channel_create(self, 2, 2 * kMaxMessageBytes)));
    for (std::uint64_t i = 0; i < kMaxMessageBytes; ++i)
        out_bytes[i] = static_cast<char>(i * 7 + (i >> 8));
    GET(send(channel.get(), out_bytes, kMaxMessageBytes));
    CHECK_ERROR(send(channel.get(), out_bytes, kMaxMessageBytes + 1), too_large);
    CHECK_ERROR(send(channel.get(), out_bytes, ~0ull), too_large);
    Message in = message_of(in_bytes, kMaxMessageBytes - 1);
    CHECK_ERROR(sys::ipc_recv(channel.get(), &in), buffer_small);
    CHECK(in.size == kMaxMessageBytes); // what is needed; the message stays
    in = message_of(in_bytes, kMaxMessageBytes);
    GET(sys::ipc_recv(channel.get(), &in));
    CHECK(in.size == kMaxMessageBytes);
    bool same = true;
    for (std::uint64_t i = 0; i < kMaxMessageBytes; ++i)
        same = same && in_bytes[i] == out_bytes[i];
    CHECK(same);
    GET(send(channel.get(), out_bytes, 0)); // an empty message is a message
    in = message_of(in_bytes, 16);
    GET(sys::ipc_recv(channel.get(), &in));
    CHECK(in.size == 0);
}

void test_capacity() {
    const OwnedHandle channel(GET(sys::channel_create(self, 3, 64)));
    for (unsigned i = 0; i < 3; ++i)
        GET(send(channel.get(), out_bytes, 8));
    CHECK_ERROR(send(channel.get(), out_bytes, 8), would_block);
    CHECK_ERROR(send(channel.get(), out_bytes, 65), too_large);
    Message in = message_of(in_bytes, 64);
    GET(sys::ipc_recv(channel.get(), &in));
    GET(send(channel.get(), out_bytes, 8));
}

void test_bad_addresses() {
    const OwnedHandle channel(GET(sys::channel_create(self, 4, 4096)));
    for (const std::uint64_t address : kBadAddresses) {
        CHECK_ERROR(sys::ipc_send(channel.get(), bad_pointer<const Message>(address)), bad_address);
        CHECK_ERROR(sys::ipc_recv(channel.get(), bad_pointer<Message>(address)), bad_address);
        CHECK_ERROR(send(channel.get(), bad_pointer<const void>(address), 32), bad_address);
        Message message = message_of(out_bytes, 8);
        message.handles = address;
        message.handle_count = 1;
        CHECK_ERROR(sys::ipc_send(channel.get(), &message), bad_address);
    }
    GET(send(channel.get(), out_bytes, 32));
    for (const std::uint64_t address : kBadAddresses) {
        Message in = message_of(bad_pointer<void>(address), 64);
        CHECK_ERROR(sys::ipc_recv(channel.get(), &in), bad_address);
    }
    Message in = message_of(in_bytes, 64);
    GET(sys::ipc_recv(channel.get(), &in)); // it is still there
    CHECK(in.size == 32);
}

void test_handles_in_messages() {
    const OwnedHandle channel(GET(sys::channel_create(self, 4, 4096)));
    const OwnedHandle gift(GET(sys::channel_create(self, 4, 256)));
    HandleGrant grants[9];
    for (auto& one : grants)
        one = {gift.get(), rights::send.bits(), 77};
    Message out = message_of(out_bytes, 4);
    out.handles = address_of(grants);
    out.handle_count = 9;
    CHECK_ERROR(sys::ipc_send(channel.get(), &out), too_large);
    out.handle_count = 8;
    GET(sys::ipc_send(channel.get(), &out));
    HandleGrant got[8] = {};
    Message in = message_of(in_bytes, 64);
    in.handles = address_of(got);
    in.handle_count = 7;
    CHECK_ERROR(sys::ipc_recv(channel.get(), &in), buffer_small);
    CHECK(in.handle_count == 8);
    in = message_of(in_bytes, 64);
    in.handles = address_of(got);
    in.handle_count = 8;
    GET(sys::ipc_recv(channel.get(), &in));
    CHECK(in.handle_count == 8);
    for (const HandleGrant& one : got) {
        CHECK(one.role == 77 && one.rights == rights::send.bits() && one.handle != gift.get());
        const auto sent = send(one.handle, out_bytes, 1);
        CHECK(sent || sent.error() == Error::would_block);
        Message none = message_of(in_bytes, 64);
        CHECK_ERROR(sys::ipc_recv(one.handle, &none), missing_right);
        GET(sys::handle_close(one.handle));
    }
    // More rights than one holds, no right to transfer, a handle that names nothing: refused, and nothing is sent.
    const OwnedHandle weak(GET(sys::handle_derive(gift.get(), (rights::send | rights::derive).bits())));
    grants[0] = {weak.get(), rights::send.bits(), 0};
    out.handle_count = 1;
    CHECK_ERROR(sys::ipc_send(channel.get(), &out), missing_right);
    const OwnedHandle narrow(GET(sys::handle_derive(gift.get(), (rights::send | rights::transfer).bits())));
    grants[0] = {narrow.get(), (rights::send | rights::receive).bits(), 0};
    CHECK_ERROR(sys::ipc_send(channel.get(), &out), missing_right);
    grants[0] = {kNoHandle, 0, 0};
    CHECK_ERROR(sys::ipc_send(channel.get(), &out), bad_handle);
    in = message_of(in_bytes, 64);
    CHECK_ERROR(sys::ipc_recv(channel.get(), &in), would_block);
}

void test_revoked_on_the_way() {
    const OwnedHandle channel(GET(sys::channel_create(self, 4, 4096)));
    const OwnedHandle gift(GET(sys::channel_create(self, 4, 256)));
    HandleGrant grant{gift.get(), rights::send.bits(), 5};
    Message out = message_of(out_bytes, 4);
    out.handles = address_of(&grant);
    out.handle_count = 1;
    GET(sys::ipc_send(channel.get(), &out));
    GET(sys::handle_revoke(gift.get()));
    HandleGrant got{1, 1, 1};
    Message in = message_of(in_bytes, 64);
    in.handles = address_of(&got);
    in.handle_count = 1;
    GET(sys::ipc_recv(channel.get(), &in));
    CHECK(in.handle_count == 1 && got.handle == kNoHandle);
}

void test_peer_closed() {
    OwnedHandle channel(GET(sys::channel_create(self, 4, 4096)));
    const OwnedHandle receiver(GET(sys::handle_derive(channel.get(), rights::receive.bits())));
    GET(send(channel.get(), out_bytes, 1));
    channel.reset();
    Message in = message_of(in_bytes, 64);
    GET(sys::ipc_recv(receiver.get(), &in)); // what was sent is still delivered
    in = message_of(in_bytes, 64);
    CHECK_ERROR(sys::ipc_recv(receiver.get(), &in), peer_closed);
    OwnedHandle other(GET(sys::channel_create(self, 4, 4096)));
    const OwnedHandle sender(GET(sys::handle_derive(other.get(), rights::send.bits())));
    other.reset();
    CHECK_ERROR(send(sender.get(), out_bytes, 1), peer_closed);
}

// --- calls -----------------------------------------------------------------------------------------------------------

Handle service = kNoHandle;
alignas(16) char stack_a[32768];
std::atomic<int> served{0};

Handle start_thread(void (*entry)(std::uint64_t), char* stack, std::size_t bytes, std::uint64_t argument) {
    // As at a function's entry: the stack is 8 below a multiple of 16.
    return GET(sys::thread_create(self, address_of(entry), address_of(stack + bytes) - 8, argument));
}

// Answers `count` calls with their own bytes, each one larger by one.
void serve(std::uint64_t count) {
    static char buffer[256];
    std::uint64_t reply_to = 0;
    Message reply{};
    for (std::uint64_t i = 0; i <= count; ++i) {
        Message next = message_of(buffer, sizeof(buffer));
        Message* const wanted = i == count ? nullptr : &next; // the last reply is sent without another wait
        const auto done = sys::ipc_reply_wait(service, reply_to, &reply, wanted, kNoDeadline);
        if (i == count) break;
        if (!done) break;
        ++served;
        for (std::uint64_t k = 0; k < next.size; ++k)
            buffer[k] = static_cast<char>(buffer[k] + 1);
        reply_to = next.reply_to;
        reply = message_of(buffer, next.size);
    }
    for (;;)
        (void)sys::thread_exit();
}

void test_call() {
    const OwnedHandle channel(GET(sys::channel_create(self, 8, 4096)));
    service = channel.get();
    Message request = message_of("abc", 3), reply = message_of(in_bytes, 64);
    CHECK_ERROR(sys::ipc_call(service, &request, &reply, 0), timed_out); // nobody serves
    CHECK_ERROR(sys::ipc_call(service, &request, &reply, now() + 2'000'000), timed_out);
    served = 0;
    const OwnedHandle thread(start_thread(serve, stack_a, sizeof(stack_a), 100));
    for (unsigned i = 0; i < 100; ++i) {
        reply = message_of(in_bytes, 64);
        GET(sys::ipc_call(service, &request, &reply, now() + 10 * kSecond));
        CHECK(reply.size == 3 && in_bytes[0] == 'b' && in_bytes[1] == 'c' && in_bytes[2] == 'd');
    }
    CHECK(served == 100);
    for (const std::uint64_t address : kBadAddresses) {
        CHECK_ERROR(sys::ipc_call(service, bad_pointer<const Message>(address), &reply, 0), bad_address);
        CHECK_ERROR(sys::ipc_call(service, &request, bad_pointer<Message>(address), 0), bad_address);
        if (address != 0) // null: the reply is sent without waiting for the next message
            CHECK_ERROR(sys::ipc_reply_wait(service, 0, &request, bad_pointer<Message>(address), 0), bad_address);
        CHECK_ERROR(sys::ipc_reply_wait(service, 1, bad_pointer<const Message>(address), &reply, 0), bad_address);
    }
    reply = message_of(in_bytes, 64);
    CHECK_ERROR(sys::ipc_reply_wait(service, 0, &request, &reply, 0), timed_out);
    CHECK_ERROR(sys::ipc_reply_wait(service, 999, &request, &reply, 0), not_found);
    CHECK_ERROR(sys::ipc_reply_wait(service, 0, &request, nullptr, 0), bad_argument); // nothing to do
    CHECK_ERROR(sys::ipc_reply_wait(service, 999, &request, nullptr, 0), not_found);
}

// The one server leaves with a call in hand: its caller hears of it and does not wait for ever.
void take_and_exit(std::uint64_t) {
    static char buffer[64];
    Message next = message_of(buffer, sizeof(buffer));
    (void)sys::ipc_reply_wait(service, 0, &next, &next, kNoDeadline);
    for (;;)
        (void)sys::thread_exit();
}

void test_server_dies() {
    const OwnedHandle channel(GET(sys::channel_create(self, 8, 4096)));
    service = channel.get();
    const OwnedHandle thread(start_thread(take_and_exit, stack_a, sizeof(stack_a), 0));
    Message request = message_of("abc", 3), reply = message_of(in_bytes, 64);
    const auto answer = sys::ipc_call(service, &request, &reply, now() + 5 * kSecond);
    CHECK(!answer && (answer.error() == Error::peer_closed || answer.error() == Error::timed_out));
    CHECK(!answer && answer.error() == Error::peer_closed);
}

// A caller that waits on a capability that is revoked is woken with an error.
std::atomic<std::uint64_t> waiter_result{0};
void wait_for_message(std::uint64_t handle) {
    static char buffer[64];
    Message next = message_of(buffer, sizeof(buffer));
    const auto done = sys::ipc_reply_wait(handle, 0, &next, &next, kNoDeadline);
    waiter_result = done ? 1 : static_cast<std::uint64_t>(done.error());
    for (;;)
        (void)sys::thread_exit();
}

void test_revocation_wakes() {
    const OwnedHandle channel(GET(sys::channel_create(self, 8, 4096)));
    const OwnedHandle derived(GET(sys::handle_derive(channel.get(), rights::receive.bits())));
    waiter_result = 0;
    const OwnedHandle sender(GET(sys::handle_derive(channel.get(), rights::send.bits())));
    const OwnedHandle thread(start_thread(wait_for_message, stack_a, sizeof(stack_a), derived.get()));
    for (unsigned i = 0; i < 1000; ++i)
        (void)sys::thread_yield();
    GET(sys::handle_revoke(channel.get()));
    const std::uint64_t until = now() + 5 * kSecond;
    while (waiter_result == 0 && now() < until)
        (void)sys::thread_yield();
    CHECK(waiter_result == static_cast<std::uint64_t>(Error::revoked));
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "ipc");
    run("create", test_create);
    run("round_trip", test_round_trip);
    run("size_limits", test_size_limits);
    run("capacity", test_capacity);
    run("bad_addresses", test_bad_addresses);
    run("handles_in_messages", test_handles_in_messages);
    run("revoked_on_the_way", test_revoked_on_the_way);
    run("peer_closed", test_peer_closed);
    run("call", test_call);
    run("server_dies", test_server_dies);
    run("revocation_wakes", test_revocation_wakes);
    return finish();
}
