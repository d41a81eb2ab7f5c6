// Inbox: the datagrams that wait at one socket, whole and in the order of coming.
//
//  (1) Who sends makes the Datagram first, with no lock: its bytes come from user memory, and he pays for them.
//  (2) He puts it into the list under the lock. A full inbox is would_block, one whose socket has ended is peer_closed.
//  (3) Who receives takes the first off under the lock, or has a reference to it (MSG_PEEK), and copies with no lock.
//  (4) Who waits for room sleeps at `senders`; each datagram that leaves wakes one, or all if the longest would go in now. Who waits for datagrams sleeps at `receivers`.
//  (5) The socket's end closes the inbox, and then takes some off under each hold. Nobody adds any more.
//  (6) An inbox between two connected sockets has a `writer`: it can write (POLLOUT) while the longest datagram would go in, or
//      when none will ever: then it finds out.
// Locks: Rank::stream. Bounds: kMostDatagrams, kMostBytes.
#pragma once

#include "base/intrusive_list.hpp"
#include "personality/linux/socket_file.hpp"

namespace aios::linux_abi {

struct Datagram {
    static constexpr std::uint64_t kMostBytes = 128 << 10;
    // The bytes of `from`. kMessageTooLong, kNoMemory, kFault.
    static std::expected<Ref<Datagram>, Errno> create(Payer& payer, ipc::StreamIn& from, std::uint64_t bytes);
    Datagram(mm::OnHeap, Reservation reservation, mm::OwnedBytes contents, std::uint64_t size)
        : bytes(size), data(std::move(contents)), charge_(std::move(reservation)) {}
    Datagram(const Datagram&) = delete;
    ~Datagram() = default;
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }
    const std::uint64_t bytes;
    const mm::OwnedBytes data;
    SocketName from; // AF_UNIX; no bytes: it has none
    InetAddress sender;
    std::int32_t process = 0;
    mm::Owned<Attachment> attachment; // who takes the datagram out of the inbox may take it
    ListNode node;                    // under the inbox's lock

private:
    RefCount references_;
    Reservation charge_;
};

class Inbox {
public:
    static constexpr std::uint64_t kMostBytes = 256 << 10, kMostDatagrams = 256;

    static Result<Ref<Inbox>> create(Payer& payer);
    static Result<Ref<Inbox>> create_between(Payer& payer, Ref<SocketEnd> reader, Ref<SocketEnd> writer);
    Inbox(mm::OnHeap, Reservation charge, Ref<SocketEnd> reader, Ref<SocketEnd> writer)
        : end(std::move(reader)), writer_(std::move(writer)), charge_(std::move(charge)) {}
    Inbox(const Inbox&) = delete;
    ~Inbox() = default;
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }

    enum class Put : std::uint8_t { done, full, closed };
    Put put(const Ref<Datagram>& datagram);
    // Empty: there is none. `is_over`: none will come.
    Ref<Datagram> take(ipc::Take take, bool& is_over);
    // Nothing more comes in; what is there may still be read.
    void stop();
    void close(); // the socket ends. Once
    [[nodiscard]] std::uint64_t first_bytes();
    [[nodiscard]] std::uint64_t waiting(); // bytes of all
    [[nodiscard]] bool is_empty();

    const Ref<SocketEnd> end;
    sched::WaitQueue senders, receivers;

private:
    static constexpr unsigned kEndedAtOnce = 16;
    using Lock = sync::SpinLock<sync::Rank::stream>;
    [[nodiscard]] bool takes_longest_locked() const AIOS_REQUIRES(lock_);
    RefCount references_;
    const Ref<SocketEnd> writer_; // empty: anybody writes
    Reservation charge_;
    Lock lock_;
    IntrusiveList<Datagram, &Datagram::node> list_ AIOS_GUARDED_BY(lock_); // with a reference each
    std::uint64_t bytes_ AIOS_GUARDED_BY(lock_) = 0, count_ AIOS_GUARDED_BY(lock_) = 0;
    bool is_stopped_ AIOS_GUARDED_BY(lock_) = false;
};

// What all sockets with an inbox do. Puts the datagram in, waits for room: nothing, kAgain, kInterrupted; kPipe: it is closed.
Errno send_datagram(Call& call, SocketFile& socket, Inbox& to, const Ref<Datagram>& datagram, std::uint32_t flags);
// The next one, as much of it as fits: its bytes, 0 also where none will come. The socket's error, kAgain, kInterrupted.
Outcome receive_datagram(Call& call, SocketFile& socket, Inbox& from, ipc::StreamOut& to, std::uint64_t bytes,
                         std::uint32_t flags, Received& told);

} // namespace aios::linux_abi
