// The Linux side of a process: its Personality. State that Linux keeps a process: break, files, signal actions; a
// thread: LinuxThread. Locks: `lock` (Rank::process, a mutex) guards files, working directory, break and signal
// actions; `thread_lock` (Rank::thread_list, a spinlock) guards the list of threads, so that a signal finds its thread
// alive; futexes have their own (futex.hpp).
#pragma once

#include <atomic>

#include "kernel/agent/agent.hpp"
#include "kernel/agent/elf.hpp"
#include "kernel/mm/owned.hpp"
#include "personality/linux/arguments.hpp"
#include "personality/linux/files.hpp"
#include "personality/linux/futex.hpp"
#include "personality/linux/lookup.hpp"

namespace aios::linux_abi {

// A thread's own data: Thread::personality_data. Charged to the agent. Written by its own thread, but for `pending`.
struct LinuxThread {
    LinuxThread(Reservation reservation, Thread& own) : charge(std::move(reservation)), thread(own) {}
    Reservation charge;
    Thread& thread;
    TreeNode node;                         // under thread_lock
    std::int32_t tid = 0;                  // constant once it is in the process's tree
    std::uint64_t clear_child_tid = 0;     // user address, or 0
    std::atomic<std::uint64_t> blocked{0}; // signal mask; bit number - 1
    std::atomic<std::uint64_t> pending{0}; // signals sent to this thread
    std::uint64_t saved_mask = 0;          // of rt_sigsuspend, put back by the next delivery
    bool restore_mask = false;
    bool leaving = false; // has called exit
    SignalStack alternate{0, kStackDisable, 0, 0};
    char name[16]{};
    // A call that ended with EINTR, until its thread is back in user mode: what to do instead, if no handler runs.
    struct Interrupted {
        bool active = false;
        bool restart_after_handler = false; // SA_RESTART applies
        std::uint64_t number = 0;
        std::uint64_t deadline = 0; // of relative waits; 0: none
    } interrupted;
    std::uint64_t restarted_deadline = 0; // the call under way is a restart of one with this deadline
};
[[nodiscard]] inline LinuxThread& data_of(Thread& thread) {
    return *static_cast<LinuxThread*>(thread.personality_data);
}

// Signal actions; made when the first is set. Charged.
struct ActionTable {
    explicit ActionTable(Reservation reservation) : charge(std::move(reservation)) {}
    Reservation charge;
    SignalAction of[kSignalCount]{};
    ~ActionTable() = default;
};

class LinuxProcess final : public Personality {
public:
    // Threads are numbered from 1 within the process, whose own number is that of its first: what a program sees of
    // itself is the same on every boot and tells nothing of others.
    static constexpr std::int32_t kFirstTid = 1, kMaxTid = 1 << 22;

    static Result<mm::Owned<LinuxProcess>> create(Process& process, const ProgramStart& start);

    void call(Thread& thread, arch::TrapFrame& frame) override;
    bool exception(Thread& thread, arch::TrapFrame& frame, std::uint64_t address) override;
    [[nodiscard]] Restart restart_of(std::uint64_t number) const override;
    void interrupted(Thread& thread, arch::TrapFrame& frame) override;
    Result<> thread_created(Thread& thread) override;
    void thread_exited(Thread& thread) override;
    ~LinuxProcess() override = default;

    [[nodiscard]] Process& process() { return process_; }
    [[nodiscard]] Agent& agent() { return process_.agent(); }
    [[nodiscard]] Quota& quota() { return process_.agent().quota(); }
    [[nodiscard]] mm::AddressSpace& memory() { return process_.memory(); }
    [[nodiscard]] cap::Table& table() { return process_.agent().table(); }
    [[nodiscard]] std::int32_t pid() const { return kFirstTid; }

    using Lock = sync::Mutex<sync::Rank::process>;
    Lock lock;
    FileTable files AIOS_GUARDED_BY(lock);
    HeldText working_directory AIOS_GUARDED_BY(lock); // as Path
    mm::Owned<ActionTable> actions AIOS_GUARDED_BY(lock);
    std::uint64_t break_start AIOS_GUARDED_BY(lock) = 0;
    std::uint64_t break_end AIOS_GUARDED_BY(lock) = 0;    // as the program asked
    std::uint64_t break_mapped AIOS_GUARDED_BY(lock) = 0; // page-aligned end of what is mapped
    std::atomic<std::uint32_t> creation_mask{022};
    NameSpace name_space; // constant
    HeldText executable;  // constant; absolute path
    FutexTable futexes;   // of private futexes

    using ThreadLock = sync::SpinLock<sync::Rank::thread_list>;
    ThreadLock thread_lock;
    IntrusiveTree<LinuxThread, &LinuxThread::node, &LinuxThread::tid> threads AIOS_GUARDED_BY(thread_lock);
    std::atomic<std::uint64_t> process_pending{0}; // signals sent to the process, taken by any thread
    std::atomic<std::uint32_t> threads_staying{0}; // threads that have not called exit

private:
    LinuxProcess(Process& process, Reservation charge) : process_(process), charge_(std::move(charge)) {}
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
    Result<> open_standard(const StartupBlock& startup);
    void note_unanswered(std::uint64_t number);
    Process& process_;
    Reservation charge_;
    Result<std::int32_t> free_tid_locked() AIOS_REQUIRES(thread_lock);
    std::int32_t last_tid_ AIOS_GUARDED_BY(thread_lock) = 0;
    std::atomic<std::uint64_t> unanswered_[8]{}; // one bit a call number that was logged
    std::atomic<bool> unanswered_high_{false};
};

// What a call sees, beside its arguments.
struct Call {
    LinuxProcess& process;
    Thread& thread;
    arch::TrapFrame& frame;
    std::uint64_t number;
    [[nodiscard]] LinuxThread& data() const { return data_of(thread); }
};

// One page for copies between kernel contents and user memory, charged for the length of the call: kernel stacks are
// small, and no lock of a file's pages is held while user memory faults.
class Bounce {
public:
    static constexpr std::size_t kBytes = arch::kPageSize;
    static std::expected<Bounce, Errno> make(LinuxProcess& process); // kNoMemory
    Bounce(Bounce&& other) noexcept : charge_(std::move(other.charge_)), data_(std::exchange(other.data_, nullptr)) {}
    Bounce& operator=(Bounce&&) = delete;
    ~Bounce();
    [[nodiscard]] std::byte* data() { return data_; }
    [[nodiscard]] char* text() { return reinterpret_cast<char*>(data_); } // SAFETY: bytes as characters

private:
    Bounce(Reservation charge, std::byte* data) : charge_(std::move(charge)), data_(data) {}
    Reservation charge_;
    std::byte* data_;
};

// Nanoseconds of a TimeSpec; kInvalid if it is negative or its nanoseconds are not below 10^9. Saturates.
[[nodiscard]] std::expected<std::uint64_t, Errno> nanoseconds_of(const TimeSpec& time);

// A wait was interrupted: answers EINTR. Where no handler runs the call is made again; after a handler only where
// SA_RESTART applies to it. `deadline` of a relative wait, or 0.
enum class AfterHandler : bool { ends, restarts };
[[nodiscard]] std::unexpected<Errno> interrupted_call(Call& call, AfterHandler after, std::uint64_t deadline = 0);

template <typename Signature>
struct Handler;
template <typename... A>
struct Handler<void(A...)> {
    using Type = Outcome(Call&, A...);
};

// The handlers, one a supported call; coverage.def is the table. Each file *_calls.cpp holds one subject.
using std::int32_t, std::int64_t, std::uint32_t, std::uint64_t;
#define LINUX_CALL(number, name, tier, restart, answered, arguments) Handler<void arguments>::Type call_##name;
#include "personality/linux/coverage.def"
#undef LINUX_CALL

} // namespace aios::linux_abi
