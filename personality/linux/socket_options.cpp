// The table of socket options. See socket_options.hpp.
#include "personality/linux/socket_options.hpp"

#include <algorithm>

#include "personality/linux/socket_names.hpp"

namespace aios::linux_abi {
namespace {

using enum SocketOption;

// Which sockets have an option.
enum class Of : std::uint8_t { all, inet, inet6, tcp, netlink };
// What becomes of the value: as it is, on or off, or a size, of which Linux tells twice what was asked for.
enum class Form : std::uint8_t { word, flag, size };

struct Row {
    SocketOption option;
    std::int32_t level,
        number; // SOL_... and the name's value, <asm-generic/socket.h>, <netinet/tcp.h>, <linux/in.h>, <linux/in6.h>, <linux/netlink.h>
    Of of;
    Form form;
    std::int32_t first, least, most; // at the start; what else is kInvalid
};

constexpr std::int32_t kAnything = INT32_MAX, kDefaultBytes = 212'992, kMostBytes = 2 * kDefaultBytes,
                       kLeastSend = 4608, kLeastReceive = 2304;

constexpr Row kRows[] = {
    {debug, kLevelSocket, 1, Of::all, Form::flag, 0, INT32_MIN, kAnything},
    {reuse_address, kLevelSocket, 2, Of::all, Form::flag, 0, INT32_MIN, kAnything},
    {dont_route, kLevelSocket, 5, Of::all, Form::flag, 0, INT32_MIN, kAnything},
    {broadcast, kLevelSocket, 6, Of::all, Form::flag, 0, INT32_MIN, kAnything},
    {send_bytes, kLevelSocket, 7, Of::all, Form::size, kDefaultBytes, kLeastSend, kMostBytes},
    {receive_bytes, kLevelSocket, 8, Of::all, Form::size, kDefaultBytes, kLeastReceive, kMostBytes},
    {keep_alive, kLevelSocket, 9, Of::all, Form::flag, 0, INT32_MIN, kAnything},
    {out_of_band_inline, kLevelSocket, 10, Of::all, Form::flag, 0, INT32_MIN, kAnything},
    {priority, kLevelSocket, 12, Of::all, Form::word, 0, 0, 6},
    {reuse_port, kLevelSocket, 15, Of::all, Form::flag, 0, INT32_MIN, kAnything},
    {pass_credentials, kLevelSocket, 16, Of::all, Form::flag, 0, INT32_MIN, kAnything},
    {receive_least, kLevelSocket, 18, Of::all, Form::word, 1, 0, kAnything},
    {time_stamp, kLevelSocket, 29, Of::all, Form::flag, 0, INT32_MIN, kAnything},
    {mark, kLevelSocket, 36, Of::all, Form::word, 0, 0, 0},
    {busy_poll, kLevelSocket, 46, Of::all, Form::word, 0, 0, kAnything},
    {tcp_no_delay, kLevelTcp, 1, Of::tcp, Form::flag, 0, INT32_MIN, kAnything},
    {tcp_largest_segment, kLevelTcp, 2, Of::tcp, Form::word, 536, 0, 32767},
    {tcp_cork, kLevelTcp, 3, Of::tcp, Form::flag, 0, INT32_MIN, kAnything},
    {tcp_keep_idle, kLevelTcp, 4, Of::tcp, Form::word, 7200, 1, 32767},
    {tcp_keep_interval, kLevelTcp, 5, Of::tcp, Form::word, 75, 1, 32767},
    {tcp_keep_count, kLevelTcp, 6, Of::tcp, Form::word, 9, 1, 127},
    {tcp_syn_count, kLevelTcp, 7, Of::tcp, Form::word, 6, 1, 127},
    {tcp_linger, kLevelTcp, 8, Of::tcp, Form::word, 60, INT32_MIN, kAnything},
    {tcp_defer_accept, kLevelTcp, 9, Of::tcp, Form::word, 0, INT32_MIN, kAnything},
    {tcp_window_clamp, kLevelTcp, 10, Of::tcp, Form::word, 0, 0, kAnything},
    {tcp_quick_ack, kLevelTcp, 12, Of::tcp, Form::flag, 1, INT32_MIN, kAnything},
    {tcp_user_timeout, kLevelTcp, 18, Of::tcp, Form::word, 0, 0, kAnything},
    {tcp_fast_open, kLevelTcp, 23, Of::tcp, Form::word, 0, 0, kAnything},
    {tcp_not_sent_low, kLevelTcp, 25, Of::tcp, Form::word, 0, INT32_MIN, kAnything},
    {ip_tos, kLevelIp, 1, Of::inet, Form::word, 0, 0, 255},
    {ip_ttl, kLevelIp, 2, Of::inet, Form::word, 64, 1, 255},
    {ip_packet_info, kLevelIp, 8, Of::inet, Form::flag, 0, INT32_MIN, kAnything},
    {ip_path_mtu, kLevelIp, 10, Of::inet, Form::word, 1, 0, 5},
    {ip_receive_error, kLevelIp, 11, Of::inet, Form::flag, 0, INT32_MIN, kAnything},
    {v6_hops, kLevelIp6, 16, Of::inet6, Form::word, 64, 0, 255},
    {v6_receive_error, kLevelIp6, 25, Of::inet6, Form::flag, 0, INT32_MIN, kAnything},
    {v6_only, kLevelIp6, 26, Of::inet6, Form::flag, 0, INT32_MIN, kAnything},
    {v6_packet_info, kLevelIp6, 49, Of::inet6, Form::flag, 0, INT32_MIN, kAnything},
    {v6_class, kLevelIp6, 67, Of::inet6, Form::word, 0, 0, 255},
    {netlink_joined, kLevelNetlink, 1, Of::netlink, Form::word, 0, 1, 36}, // groups: none of them ever tells anything
    {netlink_left, kLevelNetlink, 2, Of::netlink, Form::word, 0, 1, 36},
    {netlink_packet_info, kLevelNetlink, 3, Of::netlink, Form::flag, 0, INT32_MIN, kAnything},
    {netlink_no_buffers, kLevelNetlink, 5, Of::netlink, Form::flag, 0, INT32_MIN, kAnything},
    {netlink_cut_errors, kLevelNetlink, 10, Of::netlink, Form::flag, 0, INT32_MIN, kAnything},
    {netlink_more_of_errors, kLevelNetlink, 11, Of::netlink, Form::flag, 0, INT32_MIN, kAnything},
    {netlink_strict, kLevelNetlink, 12, Of::netlink, Form::flag, 0, INT32_MIN, kAnything},
};

bool has(const SocketKind& kind, Of of) {
    switch (of) {
    case Of::all:
        return true;
    case Of::inet:
        return kind.family == kFamilyInet || kind.family == kFamilyInet6;
    case Of::inet6:
        return kind.family == kFamilyInet6;
    case Of::tcp:
        return has(kind, Of::inet) && kind.type == kSocketStream;
    case Of::netlink:
        return kind.family == kFamilyNetlink;
    }
    return false;
}

// Whether the family knows the level at all.
bool has_level(const SocketKind& kind, std::int32_t level) {
    if (level == kLevelSocket) return true;
    return std::ranges::any_of(kRows, [&](const Row& row) { return row.level == level && has(kind, row.of); });
}

std::expected<const Row*, Errno> find(const SocketKind& kind, std::int32_t level, std::int32_t number) {
    for (const Row& row : kRows) {
        if (row.level == level && row.number == number && has(kind, row.of)) return &row;
    }
    const bool is_inet = has(kind, Of::inet);
    return std::unexpected(has_level(kind, level) || is_inet ? kNoOption : kNotSupported);
}

} // namespace

SocketOptions::SocketOptions(const SocketKind& kind) {
    for (const Row& row : kRows) {
        if (has(kind, row.of)) put(row.option, row.first);
    }
}

void SocketOptions::inherit(const SocketOptions& from) {
    for (std::size_t i = 0; i < std::size(values_); ++i)
        values_[i].store(from.values_[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
    receive_time = from.receive_time.load();
    send_time = from.send_time.load();
}

Errno SocketOptions::set(const SocketKind& kind, std::int32_t level, std::int32_t option, std::int32_t value) {
    const auto found = find(kind, level, option);
    if (!found) return found.error();
    const Row& row = **found;
    switch (row.form) {
    case Form::flag:
        put(row.option, value != 0 ? 1 : 0);
        break;
    case Form::word:
        if (value < row.least || value > row.most) return kInvalid;
        put(row.option, value);
        break;
    case Form::size:
        put(row.option, static_cast<std::int32_t>(std::clamp<std::int64_t>(2ll * value, row.least, row.most)));
        break;
    }
    return Errno{};
}

std::expected<std::int32_t, Errno> SocketOptions::get(const SocketKind& kind, std::int32_t level,
                                                      std::int32_t option) const {
    return of(LINUX_TRY(find(kind, level, option))->option);
}

} // namespace aios::linux_abi
