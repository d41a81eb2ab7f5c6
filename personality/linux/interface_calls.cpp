// ioctl on sockets about network devices (netdevice(7)): there is one, the loopback, and nobody changes it.
#include <algorithm>
#include <cstring>

#include "personality/linux/socket_file.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::size_t kNameBytes = 16;
struct Request { // struct ifreq
    char name[kNameBytes];
    std::byte value[24];
};
struct List { // struct ifconf
    std::int32_t bytes, none;
    std::uint64_t requests;
};
constexpr char kName[kNameBytes] = "lo";

constexpr std::uint32_t kFirst = 0x8910, kLast = 0x8970; // SIOCGIFNAME, and behind the last that asks

constexpr std::uint32_t kAskName = 0x8910, kAskList = 0x8912, kAskFlags = 0x8913, kAskAddress = 0x8915,
                        kAskBroadcast = 0x8919, kAskMask = 0x891b, kAskMetric = 0x891d, kAskMtu = 0x8921,
                        kAskHardware = 0x8927, kAskIndex = 0x8933, kAskQueue = 0x8942; // SIOCGIF...

template <typename T>
void put(Request& request, T value) {
    std::memset(request.value, 0, sizeof(request.value));
    std::memcpy(request.value, &value, sizeof(value));
}
struct Inet { // struct sockaddr_in
    std::uint16_t family = kFamilyInet, port = 0;
    std::uint8_t ip[4];
};

// False: nothing of the kind is known.
bool fill(Request& request, std::uint32_t asked) {
    constexpr std::uint16_t kUpLoopbackRunning = 0x49, kLoopbackType = 772;
    switch (asked) {
    case kAskFlags:
        put(request, kUpLoopbackRunning);
        return true;
    case kAskAddress:
        put(request, Inet{.ip = {127, 0, 0, 1}});
        return true;
    case kAskMask:
        put(request, Inet{.ip = {255, 0, 0, 0}});
        return true;
    case kAskBroadcast:
        put(request, Inet{.ip = {0, 0, 0, 0}});
        return true;
    case kAskMetric:
        put(request, std::int32_t{0});
        return true;
    case kAskMtu:
        put(request, std::int32_t{65536});
        return true;
    case kAskHardware:
        put(request, kLoopbackType);
        return true;
    case kAskIndex:
        put(request, std::int32_t{1});
        return true;
    case kAskQueue:
        put(request, std::int32_t{1000});
        return true;
    default:
        return false;
    }
}

Outcome list(UserInOut<List> user) {
    List asked = LINUX_TRY(user.read());
    if (asked.bytes < 0) return refuse(kInvalid);
    if (asked.requests == 0 || asked.bytes >= static_cast<std::int32_t>(sizeof(Request))) {
        Request request{};
        std::memcpy(request.name, kName, sizeof(kName));
        put(request, Inet{.ip = {127, 0, 0, 1}});
        if (asked.requests != 0) LINUX_TRY(UserOut<Request>(asked.requests).write(request));
        asked.bytes = sizeof(request);
    } else {
        asked.bytes = 0;
    }
    return answer(user.out(), asked);
}

} // namespace

Outcome control_interface(const SocketFile& socket, std::uint32_t request, std::uint64_t argument) {
    if (request < kFirst || request >= kLast) return refuse(kNotTerminal);
    if (request == kAskList) return list(UserInOut<List>(argument));
    const bool is_of_inet = request == kAskAddress || request == kAskMask || request == kAskBroadcast;
    if (is_of_inet && !socket.is_inet()) return refuse(kNotTerminal);
    const UserInOut<Request> user(argument);
    Request asked = LINUX_TRY(user.read());
    if (request == kAskName) {
        std::int32_t index = 0;
        std::memcpy(&index, asked.value, sizeof(index));
        if (index != 1) return refuse(kNoDevice);
        std::memcpy(asked.name, kName, sizeof(kName));
        return answer(user.out(), asked);
    }
    asked.name[kNameBytes - 1] = '\0';
    const bool is_known = std::strcmp(asked.name, kName) == 0;
    if (fill(asked, request)) return is_known ? answer(user.out(), asked) : refuse(kNoDevice);
    const bool would_change = request % 2 == 0 && request < kAskMtu + 2; // SIOCSIF...
    return refuse(would_change ? kPerm : kNotTerminal);
}

} // namespace aios::linux_abi
