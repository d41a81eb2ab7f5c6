// One ipc_call under way, and a thread that waits for calls. A Call lives on the caller's kernel stack: the caller leaves
// only after it has taken the call out of all lists under the channel's lock, and never while an answer is being copied.
// A Receiver lives on the receiver's stack, which takes the channel's lock before it leaves. Lock: the channel's; `server`
// under the caller's lend_lock.
#pragma once

#include <compare>

#include "base/intrusive_tree.hpp"
#include "base/static_vector.hpp"
#include "kernel/ipc/message_store.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::ipc {

enum class CallState : std::uint8_t {
    sent,      // in the queue, or being received
    handed,    // the question lies in `small`: a receiver was handed it and has not looked yet, or has put it back
    taken,     // a receiver has it; waits for the answer
    answering, // the answer is being copied: the caller must stay
    done,      // `error` or the answer is there
};

// Where a call stands among all of its channel: by the caller's agent, in the order of sending.
struct CallPlace {
    std::uint64_t holder = 0;
    std::uint64_t number = 0;
    auto operator<=>(const CallPlace&) const = default;
};

// A thread in ipc_reply_wait.
struct Receiver : sched::WaitQueue::Entry {
    Receiver(std::uint64_t principal, const cap::DerivationNode* through) {
        place.holder = principal;
        node = through;
    }
    Call* handed = nullptr; // set when it is taken off the queue with a call for it: direct.cpp
};

struct Call : Pinned {
    static constexpr std::size_t kInlineBytes = 256;
    static constexpr unsigned kMaxDepth = 32; // longer chains of calls run on the server's own share from there on

    // By its caller before others see it, then under the channel's lock:
    TreeNode id_node;    // while handed or taken
    TreeNode place_node; // while it can end without an answer: not done, not being answered
    CallPlace place;
    std::uint64_t id = 0;
    TraceId trace{}; // of the question
    CallState state = CallState::sent;
    Result<> outcome;                 // when done
    MessageHeader* message = nullptr; // while sent
    std::size_t question = 0;         // bytes in `small`, while handed
    Receiver* receiver = nullptr;     // while handed: who has not looked yet
    ListNode returned_node;           // while handed: put back
    Thread* caller = nullptr;
    const cap::DerivationNode* node = nullptr; // through which it calls; nullptr in the kernel
    std::uint64_t taker = 0;                   // principal that may answer

    Thread* server AIOS_GUARDED_BY(caller->lend_lock) = nullptr; // runs on our share
    unsigned depth = 1;                                          // 1: the caller serves nobody
    bool links_ended = false; // with the answer: calling_ends() has nothing left to do
    std::atomic<bool> server_died{false};

    // The answer. Small ones lie here (before it a small question did), larger ones in a buffer of their exact size, paid
    // by `room`. Written by who answers, under the channel's lock or in the state `answering`, and read when it is done:
    std::uint64_t capacity = 0;
    Reservation room;
    std::byte small[kInlineBytes];
    std::byte* large = nullptr;
    std::uint64_t size = 0;
    std::uint64_t sender = 0;
    StaticVector<SentParcel, kMaxMessageHandles> parcels;

    // Of a question while it is handed, then of the answer.
    mm::GrantPlace pages;
    std::uint32_t page_room = 0;  // pages that the caller takes
    std::uint32_t page_count = 0; // that the answer brings, or would have brought

    ~Call() { mm::heap_free(large); }
    [[nodiscard]] MutableBytes answer() { return {large != nullptr ? large : small, size}; }
};

inline constexpr auto kCallId = [](const Call& call) { return call.id; };
using CallTree = IntrusiveTree<Call, &Call::id_node, kCallId>;
using OpenCalls = IntrusiveTree<Call, &Call::place_node, &Call::place>;
using ReturnedCalls = IntrusiveList<Call, &Call::returned_node>;

} // namespace aios::ipc
