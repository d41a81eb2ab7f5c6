// See netlink_socket.hpp.
#include "personality/linux/netlink_socket.hpp"

#include <cstring>

namespace aios::linux_abi {
namespace {

struct Address { // struct sockaddr_nl
    std::uint16_t family = kFamilyNetlink, none = 0;
    std::uint32_t port = 0; // 0: the kernel
    std::uint32_t groups = 0;
};
static_assert(sizeof(Address) == 12);

std::expected<Address, Errno> address_of(const SocketName& name) {
    Address address;
    if (name.bytes < sizeof(address) || name.family() != kFamilyNetlink) return std::unexpected(kInvalid);
    std::memcpy(&address, name.data, sizeof(address));
    return address;
}

SocketName name_of(const Address& address) {
    SocketName name;
    name.bytes = sizeof(address);
    std::memcpy(name.data, &address, sizeof(address));
    return name;
}

} // namespace

std::expected<Ref<NetlinkSocket>, Errno> NetlinkSocket::create(Call& call, const SocketKind& kind) {
    auto inbox = LINUX_TRY(Inbox::create(call.process.quota()));
    LinuxProcess& process = call.process;
    return make_file<NetlinkSocket>(call, process.family().sockets, kind, process.family().new_inode(),
                                    std::move(inbox));
}

// A number of the program's choice, or of ours. It stays.
Outcome NetlinkSocket::bind(Call&, const SocketName& name) {
    const Address address = LINUX_TRY(address_of(name));
    std::uint32_t before = 0;
    const std::uint32_t wanted = address.port != 0 ? address.port : space_->new_netlink_port();
    if (!port_.compare_exchange_strong(before, wanted) && address.port != before) return refuse(kInvalid);
    groups_ = address.groups;
    return 0;
}

void NetlinkSocket::bind_to_any() {
    if (std::uint32_t none = 0; port_ == 0) port_.compare_exchange_strong(none, space_->new_netlink_port());
}

Outcome NetlinkSocket::connect(Call&, const SocketName& name) {
    if (name.bytes >= SocketName::kFamilyBytes && name.family() == kFamilyNone) return 0;
    if (LINUX_TRY(address_of(name)).port != 0) return refuse(kConnectionRefused);
    bind_to_any();
    return 0;
}

SocketName NetlinkSocket::own_name() { return name_of({.port = port_, .groups = groups_}); }

std::expected<SocketName, Errno> NetlinkSocket::peer_name() { return name_of({}); }

Errno NetlinkSocket::deliver(Call& call, Bytes message) {
    ipc::BytesIn from(message);
    const auto datagram = Datagram::create(call.process.quota(), from, message.size());
    if (!datagram) return datagram.error();
    (*datagram)->from = name_of({});
    if (inbox_->put(*datagram) != Inbox::Put::full) return Errno{};
    if (!options().is_on(SocketOption::netlink_no_buffers)) { // it is lost, and whoever reads is told
        inbox_->end->fail(kNoBuffers);
        inbox_->receivers.wake_all();
    }
    return Errno{};
}

Errno NetlinkSocket::answer(Call& call, const NetlinkRequest& request) {
    std::byte room[kMostNetlinkAnswer];
    const bool is_request = (request.flags & NetlinkRequest::kIsRequest) != 0;
    const NetlinkAnswer answer = is_request ? answer_netlink(request, port_, room) : NetlinkAnswer{};
    if (answer.bytes != 0) {
        const Errno error = deliver(call, Bytes(room).first(answer.bytes));
        if (error != Errno{} || request.is_dump()) return error;
    }
    if (answer.error == Errno{} && (request.flags & NetlinkRequest::kWantsAck) == 0) return Errno{};
    constexpr std::size_t kRoomAround = 2 * kNetlinkHead + 2 * sizeof(std::int32_t); // the error, and what aligns
    const std::size_t most = kRoomAround + request.body.size();
    const auto report = mm::OwnedBytes::make(call.process.quota(), most);
    if (!report) return kNoMemory;
    const bool is_cut = options().is_on(SocketOption::netlink_cut_errors);
    const std::size_t bytes =
        netlink_error(request, port_, answer.error, is_cut ? ErrorBody::cut : ErrorBody::whole, {report->data(), most});
    return deliver(call, {report->data(), bytes});
}

Outcome NetlinkSocket::send(Call& call, ipc::StreamIn& from, std::uint64_t bytes, const Sending& how) {
    if (how.to != nullptr) {
        const Address to = LINUX_TRY(address_of(*how.to));
        if (to.groups != 0) return refuse(kPerm);
        if (to.port != 0) return refuse(kConnectionRefused);
    }
    if (bytes > kMostSent) return refuse(kMessageTooLong);
    bind_to_any();
    const auto sent = LINUX_TRY(mm::OwnedBytes::make(call.process.quota(), bytes));
    if (bytes != 0) LINUX_TRY(from.fetch(0, {sent.data(), bytes}));
    Bytes rest(sent.data(), bytes);
    NetlinkRequest request;
    while (take_netlink_request(rest, request)) {
        if (const Errno error = answer(call, request); error != Errno{}) return refuse(error);
    }
    return bytes;
}

Outcome NetlinkSocket::receive(Call& call, ipc::StreamOut& to, std::uint64_t bytes, std::uint32_t flags,
                               Received& told) {
    return receive_datagram(call, *this, *inbox_, to, bytes, flags, told);
}

} // namespace aios::linux_abi
