// Making, listening and ending. Numbers in brackets are the steps of stream_socket.hpp; stream_connect.cpp has connecting,
// stream_transfer.cpp the data.
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
    auto connection = LINUX_TRY(Connection::create(call.process.quota(), pair.first->end_, pair.second->end_, kind));
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
    Ref<Connection> own;
    {
        Guard guard(space_->mutex);
        own = settle_locked();
        if (!own) own = std::move(connection_);
        if (own) withdraw_locked(*own);
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
        end_->waiters.wake_one(); // it came without one
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
        for (unsigned i = 0; i < count; ++i) {
            gone[i]->attachments_from(0).drop(); // nobody will receive them
            if (gone[i]->has_packets()) gone[i]->packets_from(0).close();
            gone[i]->end(0)->waiters.wake_all();
        }
        if (count < kEndedAtOnce) return;
    }
}

} // namespace aios::linux_abi
