// Inbox: the datagrams that wait at one socket, whole and in the order of coming.
//
//  (1) Who sends makes the Datagram first, with no lock: its bytes come from user memory, and he pays for them.
//  (2) He puts it into the list under the lock. A full inbox is would_block, one whose socket has ended is peer_closed.
//  (3) Who receives takes the first off under the lock, or has a reference to it (MSG_PEEK), and copies with no lock.
//  (4) Who waits for room sleeps at `senders`; each datagram that leaves wakes one. Who waits for datagrams sleeps at `receivers`.
//  (5) The socket's end closes the inbox, and then takes some off under each hold. Nobody adds any more.
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
    Inbox(mm::OnHeap, Reservation charge, Ref<SocketEnd> socket_end)
        : end(std::move(socket_end)), charge_(std::move(charge)) {}
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

    const Ref<SocketEnd> end;
    sched::WaitQueue senders, receivers;

private:
    static constexpr unsigned kEndedAtOnce = 16;
    using Lock = sync::SpinLock<sync::Rank::stream>;
    RefCount references_;
    Reservation charge_;
    Lock lock_;
    IntrusiveList<Datagram, &Datagram::node> list_ AIOS_GUARDED_BY(lock_); // with a reference each
    std::uint64_t bytes_ AIOS_GUARDED_BY(lock_) = 0, count_ AIOS_GUARDED_BY(lock_) = 0;
    bool is_stopped_ AIOS_GUARDED_BY(lock_) = false;
};

} // namespace aios::linux_abi
