// Channel: one bounded queue of messages with send and receive rights, and calls through it. Capacity in messages and
// bytes is fixed and charged to the creator at creation; sending never allocates. A message is at most 65536 bytes and
// 8 handles; it is copied once from the sender into the channel's storage, without any lock held.
//
// ipc_call queues its message like a send and waits for the reply, which goes straight to the caller; the receiver of a
// call runs on the caller's share until it replies, the deadline passes or either dies, through chains. See
// docs/design/ipc.md. Capabilities in a message are dead on revocation; they count as handles of what they name while
// they are under way. Locks: Rank::channel, then Rank::lending; copies from and to users are made under none.
//
// Levels of its source: `readable` while a message waits, `writable` while there is room for a message of one byte,
// `read_closed` and `closed`. They change under the channel's lock and are told when it is dropped (event::News): so the
// level agrees with the queue, and nobody is woken under the lock. Besides, `writable` is posted when room comes after a
// send was refused, which may have been for want of more room than one byte needs.
#pragma once

#include <span>

#include "kernel/cap/table.hpp"
#include "kernel/ipc/call.hpp"
#include "kernel/ipc/message_store.hpp"
#include "kernel/object/object.hpp"
#include "kernel/object/source.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::ipc {

// Who sends and receives: the agent of the calling thread.
class Party {
public:
    [[nodiscard]] virtual std::uint64_t principal() const = 0;
    [[nodiscard]] virtual cap::Table* handle_table() = 0; // nullptr: cannot receive handles
    [[nodiscard]] virtual Payer& payer() = 0;
    // Pages come to `address` of the current thread's memory. unsupported: it has none.
    virtual Result<> accept(mm::Grant&, std::uint64_t /*address*/) { return fail(Error::unsupported); }
    virtual void message_sent() = 0;
    virtual void message_received() = 0;

protected:
    ~Party() = default;
};

// Bytes of a user (copied with faults taken: bad_address) or of the kernel. Built by user() or kernel().
struct Buffer {
    std::uint64_t address = 0;
    std::uint64_t size = 0; // bytes to send, or room to receive
    bool of_kernel = false;
    static Buffer user(std::uint64_t address, std::uint64_t size) { return {address, size, false}; }
    static Buffer kernel(Bytes bytes);
    static Buffer kernel(MutableBytes bytes);
};

struct OutMessage {
    Buffer bytes;
    // From cap::Table::derive_out. Moved out when the message is taken on, untouched when the call fails before that.
    std::span<Parcel> handles;
    // From mm::AddressSpace::grant. Not with handles. Moved out like them: what is here after the call was not taken on.
    mm::Owned<mm::Grant> pages = {};
    TraceId trace{}; // zeros: the current thread's
};

// In: where a message goes. Out: what came. On buffer_small, size, handle_count and page_count are the needed ones and the
// message stays.
struct InMessage {
    Buffer bytes;
    Buffer handles; // HandleGrant[]; size in bytes
    std::uint64_t size = 0;
    std::uint64_t pages = 0; // address
    std::uint32_t page_room = 0;
    std::uint32_t page_count = 0;
    std::uint64_t handle_count = 0;
    std::uint64_t sender = 0;
    std::uint64_t reply_to = 0;
    TraceId trace{};
};

class Channel final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::channel;
    static constexpr std::uint64_t kMaxMessages = 16384;
    static constexpr std::uint64_t kMaxBytes = 16u << 20;

    // bad_argument (a capacity is 0), too_large, quota_exceeded, out_of_memory.
    static Result<Ref<Channel>> create(Payer& payer, std::uint64_t messages, std::uint64_t bytes);

    // IPCSend; never blocks. too_large (message, or larger than the whole channel), would_block (full; kSignalWritable
    // is posted when there is more room), peer_closed (no receiver is left), bad_address, bad_argument (its own receive right
    // sent through it).
    Result<> send(Party& from, OutMessage& message);
    // IPCRecv; never blocks. would_block (empty), peer_closed (empty and no sender is left), buffer_small, bad_address,
    // quota_exceeded (for the handles; the message stays). A capability that died under way arrives as kNoHandle.
    Result<> receive(Party& to, InMessage& message);
    // ipc_call: sends, then waits for the reply. Also: timed_out, interrupted, revoked (the caller's `node` is dead);
    // peer_closed also when the server ends with the call unanswered; buffer_small if the reply does not fit (it is
    // lost).
    Result<> call(Party& from, OutMessage& request, InMessage& reply, sched::Deadline deadline,
                  const cap::DerivationNode* node);
    // ipc_reply_wait: answers the call `reply_to` (0: none), then waits for the next message. not_found: nobody waits
    // under that id any more, or another agent took the call. Errors of the reply come back before any waiting.
    // A thread that leaves without a message wakes another one if a message is there.
    Result<> reply_wait(Party& by, std::uint64_t reply_to, OutMessage& reply, InMessage& next, sched::Deadline deadline,
                        const cap::DerivationNode* node);
    Result<> reply(Party& by, std::uint64_t reply_to, OutMessage& reply);

    [[nodiscard]] std::uint64_t info_size() const override; // messages waiting and calls unanswered
    event::Source* event_source() override { return &source_; }
    void handle_added(Rights rights) override;
    void handle_removed(Rights rights) override;
    void revoked_for(std::uint64_t holder) override;

    Channel(mm::OnHeap, Reservation charge) : Object(kType, std::move(charge)), source_(kSignalWritable) {}
    ~Channel() override;

private:
    friend struct Disposal;
    friend class CallGuard;
    using Lock = sync::SpinLock<sync::Rank::channel>;
    static constexpr unsigned kCallsAtOnce = 16; // looked at under one hold of the lock
    void last_reference_gone() override;
    // No analysis: nobody else knows the channel yet.
    Result<> init(std::uint64_t messages, std::uint64_t bytes) AIOS_NO_LOCK_ANALYSIS {
        return store_.init(static_cast<std::uint32_t>(messages), static_cast<std::uint32_t>(bytes));
    }

    Result<> put(Party& from, OutMessage& message, Call* call, Ref<Thread>* receiver); // channel.cpp
    Result<> put_small(Party& from, OutMessage& message, Call* call, Ref<Thread>* receiver);
    Result<MessageHeader*> reserve_locked(Party& from, const OutMessage& message, Call* call) AIOS_REQUIRES(lock_);
    event::News enqueue_locked(MessageHeader& message, Ref<Thread>* receiver) AIOS_REQUIRES(lock_);
    Result<> take(Party& to, InMessage& message);
    event::News give_back_locked(MessageHeader& message) AIOS_REQUIRES(lock_);
    event::News free_locked(MessageHeader& message) AIOS_REQUIRES(lock_);
    void free(MessageHeader& message); // takes the lock, and tells
    void purge();                      // throws the queue away; under no lock

    // No analysis: what lies in a message that is in no queue is its owner's, not the lock's.
    [[nodiscard]] MessageBlocks& contents() AIOS_NO_LOCK_ANALYSIS { return store_; }
    [[nodiscard]] bool has_message_locked() const AIOS_REQUIRES(lock_) {
        lock_.assert_held();
        return store_.queued() != 0 || !returned_.is_empty();
    }

    // direct.cpp: small messages that never see the queue.
    static bool is_small(const OutMessage& message);
    bool ask_directly(Call& call, Party& from, OutMessage& request, sched::Deadline deadline);
    enum class Answered : std::uint8_t { no, yes }; // no: by answer(), please
    Result<Answered> answer_directly(Party& by, std::uint64_t reply_to, OutMessage& reply, Bytes text,
                                     Receiver& receiver, sched::Deadline deadline);
    struct Question { // on its way to its receiver's buffer
        std::uint64_t id = 0, sender = 0;
        TraceId trace{};
        std::size_t size = 0;
        Ref<Thread> former_caller; // dropped under no lock, as the pages are
        mm::Owned<mm::Grant> pages;
        std::byte text[Call::kInlineBytes];
    };
    Result<> take_question_locked(Party& to, Call& call, InMessage& in, Question& question) AIOS_REQUIRES(lock_);
    Result<> deliver_question(Party& to, Question& question, InMessage& in);
    event::News put_back_locked(Call& call) AIOS_REQUIRES(lock_);

    Result<Ref<Thread>> answer(Party& by, std::uint64_t reply_to, OutMessage& reply); // calls.cpp
    Result<> answer_copy(Call& call, Party& by, OutMessage& reply);
    Result<> wait_for_answer(Call& call, sched::Deadline deadline, Ref<Thread>& receiver);
    MessageHeader* abandon_locked(Call& call) AIOS_REQUIRES(lock_);
    void finish_locked(Call& call, Result<> outcome) AIOS_REQUIRES(lock_);
    void stop_receiving(Receiver& me, Ref<Thread>& caller);
    Result<> wait_for_message(Receiver& me, Party& by, InMessage& next, sched::Deadline deadline, Ref<Thread>& caller);
    bool fail_some_calls(Error error);
    void wake_revoked_calls(std::uint64_t holder);

    mutable Lock lock_;
    MessageStore store_ AIOS_GUARDED_BY(lock_);
    std::uint32_t senders_ AIOS_GUARDED_BY(lock_) = 0; // handles with the right, in tables and under way
    std::uint32_t receivers_ AIOS_GUARDED_BY(lock_) = 0;
    bool room_wanted_ AIOS_GUARDED_BY(lock_) = false; // a send was refused: post writable when there is more room
    std::uint64_t next_call_id_ AIOS_GUARDED_BY(lock_) = 1;
    CallTree calls_ AIOS_GUARDED_BY(lock_);         // handed or taken, and unanswered, by id
    ReturnedCalls returned_ AIOS_GUARDED_BY(lock_); // handed, and put back: they come before the queue
    OpenCalls open_calls_ AIOS_GUARDED_BY(lock_);   // every call that can still end without an answer
    std::uint64_t last_call_number_ AIOS_GUARDED_BY(lock_) = 0;
    event::Source source_;                      // its levels change under the lock
    sched::WaitQueue receivers_waiting_;        // of Receivers alone; entries are taken off and looked at under lock_
    ListNode disposal_node_;                    // in the list of the thread that ends it
    std::atomic<bool> disposal_claimed_{false}; // stands in such a list to be emptied
    bool is_dead_ = false;                      // its last reference is gone
};

} // namespace aios::ipc

namespace aios {
using ipc::Channel;
}
