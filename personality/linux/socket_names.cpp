// See socket_names.hpp.
#include "personality/linux/socket_names.hpp"

#include <algorithm>
#include <cstring>

#include "base/format.hpp"

namespace aios::linux_abi {
namespace {

struct InetName { // struct sockaddr_in; port and address in the order of the network
    std::uint16_t family;
    std::uint8_t port[2], address[4], zero[8];
};
static_assert(sizeof(InetName) == 16);
struct Inet6Name { // struct sockaddr_in6
    std::uint16_t family;
    std::uint8_t port[2], flow[4], address[16];
    std::uint32_t scope;
};
static_assert(sizeof(Inet6Name) == 28);
constexpr std::uint32_t kLeastInet6 = 24; // without the scope (RFC 2133)

constexpr std::size_t kMapped = 12; // bytes before a mapped address of version 4
constexpr std::uint8_t kMappedHead[kMapped] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <typename T>
T read_as(const SocketName& name) {
    T out{};
    std::memcpy(&out, name.data, std::min(sizeof(out), SocketName::kRoom));
    return out;
}
template <typename T>
SocketName written(const T& value) {
    SocketName out;
    out.bytes = sizeof(value);
    std::memcpy(out.data, &value, sizeof(value));
    return out;
}

} // namespace

SocketName SocketName::of_family(std::uint16_t family) { return written(family); }

std::uint16_t SocketName::family() const {
    std::uint16_t out = 0;
    if (bytes >= kFamilyBytes) std::memcpy(&out, data, sizeof(out));
    return out;
}

std::string_view SocketName::text() const {
    if (bytes <= kFamilyBytes) return {};
    return {reinterpret_cast<const char*>(data) + kFamilyBytes, bytes - kFamilyBytes}; // SAFETY: bytes as characters
}

std::expected<SocketName, Errno> fetch_name(UserIn<std::byte> user, std::uint32_t bytes) {
    if (bytes > SocketName::kRoom) return std::unexpected(kInvalid);
    SocketName out;
    out.bytes = bytes;
    if (bytes != 0) LINUX_TRY(user.read_array(0, out.data, bytes));
    return out;
}

Outcome tell_name(const SocketName& name, UserOut<std::byte> to, UserInOut<std::uint32_t> bytes) {
    const auto room = LINUX_TRY(bytes.read());
    if (static_cast<std::int32_t>(room) < 0) return refuse(kInvalid);
    if (const std::uint32_t told = std::min(room, name.bytes); told != 0) LINUX_TRY(to.write_array(0, name.data, told));
    return answer(bytes.out(), name.bytes);
}

InetAddress InetAddress::any(std::uint16_t family) {
    InetAddress out;
    if (family == kFamilyInet) std::ranges::copy(kMappedHead, out.ip);
    return out;
}

InetAddress InetAddress::loopback_like(const InetAddress& other) {
    InetAddress out = any(other.is_v4() ? kFamilyInet : kFamilyInet6);
    if (other.is_v4()) out.ip[kMapped] = 127;
    out.ip[kBytes - 1] = 1;
    return out;
}

std::expected<InetAddress, Errno> InetAddress::from(const SocketName& name, std::uint16_t family) {
    InetAddress out = any(family);
    if (family == kFamilyInet) {
        if (name.bytes < sizeof(InetName)) return std::unexpected(kInvalid);
        const auto in = read_as<InetName>(name);
        if (in.family != kFamilyInet) return std::unexpected(kNoFamily);
        std::ranges::copy(in.address, out.ip + kMapped);
        out.port = static_cast<std::uint16_t>(in.port[0] << 8 | in.port[1]);
        return out;
    }
    if (name.bytes < kLeastInet6) return std::unexpected(kInvalid);
    const auto in = read_as<Inet6Name>(name);
    if (in.family != kFamilyInet6) return std::unexpected(kNoFamily);
    std::ranges::copy(in.address, out.ip);
    out.port = static_cast<std::uint16_t>(in.port[0] << 8 | in.port[1]);
    return out;
}

SocketName InetAddress::name(std::uint16_t family) const {
    const auto high = static_cast<std::uint8_t>(port >> 8), low = static_cast<std::uint8_t>(port);
    if (family == kFamilyInet) {
        InetName out{.family = family, .port = {high, low}, .address = {}, .zero = {}};
        std::copy_n(ip + kMapped, sizeof(out.address), out.address);
        return written(out);
    }
    Inet6Name out{.family = family, .port = {high, low}, .flow = {}, .address = {}, .scope = 0};
    std::ranges::copy(ip, out.address);
    return written(out);
}

bool InetAddress::is_v4() const { return std::ranges::equal(std::span(ip, kMapped), kMappedHead); }

bool InetAddress::is_any() const {
    return std::all_of(ip + (is_v4() ? kMapped : 0), ip + kBytes, [](std::uint8_t byte) { return byte == 0; });
}

bool InetAddress::is_loopback() const { return is_v4() ? ip[kMapped] == 127 : has_ip_of(loopback_like(*this)); }

bool InetAddress::has_ip_of(const InetAddress& other) const { return std::ranges::equal(ip, other.ip); }

std::string_view InetAddress::text(char (&room)[kTextRoom]) const {
    if (is_v4()) return format_to(room, "{}.{}.{}.{}:{}", ip[12], ip[13], ip[14], ip[15], port);
    TextBuffer out(room);
    for (std::size_t i = 0; i < kBytes; i += 2)
        out.print("{}{:x}", i == 0 ? "[" : ":", static_cast<std::uint32_t>(ip[i] << 8 | ip[i + 1]));
    out.print("]:{}", port);
    return out.text();
}

} // namespace aios::linux_abi
