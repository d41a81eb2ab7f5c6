// FileLocks: the locks that the processes of one agent have on files (fcntl F_SETLK and its kin, flock), one table an agent.
// They are advice, and nobody but the agent's own processes hears of them.
//
// Three kinds of owners: a process (POSIX record locks: gone with the first close of any descriptor of the file, and with
// the process), an open file (F_OFD_SETLK), and an open file as a whole (flock); flock and the others do not see each other.
// Always: the locks of one owner on one file do not overlap, and neighbours of the same type are one. A file is known here
// while it has locks or somebody waits; a lock is charged to whoever took it, a file to who was first.
//
// Lock: Rank::open_file, a mutex, over all of it; never together with a file's position. A file has at most kMostLocks, so no walk under it is longer; the search
// for a deadlock goes kMostDeep owners far, as on Linux, and waits beyond that.
#pragma once

#include <optional>

#include "base/intrusive_tree.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/sched/wait_queue.hpp"
#include "kernel/sync/lock.hpp"
#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

class FileLocks {
public:
    static constexpr std::uint64_t kEnd = INT64_MAX; // the last byte that there can be
    static constexpr unsigned kMostLocks = 1024, kMostDeep = 10;

    struct Key { // st_dev and st_ino
        std::uint64_t device = 0, inode = 0;
        auto operator<=>(const Key&) const = default;
    };
    enum class Kind : std::uint8_t { process, open_file, whole };
    struct Owner {
        Kind kind = Kind::process;
        std::uint64_t number = 0; // of the process; of an open file its address, which is compared alone
        bool operator==(const Owner&) const = default;
    };
    enum class Type : std::uint8_t { none, shared, exclusive };
    struct Range {
        std::uint64_t first = 0, last = kEnd;
        Type type = Type::none;
    };
    struct Held {
        Owner owner;
        Range range;
    };

    static Result<Ref<FileLocks>> create(Payer& payer);
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }

    // Takes, changes or gives back (Type::none). kAgain: somebody else has it; kNoLocks, kNoMemory.
    Errno set(Payer& payer, const Key& key, const Owner& owner, const Range& range);
    // The same, and waits until it can be had. kDeadlock (processes alone), kInterrupted.
    Errno set_or_wait(Payer& payer, const Key& key, const Owner& owner, const Range& range);
    // The first lock that would be in the way.
    std::optional<Held> find_conflict(const Key& key, const Owner& owner, const Range& range);
    // All that the owner has on the file.
    void drop(const Key& key, const Owner& owner);

    FileLocks(const FileLocks&) = delete;
    FileLocks(mm::OnHeap, Reservation charge) : charge_(std::move(charge)) {}
    ~FileLocks();

private:
    struct Lock;
    struct File;
    struct Waiter;
    struct Spares; // what a change may need, made and charged before it
    static std::expected<Spares, Errno> make_spares(Payer& payer);
    Errno set_locked(const Key& key, const Owner& owner, const Range& range, Spares& spares) AIOS_REQUIRES(mutex_);
    // Both answer whether anything became free.
    bool replace_locked(File& file, const Owner& owner, Range range, Spares& spares) AIOS_REQUIRES(mutex_);
    static bool remove_of(File& file, const Owner& owner);
    static const Lock* conflict_in(const File& file, const Owner& owner, const Range& range);
    [[nodiscard]] const Lock* blocker_of_locked(const Waiter& waiter) const AIOS_REQUIRES(mutex_);
    [[nodiscard]] bool closes_circle_locked(const Waiter& waiter) const AIOS_REQUIRES(mutex_);
    void forget_if_unused_locked(File& file) AIOS_REQUIRES(mutex_);
    Errno try_again(Waiter& waiter, Spares& spares);

    RefCount references_;
    Reservation charge_;
    sync::Mutex<sync::Rank::open_file> mutex_;

    struct Place { // of a lock among those of its file
        std::uint64_t first, number;
        auto operator<=>(const Place&) const = default;
    };
    struct Lock {
        explicit Lock(Reservation reservation) : charge(std::move(reservation)) {}
        ~Lock() = default;
        Reservation charge;
        TreeNode node;
        Place place{};
        std::uint64_t last = 0;
        Owner owner;
        Type type = Type::none;
    };
    struct File {
        explicit File(Reservation reservation) : charge(std::move(reservation)) {}
        ~File() = default;
        Reservation charge;
        TreeNode node;
        Key key;
        IntrusiveTree<Lock, &Lock::node, &Lock::place> locks;
        std::uint32_t waiting = 0; // threads in the queue
        sched::WaitQueue queue;
    };
    struct WaiterKey {
        std::uint64_t owner, number;
        auto operator<=>(const WaiterKey&) const = default;
    };
    struct Waiter { // on the stack of its thread
        TreeNode node;
        WaiterKey place{};
        Key key;
        Owner owner;
        Range range;
    };
    IntrusiveTree<File, &File::node, &File::key> files_ AIOS_GUARDED_BY(mutex_);
    IntrusiveTree<Waiter, &Waiter::node, &Waiter::place> waiters_ AIOS_GUARDED_BY(mutex_); // processes alone
    std::uint64_t last_number_ AIOS_GUARDED_BY(mutex_) = 0;
};

// What an open file that has taken locks of its own gives back at its end.
struct LocksOfFile {
    Reservation charge;
    Ref<FileLocks> table;
    FileLocks::Key key;
    ~LocksOfFile() = default;
};

} // namespace aios::linux_abi
