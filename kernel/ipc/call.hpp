// One ipc_call under way. Lives on the caller's kernel stack: the caller leaves only after it has taken the call out of
// all lists under the channel's lock, and never while an answer is being copied. Lock: the channel's; `server` also
// Rank::lending.
#pragma once

#include "base/intrusive_list.hpp"
#include "base/intrusive_tree.hpp"
#include "kernel/ipc/message_store.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::ipc {

enum class CallState : std::uint8_t {
    sent,      // in the queue, or being received
    taken,     // a receiver has it; waits for the answer
    answering, // the answer is being copied: the caller must stay
    done,      // `error` or the answer is there
};

struct Call : Pinned {
    static constexpr std::size_t kInlineBytes = 256;

    TreeNode id_node;  // while taken
    ListNode all_node; // while not done
    std::uint64_t id = 0;
    CallState state = CallState::sent;
    Error error{}; // done: 0 or why not
    bool failed = false;
    MessageHeader* message = nullptr; // while sent
    Thread* caller = nullptr;
    std::uint64_t taker = 0;  // principal that may answer
    Thread* server = nullptr; // lent our time

    // The answer. Small ones lie here, larger ones in a buffer of their exact size, paid by `room`.
    std::uint64_t capacity = 0;
    Reservation room;
    std::byte small[kInlineBytes];
    std::byte* large = nullptr;
    std::uint64_t size = 0;
    std::uint64_t sender = 0;
    Parcel parcels[kMaxMessageHandles];
    std::uint32_t parcel_count = 0;
};

inline constexpr auto kCallId = [](const Call& call) { return call.id; };
using CallTree = IntrusiveTree<Call, &Call::id_node, kCallId>;
using CallList = IntrusiveList<Call, &Call::all_node>;

} // namespace aios::ipc
