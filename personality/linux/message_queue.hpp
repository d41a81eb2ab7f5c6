// One System V message queue; see system_v.hpp. A message is charged to the agent while it stands in the queue.
#pragma once

#include "base/intrusive_list.hpp"
#include "kernel/sched/wait_queue.hpp"
#include "personality/linux/system_v.hpp"

namespace aios::linux_abi {

struct QueuedMessage {
    explicit QueuedMessage(mm::OwnedBytes contents) : text(std::move(contents)) {}
    ~QueuedMessage() = default;
    Reservation charge;
    ListNode node;
    std::int64_t type = 0;
    std::uint64_t bytes = 0;
    mm::OwnedBytes text;
};

struct MessageQueueState { // struct msqid64_ds
    IpcPermission permission;
    std::int64_t sent, received, changed;
    std::uint64_t bytes, messages, most_bytes;
    std::int32_t sender, receiver;
    std::uint64_t reserved[2];
};
static_assert(sizeof(MessageQueueState) == 120);

struct MessageQueue final : IpcThing {
    static constexpr std::uint64_t kMostBytes = 16384, kMostOfMessage = 8192; // MSGMNB, MSGMAX
    MessageQueue(mm::OnHeap, Reservation reservation) : IpcThing(std::move(reservation)) {}
    ~MessageQueue();
    void retain() { references.retain(); }
    void release() {
        if (references.release()) mm::destroy(this);
    }
    IntrusiveList<QueuedMessage, &QueuedMessage::node> messages;
    std::uint64_t bytes = 0, count = 0, most_bytes = kMostBytes;
    std::int64_t sent = 0, received = 0; // seconds
    std::int32_t sender = 0, receiver = 0;
    sched::WaitQueue readers, writers;
};

} // namespace aios::linux_abi
