// SocketFile: what all sockets share as open files. stream_socket.hpp has those that connect.
//
// A socket's source and its error lie in its SocketEnd, which is counted by itself: a peer that is busy with it may outlive
// the open file. Locks: the SocketSpace's mutex over names and states; Rank::stream over a SocketEnd.
#pragma once

#include "personality/linux/attachment.hpp"
#include "personality/linux/socket_options.hpp"
#include "personality/linux/socket_space.hpp"

namespace aios::linux_abi {

class DatagramSocket;
class StreamSocket;

inline constexpr std::uint32_t kMessageOutOfBand = 1, kMessagePeek = 2, kMessageTruncated = 0x20,
                               kMessageDontWait = 0x40, kMessageWaitAll = 0x100, kMessageNoSignal = 0x4000,
                               kMessageControlTruncated = 8, kMessageCloseOnExec = 0x4000'0000; // MSG_...

// Which directions are meant: bits.
using Ways = unsigned;
inline constexpr Ways kWayIn = 1, kWayOut = 2, kBothWays = 3;

// What of a socket others may be busy with after it has been closed.
struct SocketEnd {
    static Result<Ref<SocketEnd>> create(Payer& payer, std::uint64_t levels);
    SocketEnd(mm::OnHeap, Reservation reservation, std::uint64_t levels)
        : source(levels), charge_(std::move(reservation)) {}
    SocketEnd(const SocketEnd&) = delete;
    ~SocketEnd() = default;
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }

    // What the next call that asks answers (SO_ERROR); POLLERR until then.
    void fail(Errno error);
    [[nodiscard]] Errno take_error();
    // Nothing comes in or goes out any more; both: POLLHUP.
    void end(Ways ways);
    [[nodiscard]] bool has_ended(Ways ways);
    // As a new one: not connected.
    void restart(std::uint64_t levels);

    event::Source source;
    sched::WaitQueue waiters; // threads in connect or in accept: a socket has one sort

private:
    using Lock = sync::SpinLock<sync::Rank::stream>;
    RefCount references_;
    Reservation charge_;
    Lock lock_;
    Errno error_ AIOS_GUARDED_BY(lock_){};
    Ways ended_ AIOS_GUARDED_BY(lock_) = 0;
};

// How a message is sent.
struct Sending {
    std::uint32_t flags = 0;
    const SocketName* to = nullptr;              // nullptr: to the peer
    mm::Owned<Attachment>* attachment = nullptr; // AF_UNIX: taken if it is sent
};
// What is told of one that was received.
struct Received {
    SocketName from; // no bytes: nothing is told
    std::uint32_t flags = 0;
    mm::Owned<Attachment> attachment;
    std::int32_t process = 0; // who sent it; 0: not known
};

class SocketFile : public OpenFile {
public:
    [[nodiscard]] const SocketKind& socket_kind() const { return kind_; }
    [[nodiscard]] SocketOptions& options() { return options_; }
    [[nodiscard]] SocketBinding& binding() { return binding_; }
    [[nodiscard]] SocketSpace& space() const { return *space_; }
    [[nodiscard]] bool is_inet() const { return kind_.family == kFamilyInet || kind_.family == kFamilyInet6; }
    [[nodiscard]] bool is_unix() const { return kind_.family == kFamilyUnix; }
    // Whether a call with these flags waits.
    [[nodiscard]] bool waits(std::uint32_t flags) const { return !non_blocking && (flags & kMessageDontWait) == 0; }

    virtual Outcome bind(Call& call, const SocketName& name);
    virtual Outcome listen(Call&, std::int32_t) { return refuse(kNotSupported); }
    virtual Outcome connect(Call& call, const SocketName& name) = 0;
    // The socket of the next who has connected, without a descriptor.
    virtual std::expected<Ref<StreamSocket>, Errno> accept(Call& call); // kNotSupported
    virtual SocketName own_name() = 0;
    virtual std::expected<SocketName, Errno> peer_name() = 0; // kNotConnected
    virtual Outcome send(Call& call, ipc::StreamIn& from, std::uint64_t bytes, const Sending& how) = 0;
    virtual Outcome receive(Call& call, ipc::StreamOut& to, std::uint64_t bytes, std::uint32_t flags,
                            Received& told) = 0;
    virtual Outcome shut_down(Ways ways) = 0; // kNotConnected
    virtual std::int32_t peer_process() { return 0; }
    [[nodiscard]] virtual bool listens() { return false; }
    [[nodiscard]] virtual Errno take_error() = 0;
    [[nodiscard]] virtual StreamSocket* stream_socket() { return nullptr; }
    [[nodiscard]] virtual DatagramSocket* datagram_socket() { return nullptr; }

    [[nodiscard]] bool is_seekable() const override { return false; }
    [[nodiscard]] Stat info() const override { return anonymous_info(kModeSocket | 0777, inode_); }
    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) final;
    Outcome write(Call& call, UserIn<std::byte> from, std::uint64_t bytes) final;
    Outcome read_vectors(Call& call, const Vectors& to) final;
    Outcome write_vectors(Call& call, const Vectors& from) final;
    Errno put(Call& call, Bytes bytes) final;

protected:
    SocketFile(Reservation charge, Ref<SocketSpace> space, const SocketKind& kind, std::uint64_t inode)
        : OpenFile(std::move(charge), {}, FileKind::socket), space_(std::move(space)), binding_(*this, kind.type),
          kind_(kind), options_(kind), inode_(inode) {}
    // Of the Internet: the address, and a port of the system's choice if it names none. Nothing if it is bound already.
    // kAddressInUse.
    Errno bind_address(const InetAddress& address);
    [[nodiscard]] SocketName inet_name_locked() const AIOS_REQUIRES(space_->mutex); // that it is bound to
    void unbind();                                                                  // at the end
    // Until one of the signals is set at the source, for as long as the option says. kAgain, kInterrupted, kNoMemory.
    Errno wait_for_signals(Call& call, std::uint64_t signals, sched::Deadline deadline);

    const Ref<SocketSpace> space_;
    SocketBinding binding_; // under the space's mutex

private:
    Outcome bind_unix(Call& call, const SocketName& name);
    Outcome bind_path(Call& call, const SocketName& name);
    Errno begin_binding();
    void end_binding();
    const SocketKind kind_;
    SocketOptions options_;
    const std::uint64_t inode_;
    bool is_being_bound_ = false; // under the space's mutex: a thread is looking for a name
};

// Whom a name means: a socket of AF_UNIX by its abstract name, which lies in the name that was given, or its node. kInvalid,
// kConnectionRefused (no socket stands there), and what a look-up of a path answers.
struct UnixTarget {
    std::string_view abstract;
    Ref<fs::Node> node;
};
std::expected<UnixTarget, Errno> find_unix(Call& call, const SocketName& name);
SocketBinding* find_unix_locked(const SocketSpace& space, std::int32_t type, const UnixTarget& target)
    AIOS_REQUIRES(space.mutex);
// An address that may be talked to; all addresses mean the loopback. kInvalid, kNoFamily; kAccess, recorded.
std::expected<InetAddress, Errno> find_inet(Call& call, const SocketKind& kind, const SocketName& name);

// ioctl: what there is of network devices, for all sockets. kNotTerminal: it asks for something else.
Outcome control_interface(const SocketFile& socket, std::uint32_t request, std::uint64_t argument);

// The socket behind a descriptor; kNotSocket.
std::expected<Ref<SocketFile>, Errno> socket_of(Call& call, Descriptor fd);

} // namespace aios::linux_abi
