// See inbox.hpp.
#include "personality/linux/inbox.hpp"

#include "kernel/mm/size_classes.hpp"

namespace aios::linux_abi {

std::expected<Ref<Datagram>, Errno> Datagram::create(Payer& payer, ipc::StreamIn& from, std::uint64_t bytes) {
    if (bytes > kMostBytes) return std::unexpected(kMessageTooLong);
    mm::OwnedBytes data = LINUX_TRY(mm::OwnedBytes::make(payer, bytes));
    if (bytes != 0) LINUX_TRY(from.fetch(0, {data.data(), bytes}));
    Reservation charge = LINUX_TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Datagram>));
    return Ref<Datagram>::adopt(LINUX_TRY(mm::make<Datagram>(std::move(charge), std::move(data), bytes)));
}

Result<Ref<Inbox>> Inbox::create(Payer& payer) {
    Ref<SocketEnd> end = TRY(SocketEnd::create(payer, kSignalWritable));
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Inbox>));
    return Ref<Inbox>::adopt(TRY(mm::make<Inbox>(std::move(charge), std::move(end))));
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
        news = end->source.raise(kSignalReadable);
    }
    end->source.tell(news);
    receivers.wake_one();
    return Put::done;
}

Ref<Datagram> Inbox::take(ipc::Take take, bool& is_over) {
    Ref<Datagram> taken;
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
        taken = Ref<Datagram>::adopt(first);
    }
    senders.wake_one();
    return taken;
}

void Inbox::stop() {
    event::News news;
    {
        Lock::Guard guard(lock_);
        is_stopped_ = true;
        news = end->source.raise(kSignalReadable | kSignalReadClosed);
    }
    end->source.tell(news);
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
        }
        if (count < kEndedAtOnce) return;
    }
}

std::uint64_t Inbox::first_bytes() {
    Lock::Guard guard(lock_);
    return list_.front() == nullptr ? 0 : list_.front()->bytes;
}

} // namespace aios::linux_abi
