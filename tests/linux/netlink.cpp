// AF_NETLINK as far as it tells of the loopback, and the ioctls about network devices. Where there are other links they are
// passed over.
#include <cerrno>
#include <cstring>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <vector>

#include "tests/linux/socket_fd.hpp"
#include "tests/linux/waiting.hpp"

using namespace linux_test;

namespace {

class Netlink : public SocketFd {
public:
    Netlink() : SocketFd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {}
    // A request with a body; answers what send() does.
    template <typename Body>
    long ask(std::uint16_t type, std::uint16_t flags, const Body& body) {
        struct {
            nlmsghdr head;
            Body body;
        } request{};
        request.head = {sizeof(request), type, static_cast<std::uint16_t>(flags | NLM_F_REQUEST), ++sequence, 0};
        request.body = body;
        return send(fd(), &request, sizeof(request), 0);
    }
    // The types of all messages that wait, in order; errors as minus the errno.
    std::vector<int> answers() {
        std::vector<int> types;
        alignas(nlmsghdr) char room[32768];
        for (;;) {
            const ssize_t bytes = recv(fd(), room, sizeof(room), MSG_DONTWAIT);
            if (bytes < 0) return types;
            auto left = static_cast<unsigned>(bytes);
            for (auto* head = reinterpret_cast<nlmsghdr*>(room); NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
                CHECK(head->nlmsg_seq == sequence);
                types.push_back(head->nlmsg_type == NLMSG_ERROR ? static_cast<nlmsgerr*>(NLMSG_DATA(head))->error
                                                                : head->nlmsg_type);
            }
        }
    }
    std::uint32_t sequence = 0;
};

LINUX_TEST(the_loopback_is_listed) {
    ifaddrs* all = nullptr;
    CHECK(getifaddrs(&all) == 0);
    bool has_v4 = false, has_link = false;
    for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
        if (std::strcmp(each->ifa_name, "lo") != 0 || each->ifa_addr == nullptr) continue;
        CHECK((each->ifa_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING)) == (IFF_UP | IFF_LOOPBACK | IFF_RUNNING));
        has_link = has_link || each->ifa_addr->sa_family == AF_PACKET;
        if (each->ifa_addr->sa_family != AF_INET) continue;
        const auto* const address = reinterpret_cast<const sockaddr_in*>(each->ifa_addr);
        const auto* const mask = reinterpret_cast<const sockaddr_in*>(each->ifa_netmask);
        has_v4 = has_v4 ||
                 (ntohl(address->sin_addr.s_addr) == INADDR_LOOPBACK && ntohl(mask->sin_addr.s_addr) == 0xff000000);
    }
    freeifaddrs(all);
    CHECK(has_v4 && has_link);
    const unsigned index = if_nametoindex("lo");
    char name[IF_NAMESIZE];
    CHECK(index != 0 && if_indextoname(index, name) != nullptr && std::strcmp(name, "lo") == 0);
    struct if_nameindex* const names = if_nameindex();
    CHECK(names != nullptr && names[0].if_index == index && std::strcmp(names[0].if_name, "lo") == 0);
    if_freenameindex(names);
    CHECK(if_nametoindex("none0") == 0 && errno == ENODEV);
}

LINUX_TEST(requests_are_answered_one_by_one) {
    Netlink socket;
    ifinfomsg link{};
    link.ifi_index = static_cast<int>(if_nametoindex("lo"));
    CHECK(socket.ask(RTM_GETLINK, 0, link) == 32);
    CHECK(poll_one(socket.fd(), POLLIN) == POLLIN && socket.answers() == std::vector<int>{RTM_NEWLINK});
    CHECK(socket.ask(RTM_GETLINK, NLM_F_ACK, link) == 32);
    CHECK((socket.answers() == std::vector<int>{RTM_NEWLINK, 0}));
    link.ifi_index = 4711;
    CHECK(socket.ask(RTM_GETLINK, 0, link) == 32 && socket.answers() == std::vector<int>{-ENODEV});
    link.ifi_index = 0;
    CHECK(socket.ask(RTM_GETLINK, 0, link) == 32 && socket.answers() == std::vector<int>{-EINVAL});
    ifaddrmsg addresses{};
    addresses.ifa_family = AF_INET;
    CHECK(socket.ask(RTM_GETADDR, NLM_F_DUMP, addresses) > 0);
    const auto listed = socket.answers();
    CHECK(listed.size() >= 2 && listed.front() == RTM_NEWADDR && listed.back() == NLMSG_DONE);
    CHECK(socket.ask(NLMSG_NOOP, NLM_F_ACK, link) > 0 && socket.answers() == std::vector<int>{0});
    CHECK(socket.ask(RTM_MAX + 40, 0, link) > 0 && socket.answers() == std::vector<int>{-EOPNOTSUPP});
    CHECK(recv(socket.fd(), &link, sizeof(link), MSG_DONTWAIT) == -1 && errno == EAGAIN);
}

LINUX_TEST(names_of_sockets) {
    Netlink socket, other;
    sockaddr_nl name{};
    name.nl_family = AF_NETLINK;
    CHECK(bind(socket.fd(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0);
    CHECK(bind(other.fd(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0);
    sockaddr_nl first{}, second{};
    socklen_t bytes = sizeof(first);
    CHECK(getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&first), &bytes) == 0 && bytes == sizeof(first));
    CHECK(getsockname(other.fd(), reinterpret_cast<sockaddr*>(&second), &bytes) == 0);
    CHECK(first.nl_family == AF_NETLINK && first.nl_pid != 0 && second.nl_pid != 0 && first.nl_pid != second.nl_pid);
    CHECK(bind(socket.fd(), reinterpret_cast<sockaddr*>(&name), 4) == -1 && errno == EINVAL);
    CHECK(bind(socket.fd(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) == -1 && errno == EINVAL);
    Netlink third;
    CHECK(connect(third.fd(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0);
    CHECK(getsockname(third.fd(), reinterpret_cast<sockaddr*>(&second), &bytes) == 0 && second.nl_pid != 0);
    name.nl_pid = first.nl_pid + 1;
    CHECK(bind(socket.fd(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) == -1 && errno == EINVAL);
    CHECK(listen(socket.fd(), 1) == -1 && errno == EOPNOTSUPP);
    CHECK(::socket(AF_NETLINK, SOCK_STREAM, 0) == -1 && errno == ESOCKTNOSUPPORT);
    CHECK(::socket(AF_NETLINK, SOCK_RAW, 31) == -1 && errno == EPROTONOSUPPORT);
    const int on = 1;
    int got = 0;
    bytes = sizeof(got);
    const int group = RTNLGRP_LINK;
    CHECK(setsockopt(socket.fd(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == 0);
    CHECK(setsockopt(socket.fd(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) == 0);
    CHECK(getsockopt(socket.fd(), SOL_NETLINK, NETLINK_EXT_ACK, &got, &bytes) == 0 && got == 1);
}

LINUX_TEST(devices_by_ioctl) {
    const SocketFd socket(::socket(AF_INET, SOCK_DGRAM, 0), nullptr);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    CHECK(ioctl(socket.fd(), SIOCGIFADDR, &request) == 0);
    CHECK(ntohl(reinterpret_cast<sockaddr_in*>(&request.ifr_addr)->sin_addr.s_addr) == INADDR_LOOPBACK);
    CHECK(ioctl(socket.fd(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_LOOPBACK) != 0);
    CHECK(ioctl(socket.fd(), SIOCGIFMTU, &request) == 0 && request.ifr_mtu == 65536);
    CHECK(ioctl(socket.fd(), SIOCGIFHWADDR, &request) == 0 && request.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK);
    std::strcpy(request.ifr_name, "none0");
    CHECK(ioctl(socket.fd(), SIOCGIFFLAGS, &request) == -1 && errno == ENODEV);
    ifreq room[8]{};
    ifconf list{};
    list.ifc_len = sizeof(room);
    list.ifc_req = room;
    CHECK(ioctl(socket.fd(), SIOCGIFCONF, &list) == 0 && list.ifc_len >= static_cast<int>(sizeof(ifreq)));
    CHECK(std::strcmp(room[0].ifr_name, "lo") == 0);
    CHECK(ioctl(socket.fd(), SIOCGIFCONF, nullptr) == -1 && errno == EFAULT);
}

LINUX_TEST(nobody_changes_the_network) {
    SKIP_UNLESS(on_aios(), "would change this machine");
    Netlink socket;
    ifinfomsg link{};
    link.ifi_index = 1;
    for (const int type : {RTM_NEWLINK, RTM_DELLINK, RTM_SETLINK, RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE})
        CHECK(socket.ask(static_cast<std::uint16_t>(type), 0, link) == 32 &&
              socket.answers() == std::vector<int>{-EPERM});
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    CHECK(ioctl(socket.fd(), SIOCSIFFLAGS, &request) == -1 && errno == EPERM);
    ifaddrs* all = nullptr;
    CHECK(getifaddrs(&all) == 0);
    for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next)
        CHECK(std::strcmp(each->ifa_name, "lo") == 0);
    freeifaddrs(all);
}

// Damaged and endless requests: nothing is answered, or an error; the socket stays as it was.
LINUX_TEST(damaged_requests) {
    Netlink socket;
    std::vector<char> many(4096);
    for (std::size_t at = 0; at + 16 <= many.size(); at += 16) {
        const nlmsghdr head{16, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 0, 0};
        std::memcpy(many.data() + at, &head, sizeof(head));
    }
    CHECK(send(socket.fd(), many.data(), 3, 0) == 3 || errno == EINVAL);
    nlmsghdr wrong{0xffffffff, RTM_GETLINK, NLM_F_REQUEST, 0, 0};
    CHECK(send(socket.fd(), &wrong, sizeof(wrong), 0) == sizeof(wrong) || errno == EINVAL);
    wrong.nlmsg_len = 15;
    CHECK(send(socket.fd(), &wrong, sizeof(wrong), 0) == sizeof(wrong) || errno == EINVAL);
    CHECK(socket.answers().empty());
    CHECK(send(socket.fd(), nullptr, 64, 0) == -1 && errno == EFAULT);
    for (int i = 0; i < 20; ++i)
        (void)send(socket.fd(), many.data(), many.size(), 0); // more than the socket holds
    (void)socket.answers();
    ifinfomsg link{};
    link.ifi_index = static_cast<int>(if_nametoindex("lo"));
    Netlink other;
    CHECK(other.ask(RTM_GETLINK, 0, link) == 32 && other.answers() == std::vector<int>{RTM_NEWLINK});
}

} // namespace

int main() { return run_all("netlink"); }
