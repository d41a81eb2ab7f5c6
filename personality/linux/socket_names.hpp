// What sockets are called: struct sockaddr in all its forms, and the Internet addresses in them. No state, no locks.
#pragma once

#include <compare>
#include <string_view>

#include "personality/linux/outcome.hpp"

namespace aios::linux_abi {

inline constexpr std::uint16_t kFamilyNone = 0, kFamilyUnix = 1, kFamilyInet = 2, kFamilyNetlink = 16,
                               kFamilyInet6 = 10; // AF_...
inline constexpr std::int32_t kSocketStream = 1, kSocketDatagram = 2, kSocketRaw = 3,
                              kSocketPackets = 5; // SOCK_..., the last SOCK_SEQPACKET

// One struct sockaddr, as long as it is.
struct SocketName {
    static constexpr std::size_t kRoom = 128; // struct sockaddr_storage
    static constexpr std::size_t kFamilyBytes = 2;
    std::uint32_t bytes = 0;
    std::byte data[kRoom]{};

    static SocketName of_family(std::uint16_t family);
    [[nodiscard]] std::uint16_t family() const;
    // struct sockaddr_un: what stands behind the family. An abstract name begins with a NUL.
    [[nodiscard]] std::string_view text() const;
};

// kInvalid: longer than any; kFault.
std::expected<SocketName, Errno> fetch_name(UserIn<std::byte> user, std::uint32_t bytes);
// As much as there is room for, and how long it is. kInvalid: a negative room; kFault.
Outcome tell_name(const SocketName& name, UserOut<std::byte> to, UserInOut<std::uint32_t> bytes);

// An address and a port of the Internet. Those of version 4 are kept as version 6 maps them (RFC 4291 section 2.5.5.2).
struct InetAddress {
    static constexpr std::size_t kBytes = 16;
    std::uint8_t ip[kBytes]{};
    std::uint16_t port = 0;

    static InetAddress any(std::uint16_t family);
    static InetAddress loopback_like(const InetAddress& other); // 127.0.0.1 or ::1
    // kInvalid: too short; kNoFamily: of another family than the socket's.
    static std::expected<InetAddress, Errno> from(const SocketName& name, std::uint16_t family);
    [[nodiscard]] SocketName name(std::uint16_t family) const;

    [[nodiscard]] bool is_v4() const;
    [[nodiscard]] bool is_any() const;
    [[nodiscard]] bool is_loopback() const; // 127.0.0.0/8, ::1
    [[nodiscard]] bool has_ip_of(const InetAddress& other) const;

    // "127.0.0.1:80", "[0:0:0:0:0:0:0:1]:80"; at most kTextRoom bytes.
    static constexpr std::size_t kTextRoom = 48;
    std::string_view text(char (&room)[kTextRoom]) const;
};

} // namespace aios::linux_abi
