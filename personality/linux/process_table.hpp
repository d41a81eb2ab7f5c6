// ProcessTable: the Linux processes of one agent. Numbers start at 1 and belong to the agent: what a program sees of itself
// and of its family is the same on every boot and tells nothing of others. Processes, threads, groups and sessions take
// their numbers from one row, so that none means two things.
//
// An entry stands for a process from its making until its end has been told: to its parent by wait, or to nobody. The first
// process's end is the agent's end. Whose parent ends goes to the first process, or to the nearest ancestor that asked for
// it (PR_SET_CHILD_SUBREAPER). Table, entries, groups and sessions are charged to the agent, so a zombie costs who made it.
//
// Lock: Rank::process_table, a spinlock, guards all of it; LinuxProcess::thread_lock is taken inside. Nothing walks more
// than kAtOnce elements under one hold; walks go by number and find their place again, so that what comes or goes meanwhile
// does not matter. An entry's `process` is alive as long as it is not nullptr and the lock is held.
#pragma once

#include "kernel/agent/agent.hpp"
#include "kernel/sched/wait_queue.hpp"
#include "personality/linux/file_locks.hpp"
#include "personality/linux/linux_thread.hpp"
#include "personality/linux/lookup.hpp"
#include "personality/linux/pi_futex.hpp"
#include "personality/linux/process_end.hpp"
#include "personality/linux/socket_space.hpp"
#include "personality/linux/terminal_names.hpp"

namespace aios::linux_abi {

class LinuxProcess;
class Terminal;
struct ProcessEntry;
class SystemVSpace;

struct Session {
    Reservation charge;
    std::int32_t number = 0;
    TreeNode node;
    std::uint32_t groups = 0;
    Ref<Terminal> terminal;         // its controlling one; terminal_jobs.hpp
    std::int32_t hung_up_group = 0; // was its foreground group when the terminal was hung up; 0: none
    ~Session();
};

struct ProcessGroup {
    Reservation charge;
    std::int32_t number = 0;
    TreeNode node;
    Session* session = nullptr;
    std::uint32_t members = 0;
    ~ProcessGroup() = default;
};

// What a parent has to be told about a child.
enum class ChildNews : std::uint8_t { none, stopped, continued, ended };

struct ProcessEntry {
    explicit ProcessEntry(Reservation reservation) : charge(std::move(reservation)) {}
    ~ProcessEntry() = default;
    Reservation charge;
    std::int32_t pid = 0;
    TreeNode node;                   // of all
    LinuxProcess* process = nullptr; // nullptr: it has ended
    ProcessGroup* group = nullptr;
    ProcessEntry* parent = nullptr; // nullptr: the first, or its parent ended with the agent
    TreeNode sibling_node, news_node;
    IntrusiveTree<ProcessEntry, &ProcessEntry::sibling_node, &ProcessEntry::pid> children;
    IntrusiveTree<ProcessEntry, &ProcessEntry::news_node, &ProcessEntry::pid> tellers; // children with news
    ChildNews news = ChildNews::none;
    std::uint32_t status = 0; // of the news, as wait4 tells it
    std::uint64_t cpu_ns = 0; // of its threads that have ended
    std::uint64_t children_cpu_ns = 0;
    std::uint64_t born = 0;        // monotonic, ns; constant once it stands in the table
    char name[kThreadNameBytes]{}; // of its first thread, when it has ended
    std::int32_t exit_signal = 0;
    bool has_executed = false;
    bool takes_orphans = false;
    bool gave_terminal_up = false; // TIOCNOTTY: the session's terminal is not this process's
    struct VforkWait* vforked = nullptr;
    Ref<ProcessEnd> ending; // made with the first descriptor of the process
};

// A thread that stands still until the child that it made by vfork has its own memory, or is gone. On its stack.
struct VforkWait {
    ProcessEntry* child = nullptr; // under the lock; nullptr: it needs to wait no more
    sched::WaitQueue queue;
};

class ProcessTable {
public:
    static constexpr std::int32_t kFirst = 1, kLast = 1 << 22;
    static constexpr unsigned kAtOnce = 16;

    static Result<Ref<ProcessTable>> create(Payer& payer, const ProgramStart& start);
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }

    using Lock = sync::SpinLock<sync::Rank::process_table>;
    Lock lock;
    NameSpace name_space;       // constant
    StartupBlock startup;       // constant
    Ref<FileLocks> locks;       // constant
    Ref<SocketSpace> sockets;   // constant
    Ref<SystemVSpace> system_v; // constant
    TerminalNames terminals AIOS_GUARDED_BY(lock);
    PiTable pi; // futexes with owners

    // The entry of a new process; the first has no parent and a session of its own. It inherits its parent's group.
    // quota_exceeded, out_of_memory, would_block: no number is free.
    // `sibling`: `parent` makes a child for its own parent, which hears of it as it will of `parent`.
    enum class Kin : std::uint8_t { child, sibling };
    Result<ProcessEntry*> add(LinuxProcess& process, ProcessEntry* parent, std::int32_t exit_signal,
                              Kin kin = Kin::child);
    // Of a process that never ran.
    void forget(ProcessEntry& entry);
    // A number for a thread that is not its process's first.
    Result<> add_thread(LinuxThread& thread);
    // Its process's first thread has the process's number.
    void add_first_thread(LinuxThread& thread, const ProcessEntry& entry);
    void remove_thread(LinuxThread& thread);

    // The process has ended: no thread, no memory, no file of it is left. Its children go to another parent; its own
    // parent hears. `status` as wait4 tells it. Thread context, no locks.
    void end(ProcessEntry& entry, std::uint32_t status);
    // execve: `successor` is the process from now on.
    void replace(ProcessEntry& entry, LinuxProcess& successor);
    // The process stopped or goes on: its parent hears, and may wait for it.
    void tell(ProcessEntry& entry, ChildNews news, std::uint32_t status);

    [[nodiscard]] ProcessEntry* find_locked(std::int32_t pid) const AIOS_REQUIRES(lock) {
        lock.assert_held();
        return entries_.find(pid);
    }
    [[nodiscard]] ProcessEntry* find_from_locked(std::int32_t pid) const AIOS_REQUIRES(lock) { // the first not below it
        lock.assert_held();
        return entries_.lower_bound(pid);
    }
    [[nodiscard]] LinuxThread* find_thread_locked(std::int32_t tid) const AIOS_REQUIRES(lock) {
        lock.assert_held();
        return threads_.find(tid);
    }
    [[nodiscard]] LinuxThread* find_thread_from_locked(std::int32_t tid) const AIOS_REQUIRES(lock) {
        lock.assert_held();
        return threads_.lower_bound(tid);
    }
    [[nodiscard]] LinuxThread* next_thread_locked(const LinuxThread& thread) const AIOS_REQUIRES(lock) {
        lock.assert_held();
        return threads_.next(thread);
    }
    [[nodiscard]] ProcessGroup* find_group_locked(std::int32_t number) const AIOS_REQUIRES(lock) {
        lock.assert_held();
        return groups_.find(number);
    }
    [[nodiscard]] Session* find_session_locked(std::int32_t number) const AIOS_REQUIRES(lock) {
        lock.assert_held();
        return sessions_.find(number);
    }
    [[nodiscard]] std::size_t count();
    // How many processes and threads there have been, and the number that was given out last.
    struct Numbers {
        std::uint64_t given = 0;
        std::int32_t last = 0;
    };
    [[nodiscard]] Numbers numbers();
    [[nodiscard]] Bytes boot_id() const { return Bytes(boot_id_, sizeof(boot_id_)); } // random, the agent's own

    // st_ino of a file without a name: counted within the agent, so it tells nothing of others.
    [[nodiscard]] std::uint64_t new_inode() { return last_inode_.fetch_add(1, std::memory_order_relaxed) + 1; }

    // Takes a zombie from its parent. It is to be given to discard() when the lock is let go.
    void take_zombie_locked(ProcessEntry& child) AIOS_REQUIRES(lock);
    void discard(ProcessEntry& entry);
    // Where threads wait for news of the children of `parent`.
    [[nodiscard]] sched::WaitQueue& waiters_of(std::int32_t parent) {
        return waiters_[static_cast<std::uint32_t>(parent) % kQueues];
    }

    // setpgid: the process `pid` (0: the caller's) into the group `number` (0: its own), which is made if it is its own.
    // kNoProcess, kPerm, kAccess (a child that has executed a program), kNoMemory.
    Errno move_to_group(LinuxProcess& caller, std::int32_t pid, std::int32_t number);
    Errno lead_session(LinuxProcess& caller); // setsid. kPerm, kNoMemory

    ProcessTable(const ProcessTable&) = delete;

    ProcessTable(mm::OnHeap, Reservation charge);
    ~ProcessTable();

private:
    std::atomic<std::uint64_t> last_inode_{100}; // below are the special files
    Result<std::int32_t> free_number_locked() AIOS_REQUIRES(lock);
    struct Left { // what is freed outside the lock
        mm::Owned<ProcessGroup> group;
        mm::Owned<Session> session;
    };
    void join_locked(ProcessEntry& entry, ProcessGroup& group) AIOS_REQUIRES(lock);
    Left leave_locked(ProcessEntry& entry) AIOS_REQUIRES(lock);
    ProcessEntry* new_parent_locked(ProcessEntry& of) AIOS_REQUIRES(lock);
    void give_children_away(ProcessEntry& entry);
    bool tell_parent_locked(ProcessEntry& entry) AIOS_REQUIRES(lock);
    void release_vfork_locked(ProcessEntry& entry) AIOS_REQUIRES(lock);

    static constexpr std::uint32_t kQueues = 8;
    sched::WaitQueue waiters_[kQueues];

    RefCount references_;
    Reservation charge_;
    IntrusiveTree<ProcessEntry, &ProcessEntry::node, &ProcessEntry::pid> entries_ AIOS_GUARDED_BY(lock);
    IntrusiveTree<ProcessGroup, &ProcessGroup::node, &ProcessGroup::number> groups_ AIOS_GUARDED_BY(lock);
    IntrusiveTree<Session, &Session::node, &Session::number> sessions_ AIOS_GUARDED_BY(lock);
    IntrusiveTree<LinuxThread, &LinuxThread::table_node, &LinuxThread::tid> threads_ AIOS_GUARDED_BY(lock);
    std::int32_t last_number_ AIOS_GUARDED_BY(lock) = 0;
    std::uint64_t given_ AIOS_GUARDED_BY(lock) = 0;
    std::byte boot_id_[16]{}; // constant
};

} // namespace aios::linux_abi
