// Calls that never see the queue: a question and an answer of at most Call::kInlineBytes, without capabilities, where
// somebody waits for the question. The bytes, and pages, go through the Call on the caller's stack, and the CPU goes to
// the server and back without a look at the run queue. Everything else, and whatever goes wrong here, is calls.cpp's.
//
//  (1) The caller has its question in call.small. Under the channel's lock it finds the queue empty and takes the first
//      Receiver off: ask_directly(). From here on the call is `handed`, is among the open calls, and the two point to
//      each other: call.receiver, receiver.handed. Whoever ends the call before (2) clears both (finish_locked), so
//      neither finds a stack that is left.
//  (2) The receiver looks under the lock before it does anything else. It copies the question to its own stack, and the
//      call is `taken`. So the caller may leave whenever it likes, and nobody copies to a user under a lock.
//  (3) If the receiver cannot take it (no room, a bad buffer, its capability is dead, it is killed) the call stands among
//      the returned ones, which come before the queue: put_back_locked(). It needs no room, because its bytes are still
//      where they were.
//  (4) The answer comes with the receiver's next wait: answer_directly(). Under one hold of the lock it is put into
//      call.small, the call is done, and the receiver stands in the queue again. Then the CPU goes to the caller.
// Both hands-over (1, 4) keep the channel's lock until the thread that gives the CPU away counts as asleep: what wakes it
// needs that lock, or leaves a token (sched::hand_over). The one that gets the CPU needs the lock to go on, so its stack
// and its Thread stay meanwhile.
#include <cstring>

#include "kernel/ipc/channel.hpp"
#include "kernel/ipc/lending.hpp"
#include "kernel/ipc/transfer.hpp"

namespace aios::ipc {

bool Channel::is_small(const OutMessage& message) {
    return message.handles.empty() && message.bytes.size <= Call::kInlineBytes;
}

// False: nothing has happened, the question has to go through the queue.
bool Channel::ask_directly(Call& call, Party& from, OutMessage& request, sched::Deadline deadline) {
    if (deadline != sched::kNever && sched::now_ns() >= deadline) return false;
    arch::InterruptGuard interrupts;
    lock_.acquire();
    // What wait_for_answer() looks at before it sleeps: the flags are set before the wake-up that leaves a token.
    const bool goes_on = !call.caller->is_interrupted() && (call.node == nullptr || call.node->is_live());
    const bool is_next = receivers_ != 0 && !has_message_locked() && call.question <= store_.capacity_bytes();
    auto* receiver = goes_on && is_next ? static_cast<Receiver*>(receivers_waiting_.take_entry()) : nullptr;
    if (receiver == nullptr) {
        lock_.release();
        return false;
    }
    if (request.pages) request.pages = call.pages.put(std::move(request.pages));
    receiver->handed = &call;
    call.receiver = receiver;
    call.state = CallState::handed;
    call.place = {from.principal(), ++last_call_number_};
    call.id = next_call_id_++;
    calls_.insert(call);
    open_calls_.insert(call);
    from.message_sent();
    Thread& server = *receiver->thread;
    if (lending_begins_for(call, server))
        sched::hand_over(server, deadline, lock_, nullptr);
    else
        lock_.release(); // it is awake already, and finds the call
    return true;
}

// The call is the receiver's now. buffer_small: it stays where it is.
Result<> Channel::take_question_locked(Party& to, Call& call, InMessage& in, Question& question) {
    lock_.assert_held();
    TRY(check_room(call.question, 0, call.pages.pages(), in));
    if (call.returned_node.is_linked()) returned_.remove(call);
    call.state = CallState::taken;
    call.taker = to.principal();
    question.id = call.id;
    question.sender = call.place.holder;
    question.trace = call.trace;
    question.size = call.question;
    std::memcpy(question.text, call.small, call.question);
    if (!call.pages.is_empty()) question.pages = call.pages.take();
    if (!is_served(call)) question.former_caller = lending_begins(call);
    return {};
}

Result<> Channel::deliver_question(Party& to, Question& question, InMessage& in) {
    Result<> copied = copy_out(in.bytes, 0, Bytes(question.text, question.size));
    if (copied) copied = deliver_pages(to, question.pages, in);
    if (!copied) {
        event::News news;
        {
            Lock::Guard guard(lock_);
            Call* call = calls_.find(question.id);
            if (call != nullptr && call->state == CallState::taken) {
                if (question.pages) question.pages = call->pages.put(std::move(question.pages));
                news = put_back_locked(*call);
            }
        }
        source_.tell(news);
        return copied;
    }
    in.size = question.size;
    in.handle_count = 0;
    in.sender = question.sender;
    in.reply_to = question.id;
    take_trace(question.trace, in);
    to.message_received();
    return {};
}

// The current thread was handed the call, or has taken it, and does not deliver it: the next receiver may.
event::News Channel::put_back_locked(Call& call) {
    lock_.assert_held();
    if (end_own_link(call) == OwnLink::ended) sched::lend_end(Thread::current(), *call.caller);
    call.state = CallState::handed;
    returned_.push_front(call);
    receivers_waiting_.wake_one();
    return source_.raise(kSignalReadable);
}

// not_found, as of answer(). When it comes back with `yes` the caller has its answer, and the receiver may have slept.
Result<Channel::Answered> Channel::answer_directly(Party& by, std::uint64_t reply_to, OutMessage& reply, Bytes text,
                                                   Receiver& receiver, sched::Deadline deadline) {
    const bool is_late = deadline != sched::kNever && sched::now_ns() >= deadline;
    arch::InterruptGuard interrupts;
    lock_.acquire();
    Call* call = calls_.find(reply_to);
    if (call == nullptr || call->state != CallState::taken || call->taker != by.principal()) {
        lock_.release();
        return fail(Error::not_found);
    }
    OwnLink link = OwnLink::of_another;
    const std::uint32_t page_count = reply.pages ? reply.pages->pages() : 0;
    if (text.size() <= call->capacity && page_count <= call->page_room) link = end_own_link(*call);
    if (link == OwnLink::of_another) {
        lock_.release();
        return Answered::no;
    }
    Thread& me = Thread::current();
    Thread& caller = *call->caller;
    calls_.erase(*call);
    open_calls_.erase(*call);
    call->links_ended = true;
    call->size = text.size();
    call->sender = by.principal();
    std::memcpy(call->small, text.data(), text.size());
    call->page_count = page_count;
    if (page_count != 0) reply.pages = call->pages.put(std::move(reply.pages));
    call->outcome = {};
    call->state = CallState::done;
    by.message_sent();
    // As wait_for_message() looks: there is nothing to take, and nothing to leave for.
    const bool sleeps = !has_message_locked() && senders_ != 0 && !is_late && !me.is_interrupted() &&
                        (receiver.node == nullptr || receiver.node->is_live());
    if (sleeps) receivers_waiting_.enqueue(receiver);
    const bool is_ours = sleeps && sched::claim(caller);
    if (is_ours) {
        sched::hand_over(caller, deadline, lock_, link == OwnLink::ended ? &caller : nullptr);
        return Answered::yes;
    }
    if (link == OwnLink::ended) sched::lend_end(me, caller);
    if (!sleeps) sched::unpark(caller);
    lock_.release();
    return Answered::yes;
}

} // namespace aios::ipc
