// See datagram_socket.hpp.
#include "personality/linux/datagram_socket.hpp"

namespace aios::linux_abi {

using Guard = SocketSpace::Mutex::Guard;
using Table = SocketBinding::Table;

std::expected<Ref<DatagramSocket>, Errno> DatagramSocket::create(Call& call, const SocketKind& kind) {
    auto inbox = LINUX_TRY(Inbox::create(call.process.quota()));
    LinuxProcess& process = call.process;
    return make_file<DatagramSocket>(call, process.family().sockets, kind, process.family().new_inode(),
                                     std::move(inbox));
}

void DatagramSocket::join(DatagramSocket& first, DatagramSocket& second) {
    Guard guard(first.space_->mutex);
    first.peer_ = second.inbox_;
    second.peer_ = first.inbox_;
    for (DatagramSocket* const each : {&first, &second}) {
        each->is_connected_ = true;
        each->peer_name_ = SocketName::of_family(kFamilyUnix);
    }
}

DatagramSocket::~DatagramSocket() {
    unbind(); // nobody finds it any more; who has found its inbox sees that it is closed
    inbox_->close();
}

// --- names -----------------------------------------------------------------------------------------------------------

// What it is called by somebody at `to`.
InetAddress DatagramSocket::address_for_locked(const InetAddress& to) const {
    space_->mutex.assert_held();
    InetAddress own = binding_.address.is_any() ? InetAddress::loopback_like(to) : binding_.address;
    own.port = binding_.port.number;
    return own;
}

SocketName DatagramSocket::own_name() {
    Guard guard(space_->mutex);
    if (is_inet())
        return is_connected_ ? address_for_locked(peer_address_).name(socket_kind().family) : inet_name_locked();
    return binding_.table == Table::none ? SocketName::of_family(kFamilyUnix) : binding_.name;
}

std::expected<SocketName, Errno> DatagramSocket::peer_name() {
    Guard guard(space_->mutex);
    if (!is_connected_) return std::unexpected(kNotConnected);
    return is_inet() ? peer_address_.name(socket_kind().family) : peer_name_;
}

// Of those that share the port one that is connected to the sender, or to nobody.
SocketBinding* DatagramSocket::find_inet_locked(const InetAddress& from, const InetAddress& to) {
    space_->mutex.assert_held();
    return space_->find_port_locked({kSocketDatagram, to.port}, to,
                                    [&](const SocketBinding& binding) -> std::optional<std::uint64_t> {
                                        const DatagramSocket& other = *binding.socket.datagram_socket();
                                        if (!other.is_connected_) return 1;
                                        const InetAddress& peer = other.peer_address_;
                                        if (!peer.has_ip_of(from) || peer.port != from.port) return std::nullopt;
                                        return 0;
                                    });
}

Outcome DatagramSocket::connect(Call& call, const SocketName& name) {
    if (name.bytes >= SocketName::kFamilyBytes && name.family() == kFamilyNone) { // to nobody
        Ref<Inbox> before;
        Guard guard(space_->mutex);
        before = std::move(peer_);
        is_connected_ = false;
        return 0;
    }
    if (is_inet()) {
        const InetAddress to = LINUX_TRY(find_inet(call, socket_kind(), name));
        const Errno error = bind_address(InetAddress::any(to.is_v4() ? kFamilyInet : kFamilyInet6));
        if (error != Errno{}) return refuse(error);
        Guard guard(space_->mutex);
        peer_address_ = to;
        is_connected_ = true;
        return 0;
    }
    const UnixTarget target = LINUX_TRY(find_unix(call, name));
    Ref<Inbox> before;
    Guard guard(space_->mutex);
    SocketBinding* const found = find_unix_locked(*space_, socket_kind().type, target);
    if (found == nullptr) return refuse(kConnectionRefused);
    DatagramSocket* const other = found->socket.datagram_socket();
    if (other == nullptr) return refuse(kWrongType);
    if (other->is_connected_ && other->peer_ != inbox_) return refuse(kPerm);
    before = std::exchange(peer_, other->inbox_);
    peer_name_ = found->name;
    is_connected_ = true;
    return 0;
}

std::expected<DatagramSocket::Way, Errno> DatagramSocket::find_way(Call& call, const SocketName* to) {
    Way way;
    if (is_inet()) {
        if (to != nullptr) {
            way.to = LINUX_TRY(find_inet(call, socket_kind(), *to));
            if (way.to.port == 0) return std::unexpected(kInvalid);
            const Errno error = bind_address(InetAddress::any(way.to.is_v4() ? kFamilyInet : kFamilyInet6));
            if (error != Errno{}) return std::unexpected(error);
        }
        Guard guard(space_->mutex);
        if (to == nullptr && !is_connected_) return std::unexpected(kNoDestination);
        if (to == nullptr) way.to = peer_address_;
        way.from = address_for_locked(way.to);
        if (is_shut_) return std::unexpected(kPipe);
        SocketBinding* const found = find_inet_locked(way.from, way.to);
        if (found != nullptr) way.inbox = found->socket.datagram_socket()->inbox_;
        return way;
    }
    UnixTarget target;
    if (to != nullptr) target = LINUX_TRY(find_unix(call, *to));
    Guard guard(space_->mutex);
    if (is_shut_) return std::unexpected(kPipe);
    if (binding_.table != Table::none) way.name = binding_.name;
    if (to == nullptr) {
        if (!is_connected_) return std::unexpected(kNotConnected);
        way.inbox = peer_;
        return way;
    }
    SocketBinding* const found = find_unix_locked(*space_, socket_kind().type, target);
    if (found == nullptr) return std::unexpected(kConnectionRefused);
    DatagramSocket* const other = found->socket.datagram_socket();
    if (other == nullptr) return std::unexpected(kWrongType);
    if (other->is_connected_ && other->peer_ != inbox_) return std::unexpected(kPerm);
    way.inbox = other->inbox_;
    return way;
}

// --- datagrams -------------------------------------------------------------------------------------------------------

Outcome DatagramSocket::send(Call& call, ipc::StreamIn& from, std::uint64_t bytes, const Sending& how) {
    constexpr std::uint64_t kMostInet = 65507; // with the heads of IP and UDP a packet of 65,535
    if (is_inet()) {
        if (const Errno error = take_error(); error != Errno{}) return refuse(error); // of what was sent before
        if (bytes > kMostInet) return refuse(kMessageTooLong);
    }
    const auto way = find_way(call, how.to); // kPipe comes without a signal: that is for streams
    if (!way) return refuse(way.error());
    auto datagram = LINUX_TRY(Datagram::create(call.process.quota(), from, bytes));
    datagram->from = way->name;
    datagram->sender = way->from;
    datagram->process = call.process.pid();
    if (how.attachment != nullptr && !is_inet()) datagram->attachment = std::move(*how.attachment);
    if (is_inet()) { // a full inbox loses it; whoever is connected hears that nobody is there
        const auto put = way->inbox ? way->inbox->put(datagram) : Inbox::Put::closed;
        if (put != Inbox::Put::closed || how.to != nullptr) return bytes;
        inbox_->end->fail(kConnectionRefused);
        inbox_->receivers.wake_all();
        return bytes;
    }
    if (!way->inbox) return refuse(kConnectionRefused);
    const Errno error = send_datagram(call, *this, *way->inbox, datagram, how.flags);
    if (error == Errno{}) return bytes;
    return refuse(error == kPipe ? kConnectionRefused : error);
}

Outcome DatagramSocket::receive(Call& call, ipc::StreamOut& to, std::uint64_t bytes, std::uint32_t flags,
                                Received& told) {
    return receive_datagram(call, *this, *inbox_, to, bytes, flags, told);
}

Outcome DatagramSocket::shut_down(Ways ways) {
    {
        Guard guard(space_->mutex);
        if (is_inet() && !is_connected_) return refuse(kNotConnected);
        if ((ways & kWayOut) != 0) is_shut_ = true;
    }
    if ((ways & kWayIn) != 0) inbox_->stop();
    inbox_->end->end(ways);
    return 0;
}

Outcome DatagramSocket::control(Call&, std::uint32_t request, std::uint64_t argument) {
    constexpr std::uint32_t kBytesWaiting = 0x541b; // FIONREAD: those of the first
    if (request != kBytesWaiting) return control_interface(*this, request, argument);
    return answer(UserOut<std::uint32_t>(argument), static_cast<std::uint32_t>(inbox_->first_bytes()));
}

} // namespace aios::linux_abi
