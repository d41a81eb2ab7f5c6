// What goes through sockets: sendto, recvfrom, sendmsg, recvmsg.
#include "personality/linux/socket_file.hpp"

namespace aios::linux_abi {
namespace {

// The socket, if it may be asked for that. kNotSupported: there is no out-of-band data.
std::expected<Ref<SocketFile>, Errno> socket_for(Call& call, Descriptor fd, std::uint32_t flags) {
    auto socket = LINUX_TRY(socket_of(call, fd));
    if ((flags & kMessageOutOfBand) != 0) return std::unexpected(kNotSupported);
    return socket;
}

std::expected<Vectors, Errno> vectors_of(Call& call, const MessageHeader& message) {
    if (message.count > Vectors::kMaxVectors) return std::unexpected(kMessageTooLong);
    return Vectors::fetch(call.process.quota(), UserIn<IoVector>(message.vectors), message.count);
}

} // namespace

Outcome call_sendto(Call& call, Descriptor fd, UserIn<std::byte> from, std::uint64_t bytes, std::uint32_t flags,
                    UserIn<std::byte> name, std::uint32_t name_bytes) {
    const auto socket = LINUX_TRY(socket_for(call, fd, flags));
    SocketName to;
    if (!name.is_null()) to = LINUX_TRY(fetch_name(name, name_bytes));
    const Vectors vectors(from.address(), bytes);
    VectorsIn in(vectors);
    return socket->send(call, in, vectors.bytes(), {.flags = flags, .to = name.is_null() ? nullptr : &to});
}

Outcome call_recvfrom(Call& call, Descriptor fd, UserOut<std::byte> to, std::uint64_t bytes, std::uint32_t flags,
                      UserOut<std::byte> name, UserInOut<std::uint32_t> name_bytes) {
    const auto socket = LINUX_TRY(socket_for(call, fd, flags));
    const Vectors vectors(to.address(), bytes);
    VectorsOut out(vectors);
    Received told;
    const auto done = LINUX_TRY(socket->receive(call, out, vectors.bytes(), flags, told));
    if (!name.is_null()) LINUX_TRY(tell_name(told.from, name, name_bytes));
    return done;
}

Outcome call_sendmsg(Call& call, Descriptor fd, UserIn<MessageHeader> user, std::uint32_t flags) {
    const auto socket = LINUX_TRY(socket_for(call, fd, flags));
    const auto message = LINUX_TRY(user.read());
    const bool has_name = message.name != 0 && message.name_bytes != 0;
    SocketName to;
    if (has_name) to = LINUX_TRY(fetch_name(UserIn<std::byte>(message.name), message.name_bytes));
    const Vectors vectors = LINUX_TRY(vectors_of(call, message));
    mm::Owned<Attachment> attachment;
    if (message.control_bytes != 0 && !socket->is_inet()) attachment = LINUX_TRY(Attachment::fetch(call, message));
    VectorsIn in(vectors);
    const Sending how{.flags = flags, .to = has_name ? &to : nullptr, .attachment = &attachment};
    return socket->send(call, in, vectors.bytes(), how);
}

Outcome call_recvmsg(Call& call, Descriptor fd, UserInOut<MessageHeader> user, std::uint32_t flags) {
    const auto socket = LINUX_TRY(socket_for(call, fd, flags));
    auto message = LINUX_TRY(user.read());
    const Vectors vectors = LINUX_TRY(vectors_of(call, message));
    VectorsOut out(vectors);
    Received told;
    const auto done = LINUX_TRY(socket->receive(call, out, vectors.bytes(), flags, told));
    if (message.name != 0) {
        const std::uint32_t fitting = std::min(message.name_bytes, told.from.bytes);
        if (fitting != 0) LINUX_TRY(UserOut<std::byte>(message.name).write_array(0, told.from.data, fitting));
    }
    message.name_bytes = told.from.bytes;
    message.flags = told.flags;
    std::optional<Credentials> credentials;
    if (socket->options().is_on(SocketOption::pass_credentials) && !socket->is_inet()) {
        credentials = Credentials{told.process, 0, 0};
        if (told.attachment && told.attachment->credentials) credentials = told.attachment->credentials;
    }
    const OnExec on_exec = (flags & kMessageCloseOnExec) != 0 ? OnExec::close : OnExec::keep;
    LINUX_TRY(tell_attachment(call, message, told.attachment.get(), credentials, on_exec));
    LINUX_TRY(user.out().write(message));
    return done;
}

} // namespace aios::linux_abi
