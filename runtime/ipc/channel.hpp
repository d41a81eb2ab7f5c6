// Channels as agents use them: intents and handles in and out. A Peer sends and calls; a Server receives and answers.
// Buffers for one largest message belong to the object, so nothing is allocated a call but the intent itself. One
// thread an object.
#pragma once

#include <memory>
#include <vector>

#include "runtime/ipc/intent.hpp"
#include "runtime/kernel/handle.hpp"

namespace aios::ipc {

struct ReceivedHandle {
    OwnedHandle handle;
    std::uint32_t role;
    Rights rights;
};

// What came in: an intent, the handles beside it, and who sent it (set by the kernel).
struct Incoming {
    Intent intent;
    std::vector<ReceivedHandle> handles;
    std::uint64_t sender = 0;
    std::uint64_t reply_to = 0; // not 0: the sender waits in a call
};

class Buffer { // one message in, one out
public:
    Buffer() : bytes_(std::make_unique<std::byte[]>(kMaxMessageBytes)) {}
    [[nodiscard]] Message for_receiving();
    // The intent in a received message. Its handles are taken over even if the bytes are no intent (bad_format), so
    // none leaks.
    [[nodiscard]] Result<Incoming> take(const Message& message);

private:
    std::unique_ptr<std::byte[]> bytes_;
    HandleGrant grants_[kMaxMessageHandles]{};
};

// Handles that go with an intent: derived for the receiver with at most these rights; the sender keeps its own.
using Grants = std::vector<HandleGrant>;

// would_block when the channel is full, peer_closed when nobody receives.
Result<> send(Handle channel, const Intent& intent, const Grants& grants = {});

// The answer to a request that came with a channel for it. One whose capabilities cannot be handed over becomes a failure.
Result<> send_answer(Handle channel, const Intent& answer, const Grants& grants);

class Peer {
public:
    explicit Peer(OwnedHandle channel) : channel_(std::move(channel)) {}
    Result<> send(const Intent& intent, const Grants& grants = {}) { return ipc::send(channel_.get(), intent, grants); }
    // Sends and waits for the answer, until the deadline or the request's own reply_by.
    Result<Incoming> call(const Intent& intent, const Grants& grants = {}, std::uint64_t deadline = kNoDeadline);
    [[nodiscard]] Handle handle() const { return channel_.get(); }

private:
    OwnedHandle channel_;
    Buffer buffer_;
};

class Server {
public:
    // Capacity is charged to this agent: room for `messages`, together `bytes`.
    static Result<Server> create(Handle self, std::uint64_t messages, std::uint64_t bytes);
    explicit Server(OwnedHandle channel) : channel_(std::move(channel)) {}

    // The next message; timed_out at the deadline, peer_closed when no sender is left. Malformed messages are answered
    // with a failure and skipped.
    Result<Incoming> next(std::uint64_t deadline = kNoDeadline);
    // Answers a call (reply_to of an Incoming). not_found if the caller has gone meanwhile: not the server's concern. An
    // answer that cannot be handed over, because a capability in it has died or it is too large, becomes a failure
    // that says so: a caller is never left without one.
    Result<> reply(std::uint64_t reply_to, const Intent& answer, const Grants& grants = {});
    // A handle for others to send with.
    [[nodiscard]] HandleGrant sender_grant(std::uint32_t role = 0) const;
    [[nodiscard]] Handle handle() const { return channel_.get(); }

private:
    Result<> reply_once(std::uint64_t reply_to, const Intent& answer, const Grants& grants);
    OwnedHandle channel_;
    Buffer buffer_;
};

} // namespace aios::ipc
