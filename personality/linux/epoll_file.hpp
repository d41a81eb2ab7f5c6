// An epoll file: what it watches (epoll_item.hpp) and the event queue that collects. An item is a registration of the
// queue, of a mode of its own: level for epoll's plain events, `changed` for EPOLLET, once for EPOLLONESHOT.
//
// Locks: control_ (a mutex) keeps two changes of the same file apart; the items under Rank::watched_file, Rank::epoll.
#pragma once

#include "personality/linux/anonymous_file.hpp"

namespace aios::linux_abi {

class EpollFile final : public OpenFile {
public:
    static std::expected<Ref<EpollFile>, Errno> create(Call& call);
    EpollFile(Reservation charge, Ref<event::EventQueue> queue, std::uint64_t inode)
        : OpenFile(std::move(charge), {}, FileKind::epoll), queue_(std::move(queue)), inode_(inode) {}
    ~EpollFile() override;

    [[nodiscard]] event::Source* source() override { return queue_->event_source(); }
    // Looks at what is noted as ready, so that what is over does not count.
    [[nodiscard]] std::uint64_t ready() override { return queue_->settle() ? kSignalReadable : 0; }
    [[nodiscard]] Stat info() const override { return anonymous_info(0600, inode_); }
    [[nodiscard]] bool is_seekable() const override { return false; }
    Outcome read(Call&, UserOut<std::byte>, std::uint64_t) override { return refuse(kInvalid); }
    Outcome write(Call&, UserIn<std::byte>, std::uint64_t) override { return refuse(kInvalid); }

    // kExists; kLoop (an epoll file in a circle, too deep, or in one already); kNoSpace (watched by as many as can be);
    // kNoMemory.
    Outcome add(Call& call, const Ref<OpenFile>& file, Descriptor fd, std::uint32_t events, std::uint64_t data);
    Outcome change(OpenFile& file, Descriptor fd, std::uint32_t events, std::uint64_t data); // kNoEntry
    Outcome remove(OpenFile& file, Descriptor fd);                                           // kNoEntry

    // Up to `most` events to `out`, waiting for the first.
    Outcome wait(Call& call, UserOut<EpollEvent> out, std::uint64_t most, sched::Deadline deadline,
                 std::uint64_t restarted);

private:
    friend class WatchedFile;
    using Lock = sync::SpinLock<sync::Rank::epoll>;
    static constexpr std::uint64_t kFewPackets = 16, kMostPackets = 1024;

    // Takes an item that was found linked off everything. False: somebody else did.
    static bool end(EpollItem& item);
    [[nodiscard]] Ref<EpollItem> find(const OpenFile& file, Descriptor fd);
    [[nodiscard]] Ref<EpollItem> first();
    Outcome deliver(std::span<const EventPacket> packets, UserOut<EpollEvent> out);
    [[nodiscard]] bool event_of(const EventPacket& packet, EpollEvent& event);

    const Ref<event::EventQueue> queue_;
    const std::uint64_t inode_;
    sync::Mutex<sync::Rank::open_file> control_;
    std::uint64_t last_id_ AIOS_GUARDED_BY(control_) = 0;
    Lock lock_;
    IntrusiveTree<EpollItem, &EpollItem::target_node, &EpollItem::target> by_target_ AIOS_GUARDED_BY(lock_);
    IntrusiveTree<EpollItem, &EpollItem::id_node, &EpollItem::id> by_id_ AIOS_GUARDED_BY(lock_);
};

} // namespace aios::linux_abi
