// DatagramSocket: SOCK_DGRAM of AF_UNIX and of the Internet. What is sent goes straight into the inbox of whoever has the name
// (inbox.hpp). A socket that is connected hears its peer alone. Where nobody is, AF_UNIX says so; the Internet's socket that is
// connected hears of it by its next call, another one never, and a full inbox there loses what comes.
//
// Locks: the mutex of the SocketSpace over names and peers.
#pragma once

#include "personality/linux/inbox.hpp"

namespace aios::linux_abi {

class DatagramSocket final : public SocketFile {
public:
    static std::expected<Ref<DatagramSocket>, Errno> create(Call& call, const SocketKind& kind);
    // Each is the other's peer.
    static void join(DatagramSocket& first, DatagramSocket& second);
    DatagramSocket(Reservation charge, Ref<SocketSpace> space, const SocketKind& kind, std::uint64_t inode,
                   Ref<Inbox> inbox)
        : SocketFile(std::move(charge), std::move(space), kind, inode), inbox_(std::move(inbox)) {}
    ~DatagramSocket() override;

    Outcome connect(Call& call, const SocketName& name) override;
    SocketName own_name() override;
    std::expected<SocketName, Errno> peer_name() override;
    Outcome send(Call& call, ipc::StreamIn& from, std::uint64_t bytes, const Sending& how) override;
    Outcome receive(Call& call, ipc::StreamOut& to, std::uint64_t bytes, std::uint32_t flags, Received& told) override;
    Outcome shut_down(Ways ways) override;
    Errno take_error() override { return inbox_->end->take_error(); }
    [[nodiscard]] DatagramSocket* datagram_socket() override { return this; }
    [[nodiscard]] event::Source* source() override { return &inbox_->end->source; }
    Outcome control(Call& call, std::uint32_t request, std::uint64_t argument) override;

private:
    // Where something goes, and from whom it comes.
    struct Way {
        Ref<Inbox> inbox; // empty: nobody is there
        InetAddress from, to;
        SocketName name; // AF_UNIX: the sender's
    };
    std::expected<Way, Errno> find_way(Call& call, const SocketName* to);
    [[nodiscard]] SocketBinding* find_inet_locked(const InetAddress& from, const InetAddress& to)
        AIOS_REQUIRES(space_->mutex);
    [[nodiscard]] InetAddress address_for_locked(const InetAddress& to) const AIOS_REQUIRES(space_->mutex);

    const Ref<Inbox> inbox_;
    // Under the space's mutex:
    bool is_connected_ = false, is_shut_ = false;
    Ref<Inbox> peer_; // AF_UNIX
    SocketName peer_name_;
    InetAddress peer_address_;
};

} // namespace aios::linux_abi
