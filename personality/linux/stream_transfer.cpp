// What goes through a connected socket: send, receive, shutdown, and what it says of itself. Under no mutex.
#include "kernel/time/clock.hpp"
#include "personality/linux/signals.hpp"
#include "personality/linux/stream_socket.hpp"

namespace aios::linux_abi {
namespace {

// What is left of another one, from `skip` on.
class OffsetIn final : public ipc::StreamIn {
public:
    OffsetIn(ipc::StreamIn& from, std::uint64_t skip) : from_(from), skip_(skip) {}
    Result<> fetch(std::uint64_t offset, MutableBytes to) override { return from_.fetch(skip_ + offset, to); }
    void published(std::uint64_t position) override {
        if (skip_ == 0) from_.published(position);
    }

private:
    ipc::StreamIn& from_;
    const std::uint64_t skip_;
};

sched::Deadline deadline_of(std::uint64_t time) { return time == 0 ? sched::kNever : time::now_ns() + time; }

using Guard = SocketSpace::Mutex::Guard;

} // namespace

// What data finds that has nowhere to go.
Outcome StreamSocket::not_connected(Call& call, std::uint32_t flags, Ways way) {
    {
        Guard guard(space_->mutex);
        if (stage_ == Stage::connecting) return refuse(kAgain);
        if (!is_inet()) return refuse(way == kWayOut || has_packets() ? kNotConnected : kInvalid);
    }
    if (const Errno error = end_->take_error(); error != Errno{}) return refuse(error);
    if (way == kWayIn) return refuse(kNotConnected);
    if ((flags & kMessageNoSignal) == 0) send_to_self(call, kSigPipe);
    return refuse(kPipe);
}

Outcome StreamSocket::outcome_of(Call& call, Connection& connection, Error error, std::uint32_t flags,
                                 std::uint64_t bytes) {
    if (error == Error::interrupted) return interrupted_call(call, AfterHandler::restarts);
    if (error != Error::peer_closed) return refuse(error);
    if (is_inet()) {
        if (connection.is_first_lost(side_)) return bytes; // on its way when the other side says that it is gone
        if (const Errno reset = end_->take_error(); reset != Errno{}) return refuse(reset);
    }
    if ((flags & kMessageNoSignal) == 0) send_to_self(call, kSigPipe);
    return refuse(kPipe);
}

// SOCK_SEQPACKET: whole or not at all. A name is passed over, and no signal comes.
Outcome StreamSocket::send_packet(Call& call, ipc::StreamIn& from, std::uint64_t bytes, const Sending& how) {
    Connection* const to = connection();
    if (to == nullptr) return refuse(kNotConnected);
    if (const Errno reset = end_->take_error(); reset != Errno{}) return refuse(reset);
    auto packet = LINUX_TRY(Datagram::create(call.process.quota(), from, bytes));
    packet->process = call.process.pid();
    if (!to->names[side_].text().empty()) packet->from = to->names[side_];
    if (how.attachment != nullptr) packet->attachment = std::move(*how.attachment);
    const Errno error = send_datagram(call, *this, to->packets_from(side_), packet, how.flags);
    if (error == Errno{}) return bytes;
    const Errno reset = error == kPipe ? end_->take_error() : Errno{}; // while it waited
    return refuse(reset != Errno{} ? reset : error);
}

Outcome StreamSocket::send(Call& call, ipc::StreamIn& from, std::uint64_t bytes, const Sending& how) {
    if (has_packets()) return send_packet(call, from, bytes, how);
    Connection* to = connection();
    if (how.to != nullptr && !is_inet()) return refuse(to != nullptr ? kIsConnected : kNotSupported);
    const bool will_wait = waits(how.flags);
    if (to == nullptr && will_wait && is_inet()) { // one that is connecting
        const Outcome outcome = not_connected(call, how.flags, kWayOut);
        if (!outcome && outcome.error() != kAgain) return outcome;
        LINUX_TRY(wait_for_attempt(call));
        to = connection();
    }
    if (to == nullptr) return not_connected(call, how.flags, kWayOut);
    const std::uint64_t time = options().send_time;
    const auto when = will_wait && time == 0 ? ipc::WhenFull::wait : ipc::WhenFull::fail;
    const sched::Deadline deadline = deadline_of(time);
    mm::Owned<Attachment> attachment;
    if (how.attachment != nullptr && !is_inet()) attachment = std::move(*how.attachment);
    AttachedIn attached(from, to->attachments_from(side_), std::move(attachment));
    std::uint64_t done = 0;
    for (;;) {
        OffsetIn rest(attached, done);
        const auto part = to->from(side_).write(rest, bytes - done, when);
        if (part) done += *part;
        if (done == bytes) return done;
        if (part && when == ipc::WhenFull::wait)
            return done; // it was cut short by an error, which the next call hears of
        if (!part && part.error() != Error::would_block)
            return done != 0 ? Outcome(done) : outcome_of(call, *to, part.error(), how.flags, bytes);
        if (!will_wait) return done != 0 ? Outcome(done) : refuse(kAgain);
        const Errno error = wait_for_signals(call, kSignalWritable, deadline);
        if (error != Errno{}) return done != 0 ? Outcome(done) : refuse(error);
    }
}

Outcome StreamSocket::receive(Call& call, ipc::StreamOut& to, std::uint64_t bytes, std::uint32_t flags,
                              Received& told) {
    Connection* from = connection();
    const bool will_wait = waits(flags);
    if (from == nullptr && will_wait && is_inet()) {
        const Outcome outcome = not_connected(call, flags, kWayIn);
        if (!outcome && outcome.error() != kAgain) return outcome;
        LINUX_TRY(wait_for_attempt(call));
        from = connection();
    }
    if (from == nullptr) return not_connected(call, flags, kWayIn);
    if (has_packets()) return receive_datagram(call, *this, from->packets_from(1 - side_), to, bytes, flags, told);
    const std::uint64_t time = options().receive_time;
    const auto when = will_wait && time == 0 ? ipc::WhenEmpty::wait : ipc::WhenEmpty::fail;
    const auto take = (flags & kMessagePeek) != 0 ? ipc::Take::no : ipc::Take::yes;
    const bool wants_all = will_wait && (flags & (kMessageWaitAll | kMessagePeek)) == kMessageWaitAll;
    const sched::Deadline deadline = deadline_of(time);
    AttachedOut attached(to, from->attachments_from(1 - side_));
    std::uint64_t done = 0;
    for (;;) {
        ipc::OffsetOut rest(attached, done);
        const auto part = from->from(1 - side_).read(rest, bytes - done, when, take);
        if (part) done += *part;
        if (part && (*part == 0 || !wants_all || done == bytes || attached.attachment)) break;
        if (part) continue;
        if (part.error() != Error::would_block || !will_wait) {
            if (done != 0) break;
            return outcome_of(call, *from, part.error(), flags, 0);
        }
        const Errno error = wait_for_signals(call, kSignalReadable | kSignalReadClosed, deadline);
        if (error != Errno{}) return done != 0 ? Outcome(done) : refuse(error);
    }
    told.attachment = std::move(attached.attachment);
    if (!is_inet()) told.process = from->processes[1 - side_];
    if (done == 0 && bytes != 0) {
        if (const Errno error = end_->take_error(); error != Errno{}) return refuse(error);
    }
    return done;
}

Outcome StreamSocket::shut_down(Ways ways) {
    if (Connection* const with = connection(); with != nullptr) {
        with->shut_down(side_, ways);
        return 0;
    }
    if (listens()) {
        if ((ways & kWayIn) != 0) stop_listening();
        return 0;
    }
    return is_inet() ? refuse(kNotConnected) : Outcome(0);
}

SocketName StreamSocket::own_name() {
    Connection* const with = connection();
    if (with != nullptr && is_inet()) return with->addresses[side_].name(socket_kind().family);
    Guard guard(space_->mutex);
    if (binding_.table == SocketBinding::Table::none && with != nullptr) return with->names[side_];
    if (is_inet()) return inet_name_locked();
    return binding_.table == SocketBinding::Table::none ? SocketName::of_family(kFamilyUnix) : binding_.name;
}

std::expected<SocketName, Errno> StreamSocket::peer_name() {
    Connection* const with = connection();
    if (with == nullptr) return std::unexpected(kNotConnected);
    if (!is_inet()) return with->names[1 - side_];
    if (end_->has_ended(kBothWays)) return std::unexpected(kNotConnected);
    return with->addresses[1 - side_].name(socket_kind().family);
}

std::int32_t StreamSocket::peer_process() {
    Connection* const with = connection();
    if (with != nullptr) return with->processes[1 - side_];
    Guard guard(space_->mutex);
    return listening_process_;
}

Errno StreamSocket::take_error() {
    (void)connection(); // one that was refused meanwhile lets go of it
    return end_->take_error();
}

Outcome StreamSocket::control(Call&, std::uint32_t request, std::uint64_t argument) {
    constexpr std::uint32_t kBytesWaiting = 0x541b, kBytesNotTaken = 0x5411; // FIONREAD, SIOCOUTQ
    if (request != kBytesWaiting && request != kBytesNotTaken) return control_interface(*this, request, argument);
    Connection* const with = connection();
    if (with == nullptr && listens()) return refuse(kInvalid);
    const unsigned from = request == kBytesWaiting ? 1 - side_ : side_;
    const std::uint64_t bytes = with == nullptr ? 0 : with->waiting_from(from);
    return answer(UserOut<std::uint32_t>(argument), static_cast<std::uint32_t>(bytes));
}

} // namespace aios::linux_abi
