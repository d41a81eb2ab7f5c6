// See netlink_answer.hpp.
#include "personality/linux/netlink_answer.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

#include "base/assert.hpp"
#include "base/bits.hpp"
#include "base/bytes.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint16_t kError = 2, kDone = 3, kMulti = 2; // NLMSG_..., NLM_F_MULTI
constexpr std::uint16_t kNewLink = 16, kGetLink = 18, kNewAddress = 20, kGetAddress = 22, kNewRoute = 24,
                        kGetRoute = 26, kFirst = 16, kLast = 123; // RTM_...; of four in a row the third one asks
constexpr std::uint8_t kAnyFamily = 0, kInet = 2, kInet6 = 10;
constexpr std::uint32_t kLoopbackIndex = 1;
constexpr std::uint8_t kHostScope = 254; // RT_SCOPE_HOST
constexpr std::size_t kAlignment = 4, kAttributeHead = 4;
constexpr std::size_t kLinkBody = 16, kRouteBody = 12; // struct ifinfomsg, struct rtmsg
constexpr std::string_view kName("lo\0", 3);

struct Address {
    std::uint8_t family, prefix;
    std::uint8_t ip[16];
    [[nodiscard]] Bytes bytes() const { return std::as_bytes(std::span(ip)).first(family == kInet ? 4 : 16); }
};
constexpr Address kAddresses[] = {{kInet, 8, {127, 0, 0, 1}},
                                  {kInet6, 128, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}};

// Puts messages one behind another, each of a head, a body of fixed form and attributes.
class Writer {
public:
    Writer(const NetlinkRequest& request, std::uint32_t port, MutableBytes room)
        : request_(request), port_(port), room_(room) {}
    void begin(std::uint16_t type, std::uint16_t flags) {
        start_ = used_;
        put<std::uint32_t>(0); // how long it is; see end()
        put(type);
        put(flags);
        put(request_.sequence);
        put(port_);
    }
    void end() {
        store_le(room_.subspan(start_).data(), static_cast<std::uint32_t>(used_ - start_));
        align();
    }
    template <typename T>
    void put(T value) {
        AIOS_ASSERT(used_ + sizeof(T) <= room_.size());
        store_le(room_.subspan(used_).data(), static_cast<std::make_unsigned_t<T>>(value));
        used_ += sizeof(T);
    }
    void put_bytes(Bytes bytes) {
        AIOS_ASSERT(used_ + bytes.size() <= room_.size());
        std::ranges::copy(bytes, room_.subspan(used_).begin());
        used_ += bytes.size();
    }
    void attribute(std::uint16_t type, Bytes value) {
        put(static_cast<std::uint16_t>(kAttributeHead + value.size()));
        put(type);
        put_bytes(value);
        align();
    }
    template <typename T>
    void attribute_of(std::uint16_t type, T value) {
        std::byte bytes[sizeof(T)];
        store_le(bytes, value);
        attribute(type, bytes);
    }
    [[nodiscard]] std::size_t used() const { return used_; }

private:
    void align() {
        while (used_ % kAlignment != 0)
            put(std::uint8_t{0});
    }
    const NetlinkRequest& request_;
    const std::uint32_t port_;
    const MutableBytes room_;
    std::size_t used_ = 0, start_ = 0;
};

Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// The value of an attribute behind a body of so many bytes.
std::optional<Bytes> find_attribute(Bytes body, std::size_t skip, std::uint16_t type) {
    constexpr std::uint16_t kTypeBits = 0x3fff; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
    Bytes rest = body.size() > skip ? body.subspan(skip) : Bytes();
    while (rest.size() >= kAttributeHead) {
        const auto bytes = load_le<std::uint16_t>(rest.data());
        if (bytes < kAttributeHead || bytes > rest.size()) break;
        if ((load_le<std::uint16_t>(rest.data() + 2) & kTypeBits) == type)
            return rest.subspan(kAttributeHead, bytes - kAttributeHead);
        rest = rest.subspan(std::min(align_up<std::size_t>(bytes, kAlignment), rest.size()));
    }
    return std::nullopt;
}

void put_link(Writer& out, std::uint16_t flags) {
    constexpr std::uint16_t kHardwareAddress = 1, kBroadcast = 2, kLinkName = 3, kMtu = 4, kDiscipline = 6, kQueue = 13,
                            kState = 16, kMode = 17, kGroup = 27; // IFLA_...
    constexpr std::uint16_t kLoopbackType = 772;                  // ARPHRD_LOOPBACK
    constexpr std::uint32_t kUpAndRunning = 0x10049;              // IFF_UP, IFF_LOOPBACK, IFF_RUNNING, IFF_LOWER_UP
    constexpr std::byte kNoAddress[6]{};
    out.begin(kNewLink, flags);
    out.put(kAnyFamily);
    out.put(std::uint8_t{0});
    out.put(kLoopbackType);
    out.put(kLoopbackIndex);
    out.put(kUpAndRunning);
    out.put(std::uint32_t{0});
    out.attribute(kLinkName, bytes_of(kName));
    out.attribute_of(kQueue, std::uint32_t{1000});
    out.attribute_of(kState, std::uint8_t{0});
    out.attribute_of(kMode, std::uint8_t{0});
    out.attribute_of(kMtu, std::uint32_t{65536});
    out.attribute_of(kGroup, std::uint32_t{0});
    out.attribute(kHardwareAddress, kNoAddress);
    out.attribute(kBroadcast, kNoAddress);
    out.attribute(kDiscipline, bytes_of({"noqueue\0", 8}));
    out.end();
}

void put_address(Writer& out, std::uint16_t flags, const Address& address) {
    constexpr std::uint16_t kAddress = 1, kLocal = 2, kLabel = 3, kFlags = 8; // IFA_...
    constexpr std::uint8_t kPermanent = 0x80;                                 // IFA_F_PERMANENT
    out.begin(kNewAddress, flags);
    out.put(address.family);
    out.put(address.prefix);
    out.put(kPermanent);
    out.put(kHostScope);
    out.put(kLoopbackIndex);
    out.attribute(kAddress, address.bytes());
    if (address.family == kInet) {
        out.attribute(kLocal, address.bytes());
        out.attribute(kLabel, bytes_of(kName));
    }
    out.attribute_of(kFlags, std::uint32_t{kPermanent});
    out.end();
}

// To the whole network of the address, or to one that is in it.
void put_route(Writer& out, std::uint16_t flags, const Address& address, std::optional<Bytes> to) {
    constexpr std::uint16_t kTo = 1, kDevice = 4, kSource = 7, kTableNumber = 15; // RTA_...
    constexpr std::uint8_t kLocalTable = 255, kByKernel = 2,
                           kLocalRoute = 2; // RT_TABLE_LOCAL, RTPROT_KERNEL, RTN_LOCAL
    constexpr std::byte kNetwork[] = {std::byte{127}, std::byte{0}, std::byte{0}, std::byte{0}};
    const bool is_v4 = address.family == kInet;
    out.begin(kNewRoute, flags);
    out.put(address.family);
    out.put(to ? static_cast<std::uint8_t>(to->size() * 8) : address.prefix);
    out.put(std::uint16_t{0}); // source's prefix, type of service
    out.put(kLocalTable);
    out.put(kByKernel);
    out.put(is_v4 ? kHostScope : std::uint8_t{0});
    out.put(kLocalRoute);
    out.put(std::uint32_t{0});
    out.attribute_of(kTableNumber, std::uint32_t{kLocalTable});
    out.attribute(kTo, to ? *to : is_v4 ? Bytes(kNetwork) : address.bytes());
    if (is_v4) out.attribute(kSource, address.bytes());
    out.attribute_of(kDevice, kLoopbackIndex);
    out.end();
}

Errno answer_one(const NetlinkRequest& request, Writer& out) {
    const Bytes body = request.body;
    if (request.type == kGetLink) {
        if (body.size() < kLinkBody) return kInvalid;
        const auto name = find_attribute(body, kLinkBody, 3); // IFLA_IFNAME
        const bool has_name = name && !name->empty();
        const auto index = load_le<std::uint32_t>(body.data() + 4);
        const Bytes wanted = bytes_of(kName.substr(0, 2));
        const bool is_named =
            has_name && std::ranges::starts_with(*name, wanted) && (name->size() == 2 || (*name)[2] == std::byte{0});
        if (index == 0 && !has_name) return kInvalid;
        if (index != 0 ? index != kLoopbackIndex : !is_named) return kNoDevice;
        put_link(out, 0);
        return Errno{};
    }
    if (request.type == kGetRoute) {
        if (body.size() < kRouteBody) return kInvalid;
        const auto to = find_attribute(body, kRouteBody, 1); // RTA_DST
        for (const Address& address : kAddresses) {
            if (!to || to->size() != address.bytes().size()) continue;
            const std::size_t same = address.prefix / 8u;
            if (!std::ranges::equal(to->first(same), address.bytes().first(same))) continue;
            put_route(out, 0, address, to);
            return Errno{};
        }
        return to ? kUnreachable : kInvalid;
    }
    return kNotSupported;
}

// What there is nothing of is an empty list.
void answer_dump(const NetlinkRequest& request, Writer& out) {
    const std::uint8_t family = request.body.empty() ? kAnyFamily : static_cast<std::uint8_t>(request.body[0]);
    if (request.type == kGetLink) put_link(out, kMulti);
    for (const Address& address : kAddresses) {
        if (family != kAnyFamily && family != address.family) continue;
        if (request.type == kGetAddress) put_address(out, kMulti, address);
        if (request.type == kGetRoute) put_route(out, kMulti, address, std::nullopt);
    }
    out.begin(kDone, kMulti);
    out.put(std::int32_t{0});
    out.end();
}

} // namespace

bool take_netlink_request(Bytes& sent, NetlinkRequest& request) {
    if (sent.size() < kNetlinkHead) return false;
    const auto bytes = load_le<std::uint32_t>(sent.data());
    if (bytes < kNetlinkHead || bytes > sent.size()) return false;
    request.type = load_le<std::uint16_t>(sent.data() + 4);
    request.flags = load_le<std::uint16_t>(sent.data() + 6);
    request.sequence = load_le<std::uint32_t>(sent.data() + 8);
    request.port = load_le<std::uint32_t>(sent.data() + 12);
    request.body = sent.subspan(kNetlinkHead, bytes - kNetlinkHead);
    sent = sent.subspan(std::min(align_up<std::size_t>(bytes, kAlignment), sent.size()));
    return true;
}

NetlinkAnswer answer_netlink(const NetlinkRequest& request, std::uint32_t port, MutableBytes room) {
    if (request.type < kFirst) return {}; // NLMSG_NOOP and others of its kind
    if (request.type > kLast) return {0, kNotSupported};
    if (request.body.empty()) return {};     // it does not even say of which family
    const bool asks = request.type % 4 == 2; // RTM_NEW..., RTM_DEL..., RTM_GET..., RTM_SET...
    if (!asks) return {0, kPerm};
    Writer out(request, port, room.first(kMostNetlinkAnswer));
    if (request.is_dump()) {
        answer_dump(request, out);
        return {out.used()};
    }
    const Errno error = answer_one(request, out);
    return error == Errno{} ? NetlinkAnswer{out.used()} : NetlinkAnswer{0, error};
}

std::size_t netlink_error(const NetlinkRequest& request, std::uint32_t port, Errno error, ErrorBody body,
                          MutableBytes room) {
    constexpr std::uint16_t kCapped = 0x100; // NLM_F_CAPPED
    const bool is_cut = error == Errno{} || body == ErrorBody::cut;
    Writer out(request, port, room);
    out.begin(kError, is_cut ? kCapped : 0);
    out.put(-static_cast<std::int32_t>(error));
    out.put(static_cast<std::uint32_t>(kNetlinkHead + request.body.size()));
    out.put(request.type);
    out.put(request.flags);
    out.put(request.sequence);
    out.put(request.port);
    if (!is_cut) out.put_bytes(request.body);
    out.end();
    return out.used();
}

} // namespace aios::linux_abi
