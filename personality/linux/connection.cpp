// See connection.hpp.
#include "personality/linux/connection.hpp"

#include "kernel/mm/size_classes.hpp"

namespace aios::linux_abi {

Result<Ref<SocketEnd>> SocketEnd::create(Payer& payer, std::uint64_t levels) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<SocketEnd>));
    return Ref<SocketEnd>::adopt(TRY(mm::make<SocketEnd>(std::move(charge), levels)));
}

void SocketEnd::fail(Errno error) {
    event::News news;
    {
        Lock::Guard guard(lock_);
        error_ = error;
        news = source.raise(kSignalError);
    }
    source.tell(news);
}

Errno SocketEnd::take_error() {
    Lock::Guard guard(lock_);
    if (error_ != Errno{}) source.clear(kSignalError);
    return std::exchange(error_, Errno{});
}

void SocketEnd::end(Ways ways) {
    event::News news;
    {
        Lock::Guard guard(lock_);
        ended_ |= ways;
        if (ended_ != kBothWays) return;
        news = source.raise(kSignalClosed);
    }
    source.tell(news);
}

bool SocketEnd::has_ended(Ways ways) {
    Lock::Guard guard(lock_);
    return (ended_ & ways) == ways;
}

void SocketEnd::restart(std::uint64_t levels) {
    event::News news;
    {
        Lock::Guard guard(lock_);
        error_ = Errno{};
        ended_ = 0;
        source.clear((kSignalReadable | kSignalReadClosed | kSignalWritable | kSignalClosed | kSignalError) & ~levels);
        news = source.raise(levels);
    }
    source.tell(news);
}

Result<Ref<Connection>> Connection::create(Payer& payer, Ref<SocketEnd> first, Ref<SocketEnd> second,
                                           const SocketKind& kind) {
    Ref<Inbox> packets[2];
    if (kind.type == kSocketPackets) {
        packets[0] = TRY(Inbox::create_between(payer, second, first));
        packets[1] = TRY(Inbox::create_between(payer, first, second));
    }
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Connection>));
    auto made = Ref<Connection>::adopt(
        TRY(mm::make<Connection>(std::move(charge), payer, std::move(first), std::move(second), kind.family)));
    for (unsigned side = 0; side < 2; ++side)
        made->packets_[side] = std::move(packets[side]);
    return made;
}

std::uint64_t Connection::waiting_from(unsigned side) {
    return has_packets() ? packets_[side]->waiting() : streams_[side].waiting();
}

bool Connection::has_unread(unsigned side) {
    return has_packets() ? !packets_[1 - side]->is_empty() : streams_[1 - side].waiting() != 0;
}

// Nobody reads any more what the side writes (way in of the other one), or it writes no more.
void Connection::end_way_from(unsigned side, Ways way) {
    if (has_packets()) {
        packets_[side]->stop();
    } else if (way == kWayIn) {
        streams_[side].close_writer();
    } else {
        streams_[side].close_reader();
    }
}

void Connection::end_ways(unsigned side, Ways ways) {
    if ((ways & kWayIn) != 0) end_way_from(1 - side, kWayIn);
    if ((ways & kWayOut) != 0) end_way_from(side, kWayOut);
    ends_[side]->end(ways);
}

void Connection::shut_down(unsigned side, Ways ways) {
    end_ways(side, ways);
    Ways of_peer = 0;
    if ((ways & kWayOut) != 0) of_peer |= kWayIn;
    if ((ways & kWayIn) != 0 && !is_inet_) of_peer |= kWayOut;
    if (of_peer != 0) end_ways(1 - side, of_peer);
}

void Connection::close(unsigned side, Farewell farewell) {
    const bool breaks = farewell == Farewell::reset || has_unread(side);
    end_ways(side, kBothWays);
    attachments_[1 - side].drop(); // nobody will receive them
    if (has_packets()) packets_[1 - side]->close();
    if (breaks) {
        break_off(1 - side, kConnectionReset);
    } else if (is_inet_) {
        end_ways(1 - side, kWayIn);
        streams_[1 - side].close_reader(); // what is written to it goes nowhere
    } else {
        end_ways(1 - side, kBothWays);
    }
}

void Connection::break_off(unsigned side, Errno error) {
    has_lost_[side].store(true, std::memory_order_relaxed);
    ends_[side]->fail(error);
    end_ways(side, kBothWays);
}

bool Connection::is_first_lost(unsigned side) {
    if (!is_inet_ || ends_[side]->has_ended(kWayOut)) return false;
    if (has_lost_[side].exchange(true, std::memory_order_relaxed)) return false;
    end_ways(side, kBothWays); // as if it had been told that nobody is there
    return true;
}

} // namespace aios::linux_abi
