// Sockets: making them, names, connecting and accepting. message_calls.cpp has what goes through them, socket_option_calls.cpp
// the options. What a kind of socket does is its own (socket_file.hpp); here is what Linux asks of all.
#include "personality/linux/datagram_socket.hpp"
#include "personality/linux/netlink_socket.hpp"
#include "personality/linux/stream_socket.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::int32_t kTypeMask = 0xf;

struct Wanted {
    SocketKind kind;
    std::uint64_t flags; // O_CLOEXEC, O_NONBLOCK
};

// What can be made of family, type and protocol; protocol 0 is the usual one.
std::expected<Wanted, Errno> kind_of(std::int32_t family, std::int32_t type, std::int32_t protocol) {
    constexpr std::int32_t kProtocolTcp = 6, kProtocolUdp = 17, kLastType = 10;
    const auto flags = static_cast<std::uint64_t>(static_cast<std::uint32_t>(type & ~kTypeMask));
    if ((flags & ~kFileFlags) != 0) return std::unexpected(kInvalid);
    const std::int32_t sort = type & kTypeMask;
    if (sort > kLastType) return std::unexpected(kInvalid);
    if (family == kFamilyUnix) {
        if (protocol != 0 && protocol != kFamilyUnix) return std::unexpected(kNoProtocol);
        if (sort != kSocketStream && sort != kSocketDatagram && sort != kSocketPackets)
            return std::unexpected(kNoSocketType);
        return Wanted{{kFamilyUnix, sort, 0}, flags};
    }
    if (family == kFamilyNetlink) {
        constexpr std::int32_t kRoute = 0; // NETLINK_ROUTE
        if (sort != kSocketRaw && sort != kSocketDatagram) return std::unexpected(kNoSocketType);
        if (protocol != kRoute) return std::unexpected(kNoProtocol);
        return Wanted{{kFamilyNetlink, sort, kRoute}, flags};
    }
    if (family != kFamilyInet && family != kFamilyInet6) return std::unexpected(kNoFamily);
    if (sort == kSocketRaw && protocol == 0) return std::unexpected(kNoProtocol);
    if (sort == kSocketRaw) return std::unexpected(kPerm); // nobody sees what others send
    if (sort != kSocketStream && sort != kSocketDatagram) return std::unexpected(kNoSocketType);
    const std::int32_t usual = sort == kSocketStream ? kProtocolTcp : kProtocolUdp;
    if (protocol != 0 && protocol != usual) return std::unexpected(kNoProtocol);
    return Wanted{{static_cast<std::uint16_t>(family), sort, usual}, flags};
}

std::expected<Ref<SocketFile>, Errno> make_socket(Call& call, const SocketKind& kind) {
    if (kind.family == kFamilyNetlink) return NetlinkSocket::create(call, kind);
    if (kind.type == kSocketDatagram) return DatagramSocket::create(call, kind);
    return StreamSocket::create(call, kind);
}

Outcome accept(Call& call, Descriptor fd, UserOut<std::byte> name, UserInOut<std::uint32_t> bytes,
               std::uint64_t flags) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    const auto made = LINUX_TRY(socket->accept(call));
    if (!name.is_null()) { // a bad address loses the connection, as on Linux
        const auto peer = made->peer_name();
        LINUX_TRY(tell_name(peer ? *peer : SocketName::of_family(socket->socket_kind().family), name, bytes));
    }
    auto installed = install(call, made, flags);
    if (!installed) socket->stream_socket()->put_back(*made);
    return installed;
}

} // namespace

std::expected<Ref<SocketFile>, Errno> socket_of(Call& call, Descriptor fd) {
    auto file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return std::unexpected(kBadFd);
    if (file->kind() != FileKind::socket) return std::unexpected(kNotSocket);
    return static_ref_cast<SocketFile>(std::move(file)); // its kind says so
}

Outcome call_socket(Call& call, std::int32_t family, std::int32_t type, std::int32_t protocol) {
    const Wanted asked = LINUX_TRY(kind_of(family, type, protocol));
    auto made = LINUX_TRY(make_socket(call, asked.kind));
    return install(call, std::move(made), asked.flags);
}

Outcome call_socketpair(Call& call, std::int32_t family, std::int32_t type, std::int32_t protocol,
                        UserOut<std::int32_t> out) {
    const Wanted asked = LINUX_TRY(kind_of(family, type, protocol));
    if (asked.kind.family != kFamilyUnix) return refuse(kNotSupported);
    if (asked.kind.type == kSocketDatagram) {
        auto first = LINUX_TRY(DatagramSocket::create(call, asked.kind));
        auto second = LINUX_TRY(DatagramSocket::create(call, asked.kind));
        DatagramSocket::join(*first, *second);
        return install_pair(call, std::move(first), std::move(second), out, asked.flags);
    }
    auto pair = LINUX_TRY(StreamSocket::create_pair(call, asked.kind));
    return install_pair(call, std::move(pair.first), std::move(pair.second), out, asked.flags);
}

Outcome call_bind(Call& call, Descriptor fd, UserIn<std::byte> user, std::uint32_t bytes) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    return socket->bind(call, LINUX_TRY(fetch_name(user, bytes)));
}

Outcome call_listen(Call& call, Descriptor fd, std::int32_t backlog) {
    return LINUX_TRY(socket_of(call, fd))->listen(call, backlog);
}

Outcome call_connect(Call& call, Descriptor fd, UserIn<std::byte> user, std::uint32_t bytes) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    return socket->connect(call, LINUX_TRY(fetch_name(user, bytes)));
}

Outcome call_accept(Call& call, Descriptor fd, UserOut<std::byte> name, UserInOut<std::uint32_t> bytes) {
    return accept(call, fd, name, bytes, 0);
}
Outcome call_accept4(Call& call, Descriptor fd, UserOut<std::byte> name, UserInOut<std::uint32_t> bytes,
                     Flags<kFileFlags> flags) {
    return accept(call, fd, name, bytes, flags.bits);
}

Outcome call_shutdown(Call& call, Descriptor fd, std::int32_t how) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    if (how < 0 || how > 2) return refuse(kInvalid);
    constexpr Ways kWays[] = {kWayIn, kWayOut, kBothWays}; // SHUT_RD, SHUT_WR, SHUT_RDWR
    return socket->shut_down(kWays[how]);
}

Outcome call_getsockname(Call& call, Descriptor fd, UserOut<std::byte> name, UserInOut<std::uint32_t> bytes) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    return tell_name(socket->own_name(), name, bytes);
}
Outcome call_getpeername(Call& call, Descriptor fd, UserOut<std::byte> name, UserInOut<std::uint32_t> bytes) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    return tell_name(LINUX_TRY(socket->peer_name()), name, bytes);
}

} // namespace aios::linux_abi
