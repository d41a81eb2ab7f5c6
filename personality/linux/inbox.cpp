// See inbox.hpp.
#include "personality/linux/inbox.hpp"

#include <algorithm>

#include "kernel/mm/size_classes.hpp"
#include "kernel/time/clock.hpp"

namespace aios::linux_abi {

std::expected<Ref<Datagram>, Errno> Datagram::create(Payer& payer, ipc::StreamIn& from, std::uint64_t bytes) {
    if (bytes > kMostBytes) return std::unexpected(kMessageTooLong);
    mm::OwnedBytes data = LINUX_TRY(mm::OwnedBytes::make(payer, bytes));
    if (bytes != 0) LINUX_TRY(from.fetch(0, {data.data(), bytes}));
    Reservation charge = LINUX_TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Datagram>));
    return Ref<Datagram>::adopt(LINUX_TRY(mm::make<Datagram>(std::move(charge), std::move(data), bytes)));
}

Result<Ref<Inbox>> Inbox::create(Payer& payer) {
    return create_between(payer, TRY(SocketEnd::create(payer, kSignalWritable)), {});
}

Result<Ref<Inbox>> Inbox::create_between(Payer& payer, Ref<SocketEnd> reader, Ref<SocketEnd> writer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Inbox>));
    return Ref<Inbox>::adopt(TRY(mm::make<Inbox>(std::move(charge), std::move(reader), std::move(writer))));
}

bool Inbox::takes_longest_locked() const {
    lock_.assert_held();
    return count_ < kMostDatagrams && bytes_ + Datagram::kMostBytes <= kMostBytes;
}

Inbox::Put Inbox::put(const Ref<Datagram>& datagram) {
    event::News news;
    {
        Lock::Guard guard(lock_);
        if (is_stopped_) return Put::closed;
        const bool has_room = count_ == 0 || (count_ < kMostDatagrams && bytes_ + datagram->bytes <= kMostBytes);
        if (!has_room) return Put::full;
        datagram->retain();
        list_.push_back(*datagram);
        bytes_ += datagram->bytes;
        ++count_;
        if (writer_ && !takes_longest_locked()) writer_->source.clear(kSignalWritable);
        news = end->source.raise(kSignalReadable);
    }
    end->source.tell(news);
    receivers.wake_one();
    return Put::done;
}

Ref<Datagram> Inbox::take(ipc::Take take, bool& is_over) {
    Ref<Datagram> taken;
    event::News news;
    bool has_room = false;
    {
        Lock::Guard guard(lock_);
        Datagram* const first = list_.front();
        is_over = first == nullptr && is_stopped_;
        if (first == nullptr) return {};
        if (take == ipc::Take::no) return Ref<Datagram>::share(*first);
        list_.remove(*first);
        bytes_ -= first->bytes;
        --count_;
        if (count_ == 0 && !is_stopped_) end->source.clear(kSignalReadable);
        has_room = takes_longest_locked();
        if (writer_ && has_room) news = writer_->source.raise(kSignalWritable);
        taken = Ref<Datagram>::adopt(first);
    }
    if (writer_) writer_->source.tell(news);
    if (has_room) { // for the largest that waits, and perhaps for several
        senders.wake_all();
    } else {
        senders.wake_one();
    }
    return taken;
}

void Inbox::stop() {
    event::News news, news_of_writer;
    {
        Lock::Guard guard(lock_);
        is_stopped_ = true;
        news = end->source.raise(kSignalReadable | kSignalReadClosed);
        if (writer_) news_of_writer = writer_->source.raise(kSignalWritable);
    }
    end->source.tell(news);
    if (writer_) writer_->source.tell(news_of_writer);
    receivers.wake_all();
    senders.wake_all();
}

void Inbox::close() {
    stop();
    for (;;) {
        Ref<Datagram> gone[kEndedAtOnce];
        unsigned count = 0;
        {
            Lock::Guard guard(lock_);
            for (; count < kEndedAtOnce && list_.front() != nullptr; ++count)
                gone[count] = Ref<Datagram>::adopt(list_.pop_front());
            if (list_.front() == nullptr) bytes_ = count_ = 0;
        }
        if (count < kEndedAtOnce) return;
    }
}

std::uint64_t Inbox::first_bytes() {
    Lock::Guard guard(lock_);
    return list_.front() == nullptr ? 0 : list_.front()->bytes;
}

std::uint64_t Inbox::waiting() {
    Lock::Guard guard(lock_);
    return bytes_;
}

bool Inbox::is_empty() {
    Lock::Guard guard(lock_);
    return count_ == 0;
}

Errno send_datagram(Call& call, SocketFile& socket, Inbox& to, const Ref<Datagram>& datagram, std::uint32_t flags) {
    Inbox::Put put = to.put(datagram);
    if (put == Inbox::Put::full) {
        if (!socket.waits(flags)) return kAgain;
        const std::uint64_t time = socket.options().send_time;
        const auto outcome = to.senders.wait(time == 0 ? sched::kNever : time::now_ns() + time, [&] {
            put = to.put(datagram);
            return put != Inbox::Put::full;
        });
        if (outcome == sched::Outcome::timed_out) return kAgain;
        if (outcome == sched::Outcome::interrupted) return interrupted_call(call, AfterHandler::restarts).error();
    }
    return put == Inbox::Put::closed ? kPipe : Errno{};
}

Outcome receive_datagram(Call& call, SocketFile& socket, Inbox& from, ipc::StreamOut& to, std::uint64_t bytes,
                         std::uint32_t flags, Received& told) {
    const auto take = (flags & kMessagePeek) != 0 ? ipc::Take::no : ipc::Take::yes;
    Ref<Datagram> got;
    bool is_over = false;
    Errno error{};
    const auto is_there = [&] {
        error = from.end->take_error();
        if (error != Errno{}) return true;
        got = from.take(take, is_over);
        return got || is_over;
    };
    if (!socket.waits(flags)) {
        if (!is_there()) return refuse(kAgain);
    } else {
        const std::uint64_t time = socket.options().receive_time;
        const auto outcome = from.receivers.wait(time == 0 ? sched::kNever : time::now_ns() + time, is_there);
        if (outcome == sched::Outcome::timed_out) return refuse(kAgain);
        if (outcome == sched::Outcome::interrupted) return interrupted_call(call, AfterHandler::restarts);
    }
    if (error != Errno{}) return refuse(error);
    if (!got) return 0;
    if (take == ipc::Take::no) from.receivers.wake_one(); // it is still there
    told.from = socket.is_inet() ? got->sender.name(socket.socket_kind().family) : got->from;
    if (socket.is_unix()) told.process = got->process;
    if (take == ipc::Take::yes) told.attachment = std::move(got->attachment);
    const std::uint64_t fitting = std::min(bytes, got->bytes);
    if (fitting != 0) LINUX_TRY(to.store(0, {got->data.data(), fitting}));
    if (fitting == got->bytes) return fitting;
    told.flags |= kMessageTruncated;
    return (flags & kMessageTruncated) != 0 ? got->bytes : fitting;
}

} // namespace aios::linux_abi
