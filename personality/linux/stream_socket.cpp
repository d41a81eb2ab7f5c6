// Connecting, listening and ending. Numbers in brackets are the steps of stream_socket.hpp; stream_transfer.cpp has the data.
#include "personality/linux/stream_socket.hpp"

#include <algorithm>

#include "kernel/time/clock.hpp"

namespace aios::linux_abi {

using Guard = SocketSpace::Mutex::Guard;

std::expected<Ref<StreamSocket>, Errno> StreamSocket::create(Call& call, const SocketKind& kind) {
    auto end = LINUX_TRY(SocketEnd::create(call.process.quota(), kAlone));
    LinuxProcess& process = call.process;
    return make_file<StreamSocket>(call, process.family().sockets, kind, process.family().new_inode(), std::move(end));
}

std::expected<StreamSocket::Pair, Errno> StreamSocket::create_pair(Call& call, const SocketKind& kind) {
    Pair pair{LINUX_TRY(create(call, kind)), LINUX_TRY(create(call, kind))};
    pair.first->end_->restart(0);
    pair.second->end_->restart(0);
    auto connection = LINUX_TRY(Connection::create(call.process.quota(), pair.first->end_, pair.second->end_, false));
    for (std::int32_t& process : connection->processes)
        process = call.process.pid();
    for (SocketName& name : connection->names)
        name = SocketName::of_family(kFamilyUnix);
    connection->stage = Connection::Stage::accepted;
    pair.first->attach(connection, 0);
    pair.second->attach(std::move(connection), 1);
    return pair;
}

// Of a socket that nobody else has yet.
void StreamSocket::attach(Ref<Connection> connection, unsigned side) {
    end_ = connection->end(side);
    side_ = side;
    stage_ = Stage::connected;
    has_told_ = true;
    connected_.store(connection.get(), std::memory_order_release); // pairs with connection()
    connection_ = std::move(connection);
}

StreamSocket::~StreamSocket() {
    unbind();
    stop_listening();
    Ref<Connection> own, from_list;
    {
        Guard guard(space_->mutex);
        own = settle_locked();
        if (!own) own = std::move(connection_);
        if (own && own->stage == Connection::Stage::waiting) { // (5)
            own->listener->waiting_.remove(*own);
            own->listener = nullptr;
            own->stage = Connection::Stage::refused;
            from_list = Ref<Connection>::adopt(own.get());
        }
    }
    if (connected_.load(std::memory_order_relaxed) == nullptr) return;
    const bool resets =
        is_inet() && options().is_on(SocketOption::linger_on) && options().of(SocketOption::linger_seconds) == 0;
    own->close(side_, resets ? Connection::Farewell::reset : Connection::Farewell::orderly);
}

// --- listening -------------------------------------------------------------------------------------------------------

Outcome StreamSocket::listen(Call& call, std::int32_t backlog) {
    if (is_inet()) {
        Guard guard(space_->mutex);
        if (stage_ != Stage::alone && stage_ != Stage::listening) return refuse(kInvalid);
    }
    if (is_inet()) { // one that has no port gets one
        const Errno error = bind_address(InetAddress::any(socket_kind().family));
        if (error != Errno{}) return refuse(error);
    }
    Guard guard(space_->mutex);
    if (stage_ != Stage::alone && stage_ != Stage::listening) return refuse(kInvalid);
    if (binding_.table == SocketBinding::Table::none) return refuse(kInvalid);
    if (is_inet() && !space_->may_listen_locked(binding_)) return refuse(kAddressInUse);
    backlog_ = std::min(static_cast<std::uint32_t>(backlog), kMostBacklog); // a negative one is the most
    listening_process_ = call.process.pid();
    binding_.listens = true;
    if (stage_ == Stage::listening) return 0;
    stage_ = Stage::listening;
    end_->restart(0);
    return 0;
}

bool StreamSocket::listens() {
    Guard guard(space_->mutex);
    return stage_ == Stage::listening;
}

Ref<Connection> StreamSocket::take_queued_locked() {
    space_->mutex.assert_held();
    auto taken = Ref<Connection>::adopt(queued_.pop_front());
    taken->listener = nullptr;
    taken->stage = Connection::Stage::accepted;
    if (Connection* const next = waiting_.pop_front(); next != nullptr) { // (4)
        next->stage = Connection::Stage::queued;
        queued_.push_back(*next);
        next->end(0)->restart(kSignalWritable);
        next->end(0)->waiters.wake_all();
        end_->source.set(kSignalReadable);
    } else if (--queued_count_ == 0) {
        end_->source.clear(kSignalReadable);
    }
    return taken;
}

std::expected<Ref<StreamSocket>, Errno> StreamSocket::accept(Call& call) {
    auto made = LINUX_TRY(make_file<StreamSocket>(call, space_, socket_kind(), call.process.family().new_inode(),
                                                  Ref<SocketEnd>())); // its end comes with the connection
    Ref<Connection> taken;
    Errno error{};
    const auto is_over = [&] {
        Guard guard(space_->mutex);
        if (stage_ != Stage::listening) {
            error = kInvalid;
        } else if (queued_count_ != 0) {
            taken = take_queued_locked();
        }
        return error != Errno{} || static_cast<bool>(taken);
    };
    if (!waits(0)) {
        if (!is_over()) return std::unexpected(kAgain);
    } else {
        const std::uint64_t time = options().receive_time;
        const auto outcome = end_->waiters.wait(time == 0 ? sched::kNever : time::now_ns() + time, is_over);
        if (outcome == sched::Outcome::timed_out) return std::unexpected(kAgain);
        if (outcome == sched::Outcome::interrupted) return interrupted_call(call, AfterHandler::restarts);
    }
    if (error != Errno{}) return std::unexpected(error);
    made->options().inherit(options());
    made->attach(std::move(taken), 1);
    return made;
}

void StreamSocket::put_back(StreamSocket& made) {
    Ref<Connection> connection;
    {
        Guard guard(space_->mutex);
        connection = std::move(made.connection_);
        made.connected_.store(nullptr, std::memory_order_relaxed);
        made.stage_ = Stage::alone;
        if (stage_ == Stage::listening) {
            connection->stage = Connection::Stage::queued;
            connection->listener = this;
            queued_.push_front(*connection.leak());
            ++queued_count_;
            end_->source.set(kSignalReadable);
        }
    }
    if (connection) {
        connection->close(1, Connection::Farewell::reset);
    } else {
        end_->waiters.wake_one();
    }
}

// (5). Not bound any more, or not listening: nobody new comes.
void StreamSocket::stop_listening() {
    for (bool is_first = true;; is_first = false) {
        Ref<Connection> gone[kEndedAtOnce];
        unsigned count = 0;
        {
            Guard guard(space_->mutex);
            if (is_first) {
                if (stage_ != Stage::listening) return;
                stage_ = Stage::stopping;
                binding_.listens = false;
                queued_count_ = 0;
                end_->restart(kAlone);
            }
            for (; count < kEndedAtOnce; ++count) {
                Connection* next = queued_.pop_front();
                if (next == nullptr) next = waiting_.pop_front();
                if (next == nullptr) break;
                next->listener = nullptr;
                const bool has_waited = next->stage == Connection::Stage::waiting;
                next->stage = has_waited ? Connection::Stage::refused : Connection::Stage::accepted;
                next->break_off(0, has_waited ? kConnectionRefused : kConnectionReset);
                gone[count] = Ref<Connection>::adopt(next);
            }
            if (count < kEndedAtOnce) stage_ = Stage::alone;
        }
        if (is_first) end_->waiters.wake_all(); // those in accept
        for (unsigned i = 0; i < count; ++i)
            gone[i]->end(0)->waiters.wake_all();
        if (count < kEndedAtOnce) return;
    }
}

// --- connecting ------------------------------------------------------------------------------------------------------

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
    if (!is_inet()) return find_unix_locked(*space_, target.local);
    // Of those that share a port the one with the fewest to be accepted.
    return space_->find_port_locked({kSocketStream, target.inet.port}, target.inet,
                                    [](const SocketBinding& binding) -> std::optional<std::uint64_t> {
                                        if (!binding.listens) return std::nullopt;
                                        return binding.socket.stream_socket()->queued_count_;
                                    });
}

// (1). Errno{}: this call connects. kInProgress: another one does, or did and has not been told.
Errno StreamSocket::begin_connecting() {
    Ref<Connection> lost;
    Guard guard(space_->mutex);
    lost = settle_locked();
    switch (stage_) {
    case Stage::listening:
        return is_inet() ? kIsConnected : kInvalid;
    case Stage::connected:
        return std::exchange(has_told_, true) ? kIsConnected : kInProgress;
    case Stage::connecting:
        return connection_ ? kInProgress : kAlready;
    case Stage::stopping:
        return kInvalid;
    case Stage::alone:
        break;
    }
    if (const Errno error = end_->take_error(); error != Errno{}) return error; // of an attempt that did not wait
    stage_ = Stage::connecting;
    return Errno{};
}

std::expected<StreamSocket::Placed, Errno> StreamSocket::place_locked(const Target& target,
                                                                      const Ref<Connection>& connection, bool waits) {
    space_->mutex.assert_held();
    SocketBinding* const found = find_listener_locked(target);
    if (found == nullptr) return std::unexpected(kConnectionRefused);
    StreamSocket* const listener = found->socket.stream_socket();
    if (found->socket.socket_kind().type != socket_kind().type) return std::unexpected(kWrongType);
    if (listener == nullptr || listener->stage_ != Stage::listening) return std::unexpected(kConnectionRefused);
    const bool has_room = listener->queued_count_ <= listener->backlog_;
    if (!has_room && !waits && !is_inet()) return std::unexpected(kAgain); // (3)
    connection->processes[1] = listener->listening_process_;
    if (!is_inet()) connection->names[1] = listener->binding_.name;
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
    auto made = LINUX_TRY(Connection::create(quota, end_, std::move(other), is_inet()));
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
Outcome StreamSocket::fail_to_connect(Errno error, bool waits) {
    {
        Guard guard(space_->mutex);
        stage_ = Stage::alone;
        const bool was_refused = is_inet() && error == kConnectionRefused;
        end_->restart(was_refused ? kAlone | kSignalReadable | kSignalReadClosed : kAlone);
        if (!was_refused || waits) return refuse(error);
    }
    end_->fail(error);
    return refuse(kInProgress);
}

Outcome StreamSocket::connect(Call& call, const SocketName& name) {
    const bool will_wait = waits(0);
    const Target target = LINUX_TRY(find_target(call, name));
    if (const Errno error = begin_connecting(); error == kInProgress) {
        if (connected_.load(std::memory_order_acquire) != nullptr) return 0;
        return will_wait ? wait_until_connected(call) : refuse(kAlready);
    } else if (error != Errno{}) {
        return refuse(error);
    }
    auto made = make_connection(call, target);
    if (!made) return fail_to_connect(made.error(), true);
    std::expected<Placed, Errno> placed = std::unexpected(kConnectionRefused);
    {
        Guard guard(space_->mutex);
        placed = place_locked(target, *made, will_wait);
        if (placed && *placed == Placed::queued) (void)settle_locked(); // it is connected, so nothing is lost
        if (placed && *placed == Placed::queued && (will_wait || !is_inet())) has_told_ = true;
    }
    if (!placed) return fail_to_connect(placed.error(), will_wait);
    if (!will_wait && is_inet()) return refuse(kInProgress);
    return *placed == Placed::queued ? Outcome(0) : wait_until_connected(call);
}

// (3)
Outcome StreamSocket::wait_until_connected(Call& call) {
    Ref<Connection> lost;
    const auto is_over = [&] {
        Guard guard(space_->mutex);
        lost = settle_locked();
        return stage_ != Stage::connecting;
    };
    const std::uint64_t time = options().send_time;
    const auto outcome = end_->waiters.wait(time == 0 ? sched::kNever : time::now_ns() + time, is_over);
    if (outcome == sched::Outcome::ready) {
        Guard guard(space_->mutex);
        if (stage_ == Stage::connected) {
            has_told_ = true;
            return 0;
        }
        const Errno error = end_->take_error();
        if (!is_inet()) end_->restart(kAlone);
        return refuse(error != Errno{} ? error : kConnectionRefused);
    }
    const bool is_late = outcome == sched::Outcome::timed_out;
    if (!is_inet()) { // it does not go on without its caller
        Ref<Connection> own, from_list;
        Guard guard(space_->mutex);
        own = settle_locked();
        if (stage_ == Stage::connected) {
            has_told_ = true;
            return 0;
        }
        if (connection_ && connection_->stage == Connection::Stage::waiting) {
            own = std::move(connection_);
            own->listener->waiting_.remove(*own);
            own->listener = nullptr;
            own->stage = Connection::Stage::refused;
            from_list = Ref<Connection>::adopt(own.get());
        }
        stage_ = Stage::alone;
        end_->restart(kAlone);
    }
    if (is_late) return refuse(is_inet() ? kInProgress : kAgain);
    return interrupted_call(call, AfterHandler::restarts);
}

} // namespace aios::linux_abi
