// ipc_call and ipc_reply_wait. The Call lies on the caller's stack: whoever touches it holds the channel's lock, or has
// put it in the state `answering`, in which the caller does not leave.
#include "kernel/ipc/channel.hpp"
#include "kernel/ipc/lending.hpp"
#include "kernel/ipc/transfer.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::ipc {

// Under the lock: the call is over, its caller is woken.
void Channel::finish_locked(Call& call, Result<> outcome) {
    if (call.message != nullptr) call.message->call = nullptr;
    call.message = nullptr;
    if (call.id_node.is_linked()) calls_.erase(call);
    open_calls_.erase(call);
    call.outcome = outcome;
    call.state = CallState::done;
    sched::unpark(*call.caller);
}

// Those that are being answered are not open: they get their answer. False when none is left.
bool Channel::fail_some_calls(Error error) {
    Lock::Guard guard(lock_);
    for (unsigned i = 0; i < kCallsAtOnce && !open_calls_.is_empty(); ++i)
        finish_locked(*open_calls_.first(), fail(error));
    return !open_calls_.is_empty();
}

// The caller gives up. A message of the call that still waits is taken out of the queue; the caller of this drops it.
MessageHeader* Channel::abandon_locked(Call& call) {
    MessageHeader* message = call.message;
    if (message != nullptr && message->queued) {
        store_.remove(*message);
        if (store_.queued() == 0) source_.clear(kSignalReadable);
    } else {
        message = nullptr; // a receiver has it in its hands: it finds no call
    }
    finish_locked(call, {});
    return message;
}

Result<> Channel::wait_for_answer(Call& call, sched::Deadline deadline, Ref<Thread>& receiver) {
    Thread& me = Thread::current();
    for (;;) {
        MessageHeader* dropped = nullptr;
        Result<> gave_up;
        bool may_leave;
        {
            Lock::Guard guard(lock_);
            if (call.state == CallState::done) return call.outcome;
            may_leave = call.state != CallState::answering;
            if (call.server_died.load(std::memory_order_acquire))
                gave_up = fail(Error::peer_closed);
            else if (call.node != nullptr && !call.node->is_live())
                gave_up = fail(Error::revoked);
            else if (me.is_interrupted())
                gave_up = fail(Error::interrupted);
            else if (deadline != sched::kNever && sched::now_ns() >= deadline)
                gave_up = fail(Error::timed_out);
            if (!gave_up && may_leave) dropped = abandon_locked(call);
        }
        if (!gave_up && may_leave) {
            if (dropped != nullptr) {
                discard(store_.parcels(*dropped));
                store_.drop_parcels(*dropped);
                Lock::Guard guard(lock_);
                free_locked(*dropped);
            }
            return gave_up;
        }
        // While the answer is being copied we stay, whatever happens.
        sched::park(gave_up ? deadline : sched::kNever, &receiver);
    }
}

Result<> Channel::call(Party& from, OutMessage& request, InMessage& reply, sched::Deadline deadline,
                       const cap::DerivationNode* node) {
    Call call;
    call.node = node;
    call.capacity = reply.bytes.size < kMaxMessageBytes ? reply.bytes.size : kMaxMessageBytes;
    if (call.capacity > Call::kInlineBytes)
        call.room = TRY(Reservation::make(from.payer(), Resource::memory, mm::heap_cost(call.capacity)));
    Ref<Thread> receiver;
    calling_begins(call);
    Result<> result = put(from, request, &call, &receiver);
    if (!result) {
        calling_ends(call);
        return result;
    }
    from.message_sent();
    result = wait_for_answer(call, deadline, receiver);
    if (receiver) sched::unpark(*receiver);
    calling_ends(call);
    if (!result) return result;

    const std::span<Parcel> parcels(call.parcels, call.parcel_count);
    result = check_room(call.size, call.parcel_count, reply);
    if (result) result = copy_out(reply.bytes, 0, call.answer());
    if (result) result = deliver(from, parcels, reply);
    discard(parcels);
    if (!result) return result;
    reply.size = call.size;
    reply.handle_count = call.parcel_count;
    reply.sender = call.sender;
    reply.reply_to = 0;
    from.message_received();
    return {};
}

// Copies the answer while the caller is held in `answering`.
Result<> Channel::answer_copy(Call& call, Party& by, OutMessage& reply) {
    call.size = reply.bytes.size;
    call.sender = by.principal();
    // What the caller has no room for it does not get: it learns the needed sizes.
    if (call.size > call.capacity) return {};
    if (call.size > Call::kInlineBytes && call.large == nullptr) {
        call.large = static_cast<std::byte*>(mm::heap_allocate(call.size));
        if (call.large == nullptr) return fail(Error::out_of_memory);
    }
    Result<> copied = copy_in(reply.bytes, 0, call.answer());
    if (!copied) {
        mm::heap_free(std::exchange(call.large, nullptr));
        return copied;
    }
    call.parcel_count = static_cast<std::uint32_t>(reply.handles.size());
    pack(reply.handles, {call.parcels, call.parcel_count});
    return {};
}

// Answers a call; the caller is ready to run, and is woken by whoever gets the reference.
Result<Ref<Thread>> Channel::answer(Party& by, std::uint64_t reply_to, OutMessage& reply) {
    TRY(check_outgoing(*this, reply));
    Call* call;
    {
        Lock::Guard guard(lock_);
        call = calls_.find(reply_to);
        if (call == nullptr || call->taker != by.principal()) return fail(Error::not_found);
        calls_.erase(*call);
        open_calls_.erase(*call);
        call->state = CallState::answering;
    }
    Result<> copied = answer_copy(*call, by, reply);
    if (copied) lending_ends(*call);
    Lock::Guard guard(lock_);
    if (!copied) {
        // As if nothing had happened, but for what has: the caller looks at its deadline again.
        call->state = CallState::taken;
        calls_.insert(*call);
        open_calls_.insert(*call);
        if (receivers_ == 0)
            finish_locked(*call, fail(Error::peer_closed));
        else
            sched::unpark(*call->caller);
        return fail(copied.error());
    }
    Ref<Thread> caller = Ref<Thread>::share(*call->caller);
    call->state = CallState::done; // the caller may see it by itself from here on
    return caller;
}

Result<> Channel::reply(Party& by, std::uint64_t reply_to, OutMessage& message) {
    Ref<Thread> caller = TRY(answer(by, reply_to, message));
    by.message_sent();
    sched::unpark(*caller);
    return {};
}

Result<> Channel::reply_wait(Party& by, std::uint64_t reply_to, OutMessage& reply, InMessage& next,
                             sched::Deadline deadline, const cap::DerivationNode* node) {
    Ref<Thread> caller;
    if (reply_to != 0) {
        caller = TRY(answer(by, reply_to, reply));
        by.message_sent();
    }
    // A message woke this thread, perhaps, and is still there when it leaves without it: then it is for the next one.
    const auto leave = [&](Result<> why) {
        receivers_waiting_.wake_one_if([&] {
            Lock::Guard guard(lock_);
            return store_.queued() != 0;
        });
        return why;
    };
    for (;;) {
        bool is_revoked = false;
        const sched::Outcome outcome =
            receivers_waiting_.wait(deadline,
                                    [&] {
                                        is_revoked = node != nullptr && !node->is_live();
                                        if (is_revoked) return true;
                                        Lock::Guard guard(lock_);
                                        return store_.queued() != 0 || senders_ == 0;
                                    },
                                    sched::Interruptible::yes, &caller, {by.principal(), node});
        if (caller) {
            sched::unpark(*caller);
            caller.reset();
        }
        if (outcome == sched::Outcome::timed_out) return leave(fail(Error::timed_out));
        if (outcome == sched::Outcome::interrupted) return leave(fail(Error::interrupted));
        if (is_revoked) return leave(fail(Error::revoked));
        const Result<> taken = take(by, next);
        if (taken) return taken;
        if (taken.error() != Error::would_block) return leave(taken); // else somebody was faster
    }
}

} // namespace aios::ipc
