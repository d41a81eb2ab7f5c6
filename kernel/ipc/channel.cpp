// Channels: creation, sending, receiving, and the counting of senders and receivers. Calls are in call.cpp, the end of
// channels in disposal.cpp. While bytes and capabilities are copied a message is in no queue and belongs to the copying
// thread.
#include "kernel/ipc/channel.hpp"

#include <cstring>
#include <utility>

#include "kernel/ipc/disposal.hpp"
#include "kernel/ipc/lending.hpp"
#include "kernel/ipc/transfer.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::ipc {

Result<Ref<Channel>> Channel::create(Payer& payer, std::uint64_t messages, std::uint64_t bytes) {
    if (messages == 0 || bytes == 0) return fail(Error::bad_argument);
    if (messages > kMaxMessages || bytes > kMaxBytes) return fail(Error::too_large);
    Reservation charge = TRY(
        Reservation::make(payer, Resource::memory, mm::cost_of<Channel> + MessageStore::footprint(messages, bytes)));
    Ref<Channel> channel = Ref<Channel>::adopt(TRY(mm::make<Channel>(std::move(charge))));
    TRY(channel->init(messages, bytes));
    return channel;
}

// Room for a message, which is in no queue yet.
Result<MessageHeader*> Channel::reserve_locked(Party& from, const OutMessage& out, Call* call) {
    lock_.assert_held();
    const auto size = static_cast<std::uint32_t>(out.bytes.size);
    if (receivers_ == 0) return fail(Error::peer_closed);
    if (size > store_.capacity_bytes()) return fail(Error::too_large);
    MessageHeader* message = store_.reserve(size, static_cast<std::uint32_t>(out.handles.size()));
    if (message == nullptr) {
        room_wanted_ = true;
        return fail(Error::would_block);
    }
    if (!store_.has_room()) source_.clear(kSignalWritable);
    message->sender = from.principal();
    message->trace = out.trace;
    message->call = call;
    return message;
}

// The message is whole. `receiver`: who waits for it is not woken but named.
event::News Channel::enqueue_locked(MessageHeader& message, Ref<Thread>* receiver) {
    lock_.assert_held();
    store_.push_back(message);
    if (Call* call = message.call; call != nullptr) {
        call->message = &message;
        call->place = {message.sender, ++last_call_number_};
        open_calls_.insert(*call);
    }
    if (receiver != nullptr)
        *receiver = receivers_waiting_.take_one();
    else
        receivers_waiting_.wake_one();
    return source_.raise(kSignalReadable);
}

Result<> Channel::put(Party& from, OutMessage& out, Call* call, Ref<Thread>* receiver) {
    TRY(check_outgoing(*this, out));
    set_trace(out);
    if (is_small(out)) return put_small(from, out, call, receiver);
    MessageHeader* message;
    {
        Lock::Guard guard(lock_);
        message = TRY(reserve_locked(from, out, call));
    }
    Result<> result = contents().for_pieces(
        *message, [&](std::uint64_t offset, MutableBytes piece) { return copy_in(out.bytes, offset, piece); });
    const std::span<SentParcel> parcels = contents().parcels(*message);
    bool is_packed = false;
    if (result) {
        pack(out.handles, parcels);
        if (out.pages) out.pages = message->pages.put(std::move(out.pages));
        is_packed = true;
        event::News news;
        {
            Lock::Guard guard(lock_);
            if (receivers_ != 0)
                news = enqueue_locked(*message, receiver);
            else
                result = fail(Error::peer_closed);
        }
        if (result) {
            source_.tell(news);
            return {};
        }
    }
    if (is_packed) {
        unpack(parcels, out.handles);
        out.pages = message->pages.take();
    }
    contents().drop_parcels(*message);
    free(*message);
    return result;
}

// What is small is fetched first, and then stored under one hold of the lock: it lies in one block.
Result<> Channel::put_small(Party& from, OutMessage& out, Call* call, Ref<Thread>* receiver) {
    std::byte text[Call::kInlineBytes];
    const MutableBytes small(text, out.bytes.size);
    TRY(copy_in(out.bytes, 0, small));
    event::News news;
    {
        Lock::Guard guard(lock_);
        MessageHeader* message = TRY(reserve_locked(from, out, call));
        TRY(contents().for_pieces(*message, [&](std::uint64_t, MutableBytes piece) -> Result<> {
            std::memcpy(piece.data(), text, piece.size());
            return {};
        }));
        if (out.pages) out.pages = message->pages.put(std::move(out.pages));
        news = enqueue_locked(*message, receiver);
    }
    source_.tell(news);
    return {};
}

Result<> Channel::send(Party& from, OutMessage& message) {
    TRY(put(from, message, nullptr, nullptr));
    from.message_sent();
    return {};
}

// A message is gone: its room is free again. Who was refused is told of any room that comes, as a pulse; the others of
// the first room after none.
event::News Channel::free_locked(MessageHeader& message) {
    lock_.assert_held();
    store_.free(message);
    const bool was_full = (source_.levels() & kSignalWritable) == 0;
    event::News news;
    if (was_full && store_.has_room()) news = source_.raise(kSignalWritable);
    if (std::exchange(room_wanted_, false)) news = {kSignalWritable, event::NewsKind::pulse};
    return news;
}

void Channel::free(MessageHeader& message) {
    event::News news;
    {
        Lock::Guard guard(lock_);
        news = free_locked(message);
    }
    source_.tell(news);
}

// A message that was taken and could not be delivered stands first again.
event::News Channel::give_back_locked(MessageHeader& message) {
    lock_.assert_held();
    store_.push_front(message);
    receivers_waiting_.wake_one();
    return source_.raise(kSignalReadable);
}

Result<> Channel::take(Party& to, InMessage& in) {
    MessageHeader* message = nullptr;
    Question question;
    {
        Lock::Guard guard(lock_);
        if (Call* call = returned_.front(); call != nullptr) {
            TRY(take_question_locked(to, *call, in, question));
        } else {
            message = store_.front();
            if (message == nullptr) return fail(senders_ == 0 ? Error::peer_closed : Error::would_block);
            TRY(check_room(message->size, message->parcels, message->pages.pages(), in));
            store_.remove(*message);
        }
        if (!has_message_locked()) source_.clear(kSignalReadable);
    }
    if (message == nullptr) return deliver_question(to, question, in);
    Result<> result = contents().for_pieces(
        *message, [&](std::uint64_t offset, MutableBytes piece) { return copy_out(in.bytes, offset, piece); });
    mm::Owned<mm::Grant> pages = message->pages.take(); // with pages there are no parcels, so one of the two can fail
    if (result) result = deliver_pages(to, pages, in);
    if (result) result = deliver(to, contents().parcels(*message), in);
    if (!result) {
        if (pages) pages = message->pages.put(std::move(pages));
        bool is_closed;
        event::News news;
        {
            Lock::Guard guard(lock_);
            news = give_back_locked(*message);
            is_closed = receivers_ == 0;
        }
        source_.tell(news);
        if (is_closed) Disposal::purge(*this);
        return result;
    }
    in.size = message->size;
    in.handle_count = message->parcels;
    in.sender = message->sender;
    in.reply_to = 0;
    take_trace(message->trace, in);
    contents().drop_parcels(*message);
    Ref<Thread> former_caller; // dropped under no lock
    event::News news;
    {
        Lock::Guard guard(lock_);
        if (Call* call = message->call; call != nullptr) {
            call->message = nullptr;
            call->state = CallState::taken;
            call->taker = to.principal();
            call->id = next_call_id_++;
            calls_.insert(*call);
            in.reply_to = call->id;
            former_caller = lending_begins(*call);
        }
        news = free_locked(*message);
    }
    source_.tell(news);
    to.message_received();
    return {};
}

Result<> Channel::receive(Party& to, InMessage& message) { return take(to, message); }

std::uint64_t Channel::info_size() const {
    Lock::Guard guard(lock_);
    return store_.queued() + calls_.size();
}

void Channel::handle_added(Rights rights) {
    Lock::Guard guard(lock_);
    senders_ += rights.contains(rights::send);
    receivers_ += rights.contains(rights::receive);
}

// What the end of the last sender or receiver means for those who wait happens once in the life of a channel, or nearly:
// a right that is gone everywhere cannot be derived again. All other handles come and go without waking anybody.
void Channel::handle_removed(Rights rights) {
    source_.drop_ended();
    bool no_senders = false, no_receivers = false;
    event::News news;
    {
        Lock::Guard guard(lock_);
        no_senders = rights.contains(rights::send) && --senders_ == 0;
        no_receivers = rights.contains(rights::receive) && --receivers_ == 0;
        if (no_senders)
            news = source_.raise(kSignalClosed | kSignalReadClosed);
        else if (no_receivers)
            news = source_.raise(kSignalClosed);
    }
    source_.tell(news);
    if (no_senders) receivers_waiting_.wake_all();
    if (!no_receivers) return;
    while (fail_some_calls(Error::peer_closed)) { // put() takes no new ones
    }
    Disposal::purge(*this);
}

// Calls and waits of `holder` through a capability that is dead end; nobody else is woken.
void Channel::revoked_for(std::uint64_t holder) {
    source_.drop_ended();
    wake_revoked_calls(holder);
    receivers_waiting_.wake_revoked(holder);
}

// As WaitQueue::wake_revoked: the walk goes on behind the last place that it looked at.
void Channel::wake_revoked_calls(std::uint64_t holder) {
    CallPlace from{holder, 0};
    for (bool more = true; more;) {
        Lock::Guard guard(lock_);
        Call* call = open_calls_.lower_bound(from);
        for (unsigned i = 0; i < kCallsAtOnce && call != nullptr && call->place.holder == holder; ++i) {
            from.number = call->place.number + 1;
            if (call->node != nullptr && !call->node->is_live()) sched::unpark(*call->caller);
            call = open_calls_.next(*call);
        }
        more = call != nullptr && call->place.holder == holder;
    }
}

} // namespace aios::ipc
