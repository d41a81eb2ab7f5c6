// Connection: what two connected sockets share: two Streams, one for each direction, between two SocketEnds, or two Inboxes where
// packets keep their borders (SOCK_SEQPACKET). Side 0 connected, side 1 accepted; a socketpair has one without either.
//
// A direction ends for who writes and for who reads. Sockets of AF_UNIX end it for both at once; on the Internet's the reader
// who stops says nothing until somebody writes to him. Who closes a socket that has bytes left unread, or lingers for no time,
// breaks the connection: his peer hears ECONNRESET.
//
// Locks: Rank::stream, in SocketEnd and Stream. `node` to `stage` are under the mutex of the SocketSpace.
#pragma once

#include "base/intrusive_list.hpp"
#include "personality/linux/inbox.hpp"

namespace aios::linux_abi {

class Connection {
public:
    enum class Stage : std::uint8_t {
        apart,    // in no listener's lists
        waiting,  // for room among those that have connected
        queued,   // connected, not accepted yet
        accepted, // or a socketpair
        refused   // its listener ended while it waited
    };
    // Ends that nobody has yet, or that are not connected: their levels become those of a connected socket's.
    static Result<Ref<Connection>> create(Payer& payer, Ref<SocketEnd> first, Ref<SocketEnd> second,
                                          const SocketKind& kind);
    Connection(mm::OnHeap, Reservation charge, Payer& payer, Ref<SocketEnd> first, Ref<SocketEnd> second,
               std::uint16_t family)
        : charge_(std::move(charge)), ends_{std::move(first), std::move(second)}, is_inet_(family != kFamilyUnix),
          streams_{{payer, ends_[1]->source, ends_[0]->source, kEnds},
                   {payer, ends_[0]->source, ends_[1]->source, kEnds}} {}
    Connection(const Connection&) = delete;
    ~Connection() = default;
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }

    [[nodiscard]] const Ref<SocketEnd>& end(unsigned side) const { return ends_[side]; }
    [[nodiscard]] ipc::Stream& from(unsigned side) { return streams_[side]; } // what `side` writes
    [[nodiscard]] AttachmentList& attachments_from(unsigned side) { return attachments_[side]; }
    [[nodiscard]] bool has_packets() const { return static_cast<bool>(packets_[0]); }
    [[nodiscard]] Inbox& packets_from(unsigned side) { return *packets_[side]; } // in place of the stream
    [[nodiscard]] std::uint64_t waiting_from(unsigned side);                     // bytes

    void shut_down(unsigned side, Ways ways);
    enum class Farewell : bool { orderly, reset };
    void close(unsigned side, Farewell farewell);
    // The side's peer is gone without a word: what it does next fails with `error`, and so on.
    void break_off(unsigned side, Errno error);
    // Somebody wrote to a side that is closed. True: the first time, of which an Internet socket's writer hears nothing yet.
    [[nodiscard]] bool is_first_lost(unsigned side);

    // Constant once it is in a list.
    std::int32_t processes[2] = {0, 0}; // who listened or connected: SO_PEERCRED
    SocketName names[2];                // AF_UNIX
    InetAddress addresses[2];           // AF_INET, AF_INET6

    ListNode node;
    StreamSocket* listener = nullptr; // in whose lists it is
    Stage stage = Stage::apart;

private:
    // The end is something to read, and an event of its own (POLLRDHUP); who may not write any more finds out.
    static constexpr ipc::Stream::Ends kEnds{kSignalReadable | kSignalReadClosed, kSignalWritable};
    void end_way_from(unsigned side, Ways way);
    void end_ways(unsigned side, Ways ways);
    [[nodiscard]] bool has_unread(unsigned side);
    RefCount references_;
    Reservation charge_;
    const Ref<SocketEnd> ends_[2];
    const bool is_inet_;
    std::atomic<bool> has_lost_[2] = {false, false};
    ipc::Stream streams_[2]; // from side i
    Ref<Inbox> packets_[2];  // likewise; empty: the streams are used
    AttachmentList attachments_[2];
};

} // namespace aios::linux_abi
