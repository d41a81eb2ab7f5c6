// SocketOptions: what setsockopt has said of a socket. Most options change nothing here, as nothing is lost or late on its way
// inside an agent: they are checked, remembered and told again. The table in socket_options.cpp has them with what they take.
// No lock: each is a word of its own.
#pragma once

#include <atomic>

#include "personality/linux/outcome.hpp"

namespace aios::linux_abi {

// Which sockets an option is for.
struct SocketKind {
    std::uint16_t family = 0;
    std::int32_t type = 0;
    std::int32_t protocol = 0;
};

enum class SocketOption : std::uint8_t {
    debug,
    reuse_address,
    dont_route,
    broadcast,
    send_bytes,
    receive_bytes,
    keep_alive,
    out_of_band_inline,
    priority,
    linger_on,
    linger_seconds,
    pass_credentials,
    reuse_port,
    receive_least,
    time_stamp,
    mark,
    busy_poll,
    tcp_no_delay,
    tcp_largest_segment,
    tcp_cork,
    tcp_keep_idle,
    tcp_keep_interval,
    tcp_keep_count,
    tcp_syn_count,
    tcp_linger,
    tcp_defer_accept,
    tcp_window_clamp,
    tcp_quick_ack,
    tcp_user_timeout,
    tcp_fast_open,
    tcp_not_sent_low,
    ip_tos,
    ip_ttl,
    ip_receive_error,
    ip_packet_info,
    ip_path_mtu,
    v6_only,
    v6_hops,
    v6_class,
    v6_receive_error,
    v6_packet_info,
    netlink_joined,
    netlink_left,
    netlink_packet_info,
    netlink_no_buffers,
    netlink_cut_errors,
    netlink_more_of_errors,
    netlink_strict,
    count,
};

class SocketOptions {
public:
    explicit SocketOptions(const SocketKind& kind);
    [[nodiscard]] std::int32_t of(SocketOption option) const {
        return values_[static_cast<std::size_t>(option)].load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool is_on(SocketOption option) const { return of(option) != 0; }
    // What a listener's options mean for a socket that it accepts.
    void inherit(const SocketOptions& from);

    // One word in, and one out. kNoOption; kInvalid.
    Errno set(const SocketKind& kind, std::int32_t level, std::int32_t option, std::int32_t value);
    std::expected<std::int32_t, Errno> get(const SocketKind& kind, std::int32_t level, std::int32_t option) const;
    void put(SocketOption option, std::int32_t value) {
        values_[static_cast<std::size_t>(option)].store(value, std::memory_order_relaxed);
    }

    // SO_RCVTIMEO, SO_SNDTIMEO: how long a call waits, in ns; 0: for ever.
    std::atomic<std::uint64_t> receive_time{0}, send_time{0};

private:
    std::atomic<std::int32_t> values_[static_cast<std::size_t>(SocketOption::count)]{};
};

inline constexpr std::int32_t kLevelSocket = 1, kLevelIp = 0, kLevelTcp = 6, kLevelUdp = 17, kLevelIp6 = 41,
                              kLevelNetlink = 270;

} // namespace aios::linux_abi
