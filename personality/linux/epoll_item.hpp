// What stands between an open file and an epoll file that watches it: one EpollItem a pair of file and descriptor, as on
// Linux. It goes when either of the two goes, or by epoll_ctl.
//
// Holds always: an item is linked in the file's list and in the epoll file's trees, or in neither. It is linked and
// unlinked under the lock of the file's list and then that of the epoll file, so either is enough to find both alive.
// The lock of a file's list comes from a fixed set, chosen by the file's address: an epoll file that ends can take it
// for a file that is ending at the same moment, and then see whether it is still there (as kernel/event/source.cpp).
// Locks: Rank::watched_file, then Rank::epoll.
#pragma once

#include "base/intrusive_list.hpp"
#include "base/intrusive_tree.hpp"
#include "base/ref.hpp"
#include "kernel/event/event.hpp"

namespace aios::linux_abi {

class EpollFile;
class OpenFile;

struct EpollItem {
    struct Target {
        const OpenFile* file; // compared, never followed
        std::uint32_t fd;
        auto operator<=>(const Target&) const = default;
    };
    EpollItem(Reservation reservation, Ref<event::EventQueue> events_queue, EpollFile& watcher, OpenFile& watched,
              std::uint32_t fd, std::uint64_t number)
        : charge(std::move(reservation)), queue(std::move(events_queue)), epoll(watcher), target{&watched, fd},
          id(number) {}
    EpollItem(const EpollItem&) = delete;
    ~EpollItem() = default;
    void retain() { references.retain(); }
    void release() {
        if (references.release()) mm::destroy(this);
    }

    RefCount references; // one of list and trees together, and those of calls in progress
    Reservation charge;
    const Ref<event::EventQueue> queue; // the epoll file's, for who may come after its end
    EpollFile& epoll;                   // while it is linked
    const Target target;
    const std::uint64_t id;               // key in the queue, never used again
    std::atomic<OpenFile*> file{nullptr}; // nullptr: not linked. Changes under both locks
    std::uint32_t events = 0;             // under Rank::epoll, as the rest
    std::uint64_t data = 0;
    ListNode file_node;
    TreeNode target_node, id_node;
};

// The items of one open file.
class WatchedFile {
public:
    // The file ends: none is left when it returns.
    void end_all(OpenFile& file);

private:
    friend class EpollFile;
    std::atomic<bool> has_been_watched_{false};             // false: nobody has ever needed the lock
    IntrusiveList<EpollItem, &EpollItem::file_node> items_; // under the lock of the set
};

} // namespace aios::linux_abi
