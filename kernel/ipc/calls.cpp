// ipc_call and ipc_reply_wait: the way that is always open; small calls to a server that waits take that of direct.cpp.
// The Call lies on the caller's stack: whoever touches it holds the channel's lock, or has put it in the state
// `answering`, in which the caller does not leave.
#include "kernel/ipc/channel.hpp"

#include <cstring>
#include <optional>

#include "kernel/ipc/lending.hpp"
#include "kernel/ipc/transfer.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::ipc {

namespace {

// Why a thread that waits leaves without what it waits for; nothing: it stays.
std::optional<Error> reason_to_leave(const cap::DerivationNode* through, sched::Deadline deadline) {
    if (through != nullptr && !through->is_live()) return Error::revoked;
    if (Thread::current().is_interrupted()) return Error::interrupted;
    if (deadline != sched::kNever && sched::now_ns() >= deadline) return Error::timed_out;
    return {};
}
std::optional<Error> reason_to_leave(const Call& call, sched::Deadline deadline) {
    // acquire: pairs with the release in end_own_service()
    if (call.server_died.load(std::memory_order_acquire)) return Error::peer_closed;
    return reason_to_leave(call.node, deadline);
}

} // namespace

// Under the lock: the call is over, its caller is woken.
void Channel::finish_locked(Call& call, Result<> outcome) {
    lock_.assert_held();
    if (call.message != nullptr) call.message->call = nullptr;
    call.message = nullptr;
    if (call.receiver != nullptr) call.receiver->handed = nullptr;
    call.receiver = nullptr;
    if (call.returned_node.is_linked()) returned_.remove(call);
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
    lock_.assert_held();
    MessageHeader* message = call.message;
    if (message != nullptr && message->queued)
        store_.remove(*message);
    else
        message = nullptr; // a receiver has it in its hands: it finds no call
    finish_locked(call, {});
    if (!has_message_locked()) source_.clear(kSignalReadable);
    return message;
}

Result<> Channel::wait_for_answer(Call& call, sched::Deadline deadline, Ref<Thread>& receiver) {
    for (;;) {
        if (sched::has_to_stop_in_wait()) {
            if (receiver) sched::unpark(*std::exchange(receiver, {}));
            sched::stop_at_gate();
        }
        MessageHeader* dropped = nullptr;
        std::optional<Error> reason;
        bool leaves;
        {
            Lock::Guard guard(lock_);
            if (call.state == CallState::done) return call.outcome;
            reason = reason_to_leave(call, deadline);
            leaves = reason && call.state != CallState::answering; // while the answer is being copied we stay
            if (leaves) dropped = abandon_locked(call);
        }
        if (dropped != nullptr) {
            contents().drop_parcels(*dropped);
            free(*dropped);
        }
        if (leaves) return fail(*reason);
        // Who has a reason and stays is woken when the answer is there; its deadline may be over.
        sched::park(reason ? sched::kNever : deadline, &receiver);
    }
}

Result<> Channel::call(Party& from, OutMessage& request, InMessage& reply, sched::Deadline deadline,
                       const cap::DerivationNode* node) {
    Call call;
    call.node = node;
    call.capacity = reply.bytes.size < kMaxMessageBytes ? reply.bytes.size : kMaxMessageBytes;
    if (call.capacity > Call::kInlineBytes)
        call.room = TRY(Reservation::make(from.payer(), Resource::memory, mm::heap_cost(call.capacity)));
    call.page_room = reply.page_room;
    call.caller = &Thread::current();
    set_trace(request);
    call.trace = request.trace;
    Ref<Thread> receiver;
    bool is_asked = false;
    if (is_small(request)) { // fetched once, and asked directly if somebody waits for it
        const MutableBytes question(call.small, request.bytes.size);
        TRY(copy_in(request.bytes, 0, question));
        request.bytes = Buffer::kernel(question);
        call.question = question.size();
        is_asked = ask_directly(call, from, request, deadline);
    }
    if (!is_asked) {
        calling_begins(call);
        const Result<> sent = put(from, request, &call, &receiver);
        if (!sent) {
            calling_ends(call);
            return sent;
        }
        from.message_sent();
    }
    Result<> result = wait_for_answer(call, deadline, receiver);
    if (receiver) sched::unpark(*receiver);
    if (!call.links_ended) calling_ends(call);
    if (!result) return result;

    const std::span<SentParcel> parcels = call.parcels.span();
    result = check_room(call.size, parcels.size(), call.page_count, reply);
    if (result) result = copy_out(reply.bytes, 0, call.answer());
    if (result && call.page_count != 0) {
        mm::Owned<mm::Grant> pages = call.pages.take();
        result = deliver_pages(from, pages, reply);
    }
    if (result) result = deliver(from, parcels, reply);
    if (!result) return result;
    reply.size = call.size;
    reply.handle_count = parcels.size();
    reply.sender = call.sender;
    reply.reply_to = 0;
    reply.trace = call.trace;
    from.message_received();
    return {};
}

// Copies the answer while the caller is held in `answering`.
Result<> Channel::answer_copy(Call& call, Party& by, OutMessage& reply) {
    call.size = reply.bytes.size;
    call.sender = by.principal();
    if (call.page_room == 0) reply.pages = mm::Owned<mm::Grant>(); // as deliver_pages()
    call.page_count = reply.pages ? reply.pages->pages() : 0;
    // What the caller has no room for it does not get: it learns the needed sizes.
    if (call.size > call.capacity || call.page_count > call.page_room) {
        reply.pages = mm::Owned<mm::Grant>();
        return {};
    }
    if (call.size > Call::kInlineBytes) {
        if (call.large == nullptr) call.large = static_cast<std::byte*>(mm::heap_allocate(call.size));
        if (call.large == nullptr) return fail(Error::out_of_memory);
        if (const auto copied = copy_in(reply.bytes, 0, call.answer()); !copied) {
            mm::heap_free(std::exchange(call.large, nullptr));
            return copied;
        }
    } else {
        // Not straight into the call: when this fails the question there may still be put back for another receiver.
        std::byte text[Call::kInlineBytes];
        TRY(copy_in(reply.bytes, 0, {text, call.size}));
        std::memcpy(call.small, text, call.size);
    }
    TRY(call.parcels.resize(reply.handles.size())); // fits: check_outgoing()
    pack(reply.handles, call.parcels.span());
    if (reply.pages) reply.pages = call.pages.put(std::move(reply.pages));
    return {};
}

// Answers a call; the caller is ready to run, and is woken by whoever gets the reference.
Result<Ref<Thread>> Channel::answer(Party& by, std::uint64_t reply_to, OutMessage& reply) {
    TRY(check_outgoing(*this, reply));
    Call* call;
    {
        Lock::Guard guard(lock_);
        call = calls_.find(reply_to);
        if (call == nullptr || call->state != CallState::taken || call->taker != by.principal())
            return fail(Error::not_found);
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

// Its agent is stopped: what it was handed, or woken for, is for the next receiver.
void Channel::stop_receiving(Receiver& me, Ref<Thread>& caller) {
    if (caller) sched::unpark(*std::exchange(caller, {}));
    event::News news;
    {
        Lock::Guard guard(lock_);
        if (Call* call = std::exchange(me.handed, nullptr); call != nullptr) {
            call->receiver = nullptr;
            news = put_back_locked(*call);
        } else if (!receivers_waiting_.dequeue(me) && has_message_locked()) {
            receivers_waiting_.wake_one();
        }
    }
    source_.tell(news);
    sched::stop_at_gate();
}

// The thread stands in the queue of receivers whenever it sleeps. No message is lost between the two:
//   (1) Whether there is a message is looked at, and the entry put in the queue, under one hold of the channel's lock.
//       Whoever puts a message in the queue takes an entry off under the same lock: this one, if it was there.
//   (2) Then it looks whether there is a reason to leave. A revocation that came too early to find the entry has made
//       the capability dead before; kill and interrupt set their flag before they leave a token for park().
//   (3) Who gives up takes his entry off under the channel's lock too, and finds there what he was handed meanwhile.
Result<> Channel::wait_for_message(Receiver& me, Party& by, InMessage& next, sched::Deadline deadline,
                                   Ref<Thread>& caller) {
    const auto is_revoked = [&] { return me.node != nullptr && !me.node->is_live(); };
    for (std::optional<Error> reason;;) { // to leave; nothing while we stay
        if (sched::has_to_stop_in_wait()) stop_receiving(me, caller);
        Question question;
        bool was_handed = false, has_message = false;
        Result<> taken; // of what it was handed
        event::News news;
        {
            Lock::Guard guard(lock_);
            if (Call* call = std::exchange(me.handed, nullptr); call != nullptr) {
                was_handed = true;
                call->receiver = nullptr;
                if (is_revoked())
                    taken = fail(Error::revoked);
                else if (Thread::current().is_killed())
                    taken = fail(Error::interrupted);
                else
                    taken = take_question_locked(by, *call, next, question);
                if (!taken) news = put_back_locked(*call);
            } else {
                has_message = has_message_locked() || senders_ == 0;
                if (has_message || reason)
                    static_cast<void>(receivers_waiting_.dequeue(me));
                else
                    receivers_waiting_.enqueue(me);
            }
        }
        source_.tell(news);
        const bool sleeps = !was_handed && !has_message && !reason;
        if (caller && !sleeps) sched::unpark(*std::exchange(caller, {}));
        if (was_handed) return taken ? deliver_question(by, question, next) : taken;
        if (has_message) {
            if (is_revoked()) return fail(Error::revoked);
            taken = take(by, next);
            if (taken || taken.error() != Error::would_block) return taken;
            if (!reason) continue; // somebody was faster
        }
        if (reason) return fail(*reason);
        reason = reason_to_leave(me.node, deadline);
        if (!reason) sched::park(deadline, &caller);
    }
}

Result<> Channel::reply_wait(Party& by, std::uint64_t reply_to, OutMessage& reply, InMessage& next,
                             sched::Deadline deadline, const cap::DerivationNode* node) {
    Receiver me(by.principal(), node);
    Ref<Thread> caller;
    if (reply_to != 0) {
        TRY(check_outgoing(*this, reply));
        std::byte text[Call::kInlineBytes];
        Answered answered = Answered::no;
        if (is_small(reply)) {
            const MutableBytes small(text, reply.bytes.size);
            TRY(copy_in(reply.bytes, 0, small));
            reply.bytes = Buffer::kernel(small);
            answered = TRY(answer_directly(by, reply_to, reply, small, me, deadline));
        }
        if (answered == Answered::no) {
            caller = TRY(answer(by, reply_to, reply));
            by.message_sent();
        }
    }
    const Result<> got = wait_for_message(me, by, next, deadline, caller);
    // A message woke this thread, perhaps, and is still there when it leaves without it: then it is for the next one.
    if (!got)
        receivers_waiting_.wake_one_if([&] {
            Lock::Guard guard(lock_);
            return has_message_locked();
        });
    return got;
}

} // namespace aios::ipc
