// What rtnetlink answers (RFC 3549; <linux/netlink.h>, <linux/rtnetlink.h>) in a network that is a loopback and nothing else:
// one link "lo", the addresses 127.0.0.1/8 and ::1/128, and the local routes to them. Whoever asks for a change is refused.
// Pure: no state, no locks.
#pragma once

#include <cstdint>

#include "base/types.hpp"
#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

inline constexpr std::size_t kNetlinkHead = 16;         // struct nlmsghdr
inline constexpr std::size_t kMostNetlinkAnswer = 1024; // bytes, of the messages to one request

// One request: struct nlmsghdr and what belongs to it.
struct NetlinkRequest {
    Bytes body; // behind the head
    std::uint16_t type = 0, flags = 0;
    std::uint32_t sequence = 0, port = 0;

    static constexpr std::uint16_t kIsRequest = 1, kWantsAck = 4, kDump = 0x300; // NLM_F_...
    [[nodiscard]] bool is_dump() const { return (flags & kDump) != 0; }
};

// Takes the next request off what was sent; false: there is none, or what is left is none.
bool take_netlink_request(Bytes& sent, NetlinkRequest& request);

struct NetlinkAnswer {
    std::size_t bytes = 0; // of messages; a dump ends with NLMSG_DONE
    Errno error{};         // if it is one, nothing else is answered
};
// `port`: the socket's number, which answers carry. Writes at most kMostNetlinkAnswer bytes.
NetlinkAnswer answer_netlink(const NetlinkRequest& request, std::uint32_t port, MutableBytes room);

// NLMSG_ERROR: how the request went (Errno{}: well), and the request again; only its head if all went well or `cut`. Room: the
// request, two heads and 8 bytes. Answers the bytes.
enum class ErrorBody : bool { whole, cut };
std::size_t netlink_error(const NetlinkRequest& request, std::uint32_t port, Errno error, ErrorBody body,
                          MutableBytes room);

} // namespace aios::linux_abi
