// Connecting. Numbers in brackets are the steps of stream_socket.hpp.
#include "kernel/time/clock.hpp"
#include "personality/linux/stream_socket.hpp"

namespace aios::linux_abi {

using Guard = SocketSpace::Mutex::Guard;

Ref<Connection> StreamSocket::settle_locked() {
    space_->mutex.assert_held();
    if (stage_ != Stage::connecting || !connection_) return {};
    if (connection_->stage == Connection::Stage::waiting) return {};
    if (connection_->stage == Connection::Stage::refused) {
        stage_ = Stage::alone;
        return std::move(connection_);
    }
    stage_ = Stage::connected;
    connected_.store(connection_.get(), std::memory_order_release); // pairs with connection()
    return {};
}

// (5). The caller has a reference.
void StreamSocket::withdraw_locked(Connection& own) {
    space_->mutex.assert_held();
    if (own.stage != Connection::Stage::waiting) return;
    own.listener->waiting_.remove(own);
    own.listener = nullptr;
    own.stage = Connection::Stage::refused;
    own.release(); // of the list
}

Connection* StreamSocket::connection() {
    Connection* const now = connected_.load(std::memory_order_acquire);
    if (now != nullptr) return now;
    Ref<Connection> lost;
    Guard guard(space_->mutex);
    lost = settle_locked();
    return connected_.load(std::memory_order_relaxed);
}

std::expected<StreamSocket::Target, Errno> StreamSocket::find_target(Call& call, const SocketName& name) {
    Target target;
    if (is_inet()) {
        target.inet = LINUX_TRY(find_inet(call, socket_kind(), name));
    } else {
        target.local = LINUX_TRY(find_unix(call, name));
    }
    return target;
}

SocketBinding* StreamSocket::find_listener_locked(const Target& target) {
    space_->mutex.assert_held();
    if (!is_inet()) return find_unix_locked(*space_, socket_kind().type, target.local);
    // Of those that share a port the one with the fewest to be accepted.
    return space_->find_port_locked({kSocketStream, target.inet.port}, target.inet,
                                    [](const SocketBinding& binding) -> std::optional<std::uint64_t> {
                                        if (!binding.listens) return std::nullopt;
                                        return binding.socket.stream_socket()->queued_count_;
                                    });
}

// (1). Errno{}: this call connects. kInProgress: another one does (`attempt`), or did and has not been told.
Errno StreamSocket::begin_connecting(Ref<Connection>& attempt) {
    Ref<Connection> lost;
    Guard guard(space_->mutex);
    lost = settle_locked();
    switch (stage_) {
    case Stage::listening:
        return is_inet() ? kIsConnected : kInvalid;
    case Stage::connected:
        return std::exchange(has_told_, true) ? kIsConnected : kInProgress;
    case Stage::connecting: // one of AF_UNIX ends with its caller: nobody joins it
        if (!connection_ || !is_inet()) return kAlready;
        attempt = connection_;
        return kInProgress;
    case Stage::stopping:
        return kInvalid;
    case Stage::alone:
        break;
    }
    if (const Errno error = end_->take_error(); error != Errno{}) return error; // of an attempt that did not wait
    stage_ = Stage::connecting;
    return Errno{};
}

std::expected<StreamSocket::Placed, Errno>
StreamSocket::place_locked(const Target& target, const Ref<Connection>& connection, Patience patience) {
    space_->mutex.assert_held();
    SocketBinding* const found = find_listener_locked(target);
    if (found == nullptr) return std::unexpected(kConnectionRefused);
    StreamSocket* const listener = found->socket.stream_socket();
    if (found->socket.socket_kind().type != socket_kind().type) return std::unexpected(kWrongType);
    if (listener == nullptr || listener->stage_ != Stage::listening) return std::unexpected(kConnectionRefused);
    const bool has_room = listener->queued_count_ <= listener->backlog_;
    if (!has_room && patience == Patience::leaves && !is_inet()) return std::unexpected(kAgain); // (3)
    connection->processes[1] = listener->listening_process_;
    if (!is_inet()) connection->names[1] = listener->binding_.name;
    AIOS_ASSERT(stage_ == Stage::connecting && !connection_);
    connection->listener = listener;
    connection_ = connection;
    has_told_ = false;
    connection->retain(); // of the list
    if (!has_room) {
        connection->stage = Connection::Stage::waiting;
        end_->restart(0);
        listener->waiting_.push_back(*connection);
        return Placed::waiting;
    }
    connection->stage = Connection::Stage::queued; // (2)
    end_->restart(kSignalWritable);
    listener->queued_.push_back(*connection);
    ++listener->queued_count_;
    listener->end_->source.set(kSignalReadable);
    listener->end_->waiters.wake_one();
    return Placed::queued;
}

std::expected<Ref<Connection>, Errno> StreamSocket::make_connection(Call& call, const Target& target) {
    Quota& quota = call.process.quota();
    if (is_inet()) {
        const auto any = InetAddress::any(target.inet.is_v4() ? kFamilyInet : kFamilyInet6);
        const auto own = InetAddress::loopback_like(any);
        if (const Errno error = bind_address(own); error != Errno{})
            return std::unexpected(error == kAddressInUse ? kNoAddress : error);
    }
    auto other = LINUX_TRY(SocketEnd::create(quota, 0));
    auto made = LINUX_TRY(Connection::create(quota, end_, std::move(other), socket_kind()));
    made->processes[0] = call.process.pid();
    Guard guard(space_->mutex);
    if (is_inet()) {
        const bool says_where = binding_.table == SocketBinding::Table::ports && !binding_.address.is_any();
        made->addresses[0] = says_where ? binding_.address : InetAddress::loopback_like(target.inet);
        made->addresses[0].port = binding_.port.number;
        made->addresses[1] = target.inet;
    } else {
        made->names[0] =
            binding_.table == SocketBinding::Table::none ? SocketName::of_family(kFamilyUnix) : binding_.name;
    }
    return made;
}

// An Internet socket that did not wait learns of it later.
Outcome StreamSocket::fail_to_connect(Errno error, Patience patience) {
    {
        Guard guard(space_->mutex);
        stage_ = Stage::alone;
        const bool was_refused = is_inet() && error == kConnectionRefused;
        end_->restart(was_refused ? kAlone | kSignalReadable | kSignalReadClosed : kAlone);
        if (!was_refused || patience == Patience::waits) return refuse(error);
    }
    end_->fail(error);
    return refuse(kInProgress);
}

Outcome StreamSocket::connect(Call& call, const SocketName& name) {
    const bool will_wait = waits(0);
    const Patience patience = will_wait ? Patience::waits : Patience::leaves;
    const Target target = LINUX_TRY(find_target(call, name));
    Ref<Connection> joined;
    if (const Errno error = begin_connecting(joined); error == kInProgress) {
        if (!joined) return 0;
        return will_wait ? wait_until_connected(call, joined) : refuse(kAlready);
    } else if (error != Errno{}) {
        return refuse(error);
    }
    auto made = make_connection(call, target);
    if (!made) return fail_to_connect(made.error(), Patience::waits);
    std::expected<Placed, Errno> placed = std::unexpected(kConnectionRefused);
    {
        Guard guard(space_->mutex);
        placed = place_locked(target, *made, patience);
        if (placed && *placed == Placed::queued) (void)settle_locked(); // it is connected, so nothing is lost
        if (placed && *placed == Placed::queued && (will_wait || !is_inet())) has_told_ = true;
    }
    if (!placed) return fail_to_connect(placed.error(), patience);
    if (!will_wait && is_inet()) return refuse(kInProgress);
    return *placed == Placed::queued ? Outcome(0) : wait_until_connected(call, *made);
}

// (3). The attempt may be over and another one under way: what is not this one is let alone.
Outcome StreamSocket::wait_until_connected(Call& call, const Ref<Connection>& attempt) {
    Ref<Connection> lost;
    const auto is_over = [&] {
        Guard guard(space_->mutex);
        lost = settle_locked();
        return stage_ != Stage::connecting || connection_ != attempt;
    };
    const std::uint64_t time = options().send_time;
    const auto outcome = end_->waiters.wait(time == 0 ? sched::kNever : time::now_ns() + time, is_over);
    if (outcome == sched::Outcome::ready) {
        Guard guard(space_->mutex);
        if (stage_ == Stage::connected && connection_ == attempt) {
            has_told_ = true;
            return 0;
        }
        if (stage_ != Stage::alone) return refuse(kConnectionRefused);
        const Errno error = end_->take_error();
        if (!is_inet()) end_->restart(kAlone);
        return refuse(error != Errno{} ? error : kConnectionRefused);
    }
    const bool is_late = outcome == sched::Outcome::timed_out;
    if (!is_inet()) { // it does not go on without its caller
        Ref<Connection> own, settled;
        Guard guard(space_->mutex);
        settled = settle_locked();
        if (stage_ == Stage::connected && connection_ == attempt) {
            has_told_ = true;
            return 0;
        }
        if (stage_ == Stage::connecting && connection_ == attempt) {
            own = std::move(connection_);
            withdraw_locked(*own);
            stage_ = Stage::alone;
            end_->restart(kAlone);
        }
    }
    if (is_late) return refuse(is_inet() ? kInProgress : kAgain);
    return interrupted_call(call, AfterHandler::restarts);
}

Outcome StreamSocket::wait_for_attempt(Call& call) {
    Ref<Connection> attempt;
    {
        Guard guard(space_->mutex);
        if (stage_ != Stage::connecting) return 0;
        attempt = connection_;
    }
    return attempt ? wait_until_connected(call, attempt) : refuse(kNotConnected); // it has not got that far
}

} // namespace aios::linux_abi
