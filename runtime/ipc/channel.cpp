#include "runtime/ipc/channel.hpp"

namespace aios::ipc {
namespace {

// SAFETY: an address for the kernel, which checks it.
std::uint64_t address(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

// A message that refers to `bytes` and `grants`, which must outlive it.
Message outgoing(const std::vector<std::byte>& bytes, const Grants& grants) {
    Message message{};
    message.bytes = address(bytes.data());
    message.size = bytes.size();
    message.handles = address(grants.data());
    message.handle_count = grants.size();
    return message;
}

} // namespace

Message Buffer::for_receiving() {
    Message message{};
    message.bytes = address(bytes_.get());
    message.size = kMaxMessageBytes;
    message.handles = address(grants_);
    message.handle_count = kMaxMessageHandles;
    return message;
}

Result<Incoming> Buffer::take(const Message& message) {
    Incoming incoming;
    for (std::uint64_t i = 0; i < message.handle_count && i < kMaxMessageHandles; ++i) {
        incoming.handles.push_back({OwnedHandle(grants_[i].handle), grants_[i].role, Rights(grants_[i].rights)});
    }
    incoming.sender = message.sender;
    incoming.reply_to = message.reply_to;
    incoming.intent = TRY(decode(Bytes(bytes_.get(), message.size)));
    return incoming;
}

Result<> send(Handle channel, const Intent& intent, const Grants& grants) {
    const auto bytes = TRY(encode(intent));
    const Message message = outgoing(bytes, grants);
    TRY(sys::ipc_send(channel, &message));
    return {};
}

Result<> send_answer(Handle channel, const Intent& answer, const Grants& grants) {
    const Result<> told = send(channel, answer, grants);
    if (told || grants.empty()) return told;
    return send(channel, failure(answer, told.error(), "the answer could not be handed over"));
}

Result<Incoming> Peer::call(const Intent& intent, const Grants& grants, std::uint64_t deadline) {
    const auto bytes = TRY(encode(intent));
    const Message request = outgoing(bytes, grants);
    Message reply = buffer_.for_receiving();
    TRY(sys::ipc_call(channel_.get(), &request, &reply, deadline < intent.reply_by ? deadline : intent.reply_by));
    return buffer_.take(reply);
}

Result<Server> Server::create(Handle self, std::uint64_t messages, std::uint64_t bytes) {
    return Server(TRY(owned(sys::channel_create(self, messages, bytes))));
}

Result<Incoming> Server::next(std::uint64_t deadline) {
    for (;;) {
        Message message = buffer_.for_receiving();
        TRY(sys::ipc_reply_wait(channel_.get(), 0, nullptr, &message, deadline));
        auto incoming = buffer_.take(message);
        if (incoming) return incoming;
        if (message.reply_to != 0) {
            Intent broken;
            (void)reply(message.reply_to, failure(broken, incoming.error(), "the message is not an intent"));
        }
    }
}

Result<> Server::reply(std::uint64_t reply_to, const Intent& answer, const Grants& grants) {
    const Result<> told = reply_once(reply_to, answer, grants);
    if (told || told.error() == Error::not_found) return told; // not_found: nobody waits any more
    // A capability in it died meanwhile, perhaps. Whoever waits for the answer hears of that, or would wait for ever.
    return reply_once(reply_to, failure(answer, told.error(), "the answer could not be handed over"), {});
}

Result<> Server::reply_once(std::uint64_t reply_to, const Intent& answer, const Grants& grants) {
    auto bytes = encode(answer);
    if (!bytes) bytes = encode(failure(answer, bytes.error(), "the answer does not fit a message"));
    if (!bytes) return fail(bytes.error());
    const Message message = outgoing(*bytes, grants);
    TRY(sys::ipc_reply_wait(channel_.get(), reply_to, &message, nullptr, 0));
    return {};
}

HandleGrant Server::sender_grant(std::uint32_t role) const {
    return {channel_.get(), (rights::send | rights::derive | rights::transfer | rights::inspect).bits(), role};
}

} // namespace aios::ipc
