// StreamSocket: a socket that connects, of AF_UNIX (SOCK_STREAM, SOCK_SEQPACKET) or the Internet. All go the same way:
//  (1) connect() marks the socket as connecting, under the space's mutex, so that it is the only one that does. Without the lock
//      it makes everything that a connection needs, the other side's SocketEnd too, and pays. From here on nothing fails for
//      lack of memory.
//  (2) Under the mutex it looks for who listens under the name. Nobody: ECONNREFUSED. Else the Connection goes into the
//      listener's list `queued_` while there is room in its backlog: it is connected, whether anybody accepts or not.
//  (3) Without room: EAGAIN (AF_UNIX that does not wait), or into the list `waiting_`. Who waits sleeps at its own SocketEnd
//      until the stage of its Connection changes. The lists hold a reference to each Connection, and take no memory.
//  (4) accept() takes the first of `queued_` and moves the first of `waiting_` there in the same step. What its caller cannot
//      take after all goes back to the front (put_back).
//  (5) A listener that ends, or stops by shutdown, is taken from the space first, so that nobody new comes. Then it takes
//      some from its lists under each hold and lets them go outside: who is connected hears ECONNRESET, who waited
//      ECONNREFUSED. A client that ends while it waits takes itself off; once it is queued, the Connection stays, and accept() finds
//      one that has ended.
//  (6) `connected_` is set once, when the socket is connected, and then stands until it ends: reading and writing take no mutex.
//      A client that did not wait is moved on by whoever looks at it next (settle_locked).
// Locks: the mutex of the SocketSpace over all but the data.
#pragma once

#include "personality/linux/connection.hpp"

namespace aios::linux_abi {

class StreamSocket final : public SocketFile {
public:
    static std::expected<Ref<StreamSocket>, Errno> create(Call& call, const SocketKind& kind);
    // Two that are connected to each other, AF_UNIX.
    struct Pair {
        Ref<StreamSocket> first, second;
    };
    static std::expected<Pair, Errno> create_pair(Call& call, const SocketKind& kind);
    StreamSocket(Reservation charge, Ref<SocketSpace> space, const SocketKind& kind, std::uint64_t inode,
                 Ref<SocketEnd> end)
        : SocketFile(std::move(charge), std::move(space), kind, inode), end_(std::move(end)) {}
    ~StreamSocket() override;

    Outcome listen(Call& call, std::int32_t backlog) override;
    Outcome connect(Call& call, const SocketName& name) override;
    std::expected<Ref<StreamSocket>, Errno> accept(Call& call) override;
    // What accept() gave cannot be had: it is the first of the queue again. `made` is as one that never connected.
    void put_back(StreamSocket& made);
    SocketName own_name() override;
    std::expected<SocketName, Errno> peer_name() override;
    Outcome send(Call& call, ipc::StreamIn& from, std::uint64_t bytes, const Sending& how) override;
    Outcome receive(Call& call, ipc::StreamOut& to, std::uint64_t bytes, std::uint32_t flags, Received& told) override;
    Outcome shut_down(Ways ways) override;
    std::int32_t peer_process() override;
    bool listens() override;
    Errno take_error() override;
    [[nodiscard]] StreamSocket* stream_socket() override { return this; }

    [[nodiscard]] event::Source* source() override { return &end_->source; }
    Outcome control(Call& call, std::uint32_t request, std::uint64_t argument) override;

private:
    static constexpr std::uint32_t kMostBacklog = 4096; // SOMAXCONN
    static constexpr unsigned kEndedAtOnce = 16;
    static constexpr std::uint64_t kAlone = kSignalWritable | kSignalClosed; // levels of one that is not connected
    enum class Stage : std::uint8_t { alone, listening, stopping, connecting, connected };
    // Whom connect() means.
    struct Target {
        InetAddress inet;
        UnixTarget local;
    };

    std::expected<Target, Errno> find_target(Call& call, const SocketName& name);
    [[nodiscard]] SocketBinding* find_listener_locked(const Target& target) AIOS_REQUIRES(space_->mutex);
    Errno begin_connecting(Ref<Connection>& attempt);
    std::expected<Ref<Connection>, Errno> make_connection(Call& call, const Target& target);
    enum class Patience : bool { leaves, waits };
    enum class Placed : std::uint8_t { queued, waiting };
    std::expected<Placed, Errno> place_locked(const Target& target, const Ref<Connection>& connection,
                                              Patience patience) AIOS_REQUIRES(space_->mutex);
    Outcome fail_to_connect(Errno error, Patience patience);
    Outcome wait_until_connected(Call& call, const Ref<Connection>& attempt);
    Outcome wait_for_attempt(Call& call); // of another thread, if one is under way
    // Moves a client on whose connection was accepted or refused. What it has lost goes to the caller, to be let go outside.
    Ref<Connection> settle_locked() AIOS_REQUIRES(space_->mutex);
    void withdraw_locked(Connection& own) AIOS_REQUIRES(space_->mutex); // from the list of those that wait
    Connection* connection();                                           // nullptr: it is not connected
    Ref<Connection> take_queued_locked() AIOS_REQUIRES(space_->mutex);
    void attach(Ref<Connection> connection, unsigned side);
    void stop_listening();
    [[nodiscard]] bool has_packets() const { return socket_kind().type == kSocketPackets; }
    Outcome send_packet(Call& call, ipc::StreamIn& from, std::uint64_t bytes, const Sending& how);
    Outcome not_connected(Call& call, std::uint32_t flags, Ways way);
    Outcome outcome_of(Call& call, Connection& connection, Error error, std::uint32_t flags, std::uint64_t bytes);

    Ref<SocketEnd> end_;                          // constant once others see the socket
    unsigned side_ = 0;                           // likewise
    std::atomic<Connection*> connected_{nullptr}; // (6)
    // Under the space's mutex:
    Stage stage_ = Stage::alone;
    Ref<Connection> connection_;
    bool has_told_ = false; // connect() has answered that it is connected
    std::uint32_t backlog_ = 0;
    std::int32_t listening_process_ = 0;
    IntrusiveList<Connection, &Connection::node> queued_, waiting_;
    std::uint32_t queued_count_ = 0;
};

} // namespace aios::linux_abi
