// What goes through sockets: sendto, recvfrom, sendmsg, recvmsg.
#include <algorithm>

#include "kernel/time/clock.hpp"
#include "personality/linux/socket_file.hpp"

namespace aios::linux_abi {
namespace {

// The socket, if it may be asked for that. There is no out-of-band data: none can be sent (kNotSupported), and none was
// (kInvalid).
std::expected<Ref<SocketFile>, Errno> socket_to_send(Call& call, Descriptor fd, std::uint32_t flags) {
    auto socket = LINUX_TRY(socket_of(call, fd));
    if ((flags & kMessageOutOfBand) != 0) return std::unexpected(kNotSupported);
    return socket;
}
std::expected<Ref<SocketFile>, Errno> socket_to_receive(Call& call, Descriptor fd, std::uint32_t flags) {
    auto socket = LINUX_TRY(socket_of(call, fd));
    if ((flags & kMessageOutOfBand) != 0) return std::unexpected(socket->is_inet() ? kInvalid : kNotSupported);
    return socket;
}

std::expected<Vectors, Errno> vectors_of(Call& call, const MessageHeader& message) {
    if (message.count > Vectors::kMaxVectors) return std::unexpected(kMessageTooLong);
    return Vectors::fetch(call.process.quota(), UserIn<IoVector>(message.vectors), message.count);
}

} // namespace

Outcome call_sendto(Call& call, Descriptor fd, UserIn<std::byte> from, std::uint64_t bytes, std::uint32_t flags,
                    UserIn<std::byte> name, std::uint32_t name_bytes) {
    const auto socket = LINUX_TRY(socket_to_send(call, fd, flags));
    SocketName to;
    if (!name.is_null()) to = LINUX_TRY(fetch_name(name, name_bytes));
    const Vectors vectors(from.address(), bytes);
    VectorsIn in(vectors);
    return socket->send(call, in, vectors.bytes(), {.flags = flags, .to = name.is_null() ? nullptr : &to});
}

Outcome call_recvfrom(Call& call, Descriptor fd, UserOut<std::byte> to, std::uint64_t bytes, std::uint32_t flags,
                      UserOut<std::byte> name, UserInOut<std::uint32_t> name_bytes) {
    const auto socket = LINUX_TRY(socket_to_receive(call, fd, flags));
    const Vectors vectors(to.address(), bytes);
    VectorsOut out(vectors);
    Received told;
    const auto done = LINUX_TRY(socket->receive(call, out, vectors.bytes(), flags, told));
    if (!name.is_null()) LINUX_TRY(tell_name(told.from, name, name_bytes));
    return done;
}

namespace {

Outcome send_message(Call& call, Descriptor fd, UserIn<MessageHeader> user, std::uint32_t flags) {
    const auto socket = LINUX_TRY(socket_to_send(call, fd, flags));
    const auto message = LINUX_TRY(user.read());
    const bool has_name = message.name != 0 && message.name_bytes != 0;
    SocketName to;
    if (has_name) to = LINUX_TRY(fetch_name(UserIn<std::byte>(message.name), message.name_bytes));
    const Vectors vectors = LINUX_TRY(vectors_of(call, message));
    mm::Owned<Attachment> attachment;
    if (message.control_bytes != 0 && socket->is_unix()) attachment = LINUX_TRY(Attachment::fetch(call, message));
    VectorsIn in(vectors);
    const Sending how{.flags = flags, .to = has_name ? &to : nullptr, .attachment = &attachment};
    return socket->send(call, in, vectors.bytes(), how);
}

Outcome receive_message(Call& call, Descriptor fd, UserInOut<MessageHeader> user, std::uint32_t flags) {
    const auto socket = LINUX_TRY(socket_to_receive(call, fd, flags));
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
    if (socket->options().is_on(SocketOption::pass_credentials) && socket->is_unix()) {
        credentials = Credentials{told.process, 0, 0};
        if (told.attachment && told.attachment->credentials) credentials = told.attachment->credentials;
    }
    const OnExec on_exec = (flags & kMessageCloseOnExec) != 0 ? OnExec::close : OnExec::keep;
    LINUX_TRY(tell_attachment(call, message, told.attachment.get(), credentials, on_exec));
    LINUX_TRY(user.out().write(message));
    return done;
}

// struct mmsghdr: a header, and how much of it went through.
constexpr std::uint64_t kManyBytes = 64, kManyDone = 56, kMostMany = 1024;
constexpr std::uint32_t kWaitForOne = 0x10000; // MSG_WAITFORONE

} // namespace

Outcome call_sendmsg(Call& call, Descriptor fd, UserIn<MessageHeader> user, std::uint32_t flags) {
    return send_message(call, fd, user, flags);
}
Outcome call_recvmsg(Call& call, Descriptor fd, UserInOut<MessageHeader> user, std::uint32_t flags) {
    return receive_message(call, fd, user, flags);
}

// As many as go through; an error counts only for the first.
Outcome call_sendmmsg(Call& call, Descriptor fd, UserIn<std::byte> messages, std::uint32_t count, std::uint32_t flags) {
    std::uint64_t done = 0;
    for (; done < std::min<std::uint64_t>(count, kMostMany) && !call.thread.is_killed(); ++done) {
        const std::uint64_t at = messages.address() + done * kManyBytes;
        const Outcome sent = send_message(call, fd, UserIn<MessageHeader>(at), flags);
        if (!sent) return done != 0 ? Outcome(done) : sent;
        const auto bytes = static_cast<std::uint32_t>(*sent);
        if (!UserOut<std::uint32_t>(at + kManyDone).write(bytes)) return done != 0 ? Outcome(done) : refuse(kFault);
    }
    return done;
}

// The time is looked at between two messages, as on Linux.
Outcome call_recvmmsg(Call& call, Descriptor fd, UserInOut<std::byte> messages, std::uint32_t count,
                      std::uint32_t flags, UserInOut<TimeSpec> time) {
    sched::Deadline deadline = sched::kNever;
    if (!time.is_null()) {
        const TimeSpec given = LINUX_TRY(time.read());
        deadline = aios::time::deadline_after(LINUX_TRY(nanoseconds_of(given)));
    }
    std::uint64_t done = 0;
    for (; done < std::min<std::uint64_t>(count, kMostMany) && !call.thread.is_killed();) {
        const std::uint64_t at = messages.address() + done * kManyBytes;
        const std::uint32_t how =
            (flags & ~kWaitForOne) | (done != 0 && (flags & kWaitForOne) != 0 ? kMessageDontWait : 0);
        const Outcome got = receive_message(call, fd, UserInOut<MessageHeader>(at), how);
        if (!got) return done != 0 ? Outcome(done) : got;
        const auto bytes = static_cast<std::uint32_t>(*got);
        if (!UserOut<std::uint32_t>(at + kManyDone).write(bytes)) return done != 0 ? Outcome(done) : refuse(kFault);
        ++done;
        if (aios::time::now_ns() >= deadline) break;
    }
    return done;
}

} // namespace aios::linux_abi
