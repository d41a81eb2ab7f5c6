// setsockopt and getsockopt: those options that are more than a word, or that ask the socket itself; socket_options.hpp has
// the others.
#include <algorithm>

#include "personality/linux/stream_socket.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::int32_t kType = 3, kError = 4, kLinger = 13, kPeerCredentials = 17, kReceiveTime = 20, kSendTime = 21,
                       kAccepts = 30, kProtocol = 38, kDomain = 39, kReceiveTimeNew = 66,
                       kSendTimeNew = 67; // SO_... of SOL_SOCKET

struct Linger { // struct linger
    std::int32_t on, seconds;
};
constexpr std::uint64_t kSecond = 1'000'000'000, kMicrosecond = 1000;

std::atomic<std::uint64_t>* time_of(SocketFile& socket, std::int32_t option) {
    if (option == kReceiveTime || option == kReceiveTimeNew) return &socket.options().receive_time;
    if (option == kSendTime || option == kSendTimeNew) return &socket.options().send_time;
    return nullptr;
}

Outcome set_time(std::atomic<std::uint64_t>& time, UserIn<std::byte> value, std::uint32_t bytes) {
    constexpr std::int64_t kMicroseconds = 1'000'000, kMostSeconds = 1ll << 32; // longer is for ever
    if (bytes < sizeof(TimeVal)) return refuse(kInvalid);
    const auto wanted = LINUX_TRY(UserIn<TimeVal>(value.address()).read());
    constexpr Errno kOutOfDomain{33}; // EDOM
    if (wanted.microseconds < 0 || wanted.microseconds >= kMicroseconds) return refuse(kOutOfDomain);
    if (wanted.seconds < 0) return 0; // as if it were over at once; nobody asks for that
    time = wanted.seconds >= kMostSeconds ? 0
                                          : static_cast<std::uint64_t>(wanted.seconds) * kSecond +
                                                static_cast<std::uint64_t>(wanted.microseconds) * kMicrosecond;
    return 0;
}

// As much of the value as there is room for.
template <typename T>
Outcome tell(const T& told, UserOut<std::byte> value, UserInOut<std::uint32_t> bytes, std::uint32_t room) {
    const std::uint32_t fitting = std::min<std::uint32_t>(room, sizeof(told));
    LINUX_TRY(value.write_array(0, std::as_bytes(std::span(&told, 1)).data(), fitting));
    return answer(bytes.out(), fitting);
}

// What a socket is, and not what was set.
std::optional<std::int32_t> state_of(SocketFile& socket, std::int32_t option) {
    switch (option) {
    case kType:
        return socket.socket_kind().type;
    case kDomain:
        return socket.socket_kind().family;
    case kProtocol:
        return socket.socket_kind().protocol;
    case kError:
        return static_cast<std::int32_t>(socket.take_error());
    case kAccepts:
        return socket.listens() ? 1 : 0;
    default:
        return std::nullopt;
    }
}

} // namespace

Outcome call_setsockopt(Call& call, Descriptor fd, std::int32_t level, std::int32_t option, UserIn<std::byte> value,
                        std::uint32_t bytes) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    if (static_cast<std::int32_t>(bytes) < 0) return refuse(kInvalid);
    if (level == kLevelSocket) {
        if (std::atomic<std::uint64_t>* const time = time_of(*socket, option); time != nullptr)
            return set_time(*time, value, bytes);
        if (option == kLinger) {
            if (bytes < sizeof(Linger)) return refuse(kInvalid);
            const auto linger = LINUX_TRY(UserIn<Linger>(value.address()).read());
            socket->options().put(SocketOption::linger_on, linger.on != 0 ? 1 : 0);
            socket->options().put(SocketOption::linger_seconds, linger.seconds);
            return 0;
        }
    }
    std::int32_t word = 0;
    if (bytes >= sizeof(word)) {
        word = LINUX_TRY(UserIn<std::int32_t>(value.address()).read());
    } else if (level == kLevelSocket || level == kLevelTcp || bytes == 0) {
        return refuse(kInvalid);
    } else { // those of the Internet take a byte too
        word = static_cast<std::int32_t>(LINUX_TRY(value.read()));
    }
    const Errno error = socket->options().set(socket->socket_kind(), level, option, word);
    return error == Errno{} ? Outcome(0) : refuse(error);
}

Outcome call_getsockopt(Call& call, Descriptor fd, std::int32_t level, std::int32_t option, UserOut<std::byte> value,
                        UserInOut<std::uint32_t> bytes) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    const auto room = LINUX_TRY(bytes.read());
    if (static_cast<std::int32_t>(room) < 0) return refuse(kInvalid);
    if (level == kLevelSocket) {
        if (const auto state = state_of(*socket, option); state) return tell(*state, value, bytes, room);
        if (const std::atomic<std::uint64_t>* const time = time_of(*socket, option); time != nullptr) {
            const std::uint64_t ns = *time;
            const TimeVal told{static_cast<std::int64_t>(ns / kSecond),
                               static_cast<std::int64_t>(ns % kSecond / kMicrosecond)};
            return tell(told, value, bytes, room);
        }
        if (option == kLinger) {
            const Linger told{socket->options().of(SocketOption::linger_on),
                              socket->options().of(SocketOption::linger_seconds)};
            return tell(told, value, bytes, room);
        }
        if (option == kPeerCredentials) {
            const std::int32_t process = socket->peer_process();
            const std::uint32_t nobody = socket->is_inet() || process == 0 ? ~0u : 0;
            return tell(Credentials{socket->is_inet() ? 0 : process, nobody, nobody}, value, bytes, room);
        }
    }
    return tell(LINUX_TRY(socket->options().get(socket->socket_kind(), level, option)), value, bytes, room);
}

} // namespace aios::linux_abi
