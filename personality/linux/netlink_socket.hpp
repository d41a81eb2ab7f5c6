// NetlinkSocket: AF_NETLINK, NETLINK_ROUTE. Each request that is sent is answered at once into the socket's own inbox, by what
// netlink_answer.hpp says of a network that is a loopback. Other processes cannot be written to, and as nothing ever changes
// no group tells of anything.
//
// Locks: the inbox's. The number of the socket is set once.
#pragma once

#include "personality/linux/inbox.hpp"
#include "personality/linux/netlink_answer.hpp"

namespace aios::linux_abi {

class NetlinkSocket final : public SocketFile {
public:
    static constexpr std::uint64_t kMostSent = 4096; // bytes of requests at once; more is kMessageTooLong
    static std::expected<Ref<NetlinkSocket>, Errno> create(Call& call, const SocketKind& kind);
    NetlinkSocket(Reservation charge, Ref<SocketSpace> space, const SocketKind& kind, std::uint64_t inode,
                  Ref<Inbox> inbox)
        : SocketFile(std::move(charge), std::move(space), kind, inode), inbox_(std::move(inbox)) {}
    ~NetlinkSocket() override { inbox_->close(); }

    Outcome bind(Call& call, const SocketName& name) override;
    Outcome connect(Call& call, const SocketName& name) override;
    SocketName own_name() override;
    std::expected<SocketName, Errno> peer_name() override;
    Outcome send(Call& call, ipc::StreamIn& from, std::uint64_t bytes, const Sending& how) override;
    Outcome receive(Call& call, ipc::StreamOut& to, std::uint64_t bytes, std::uint32_t flags, Received& told) override;
    Outcome shut_down(Ways) override { return refuse(kNotSupported); }
    Errno take_error() override { return inbox_->end->take_error(); }
    [[nodiscard]] event::Source* source() override { return &inbox_->end->source; }
    Outcome control(Call&, std::uint32_t request, std::uint64_t argument) override {
        return control_interface(*this, request, argument);
    }

private:
    void bind_to_any(); // if it has no number yet
    Errno answer(Call& call, const NetlinkRequest& request);
    Errno deliver(Call& call, Bytes message);

    const Ref<Inbox> inbox_;
    std::atomic<std::uint32_t> port_{0}; // 0: none yet
    std::atomic<std::uint32_t> groups_{0};
};

} // namespace aios::linux_abi
